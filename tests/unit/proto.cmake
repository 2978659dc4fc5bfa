mx_unit_test(test_mxp_client mxproto)
mx_unit_test(test_mxp_peer mxproto)
mx_unit_test(test_mxp_server mxproto)
