/* text_type: Content-Type as it should be, and as it comes. */
#include "text_case.h"

#include "text/text_type.h"

static const struct {
    const char *value, *type, *boundary, *charset, *name;
} types[] = {
    {"text/plain; charset=utf-8", "text/plain", NULL, "utf-8", ""},
    {"Text/HTML; charset=\"ISO-8859-1\"", "text/html", NULL, "iso-8859-1", ""},
    {"text/html charset='x'", "text/html", NULL, "x", ""},
    {"text/whatever", "text/plain", NULL, "", ""},
    {"text", "text/plain", NULL, "", ""},
    {"textual/x", "textual/x", NULL, "", ""},
    {"text/calendar; method=REQUEST", "text/calendar", NULL, "", ""},
    {"multipart/mixed; boundary=\"a b\"", "multipart/mixed", "a b", "", ""},
    {"multipart/mixed; boundary=\"a;b", "multipart/mixed", "a;b", "", ""},
    {"multipart/mixed; BOUNDARY = x; y=z", "multipart/mixed", "x", "", ""},
    {"multipart/mixed; xboundary=no; boundary=yes", "multipart/mixed", "yes", "", ""},
    {"multipart/mixed; boundary=", "multipart/mixed", NULL, "", ""},
    {"image/png; name=\"a.png\"", "image/png", NULL, "", "a.png"},
    {"image/png; filename=b.png; name=a.png", "image/png", NULL, "", "b.png"},
    {"image/png; name*0=\"a.\"; name*1=\"png\"", "image/png", NULL, "", "a.png"},
    {"image/(x)p\001ng", "image/xpng", NULL, "", ""},
    {"/odd/thing", "/odd/thing", NULL, "", ""},
    {"a/b/c", "a/b", NULL, "", ""},
    {"a/b c", "a/b", NULL, "", ""},
};

static void test_type_parse_table(void **state)
{
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        struct text_type out;
        text_type_parse(*state, mx_str(types[i].value), &out);
        assert_slice(*state, out.type, types[i].type);
        assert_slice(*state, out.charset, types[i].charset);
        assert_slice(*state, out.name, types[i].name);
        assert_int_equal(out.boundary.p == NULL, types[i].boundary == NULL);
        if (types[i].boundary)
            assert_slice(*state, out.boundary, types[i].boundary);
        assert_false(out.is_missing);
    }
}

static void test_type_parse_missing(void **state)
{
    struct text_type out;
    text_type_parse(*state, MX_STR_NONE, &out);
    assert_slice(*state, out.type, "text/plain");
    assert_slice(*state, out.charset, "us-ascii");
    assert_true(out.is_missing);
    text_type_parse(*state, MX_STR("; charset=utf-8"), &out);
    assert_slice(*state, out.type, "text/plain");
    assert_true(out.is_missing);
}

static void test_type_file_name(void **state)
{
    assert_slice(*state, text_type_file_name(MX_STR("attachment; filename=\"a b.html\"")),
                 "a b.html");
    assert_slice(*state, text_type_file_name(MX_STR("attachment; FILENAME= x.htm; y")),
                 "x.htm");
    assert_slice(*state, text_type_file_name(MX_STR("attachment")), "");
    assert_slice(*state, text_type_file_name(MX_STR("name=\"\"")), "");
}

static void test_type_is_html_name(void **state)
{
    (void)state;
    assert_true(text_type_is_html_name(MX_STR("x.HTM")));
    assert_true(text_type_is_html_name(MX_STR("x.shtml")));
    assert_false(text_type_is_html_name(MX_STR("x.xhtml.zip")));
    assert_false(text_type_is_html_name(MX_STR("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_type_parse_table),
        cmocka_unit_test(test_type_parse_missing),
        cmocka_unit_test(test_type_file_name),
        cmocka_unit_test(test_type_is_html_name),
    };
    return cmocka_run_group_tests(tests, text_case_setup, text_case_teardown);
}
