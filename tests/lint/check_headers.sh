#!/bin/bash
# check_headers.sh BUILD_DIR: every header of ours compiles alone, so that any file may
# include it first.
# shellcheck source=tests/lint/files.sh
source "$(dirname "$0")/files.sh"
build=${1:?usage: check_headers.sh BUILD_DIR}

flags=(-std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Wno-unused-function -fsyntax-only -x c)
for folder in "${PRODUCT_DIRS[@]}"; do
    flags+=("-I$folder")
done
read -ra libraries < <(pkg-config --cflags-only-I libuv libzmq hiredis libprotobuf-c \
    libcyaml gmime-3.0 libclamav libmicrohttpd libsystemd | sed 's/-I/-isystem /g')
flags+=(-isystem "$build/proto" "${libraries[@]}")

headers=0
while IFS= read -r header; do
    headers=$((headers + 1))
    if ! output=$(printf '#include "%s"\n' "$header" | "${CC:-cc}" "${flags[@]}" -I. - 2>&1); then
        finding "$header does not compile alone:" "$output"
    fi
done < <(for folder in "${PRODUCT_DIRS[@]}"; do tree_files "$folder/*.h"; done)
finish "$headers headers"
