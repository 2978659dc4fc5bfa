/* Host names and their registrable part. */
#include "text_case.h"

#include "text/text_domain.h"
#include "text_lists.h"

static void test_list_has_any_case(void **state)
{
    (void)state;
    struct text_list store[3];
    struct text_lists lists = text_lists_few(store);
    assert_true(text_list_has(lists.tlds, MX_STR("COM")));
    assert_false(text_list_has(lists.tlds, MX_STR("co")));
    assert_false(text_list_has(NULL, MX_STR("com")));
}

static void test_host_ascii(void **state)
{
    assert_slice(*state, text_host_ascii(*state, MX_STR("WWW.X.com")), "www.x.com");
    assert_slice(*state,
                 text_host_ascii(*state, MX_STR("b\xc3\xbc"
                                                "cher.com")),
                 "xn--bcher-kva.com");
    assert_slice(*state,
                 text_host_ascii(*state, MX_STR("b\xfc"
                                                "cher.com")),
                 "xn--bcher-kva.com");
    assert_slice(*state,
                 text_host_ascii(*state, MX_STR("a\xe3\x80\x82"
                                                "com")),
                 "a.com");
    assert_slice(*state, text_host_ascii(*state, MX_STR("A\x80!")), "a\x80!");
}

static void test_host_is_valid(void **state)
{
    (void)state;
    static const struct {
        const char *host;
        bool is_valid;
    } cases[] = {
        {"a.com", true},    {"a.com.", true},        {"com", false},    {"a..com", false},
        {".a.com", false},  {"-a.com", false},       {"a-.com", false}, {"a-b.com", true},
        {"_x.a.com", true}, {"_a.com", false},       {"a.c_m", false},  {"", false},
        {"a.com!", false},  {"\xc3\xa9.com", false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(text_host_is_valid(mx_str(cases[i].host)), cases[i].is_valid);
    char host[300];
    memset(host, 'a', sizeof(host));
    memcpy(host + 63, ".com", 5);
    assert_true(text_host_is_valid(mx_str(host)));
    memcpy(host + 63, "a.com", 6);
    assert_false(text_host_is_valid(mx_str(host)));
}

static void test_host_is_ip(void **state)
{
    (void)state;
    assert_true(text_host_is_ip(MX_STR("192.0.2.1")));
    assert_true(text_host_is_ip(MX_STR("IPv6:2001:db8::1")));
    assert_false(text_host_is_ip(MX_STR("192.0.2.01")));
    assert_false(text_host_is_ip(MX_STR("192.0.2.1\0")));
    assert_false(text_host_is_ip(MX_STR("192.0.2")));
}

static void test_domain_of_registries(void **state)
{
    static const char *const cases[][2] = {
        {"www.example.com", "example.com"},
        {"A.B.Example.CO.UK", "example.co.uk"},
        {"x.y.demon.co.uk", "y.demon.co.uk"},
        {"demon.co.uk", "demon.co.uk"},
        {"co.uk", "co.uk"},
        {"com", "com"},
        {"..a..b.com.", "b.com"},
        {"x.foo.ca.us", "x.foo.ca.us"},
        {"y.x.foo.ca.us", "x.foo.ca.us"},
        {"a.b.ci.town.ca.us", "b.ci.town.ca.us"},
        {"a.b.pvt.k12.ca.us", "b.pvt.k12.ca.us"},
        {"a.b.xx.us", "xx.us"},
        {"", ""},
    };
    struct text_list store[3];
    struct text_lists lists = text_lists_few(store);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_slice(*state, text_domain_of(*state, &lists, mx_str(cases[i][0])),
                     cases[i][1]);
}

static void test_domain_of_uri(void **state)
{
    static const char *const cases[][2] = {
        {"http://www.a.com/x", "www.a.com"},
        {"HTTPS:a.com?x", "a.com"},
        {"http://u:p@a.com:80/", "a.com"},
        {"mailto:x@a.com?subject=y", "a.com"},
        {"a.com#x", "a.com"},
        {"http://192.0.2.1/", "192.0.2.1"},
        {"mailto:x@y@a.com", NULL},
        {"mailto:a.com", NULL},
        {"javascript:a.com", NULL},
        {"cid:x@a.com", NULL},
        {"http://a%2ecom/", NULL},
        {"http://a.nowhere/", NULL},
        {"http://com/", NULL},
        {"", NULL},
    };
    struct text_list store[3];
    struct text_lists lists = text_lists_few(store);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct mx_str host = MX_STR("untouched"), domain = MX_STR("untouched");
        bool has_host =
            text_domain_of_uri(*state, &lists, mx_str(cases[i][0]), &host, &domain);
        assert_int_equal(has_host, cases[i][1] != NULL);
        assert_slice(*state, host, has_host ? cases[i][1] : "untouched");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_list_has_any_case),    cmocka_unit_test(test_host_ascii),
        cmocka_unit_test(test_host_is_valid),        cmocka_unit_test(test_host_is_ip),
        cmocka_unit_test(test_domain_of_registries), cmocka_unit_test(test_domain_of_uri),
    };
    return cmocka_run_group_tests(tests, text_case_setup, text_case_teardown);
}
