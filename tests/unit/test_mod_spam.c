/* mod_spam: score against thresholds; marks exempt. */
#include "module_bed.h"

#include "mod_spam.c"

#include <math.h>

static const struct spam_settings defaults = {SPAM_REFUSE, 5, 10, "spam"};

static void test_decide_table(void **state)
{
    static const struct {
        double score;
        enum spam_action setting;
        const char *mark;
        enum policy_step step;
        enum policy_action action;
    } cases[] = {
        {4.99, SPAM_REFUSE, NULL, POLICY_NEXT, POLICY_CONTINUE},
        {5, SPAM_REFUSE, NULL, POLICY_DONE, POLICY_TAG},
        {9.99, SPAM_REFUSE, NULL, POLICY_DONE, POLICY_TAG},
        {10, SPAM_REFUSE, NULL, POLICY_DONE, POLICY_REJECT},
        {1000, SPAM_TAG, NULL, POLICY_DONE, POLICY_TAG},
        {1000, SPAM_OFF, NULL, POLICY_NEXT, POLICY_CONTINUE},
        {1000, SPAM_REFUSE, "allow=user_lists", POLICY_DONE, POLICY_CONTINUE},
        {1000, SPAM_REFUSE, "allow=", POLICY_DONE, POLICY_CONTINUE},
        {1000, SPAM_REFUSE, "disallow=x", POLICY_DONE, POLICY_REJECT},
        {1, SPAM_REFUSE, "allow=user_lists", POLICY_NEXT, POLICY_CONTINUE},
        {NAN, SPAM_REFUSE, NULL, POLICY_NEXT, POLICY_CONTINUE},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct spam_settings settings = defaults;
        struct policy_scan scan = {.score = cases[i].score};
        struct mx_str mark = mx_str(cases[i].mark);
        struct module_bed bed;
        settings.action = (int)cases[i].setting;
        module_bed_init(&bed, &mod_spam, &settings, NULL);
        module_bed_rcpt(&bed, "<u@example.net>");
        bed.rcpt.marks = &mark;
        bed.rcpt.n_marks = cases[i].mark ? 1 : 0;
        bed.req.scan = &scan;
        enum policy_step step = module_bed_run(&bed, POLICY_AT_CONTENT, true);
        if (step != cases[i].step || bed.verdict.action != cases[i].action)
            fail_msg("case %zu: step %d action %d", i, step, (int)bed.verdict.action);
        module_bed_fini(&bed);
    }
}

static void test_decide_not_scanned(void **state)
{
    struct module_bed bed;
    (void)state;
    module_bed_init(&bed, &mod_spam, &defaults, NULL);
    module_bed_rcpt(&bed, "<u@example.net>");
    assert_int_equal(module_bed_run(&bed, POLICY_AT_CONTENT, true), POLICY_FAIL);
    module_bed_fini(&bed);
}

static void test_start_thresholds(void **state)
{
    struct spam_settings settings = {SPAM_REFUSE, 5, 4.9, "x"};
    struct policy_env env = {.settings = &settings};
    struct spam self;
    struct mx_err err;
    (void)state;
    assert_int_equal(start(&self, &env, &err), -1);
    settings.refuse_score = 5;
    assert_int_equal(start(&self, &env, &err), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decide_table),
        cmocka_unit_test(test_decide_not_scanned),
        cmocka_unit_test(test_start_thresholds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
