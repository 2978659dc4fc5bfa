# The shared state. Tests that start a private redis-server carry the label "integration".
add_library(private_redis STATIC ${CMAKE_SOURCE_DIR}/tests/support/private_redis.c)
target_include_directories(private_redis PUBLIC ${CMAKE_SOURCE_DIR}/tests/support)
target_link_libraries(private_redis PUBLIC mxstore)

mx_unit_test(test_store_mem mxstore)
mx_unit_test(test_store_snapshot mxstore)
mx_unit_test(test_store_pattern mxstore)
mx_unit_test(test_store_prefs mxstore)
mx_unit_test(test_store_keys mxstore)
mx_unit_test(test_store_redis mxstore PkgConfig::UV)
mx_unit_test(test_redis_address mxstore)
mx_unit_test(test_redis_reply mxstore PkgConfig::HIREDIS)
mx_unit_test(test_registry_node mxstore)

# Each by its full name: a lint looks for them.
mx_unit_test(test_store_agree private_redis PkgConfig::UV)
mx_unit_test(test_store_admin private_redis PkgConfig::UV)
mx_unit_test(test_store_dovecot private_redis PkgConfig::UV)
mx_unit_test(test_redis_link private_redis PkgConfig::UV)
mx_unit_test(test_registry private_redis PkgConfig::UV)
foreach(name store_agree store_dovecot store_admin redis_link registry)
    set_tests_properties(unit.test_${name} PROPERTIES LABELS integration TIMEOUT 120)
endforeach()
