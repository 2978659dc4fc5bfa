mx_unit_test(test_mxp_client mxproto)
