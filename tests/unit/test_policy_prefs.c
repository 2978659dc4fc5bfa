/* policy_prefs: mailbox before domain before system before defaults; unknown is no "no".
 */
#include "module_bed.h"

#include "policy_prefs.h"

static int answer_of;

static void ask(const void *state, const struct policy_req *req,
                struct policy_questions *out)
{
    (void)state;
    policy_prefs_ask(req, STORE_PREFS_ALL, 2, out);
}

/* The action chosen, or -1. */
static enum policy_step decide(const void *state, const struct policy_req *req,
                               const struct policy_answers *answers,
                               struct policy_verdict *out)
{
    struct store_prefs prefs = {.has = 1u << STORE_PREF_SPAM_ACTION,
                                .spam_action = STORE_SPAM_TAG};
    (void)state;
    (void)out;
    answer_of = policy_prefs_take(req, answers, 2, &prefs) == 0 ? prefs.spam_action : -1;
    return POLICY_NEXT;
}

static const struct policy_module asking = {
    .name = "asking", .stages = POLICY_AT_CONTENT, .ask = ask, .decide = decide};

static void choose(struct module_bed *bed, const char *scope, enum store_spam_action what)
{
    struct store_prefs prefs = {.has = 1u << STORE_PREF_SPAM_ACTION, .spam_action = what};
    store_mem_prefs(bed->store, scope, &prefs);
}

static int asked(struct module_bed *bed)
{
    module_bed_run(bed, POLICY_AT_CONTENT, false);
    return answer_of;
}

static void test_prefs_most_specific_wins(void **state)
{
    struct module_bed bed;
    (void)state;
    module_bed_init(&bed, &asking, NULL, NULL);
    module_bed_rcpt(&bed, "<u@example.net>");
    assert_int_equal(asked(&bed), STORE_SPAM_TAG);
    choose(&bed, "system", STORE_SPAM_REFUSE);
    assert_int_equal(asked(&bed), STORE_SPAM_REFUSE);
    choose(&bed, "@example.net", STORE_SPAM_FOLDER);
    assert_int_equal(asked(&bed), STORE_SPAM_FOLDER);
    choose(&bed, "u@example.net", STORE_SPAM_OFF);
    assert_int_equal(asked(&bed), STORE_SPAM_OFF);
    module_bed_rcpt(&bed, "<v@example.net>");
    assert_int_equal(asked(&bed), STORE_SPAM_FOLDER);
    module_bed_fini(&bed);
}

static void test_prefs_unknown(void **state)
{
    struct module_bed bed;
    (void)state;
    module_bed_init(&bed, &asking, NULL, NULL);
    module_bed_rcpt(&bed, "<u@example.net>");
    store_mem_break(bed.store, "store down");
    assert_int_equal(asked(&bed), -1);
    module_bed_fini(&bed);
}

/* Nobody is asked about a recipient who cannot have chosen anything. */
static void test_prefs_bad_recipient(void **state)
{
    struct module_bed bed;
    (void)state;
    module_bed_init(&bed, &asking, NULL, NULL);
    module_bed_rcpt(&bed, "<a b@>");
    assert_true(bed.rcpt.is_bad);
    choose(&bed, "system", STORE_SPAM_REFUSE);
    assert_int_equal(asked(&bed), STORE_SPAM_TAG);
    module_bed_fini(&bed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_prefs_most_specific_wins),
        cmocka_unit_test(test_prefs_unknown),
        cmocka_unit_test(test_prefs_bad_recipient),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
