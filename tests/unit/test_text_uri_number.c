/* Hosts written as numbers. */
#include "text_case.h"

#include "text/text_uri_number.h"

static void test_from_number_of_any_base(void **state)
{
    static const char *const cases[][2] = {
        {"1113343453", "66.92.69.221"},
        {"0", "0.0.0.0"},
        {"0x7f000001", "127.0.0.1"},
        {"0X1237F000001", "127.0.0.1"},
        {"89.0x44.020.0x000011", "89.68.16.17"},
        {"0377.1.1.1", "255.1.1.1"},
        {"0400.08.1.1", "400.8.1.1"},
        {"10.0.0.1", "10...1"},
        {"99999999999999999999", "255.255.255.255"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct mx_str out = MX_STR("untouched");
        assert_true(text_host_from_number(*state, mx_str(cases[i][0]), &out));
        assert_slice(*state, out, cases[i][1]);
    }
}

static void test_from_number_refuses_names(void **state)
{
    static const char *const cases[] = {"",         "a",      "1.2.3", "1.2.3.4.5",
                                        "1.2.3.4.", "1..2.3", "0x",    "1.2.3.x"};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct mx_str out = MX_STR("untouched");
        assert_false(text_host_from_number(*state, mx_str(cases[i]), &out));
        assert_slice(*state, out, "untouched");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_from_number_of_any_base),
        cmocka_unit_test(test_from_number_refuses_names),
    };
    return cmocka_run_group_tests(tests, text_case_setup, text_case_teardown);
}
