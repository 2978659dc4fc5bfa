mx_fuzz_test(policy_request mxpolicyd)
mx_fuzz_test(policy_map mxpolicyd)
mx_fuzz_test(policy_chain mxpolicyd)
