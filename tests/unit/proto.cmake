# Units of proto/. mxp_calls, mxp_owner and mxp_link are tested through test_mxp_client,
# mxp_monitor through test_mxp_server: they only make sense with a peer on the other side.
foreach(unit address client curve frame inbox pack peer server)
    mx_unit_test(test_mxp_${unit} mxproto)
    set_tests_properties(unit.test_mxp_${unit} PROPERTIES ENVIRONMENT
        "TSAN_OPTIONS=suppressions=${CMAKE_SOURCE_DIR}/tests/support/tsan-zmq.supp die_after_fork=0")
endforeach()
