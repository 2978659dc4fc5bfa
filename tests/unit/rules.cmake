# Units of scand/rules: the reader. The matcher is in rules_match.cmake, eval functions in
# rules_eval.cmake.
foreach(unit text names expr cond replace list meta read read_criteria read_pattern
        directives)
    mx_unit_test(test_rule_${unit} mxscan)
endforeach()
mx_unit_test(test_scan_rules mxscan)

# Metas and scores of a few dozen messages, as SpamAssassin itself gave them with Debian's
# rules (hits only, no mail): from the plain hits we must come to the same.
add_test(NAME unit.rule_hits
    COMMAND check_metas ${CMAKE_SOURCE_DIR}/tests/golden/rule-hits.tsv
            /usr/share/spamassassin /etc/spamassassin)
set_tests_properties(unit.rule_hits PROPERTIES LABELS unit SKIP_RETURN_CODE 77)
mx_unit_test(test_cmd_rules mxctl)
