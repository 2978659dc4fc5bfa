# Units of scand/rules: the reader. The matcher is in rules_match.cmake, eval functions in
# rules_eval.cmake.
foreach(unit text names expr cond replace list meta read read_pattern)
    mx_unit_test(test_rule_${unit} mxscan)
endforeach()
