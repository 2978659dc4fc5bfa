/* mod_greylist: a table of answers, and what is recorded. */
#include "module_bed.h"

#include "mod_greylist.c"

#define NOW MODULE_BED_NOW_MS

static const struct greylist_settings defaults = {.delay_ms = 60000,
                                                  .retry_window_ms = 172800000,
                                                  .expire_ms = 35 * DAY_MS,
                                                  .learn_ms = DAY_MS,
                                                  .auto_allow = 3,
                                                  .max_refusals = 8,
                                                  .ipv4_bits = 24,
                                                  .ipv6_bits = 64};

static void request(struct module_bed *bed)
{
    module_bed_init(bed, &mod_greylist, &defaults, NULL);
    module_bed_client(bed, "192.0.2.1");
    module_bed_rcpt(bed, "<u@example.net>");
    assert_int_equal(
        mx_addr_parse(bed->arena, MX_STR("<a@s.example>"), &bed->req.sender, NULL), 0);
    bed->req.stage = POLICY_AT_RCPT;
    bed->req.now_ms = NOW;
}

/* (answers) -> (step, effect). Times are before now. */
static void test_decide_table(void **state)
{
    enum { NOTHING = -1, BAD = -2 }; /* effects; epochs and times: unknown */
    static const struct {
        int64_t first_ago, passes, pool_passes, epoch_ago;
        enum policy_step step;
        const char *reason;
        int effect;
    } cases[] = {
        {NOTHING, 0, 0, 2 * DAY_MS, POLICY_DONE, "first-seen", STORE_GREY_FIRST},
        {59999, 0, 0, 2 * DAY_MS, POLICY_DONE, "too-early", STORE_GREY_FIRST},
        {60000, 0, 0, 2 * DAY_MS, POLICY_NEXT, NULL, STORE_GREY_PASS},
        {-5000, 0, 0, 2 * DAY_MS, POLICY_DONE, "too-early", STORE_GREY_FIRST},
        {1000, 1, 1, 2 * DAY_MS, POLICY_NEXT, NULL, STORE_GREY_PASS},
        {NOTHING, 0, 2, 2 * DAY_MS, POLICY_DONE, "first-seen", STORE_GREY_FIRST},
        {NOTHING, 0, 3, 2 * DAY_MS, POLICY_NEXT, NULL, STORE_GREY_PASS},
        {NOTHING, 0, 0, DAY_MS - 1, POLICY_NEXT, NULL, STORE_GREY_FIRST},
        {NOTHING, 0, 0, DAY_MS, POLICY_DONE, "first-seen", STORE_GREY_FIRST},
        {NOTHING, 0, 0, BAD, POLICY_NEXT, NULL, STORE_GREY_FIRST},
        {60000, 0, 0, BAD, POLICY_NEXT, NULL, STORE_GREY_PASS},
        {BAD, 0, 0, 2 * DAY_MS, POLICY_FAIL, NULL, NOTHING},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct module_bed bed;
        struct policy_slots slots = {{1, 2}};
        struct store_answer v[2] = {{.is_known = cases[i].first_ago != BAD},
                                    {.is_known = cases[i].epoch_ago != BAD}};
        struct policy_answers answers = {NULL, v, 2, &slots, NULL};
        struct policy_effects effects = {0};
        request(&bed);
        effects.arena = bed.arena;
        if (cases[i].first_ago != NOTHING && cases[i].first_ago != BAD)
            v[0].grey.first_ms = NOW - cases[i].first_ago;
        v[0].grey.passes = cases[i].passes;
        v[0].grey.pool_passes = cases[i].pool_passes;
        v[1].epoch.since_ms = NOW - cases[i].epoch_ago;
        bed.verdict = (struct policy_verdict){.action = POLICY_CONTINUE};
        enum policy_step step = decide(bed.state, &bed.req, &answers, &bed.verdict);
        if (step != cases[i].step)
            fail_msg("case %zu: step %d", i, step);
        if (cases[i].reason)
            assert_string_equal(bed.verdict.reason, cases[i].reason);
        record(bed.state, &bed.req, &answers, &bed.verdict, &effects);
        assert_int_equal(effects.n, cases[i].effect == NOTHING ? 0 : 1);
        if (effects.n && (int)effects.v[0].kind != cases[i].effect)
            fail_msg("case %zu: effect %d", i, (int)effects.v[0].kind);
        module_bed_fini(&bed);
    }
}

