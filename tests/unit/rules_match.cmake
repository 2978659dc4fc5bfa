# Units of scand/rules that match and run: patterns, prefilters, judges, cache, one message.
foreach(unit match_class match_coarse match_judge match_cache match_lazy run run_text)
    mx_unit_test(test_rule_${unit} mxscan)
endforeach()
mx_unit_test(test_det_rules mxscan)
