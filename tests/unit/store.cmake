# The shared state. Tests that start a private redis-server carry the label "integration".
add_library(private_redis STATIC ${CMAKE_SOURCE_DIR}/tests/support/private_redis.c)
target_include_directories(private_redis PUBLIC ${CMAKE_SOURCE_DIR}/tests/support)
target_link_libraries(private_redis PUBLIC mxstore)

mx_unit_test(test_store_mem mxstore)
mx_unit_test(test_store_pattern mxstore)
mx_unit_test(test_store_keys mxstore)

foreach(name store_agree redis_link registry)
    mx_unit_test(test_${name} private_redis PkgConfig::UV)
    set_tests_properties(unit.test_${name} PROPERTIES LABELS integration TIMEOUT 120)
endforeach()
