# Units of milter-shim/. shim_milter, shim_run and shim_socket need an MTA in front: they
# are tested by tests/integration/test_shim.py; shim_topology and shim_backend need peers
# and are tested there as well.
foreach(unit ask conf conn edit reply session spool)
    mx_unit_test(test_shim_${unit} mxshim)
endforeach()
