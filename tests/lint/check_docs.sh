#!/bin/bash
# check_docs.sh BUILD_DIR [--fix]: docs/CONFIG.md, docs/FINDINGS.md and deploy/mxdrop.yaml
# are what the tables of the programs say today; the manual pages format without a warning.
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

# The symbols that our own detectors declare: {"NAME", SCORE, "meaning"}, one a row.
findings_page() {
    cat <<'EOF'
# Findings

What the scanner's own detectors report; rule files bring names of their own. A finding adds its score to the message's, unless
`scand.scores` says otherwise. What is done about one, whatever the score: `virus`, `block_partial`, `bad_filename` and
`suspicious_chars` act on those that most sites refuse, `findings` on any that you name:

```
policyd:
  findings:
    actions: [MX_DOC_MACROS hold, MX_DOC_ENCRYPTED refuse, MX_CLAMAV_LIMITS hold]
```

`mxdropctl scan FILE` shows the findings of a message. This page is generated: `tests/lint/check_docs.sh BUILD --fix`.

| symbol | score | meaning | detector |
|---|---|---|---|
EOF
    local file detector
    for file in scand/det_*.c; do
        detector=${file#scand/det_}
        tr -d '\n' <"$file" |
            { grep -oE '\{"[A-Z][A-Z0-9_]+", +[0-9.]+, +"[^"]+"\}' || true; } |
            sed -E "s/\{\"([A-Z0-9_]+)\", +([0-9.]+), +\"([^\"]+)\"\}/| \`\1\` | \2 | \3 | ${detector%.c} |/"
    done | LC_ALL=C sort -u -t'|' -k2,2
}

findings_page >"$work/FINDINGS.md"
same "$work/FINDINGS.md" docs/FINDINGS.md
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
