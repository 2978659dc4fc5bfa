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
for file in "${files[@]}"; do
    "$tool" --dry-run -Werror "$file" >/dev/null 2>&1 ||
        finding "$file: not formatted (tests/lint/check_format.sh --fix)"
done
finish "format of ${#files[@]} files"
