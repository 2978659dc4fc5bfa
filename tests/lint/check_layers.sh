#!/bin/bash
# Who may include whom: lib <- proto <- store <- programs, never the other way, programs
# never each other; one owner a library; modules and detectors know nothing of each other;
# libraries of ours do not log.
# shellcheck source=tests/lint/files.sh
source "$(dirname "$0")/files.sh"

declare -A may_include=(
    [lib]="lib"
    [proto]="lib proto"
    [store]="lib proto store"
    [policyd]="lib proto store policyd"
    [scand]="lib proto store scand"
    [milter-shim]="lib proto store milter-shim"
    [ctl]="lib proto store ctl"
)

# Library header (extended regex) and the files that may include it (extended regex).
owners=(
    'zmq\.h'                  'proto/mxp_[a-z_]+\.[ch]'
    'hiredis/.*|hiredis\.h'   'store/redis_[a-z_]+\.[ch]|store/store_redis[a-z_]*\.c'
    'libmilter/.*'            'milter-shim/shim_milter\.c'
    'clamav\.h'               'scand/(clam_engine|det_clamav)\.c'
    'gmime/.*'                'scand/message[a-z_]*\.[ch]'
    '(archive|archive_entry)\.h' 'scand/archive_list\.c'
    'magic\.h'               'scand/file_type\.c'
    'microhttpd\.h'           'lib/mx_http\.c'
    'archive(_entry)?\.h'     'scand/archive_[a-z_]+\.[ch]'
    'magic\.h'                'scand/file_type\.c'
    '(cyaml/.*|yaml\.h)'      'lib/mx_conf[a-z_]*\.[ch]'
    'systemd/.*'              'lib/mx_daemon\.c'
    'gsf/.*'                  'scand/document_ole\.c'
    'hs\.h'                   'scand/rules/rule_match_db\.c'
    'pcre2\.h'                'scand/rules/(rule_match_judge|eval_regex)\.c|policyd/[a-z_]+\.c|scand/text/[a-z_]+\.c'
    'uv\.h'                   '(policyd|store|scand)/[a-z_]+\.[ch]'
    '(ares|ares_.*)\.h'       'policyd/resolver[a-z_]*\.[ch]'
)

# Our own headers, by the folder that owns them.
declare -A folder_of
while IFS= read -r header; do
    folder_of[$(basename "$header")]=${header%%/*}
done < <(tree_files '*.h' | grep -vE '^tests/')

# includes FOLDER: "file:line:header" of every include line below it.
includes() {
    tree_files "$1/*.c" "$1/*.h" | xargs -r grep -HnE '^ *# *include ' |
        sed -E 's/^([^:]+:[0-9]+):.*[<"]([^>"]+)[>"].*/\1:\2/'
}

check_folder() {
    local folder=$1 file line header owner
    while IFS=: read -r file line header; do
        owner=${folder_of[$(basename "$header")]-}
        [ -n "$owner" ] || continue
        # "mxdropctl scan --local" is the scanner in this process.
        [ "$folder:$header" != ctl:scan_local.h ] || continue
        # "mxdropctl rules" reads rule files as the scanner does.
        [ "$folder:$header" != ctl:scan_rules.h ] || continue
        # ... and compares two sets of them.
        [ "$folder:$header" != ctl:scan_compare.h ] || continue
        [[ " ${may_include[$folder]} " == *" $owner "* ]] ||
            finding "$file:$line: $folder must not include $header of $owner"
    done < <(includes "$folder")
}

check_owners() {
    local i file line header
    while IFS=: read -r file line header; do
        for ((i = 0; i < ${#owners[@]}; i += 2)); do
            if [[ $header =~ ^(${owners[i]})$ && ! $file =~ ^(${owners[i + 1]})$ ]]; then
                finding "$file:$line: $header belongs to ${owners[i + 1]}"
            fi
        done
    done < <(for folder in "${PRODUCT_DIRS[@]}"; do includes "$folder"; done)
}

# A module sees policy.h, a detector scan.h: never a neighbour, never the chain.
check_modules() {
    local file line header own
    while IFS=: read -r file line header; do
        own=$(basename "${file%.*}").h
        if [[ $file =~ /(mod|det)_ && $header != "$own" && $header =~ ^(mod_|det_|policy_chain|scan_chain) ]]; then
            finding "$file:$line: a module or detector must not include $header"
        fi
    done < <(includes policyd; includes scand)
}

# Code that programs share reports errors; programs log. mx_daemon is a program's skeleton.
check_logging() {
    local file line header
    while IFS=: read -r file line header; do
        if [[ $header == mx_log.h && ! $file =~ ^lib/mx_(log|daemon) ]]; then
            finding "$file:$line: lib, proto and store do not log"
        fi
    done < <(includes lib; includes proto; includes store)
}

for folder in "${!may_include[@]}"; do
    check_folder "$folder"
done
check_owners
check_modules
check_logging
finish "layers"
