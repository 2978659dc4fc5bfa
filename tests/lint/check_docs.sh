#!/bin/bash
# check_docs.sh BUILD_DIR [--fix]: docs/CONFIG.md and deploy/mxdrop.yaml are what the
# tables of the programs say today; the manual pages format without a warning.
# shellcheck source=tests/lint/files.sh
source "$(dirname "$0")/files.sh"
build=${1:?usage: check_docs.sh BUILD_DIR [--fix]}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

same() {
    local generated=$1 kept=$2
    if [ "${fix-}" = yes ]; then
        cp "$generated" "$kept"
    elif ! diff -u "$kept" "$generated" | head -20; then
        finding "$kept is out of date: tests/lint/check_docs.sh $build --fix"
    fi
}
[ "${2-}" != --fix ] || fix=yes

"$build/bin/mxdropctl" config docs >"$work/CONFIG.md"
"$build/bin/mxdropctl" config sample >"$work/mxdrop.yaml"
same "$work/CONFIG.md" docs/CONFIG.md
same "$work/mxdrop.yaml" deploy/mxdrop.yaml

if command -v man >/dev/null; then
    for page in docs/man/*.[1-8]; do
        warnings=$(MANROFFSEQ='' MANWIDTH=80 man --warnings -l -E UTF-8 -Tutf8 "$page" 2>&1 >/dev/null)
        [ -z "$warnings" ] || finding "$page: $warnings"
    done
fi
finish "generated documents"
