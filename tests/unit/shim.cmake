# Units of milter-shim/. shim_milter, shim_run and shim_socket need an MTA in front: they
# are tested by tests/integration/test_shim.py; so are shim_topology, shim_backend and
# shim_nudge, which need peers.
foreach(unit admit alarm ask conf conn edit reply session spool watch)
    mx_unit_test(test_shim_${unit} mxshim)
endforeach()
mx_unit_test(test_shim_self mxshim mxstore)
