# The reader of rule files.
mx_fuzz_test(rules mxscan)
# A pattern from its rule to what matches.
mx_fuzz_test(rule_pattern mxscan)
