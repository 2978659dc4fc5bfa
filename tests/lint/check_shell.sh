#!/bin/bash
# Shell scripts pass shellcheck; Python files compile.
# shellcheck source=tests/lint/files.sh
source "$(dirname "$0")/files.sh"

command -v shellcheck >/dev/null || skip "shellcheck is not installed"
mapfile -t scripts < <(tree_files '*' | grep -vE '\.(c|h|eml|dict)$' |
    xargs -r awk 'FNR == 1 { if (/^#!.*sh$/) print FILENAME; nextfile }')
shellcheck -x -S warning "${scripts[@]}" || finding "shellcheck: see above"
while IFS= read -r file; do
    /usr/bin/python3 -c 'import ast, sys; ast.parse(open(sys.argv[1]).read(), sys.argv[1])' "$file" ||
        finding "$file does not parse"
done < <(tree_files '*.py')
finish "${#scripts[@]} shell scripts"
