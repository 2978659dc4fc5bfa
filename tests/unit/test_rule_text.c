/* Words, names, numbers and globs of rule files. */
#include "rule_files.h"

#include "rules/rule_text.h"

static void test_word_splits_at_any_space(void **state)
{
    struct mx_str rest = MX_STR(" \ta\v\fb c\r");

    (void)state;
    assert_str(rule_text_word(&rest), "a");
    assert_str(rest, "b c");
    assert_str(rule_text_word(&rest), "b");
    assert_str(rule_text_word(&rest), "c");
    assert_str(rule_text_word(&rest), "");
}

static void test_is_name(void **state)
{
    char longest[129];

    (void)state;
    memset(longest, 'A', sizeof(longest));
    assert_true(rule_text_is_name(MX_STR("__A_9")));
    assert_false(rule_text_is_name(MX_STR("9A")));
    assert_false(rule_text_is_name(MX_STR("A-B")));
    assert_false(rule_text_is_name(MX_STR("")));
    assert_true(rule_text_is_name(mx_str_of(longest, 128)));
    assert_false(rule_text_is_name(mx_str_of(longest, 129)));
}

static void test_number(void **state)
{
    static const char *const bad[] = {"", "-", ".5", "1.", "1e3", "+1", "0x1", "1.2.3"};
    double number = 7;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_false(rule_text_number(mx_str(bad[i]), &number));
    assert_true(number == 7);
    assert_true(rule_text_number(MX_STR("-2.25"), &number));
    assert_true(number == -2.25);
    assert_true(rule_text_number(MX_STR("100"), &number));
    assert_true(number == 100);
}

static void test_glob(void **state)
{
    (void)state;
    assert_true(rule_text_glob(MX_STR("A_*"), MX_STR("A_")));
    assert_true(rule_text_glob(MX_STR("*_B?"), MX_STR("A_B_BC")));
    assert_false(rule_text_glob(MX_STR("A_?"), MX_STR("A_")));
    assert_false(rule_text_glob(MX_STR("A"), MX_STR("AA")));
    assert_true(rule_text_glob(MX_STR("*a*a*a*"), MX_STR("bababab")));
    assert_false(rule_text_glob(MX_STR("*a*a*a*a*"), MX_STR("bababab")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_word_splits_at_any_space),
        cmocka_unit_test(test_is_name),
        cmocka_unit_test(test_number),
        cmocka_unit_test(test_glob),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
