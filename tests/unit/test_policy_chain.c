/* policy_chain: building one, and what it refuses. */
#include "policy_bed.h"

static void count_free(void *user)
{
    (*(int *)user)++;
}

static void test_new_refuses(void **state)
{
    static const struct {
        const char *yaml, *why;
    } cases[] = {
        {"  chain: {rcpt: [nothing]}\n",
         "policyd.chain.rcpt: there is no module 'nothing'"},
        {"  chain: {helo: [greylist]}\n", "'greylist' cannot work at this stage"},
        {"  chain: {rcpt: [greylist, fq_rcpt, greylist]}\n", "stands here twice"},
        {"  chain: {content: [spam]}\n  spam: {refuse_score: 1}\n", "policyd.spam: "},
        {"  access: {lookups: [\"client cidr:/nowhere\"]}\n",
         "policyd.access: lookups: "},
        {"  access: {lookups: [\"weather cidr:/nowhere\"]}\n", "begin with client"},
        {"  access: {lookups: [\"helo cidr:/nowhere\"]}\n", "cidr is for clients"},
    };
    struct policy_bed bed;
    int n_freed = 0;
    (void)state;
    policy_bed_init(&bed, "  chain: {rcpt: [fq_rcpt]}\n");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct policy_chain_env env = policy_bed_env(&bed);
        struct policy_chain *chain = NULL;
        struct mx_conf *conf;
        struct mx_err err = {0};
        env.on_free = count_free;
        env.user = &n_freed;
        assert_int_equal(policy_bed_conf(&bed, cases[i].yaml, &conf, &err), 0);
        assert_int_equal(policy_chain_new(conf, &env, &chain, &err), -1);
        assert_null(chain);
        assert_int_equal(n_freed, (int)i + 1); /* what it borrowed is given back */
        if (strstr(err.text, cases[i].why) == NULL)
            fail_msg("case %zu: %s", i, err.text);
        mx_conf_free(conf);
    }
    policy_bed_fini(&bed);
}

/* An off module is not started: its settings need not work. */
static void test_new_off_is_not_started(void **state)
{
    struct policy_bed bed;
    (void)state;
    policy_bed_init(&bed, "  chain: {content: [spam]}\n"
                          "  spam: {mode: off, refuse_score: 1}\n");
    policy_bed_fini(&bed);
}

static void test_ref_keeps(void **state)
{
    struct policy_bed bed;
    (void)state;
    policy_bed_init(&bed, "  recipient_delimiter: \"-\"\n  deadline: {helo: 77ms}\n");
    struct policy_chain *chain = policy_chain_ref(bed.chain);
    policy_chain_unref(chain);
    assert_string_equal(policy_chain_delimiter(bed.chain), "-");
    assert_int_equal(policy_chain_deadline_ms(bed.chain, POLICY_AT_HELO), 77);
    assert_int_equal(policy_chain_deadline_ms(bed.chain, POLICY_AT_RCPT), 2000);
    policy_chain_unref(NULL);
    policy_bed_fini(&bed);
}

static void test_deadlines_by_stage(void **state)
{
    static const int64_t expected[] = {11, 12, 13, 14, 15};
    struct policy_bed bed;
    (void)state;
    policy_bed_init(&bed, "  deadline: {connect: 11ms, helo: 12ms, mail: 13ms, "
                          "rcpt: 14ms, content: 15ms}\n");
    for (size_t i = 0; i < POLICYD_STAGES; i++)
        assert_int_equal(policy_chain_deadline_ms(bed.chain, policyd_conf_stage(i)),
                         expected[i]);
    policy_bed_fini(&bed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_new_refuses),
        cmocka_unit_test(test_new_off_is_not_started),
        cmocka_unit_test(test_ref_keeps),
        cmocka_unit_test(test_deadlines_by_stage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
