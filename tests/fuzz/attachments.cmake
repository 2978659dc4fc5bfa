mx_fuzz_test(attachments mxscan)
