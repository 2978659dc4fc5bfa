mx_fuzz_test(shim_reply mxshim)
mx_fuzz_test(shim_session mxshim)
