# Unit tests of scand/text: html, body, rawbody, uri and domains.
foreach(unit chars html html_token html_markup html_entity html_color html_style html_uri
        html_link
        html_out html_tags body domain uri_find uri_cook uri_redirect uri_number uri)
    mx_unit_test(test_text_${unit} mxscan)
endforeach()
