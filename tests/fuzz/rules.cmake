# The reader of rule files.
mx_fuzz_test(rules mxscan)
