#!/bin/bash
# Words that do not belong into the tree: paths and hosts of one machine, functions that
# cannot bound what they write, promises without an issue number.
# shellcheck source=tests/lint/files.sh
source "$(dirname "$0")/files.sh"

mapfile -t files < <(tree_files '*' | grep -vE '^tests/(fuzz/corpus|data)/|^tests/lint/check_names')
mapfile -t c_files < <(for d in "${PRODUCT_DIRS[@]}" bench; do tree_files "$d/*.c" "$d/*.h"; done)

# look WHAT REGEX FILE...: one finding a hit.
look() {
    local what=$1 regex=$2 hit
    shift 2
    while IFS= read -r hit; do
        finding "$what: ${hit:0:160}"
    done < <(printf '%s\0' "$@" | xargs -0r grep -HnIE -- "$regex")
}

look "path of one machine" '(^|[^A-Za-z0-9_.])/(wor[k]|root|home/[a-z]+)/' "${files[@]}"
look "path of one machine" '/tm[p]/mx/' "${files[@]}"
look "host of a package mirror" 'https?://[a-z0-9.-]*(mirror|registry|artifactory|nexus)' "${files[@]}"
look "promise without an issue number" '\b(TODO|FIXME|XXX)\b([^#]*$|.*#[^0-9])' "${files[@]}"
look "function without a bound" \
    '\b(strtok|strtok_r|sprintf|vsprintf|strcpy|strcat|gets|atoi|atol|atof)\(' "${c_files[@]}"

# Where this machine fetches its packages from is nobody else's business.
while IFS= read -r host; do
    look "package host of this machine" "${host//./\\.}" "${files[@]}"
done < <(grep -rhoE '(https?|ftp)://[^/ ]+' /etc/apt/sources.list /etc/apt/sources.list.d \
    /etc/pip.conf /etc/npmrc 2>/dev/null | sed -E 's,^[a-z]+://([^@/]*@)?,,' |
    grep -vE '(^|\.)debian\.org$' | sort -u)
finish "names in ${#files[@]} files"
