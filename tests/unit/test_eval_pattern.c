/* The fixed patterns: all are there and compile. */
#include "rule_files.h"

#include "rules/eval_pattern.h"
#include "rules/eval_regex.h"

static void test_eval_pattern_row_all_compile(void **state)
{
    (void)state;
    for (unsigned i = 0; i < EVAL_PATTERNS; i++) {
        const struct eval_pattern_row *row = eval_pattern_row(i);
        struct eval_regex *regex;
        struct mx_err err;

        assert_non_null(row->text);
        if (eval_regex_new(mx_str(row->text), row->flags, &regex, &err)) {
            fail_msg("pattern %u: %s", i, err.text);
        }
        eval_regex_free(regex);
    }
}

static bool is_ip(const char *text)
{
    const struct eval_pattern_row *row = eval_pattern_row(EVAL_IP_ADDRESS);
    struct eval_regex *regex;
    struct mx_err err;
    bool is_hit;

    assert_int_equal(eval_regex_new(mx_str(row->text), row->flags, &regex, &err), 0);
    is_hit = eval_regex_hit(regex, mx_str(text));
    eval_regex_free(regex);
    return is_hit;
}

static void test_eval_pattern_row_ip_address(void **state)
{
    (void)state;
    assert_true(is_ip("[192.0.2.1]"));
    assert_true(is_ip("2001:db8::1"));
    assert_true(is_ip("IPv6:2001:DB8:0:0:0:0:0:1"));
    assert_false(is_ip("192.0.2.256"));
    assert_false(is_ip("192.0.2"));
    assert_false(is_ip("10:30"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_eval_pattern_row_all_compile),
        cmocka_unit_test(test_eval_pattern_row_ip_address),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
