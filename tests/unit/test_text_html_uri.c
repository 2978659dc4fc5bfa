/* Addresses in HTML attributes: trimmed, resolved. */
#include "text_case.h"

#include "text/text_chars.h"
#include "text/text_html_uri.h"

/* The examples of RFC 3986 5.4, which differ where the scheme is that of the base. */
static void test_resolve_as_the_rfc(void **state)
{
    static const char *const cases[][2] = {
        {"g:h", "g:h"},
        {"g", "http://a/b/c/g"},
        {"./g", "http://a/b/c/g"},
        {"g/", "http://a/b/c/g/"},
        {"/g", "http://a/g"},
        {"//g", "http://g"},
        {"?y", "http://a/b/c/d;p?y"},
        {"g?y#s", "http://a/b/c/g?y#s"},
        {"#s", "http://a/b/c/d;p?q#s"},
        {"", "http://a/b/c/d;p?q"},
        {"..", "http://a/b/"},
        {"../../g", "http://a/g"},
        {"../../../g", "http://a/g"},
        {"/./g", "http://a/g"},
        {"g;x=1/../y", "http://a/b/c/y"},
        {"http:g", "http://a/b/c/g"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_slice(
            *state,
            html_uri_resolve(*state, MX_STR("http://a/b/c/d;p?q"), mx_str(cases[i][0])),
            cases[i][1]);
}

static void test_resolve_without_base(void **state)
{
    static const char *const cases[][2] = {
        {"a/b", "a/b"},
        {"//www.x.com/", "http://www.x.com/"},
        {"//ftp2.x.com/", "ftp://ftp2.x.com/"},
        {"//x.com/", "//x.com/"},
        {"HTTP://x/../y", "HTTP://x/y"},
        {"x#a\nb", "x#a"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_slice(*state, html_uri_resolve(*state, MX_STR(""), mx_str(cases[i][0])),
                     cases[i][1]);
}

static void test_trim_space_of_either_kind(void **state)
{
    bool is_cut = false;
    assert_slice(*state, html_uri_trim(MX_STR("\xa0 x\n\xa0"), false, &is_cut), "x");
    assert_slice(*state, html_uri_trim(MX_STR("\xc2\xa0x"), true, &is_cut), "x");
    assert_false(is_cut);
    char *longer = mx_arena_alloc(*state, TEXT_URI_MAX + 2);
    memset(longer, 'x', TEXT_URI_MAX + 1);
    struct mx_str cut = html_uri_trim(mx_str(longer), false, &is_cut);
    assert_true(is_cut);
    assert_int_equal(cut.n, TEXT_URI_MAX);
}

static void test_base_is_a_directory(void **state)
{
    static const char *const cases[][2] = {
        {"http://x.com", "http://x.com/"},
        {"http://x.com/a/b.html", "http://x.com/a/"},
        {"http://x.com/a/b", "http://x.com/a/b/"},
        {"http:x.com/a.b.htm", "http:x.com/a./"},
        {"ftp://x.com/a/", "ftp://x.com/a/"},
    };
    struct mx_str base = MX_STR("untouched");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_true(html_uri_base(*state, mx_str(cases[i][0]), &base));
        assert_slice(*state, base, cases[i][1]);
    }
    assert_false(html_uri_base(*state, MX_STR("/a/b"), &base));
    assert_false(html_uri_base(*state, MX_STR("javascript:x"), &base));
}

static void test_refresh_has_the_last_address(void **state)
{
    struct mx_str uri = MX_STR("");
    assert_true(html_uri_refresh(MX_STR("0; URL = http://x.com/ ;y"), &uri));
    assert_slice(*state, uri, "http://x.com/");
    assert_true(html_uri_refresh(MX_STR("0;url=a;url=b"), &uri));
    assert_slice(*state, uri, "b");
    assert_false(html_uri_refresh(MX_STR("0; curl=x"), &uri));
    assert_false(html_uri_refresh(MX_STR("5"), &uri));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_resolve_as_the_rfc),
        cmocka_unit_test(test_resolve_without_base),
        cmocka_unit_test(test_trim_space_of_either_kind),
        cmocka_unit_test(test_base_is_a_directory),
        cmocka_unit_test(test_refresh_has_the_last_address),
    };
    return cmocka_run_group_tests(tests, text_case_setup, text_case_teardown);
}