static void test_decide_unwanted(void **state)
{
    static const struct store_prefs off = {.has = 1u << STORE_PREF_GREYLIST};
    struct greylist_settings settings = defaults;
    struct module_bed bed;
    (void)state;
    settings.learn_ms = 0;
    settings.has_choices = true;
    for (int i = 0; i < 2; i++) {
        request(&bed);
        ((struct greylist *)bed.state)->settings = &settings;
        store_mem_prefs(bed.store, i ? "@example.net" : "u@example.org", &off);
        assert_int_equal(module_bed_run(&bed, POLICY_AT_RCPT, true),
                         i ? POLICY_NEXT : POLICY_DONE);
        module_bed_fini(&bed);
    }
}

static void test_record_epoch_of_an_empty_store(void **state)
{
    struct module_bed bed;
    (void)state;
    request(&bed);
    assert_int_equal(module_bed_run(&bed, POLICY_AT_RCPT, true), POLICY_NEXT);
    bed.clock.now_ms += DAY_MS;
    module_bed_rcpt(&bed, "<other@example.net>");
    assert_int_equal(module_bed_run(&bed, POLICY_AT_RCPT, true), POLICY_DONE);
    module_bed_fini(&bed);
}

/* Refused by somebody else: that was no success of this sender. */
static void test_record_refused_elsewhere(void **state)
{
    struct module_bed bed;
    struct policy_slots slots = {{1, 2}};
    struct store_answer v[2] = {
        {.is_known = true, .grey = {.first_ms = NOW - DAY_MS, .passes = 1}},
        {.is_known = true, .epoch = {.since_ms = 1}}};
    struct policy_answers answers = {NULL, v, 2, &slots, NULL};
    struct policy_verdict final = {.action = POLICY_REJECT};
    (void)state;
    request(&bed);
    struct policy_effects effects = {.arena = bed.arena};
    record(bed.state, &bed.req, &answers, &final, &effects);
    assert_int_equal(effects.n, 0);
    module_bed_fini(&bed);
}

static void test_ask_exempt(void **state)
{
    struct module_bed bed;
    struct policy_slots slots = {{0}};
    (void)state;
    for (int i = 0; i < 4; i++) {
        request(&bed);
        struct policy_questions questions = {.arena = bed.arena, .slots = &slots};
        if (i == 0)
            bed.req.auth_user = MX_STR("joe");
        else if (i == 1)
            mx_addr_parse(bed.arena, MX_STR("<>"), &bed.req.sender, NULL);
        else if (i == 2)
            bed.req.client.family = 0;
        else
            bed.rcpt.is_bad = true;
        ask(bed.state, &bed.req, &questions);
        assert_int_equal(questions.n, 0);
        assert_int_equal(module_bed_run(&bed, POLICY_AT_RCPT, true), POLICY_NEXT);
        module_bed_fini(&bed);
    }
}

static void test_query_pool_and_tuple(void **state)
{
    struct greylist_settings settings = defaults;
    struct greylist self = {&settings};
    struct module_bed bed;
    (void)state;
    request(&bed);
    struct store_grey_query q = query(&self, &bed.req);
    assert_true(mx_str_eq(q.pool, MX_STR("192.0.2.0/24")));
    assert_true(mx_str_eq(q.tuple, MX_STR("s.example u@example.net")));
    settings.recipient = RECIPIENT_DOMAIN;
    module_bed_client(&bed, "2001:db8:1:2:3::4");
    q = query(&self, &bed.req);
    assert_true(mx_str_eq(q.pool, MX_STR("2001:db8:1:2::/64")));
    assert_true(mx_str_eq(q.tuple, MX_STR("s.example example.net")));
    bed.req.has_bad_sender = true;
    bed.req.sender_path = MX_STR("<bad@@sender>");
    q = query(&self, &bed.req);
    assert_true(mx_str_eq(q.tuple, MX_STR("<bad@@sender> example.net")));
    module_bed_fini(&bed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decide_table),
        cmocka_unit_test(test_decide_unwanted),
        cmocka_unit_test(test_record_epoch_of_an_empty_store),
        cmocka_unit_test(test_record_refused_elsewhere),
        cmocka_unit_test(test_ask_exempt),
        cmocka_unit_test(test_query_pool_and_tuple),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
