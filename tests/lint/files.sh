# Sourced by the checks: where the tree is, what belongs to it, how a finding is reported.
# shellcheck shell=bash
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

PRODUCT_DIRS=(lib proto store policyd scand milter-shim ctl)
export LC_ALL=C
found=0

# tree_files PATTERN...: files of the tree, those not committed yet included. Without git
# (an unpacked archive) everything but the build directories counts.
tree_files() {
    git -c safe.directory="$PWD" ls-files -co --exclude-standard -- "$@" 2>/dev/null |
        while IFS= read -r f; do [ ! -f "$f" ] || printf '%s\n' "$f"; done | sort -u |
        grep . && return
    local pattern args=()
    for pattern in "$@"; do
        args+=(-o -path "./$pattern")
    done
    find . -path './build*' -prune -o -path ./.git -prune -o \
        -type f \( "${args[@]:1}" \) -print | sed 's,^\./,,' | sort
}

# finding TEXT: one line about what is wrong; the check fails at the end.
finding() {
    printf '%s\n' "$*"
    found=$((found + 1))
}

# finish WHAT: the last line and the exit code of a check.
finish() {
    if [ "$found" -gt 0 ]; then
        echo "$1: $found findings"
        exit 1
    fi
    echo "$1: ok"
}

# skip TEXT: this machine cannot run the check (CTest's SKIP_RETURN_CODE).
skip() {
    echo "skipped: $*"
    exit 77
}
