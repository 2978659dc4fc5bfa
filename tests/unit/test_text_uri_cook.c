/* Cooked forms of URIs. */
#include "text_case.h"

#include "mx_err.h"
#include "text/text_uri_cook.h"
#include "text/text_uri_redirect.h"
#include "text_lists.h"

static struct text_list cook(struct mx_arena *arena, const char *uri)
{
    struct text_list store[3];
    struct text_lists lists = text_lists_few(store);
    return text_uri_cook(arena, &lists, mx_str(uri), false);
}

/* All forms behind the first, which is the URI itself. */
static void assert_forms(struct mx_arena *arena, const char *uri, const char *want)
{
    struct text_list forms = cook(arena, uri);
    const char *line = "";
    assert_slice(arena, forms.v[0], uri);
    for (size_t i = 1; i < forms.n; i++)
        line = mx_arena_printf(arena, "%s%s%.*s", line, i > 1 ? " " : "",
                               MX_STR_FMT(forms.v[i]));
    assert_string_equal(line, want);
}

struct cook_case {
    const char *uri, *forms;
};

static void assert_cases(struct mx_arena *arena, const struct cook_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++)
        assert_forms(arena, cases[i].uri, cases[i].forms);
}

static void test_cook_schemes_and_escapes(void **state)
{
    static const struct cook_case cases[] = {
        {"http://a.com/", ""},
        {"http:a.com", "http://a.com"},
        {"http:\\\\a.com\\x", "http://a.com/x"},
        {"a.com", "http://a.com"},
        {"ftp.a.com", "ftp://ftp.a.com"},
        {"http://a.com?b", "http://a.com/?b"},
        {"http://%61%2ecom/%20%7e", "http://a.com/%20~"},
        {"http://a.com/&#97;&#x62;&#x2e;&#x2f;", "http://a.com/ab.&#x2f;"},
        {"http://a.com/&#12290;x", "http://a.com/.x"},
        {"#x", ""},
        {"?x", ""},
        {"/x", ""},
        {"//a.com", "http:////a.com"},
        {"x", ""},
    };
    assert_cases(*state, cases, sizeof(cases) / sizeof(cases[0]));
}

static void test_cook_hosts(void **state)
{
    static const struct cook_case cases[] = {
        {"http://a.com:80/x", "http://a.com/x"},
        {"https://a.com:443/x", "https://a.com/x"},
        {"http://a.com:8080/x", ""},
        {"http://u:p@b@a.com/", "http://a.com/"},
        {"http://a.com!!!/", "http://a.com/"},
        {"http://foo/x", "http://www.foo.com/x"},
        {"http://www.foo/x", "http://www.foo.com/x"},
        {"http://foo:8080/x", ""},
        {"http://localhost/", ""},
        {"https://foo/", ""},
    };
    assert_cases(*state, cases, sizeof(cases) / sizeof(cases[0]));
}

static void test_cook_numbers(void **state)
{
    static const struct cook_case cases[] = {
        {"http://1113343453/", "http://66.92.69.221/"},
        {"http://0x7f000001/", "http://127.0.0.1/"},
        {"http://0x1237f000001/", "http://127.0.0.1/"},
        {"http://89.0x44.020.0x000011/x", "http://89.68.16.17/x"},
        {"http://10.0.0.1/", "http://10...1/"},
        {"http://192.0192.1.1/", "http://192.192.1.1/"},
        {"http://1.2.3/", ""},
        {"http://1.2.3.4.5/", ""},
    };
    assert_cases(*state, cases, sizeof(cases) / sizeof(cases[0]));
}

static void test_cook_mail(void **state)
{
    static const struct cook_case cases[] = {
        {"mailto:a@b.com", ""},
        {"mailto:a@b.com?subject=x", "mailto:a@b.com"},
        {"a@b.com&x.com", "a@b.com"},
        {"mailto:%20a@b.com%20", "mailto:a@b.com"},
        {"mailto:\"A\"<a@b.com>", "mailto:a@b.com"},
    };
    assert_cases(*state, cases, sizeof(cases) / sizeof(cases[0]));
}

static void test_cook_targets(void **state)
{
    assert_forms(*state, "http://a.com/r?http:b.com&c", "http:b.com http://b.com");
    assert_forms(*state, "http://a.com/r?http://nodot", "");
    struct mx_str line = MX_STR("/^http:\\/\\/r\\.com\\/(.*)$/");
    struct text_list patterns = {.v = &line, .n = 1}, store[3];
    struct text_lists lists = text_lists_few(store);
    struct text_redirectors *redirectors;
    struct mx_err err;
    assert_int_equal(text_redirectors_new(&patterns, &redirectors, &err), 0);
    lists.redirectors = redirectors;
    struct text_list forms =
        text_uri_cook(*state, &lists, MX_STR("http://r.com/b.com"), false);
    assert_int_equal(forms.n, 3);
    assert_slice(*state, forms.v[1], "b.com");
    assert_slice(*state, forms.v[2], "http://b.com");
    text_redirectors_free(redirectors);
}

static void test_cook_removes_line_ends(void **state)
{
    struct text_list forms = cook(*state, " http://a\n.c\rom/ ");
    assert_int_equal(forms.n, 1);
    assert_slice(*state, forms.v[0], "http://a.com/");
}

static void test_cook_idn(void **state)
{
    assert_forms(*state,
                 "http://b\xc3\xbc"
                 "cher.com/",
                 "http://xn--bcher-kva.com/");
}

static void test_cook_is_bounded(void **state)
{
    const char *uri = "";
    for (int i = 0; i < 500; i++)
        uri = mx_arena_printf(*state, "http://a%d.com/%s", i, uri);
    assert_int_equal(cook(*state, uri).n, TEXT_URI_FORMS_MAX);
}

static void test_unescape_of_bytes_and_characters(void **state)
{
    struct mx_str s = MX_STR("%41%00\xc3\xa9 \"");
    assert_slice(*state, text_uri_unescape(*state, s, false), "A%00%c3%a9%20%22");
    assert_slice(*state, text_uri_unescape(*state, s, true), "A%00%e9%20%22");
    assert_slice(*state, text_uri_unescape(*state, MX_STR("%4"), false), "%254");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cook_schemes_and_escapes),
        cmocka_unit_test(test_cook_hosts),
        cmocka_unit_test(test_cook_numbers),
        cmocka_unit_test(test_cook_mail),
        cmocka_unit_test(test_cook_targets),
        cmocka_unit_test(test_cook_removes_line_ends),
        cmocka_unit_test(test_cook_idn),
        cmocka_unit_test(test_cook_is_bounded),
        cmocka_unit_test(test_unescape_of_bytes_and_characters),
    };
    return cmocka_run_group_tests(tests, text_case_setup, text_case_teardown);
}
