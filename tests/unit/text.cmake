# Unit tests of scand/text: tree, headers, relays. body, html and uri: text_body.cmake.
foreach(unit charset decode type head tree match received relays address header envelope
        form)
    mx_unit_test(test_text_${unit} mxscan)
endforeach()
