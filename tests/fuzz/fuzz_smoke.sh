#!/bin/sh
# fuzz_smoke.sh PROGRAM CORPUS DICT: replays the corpus, then fuzzes for some seconds.
# New inputs go to a private directory; a crash leaves its input there and fails.
set -eu
program=$1 corpus=$2 dict=$3
work=$(mktemp -d "${TMPDIR:-/tmp}/mxdrop-fuzz.XXXXXX")
"$program" -runs=0 "$corpus"
set -- -max_total_time="${MX_FUZZ_SECONDS:-5}" -artifact_prefix="$work/" -print_final_stats=1
[ ! -f "$dict" ] || set -- "$@" -dict="$dict"
mkdir "$work/new"
if ! "$program" "$@" "$work/new" "$corpus"; then
    echo "the input that fails is in $work: add it to $corpus once fixed" >&2
    exit 1
fi
rm -rf "$work"
