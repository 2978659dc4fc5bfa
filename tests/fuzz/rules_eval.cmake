# Fuzz target of scand/rules: eval functions on any message.
mx_fuzz_test(eval mxscan)
