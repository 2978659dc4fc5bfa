# Fuzz targets of scand/text: tree and selectors, header decoding, Received lines.
mx_fuzz_test(text_tree mxscan)
mx_fuzz_test(text_words mxscan)
mx_fuzz_test(text_received mxscan)
