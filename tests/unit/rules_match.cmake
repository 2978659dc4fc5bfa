# Units of scand/rules that match and run: patterns, prefilters, judges, cache, one message.
foreach(unit match match_cache match_class match_coarse match_group match_judge match_lazy run
        run_capture run_plain run_text)
    mx_unit_test(test_rule_${unit} mxscan)
endforeach()
mx_unit_test(test_det_rules mxscan)
