#!/bin/bash
# C files are as .clang-format wants them. Other versions than 14 format differently, so
# only this one counts. check_format.sh --fix rewrites the files instead.
# shellcheck source=tests/lint/files.sh
source "$(dirname "$0")/files.sh"

tool=$(command -v clang-format-14) || skip "clang-format-14 is not installed"
mapfile -t files < <(tree_files '*.c' '*.h')
if [ "${1-}" = --fix ]; then
    exec "$tool" -i "${files[@]}"
fi
while IFS= read -r file; do
    finding "$file: not formatted (tests/lint/check_format.sh --fix)"
done < <("$tool" --dry-run -Werror "${files[@]}" 2>&1 |
    sed -nE 's/^(.+):[0-9]+:[0-9]+: (error|warning): .*/\1/p' | sort -u)
finish "format of ${#files[@]} files"
