/* Dates as mail has them, whole and broken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "rules/eval_date.h"

struct date_case {
    const char *text;
    int64_t seconds;
};

static void check(const struct date_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int64_t seconds = -1;

        if (!eval_date_parse(mx_str(cases[i].text), &seconds)) {
            fail_msg("%s: no date", cases[i].text);
        }
        if (seconds != cases[i].seconds) {
            fail_msg("%s: %jd", cases[i].text, (intmax_t)seconds);
        }
    }
}

static void test_eval_date_parse_forms(void **state)
{
    static const struct date_case cases[] = {
        {"Wed, 01 Jan 2025 00:00:00 +0000", 1735689600},
        {" 1 jan 2025 00:00", 1735689600},
        {"Wed,01 Jan 2025 02:30:00 +0230 (x)", 1735689600},
        {"Tue, 31 Dec 2024 19:00:00 (EST)", 1735689600},
        {"Tue, 31 Dec 2024 19:00:00 -0500 (CET)", 1735689600},
        {"Wed, 1 Jan 2025 00:00:00 XYZ", 1735689600},
        {"Wed, 1 Jan 25 00:00:00 GMT", 1735689600},
        {"Thu, 1 Jan 98 00:00:00 GMT", 883612800},
        {"Sat, 1 Jan 100 00:00:00 GMT", 946684800},
        {"Wed Jan  1 10:11:12 2025", 1735689600}, /* its time is not looked at */
        {"from a by b; Wed, 1 Jan 2025 00:00:00 GMT", 1735689600},
    };

    (void)state;
    check(cases, sizeof(cases) / sizeof(*cases));
}

static void test_eval_date_parse_out_of_range(void **state)
{
    static const struct date_case cases[] = {
        {"1 Jan 2025 99:99:99 +0000", 1735689600 + 23 * 3600 + 59 * 60 + 59},
        {"31 Feb 2024 00:00:00 +0000", 1709251200}, /* 1 March */
        {"99999999999999999999 Dec 2024 00:00:00 +0000", 1735689600},
        {"1 Jan 1900 00:00:00 +0000", 0},
        {"1 Jan 1970 00:00:00 +0500", 0},
        {"1 Jan 9999 00:00:00 +0000", 2114380800},
    };

    (void)state;
    check(cases, sizeof(cases) / sizeof(*cases));
}

static void test_eval_date_parse_none(void **state)
{
    int64_t seconds = 7;

    (void)state;
    assert_false(eval_date_parse(MX_STR(""), &seconds));
    assert_false(eval_date_parse(MX_STR("yesterday at 10:00"), &seconds));
    assert_false(eval_date_parse(MX_STR("2025-01-01 00:00:00"), &seconds));
    assert_false(eval_date_parse(MX_STR("1 Foo 2025 00:00:00"), &seconds));
    assert_false(eval_date_parse(MX_STR("0 Jan 2025 00:00:00"), &seconds));
    assert_int_equal(seconds, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_eval_date_parse_forms),
        cmocka_unit_test(test_eval_date_parse_out_of_range),
        cmocka_unit_test(test_eval_date_parse_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
