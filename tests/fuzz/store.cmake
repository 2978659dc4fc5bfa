mx_fuzz_test(store_pattern mxstore)
mx_fuzz_test(store_prefs mxstore)
mx_fuzz_test(registry_node mxstore)
