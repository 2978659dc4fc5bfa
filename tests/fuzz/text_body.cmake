# Fuzz targets of scand/text: HTML rendering, addresses in text.
mx_fuzz_test(text_html mxscan)
mx_fuzz_test(text_uri mxscan)
