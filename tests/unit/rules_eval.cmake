# Units of scand/rules: eval functions, a program for each family and helper.
foreach(unit bayes body body_diff date freemail header header_date header_forged
        header_rcpt html image locale mime mime_text pattern regex relay shared uri uri_detail util
        vbounce wlbl words)
    mx_unit_test(test_eval_${unit} mxscan)
endforeach()
mx_unit_test(test_rule_eval mxscan)
