/* Ranges of a probability, and none where it is not known. */
#include "eval_case.h"

static void test_check_bayes_ranges(void **state)
{
    static const struct eval_case cases[] = {
        {"check_bayes('0.40','0.60')", "\n\n", 1},
        {"check_bayes('0.5','0.60')", "\n\n", 0},
        {"check_bayes('0.40','0.5')", "\n\n", 1},
        {"check_bayes('0','0.01')", "\n\n", 0},
        {"check_bayes('0.40','undef')", "\n\n", 1},
    };

    (void)state;
    eval_case_run("", EVAL_CASES(cases));
}

static void test_check_bayes_unknown(void **state)
{
    const struct eval_function *function = rule_eval_find(MX_STR("check_bayes"));
    struct mx_str args[] = {MX_STR("0"), MX_STR("undef")};
    struct eval_context context = {.bayes = -1};

    (void)state;
    assert_int_equal(function->run(&context, args, 2), 0);
    context.bayes = 0;
    assert_int_equal(function->run(&context, args, 2), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_check_bayes_ranges),
        cmocka_unit_test(test_check_bayes_unknown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
