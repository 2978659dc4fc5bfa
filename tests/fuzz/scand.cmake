# Fuzz targets of scand/.
mx_fuzz_test(message mxscan)
mx_fuzz_test(worker_link mxscand)
