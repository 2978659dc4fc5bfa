/* text_address: fields as people and programs write them. */
#include "text_case.h"

#include "text/text_address.h"

/* "address|phrase" of each, "-" for none, separated by spaces */
static const struct {
    const char *value, *found;
} cases[] = {
    {"a@example.com", "a@example.com|-"},
    {"Ann <a@example.com>", "a@example.com|Ann_"},
    {"\"Ann, B\" <a@example.com>, c@example.org",
     "a@example.com|Ann,_B_ c@example.org|-"},
    {"a@example.com (Ann)", "a@example.com|Ann"},
    {"Ann (work) <a@example.com>", "a@example.com|Ann__"},
    {"a@example.com <a@example.com>", "a@example.com|a@example.com_"},
    {"\"a@example.com\" <a@example.com>", "a@example.com|a@example.com_"},
    {"\"a@example.com\"<a@example.com>", "a@example.com|-"},
    {"\"a@example.com\"", "a@example.com|-"},
    {"<>", "-|-"},
    {"Ann", "-|Ann"},
    {"Group: a@example.com, b@example.com;", "a@example.com|- b@example.com|-"},
    {"undisclosed-recipients:;", ""},
    {"<a@example.com> <a@example.com>", "a@example.com|-"},
    {"\"x\\\"y\" <a@example.com>", "a@example.com|x\"y_"},
    {"a@b@example.com", "a@b|-"},
    {"\"q\"uote@example.com", "\"q\"uote@example.com|-"},
    {"a@[192.0.2.1]", "a@[192.0.2.1]|-"},
    {" , a@example.com", "-|_ a@example.com|-"},
    {"\"x\" (<a@example.com>)", "-|x"},
    {"x \"y <a@example.com>", "a@example.com|-"},
    {"<a b@example.com>", "-|-"},
    {"", ""},
    {"<<<<", ""},
};

static void test_address_parse_table(void **state)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct text_address *v;
        char *got = mx_arena_printf(*state, "%s", "");
        size_t n;
        text_address_parse(*state, mx_str(cases[i].value), &v, &n);
        for (size_t k = 0; k < n; k++) {
            char *phrase = mx_arena_printf(*state, "%.*s", MX_STR_FMT(v[k].phrase));
            for (char *p = phrase; *p; p++)
                *p = *p == ' ' ? '_' : *p;
            got = mx_arena_printf(*state, "%s%s%.*s|%s", got, k ? " " : "",
                                  v[k].address.p ? (int)v[k].address.n : 1,
                                  v[k].address.p ? v[k].address.p : "-",
                                  v[k].phrase.p ? phrase : "-");
        }
        assert_string_equal(got, cases[i].found);
    }
}

static void test_address_parse_many(void **state)
{
    struct text_address *v;
    struct mx_buf buf = {.p = NULL};
    size_t n;
    for (int i = 0; i < 20000; i++)
        mx_buf_str(&buf, "a@b.c,");
    text_address_parse(*state, mx_str_of(buf.p, buf.n), &v, &n);
    assert_int_equal(n, TEXT_ADDRESSES_MAX);
    mx_buf_fini(&buf);
}

static void test_address_parse_unclosed_is_quick(void **state)
{
    char value[8192];
    struct text_address *v;
    size_t n;
    for (size_t i = 0; i < sizeof(value); i++)
        value[i] = "<a>"[i % 3];
    text_address_parse(*state, mx_str_of(value, sizeof(value)), &v, &n);
    memset(value, '<', sizeof(value));
    text_address_parse(*state, mx_str_of(value, sizeof(value)), &v, &n);
    assert_int_equal(n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_address_parse_table),
        cmocka_unit_test(test_address_parse_many),
        cmocka_unit_test(test_address_parse_unclosed_is_quick),
    };
    return cmocka_run_group_tests(tests, text_case_setup, text_case_teardown);
}
