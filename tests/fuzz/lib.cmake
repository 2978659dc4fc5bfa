# Fuzz targets of lib/.
mx_fuzz_test(conf mxcore)
mx_fuzz_test(addr mxcore)
mx_fuzz_test(net_time mxcore)
