#!/bin/bash
# Every policy module has its unit test and a replay script, every detector its unit test,
# every unit of lib, proto and store its unit test, every fuzz target corpus, dictionary
# and registration.
# shellcheck source=tests/lint/files.sh
source "$(dirname "$0")/files.sh"

unit_test_of() {
    local unit=$1
    [ -f "tests/unit/test_$unit.c" ] || finding "$2: no tests/unit/test_$unit.c"
}

while IFS= read -r file; do
    name=$(basename "$file" .c)
    unit_test_of "$name" "$file"
    case $name in
        mod_*)
            module=${name#mod_}
            # A replay script names the modules of its chain: one must put this one to the test.
            grep -lqsw -- "$module" tests/replay/*.rpl ||
                finding "$file: no replay script in tests/replay/ uses $module"
            ;;
    esac
done < <(tree_files 'policyd/mod_*.c' 'scand/det_*.c')

while IFS= read -r file; do
    name=$(basename "$file" .c)
    parser=${name#fuzz_}
    [ "$name" != fuzz_replay ] || continue
    [ -n "$(ls "tests/fuzz/corpus/$parser" 2>/dev/null)" ] ||
        finding "$file: tests/fuzz/corpus/$parser has no inputs"
    [ -f "tests/fuzz/$name.dict" ] || finding "$file: no tests/fuzz/$name.dict"
    grep -qsw "$parser" tests/fuzz/*.cmake ||
        finding "$file: registered in no tests/fuzz/*.cmake"
done < <(tree_files 'tests/fuzz/fuzz_*.c')

while IFS= read -r file; do
    name=$(basename "$file" .c)
    # By its name, or in a list of units that a loop completes: test_, test_mx_, test_shim_.
    short=${name#test_}
    grep -qsE "\b(test_)?($short|${short#*_})\b" tests/unit/*.cmake ||
        finding "$file: registered in no tests/unit/*.cmake"
done < <(tree_files 'tests/unit/test_*.c')
finish "tests of modules, detectors and parsers"
