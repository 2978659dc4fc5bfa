# Units of proto/. mxp_calls, mxp_owner and mxp_link are tested through test_mxp_client,
# mxp_monitor through test_mxp_server: they only make sense with a peer on the other side.
mx_unit_test(test_mxp_address mxproto)
mx_unit_test(test_mxp_client mxproto)
mx_unit_test(test_mxp_curve mxproto)
mx_unit_test(test_mxp_frame mxproto)
mx_unit_test(test_mxp_inbox mxproto)
mx_unit_test(test_mxp_pack mxproto)
mx_unit_test(test_mxp_peer mxproto)
mx_unit_test(test_mxp_server mxproto)
# libzmq is not instrumented; our own races are still found.
set_tests_properties(unit.test_mxp_client unit.test_mxp_curve unit.test_mxp_server
    PROPERTIES ENVIRONMENT
    "TSAN_OPTIONS=suppressions=${CMAKE_SOURCE_DIR}/tests/support/tsan-zmq.supp die_after_fork=0")
