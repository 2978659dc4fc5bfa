mx_fuzz_test(frame mxproto)
