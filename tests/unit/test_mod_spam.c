/* mod_spam: score against thresholds; marks exempt. */
#include "module_bed.h"

#include "mod_spam.c"

#include <math.h>

static const struct spam_settings defaults = {STORE_SPAM_REFUSE, 5,    10, "spam",
                                              "+Junk",           false};

static void test_decide_table(void **state)
{
    static const struct {
        double score;
        enum store_spam_action setting;
        const char *mark;
        enum policy_step step;
        enum policy_action action;
    } cases[] = {
        {4.99, STORE_SPAM_REFUSE, NULL, POLICY_NEXT, POLICY_CONTINUE},
        {5, STORE_SPAM_REFUSE, NULL, POLICY_DONE, POLICY_TAG},
        {9.99, STORE_SPAM_REFUSE, NULL, POLICY_DONE, POLICY_TAG},
        {10, STORE_SPAM_REFUSE, NULL, POLICY_DONE, POLICY_REJECT},
        {1000, STORE_SPAM_TAG, NULL, POLICY_DONE, POLICY_TAG},
        {1000, STORE_SPAM_OFF, NULL, POLICY_NEXT, POLICY_CONTINUE},
        {5, STORE_SPAM_FOLDER, NULL, POLICY_DONE, POLICY_FOLDER},
        {1000, STORE_SPAM_FOLDER, NULL, POLICY_DONE, POLICY_FOLDER},
        {9.99, STORE_SPAM_DISCARD, NULL, POLICY_DONE, POLICY_TAG},
        {10, STORE_SPAM_DISCARD, NULL, POLICY_DONE, POLICY_DISCARD},
        {9.99, STORE_SPAM_QUARANTINE, NULL, POLICY_DONE, POLICY_TAG},
        {10, STORE_SPAM_QUARANTINE, NULL, POLICY_DONE, POLICY_QUARANTINE},
        {1000, STORE_SPAM_REFUSE, "allow=user_lists", POLICY_DONE, POLICY_CONTINUE},
        {1000, STORE_SPAM_REFUSE, "allow=", POLICY_DONE, POLICY_CONTINUE},
        {1000, STORE_SPAM_REFUSE, "disallow=x", POLICY_DONE, POLICY_REJECT},
        {1, STORE_SPAM_REFUSE, "allow=user_lists", POLICY_NEXT, POLICY_CONTINUE},
        {NAN, STORE_SPAM_REFUSE, NULL, POLICY_NEXT, POLICY_CONTINUE},
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

/* What a recipient chose, put over the settings. */
static void test_decide_by_choice(void **state)
{
    static const struct {
        struct store_prefs prefs;
        double score;
        enum policy_step step;
        enum policy_action action;
    } cases[] = {
        {{.has = 0}, 10, POLICY_DONE, POLICY_REJECT},
        {{.has = 1u << STORE_PREF_SPAM_ACTION, .spam_action = STORE_SPAM_OFF},
         1000,
         POLICY_NEXT,
         POLICY_CONTINUE},
        {{.has = 1u << STORE_PREF_SPAM_ACTION, .spam_action = STORE_SPAM_TAG},
         1000,
         POLICY_DONE,
         POLICY_TAG},
        {{.has = 1u << STORE_PREF_TAG_SCORE, .tag_score = 2}, 2, POLICY_DONE, POLICY_TAG},
        /* Above the refuse_score of the settings: that one moves along. */
        {{.has = 1u << STORE_PREF_TAG_SCORE, .tag_score = 50},
         49,
         POLICY_NEXT,
         POLICY_CONTINUE},
        {{.has = 1u << STORE_PREF_TAG_SCORE, .tag_score = 50},
         50,
         POLICY_DONE,
         POLICY_REJECT},
        {{.has = 1u << STORE_PREF_REFUSE_SCORE, .refuse_score = 20},
         19,
         POLICY_DONE,
         POLICY_TAG},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct spam_settings settings = defaults;
        struct policy_scan scan = {.score = cases[i].score};
        struct module_bed bed;
        settings.has_choices = true;
        module_bed_init(&bed, &mod_spam, &settings, NULL);
        module_bed_rcpt(&bed, "<u@example.net>");
        bed.req.scan = &scan;
        store_mem_prefs(bed.store, "u@example.net", &cases[i].prefs);
        enum policy_step step = module_bed_run(&bed, POLICY_AT_CONTENT, true);
        if (step != cases[i].step || bed.verdict.action != cases[i].action)
            fail_msg("case %zu: step %d action %d", i, step, (int)bed.verdict.action);
        module_bed_fini(&bed);
    }
}

/* Nobody is refused whose choice is not known; what the settings call spam is tagged. */
static void test_decide_choices_unknown(void **state)
{
    struct spam_settings settings = defaults;
    struct policy_scan scan = {.score = 1000};
    struct module_bed bed;
    (void)state;
    settings.has_choices = true;
    module_bed_init(&bed, &mod_spam, &settings, NULL);
    module_bed_rcpt(&bed, "<u@example.net>");
    bed.req.scan = &scan;
    store_mem_break(bed.store, "store down");
    assert_int_equal(module_bed_run(&bed, POLICY_AT_CONTENT, true), POLICY_FAIL);
    assert_int_equal(bed.verdict.action, POLICY_TAG);
    scan.score = 1;
    assert_int_equal(module_bed_run(&bed, POLICY_AT_CONTENT, true), POLICY_FAIL);
    assert_int_equal(bed.verdict.action, POLICY_CONTINUE);
    settings.action = STORE_SPAM_OFF;
    scan.score = 1000;
    assert_int_equal(module_bed_run(&bed, POLICY_AT_CONTENT, true), POLICY_FAIL);
    assert_int_equal(bed.verdict.action, POLICY_CONTINUE);
    module_bed_fini(&bed);
}

static void test_decide_without_dns_lists(void **state)
{
    static const struct policy_finding findings[] = {
        {.symbol = MX_STR("A"), .detector = MX_STR("dnsbl"), .score = 2},
        {.symbol = MX_STR("B"), .detector = MX_STR("uribl"), .score = 1},
        {.symbol = MX_STR("C"), .detector = MX_STR("rules"), .score = 4}};
    struct policy_scan scan = {.findings = findings, .n_findings = 3, .score = 7.9};
    struct module_bed bed;
    (void)state;
    module_bed_init(&bed, &mod_spam, &defaults, NULL);
    module_bed_rcpt(&bed, "<u@example.net>");
    bed.req.scan = &scan;
    assert_int_equal(module_bed_run(&bed, POLICY_AT_CONTENT, true), POLICY_DONE);
    assert_false(bed.verdict.is_spam_unlisted);
    scan.score = 8;
    assert_int_equal(module_bed_run(&bed, POLICY_AT_CONTENT, true), POLICY_DONE);
    assert_true(bed.verdict.is_spam_unlisted);
    module_bed_fini(&bed);
}

static void test_start_folder(void **state)
{
    static const char *const bad[] = {"", "+", "Junk", "+Ju nk", "+a@b", "+\"", "+>"};
    struct spam_settings settings = defaults;
    struct policy_env env = {.settings = &settings};
    struct spam self;
    struct mx_err err;
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        settings.folder = bad[i];
        assert_int_equal(start(&self, &env, &err), -1);
    }
    settings.folder = "-Spam_1.x";
    assert_int_equal(start(&self, &env, &err), 0);
}

static void test_start_thresholds(void **state)
{
    struct spam_settings settings = {STORE_SPAM_REFUSE, 5, 4.9, "x", "+Junk", false};
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
        cmocka_unit_test(test_decide_by_choice),
        cmocka_unit_test(test_decide_choices_unknown),
        cmocka_unit_test(test_decide_without_dns_lists),
        cmocka_unit_test(test_start_folder),
        cmocka_unit_test(test_start_thresholds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
