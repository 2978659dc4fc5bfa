/*
 * policy_walk: what the chain does around modules. One store round trip a check, however
 * many modules and recipients; modes, failure, deadlines, trace. Scripts in tests/replay
 * say the same of whole requests.
 */
#include "policy_bed.h"

static const char full[] = "  chain: {rcpt: [fq_rcpt, user_lists, greylist], "
                           "content: [access, virus, spam]}\n"
                           "  greylist: {delay: 60s, learn_period: 0}\n";

static void test_run_one_round_trip(void **state)
{
    struct policy_bed bed;
    (void)state;
    policy_bed_init(&bed, full);
    for (unsigned i = 1; i <= 5; i++) {
        policy_bed_request(&bed, POLICY_AT_RCPT);
        policy_bed_run(&bed, false);
        assert_int_equal(policy_bed_round_trips(&bed), i);
        assert_string_equal(bed.check.results[0].module, "greylist");
    }
    struct store_stats stats;
    store_stats(bed.store, &stats);
    assert_int_equal(stats.unknown, 0);
    policy_bed_fini(&bed);
}

/* A decision ahead of the first question never bothers the store. */
static void test_run_no_round_trip(void **state)
{
    struct policy_bed bed;
    (void)state;
    policy_bed_init(&bed, full);
    policy_bed_request(&bed, POLICY_AT_RCPT);
    policy_bed_rcpt(&bed, 0, "<u>");
    policy_bed_run(&bed, false);
    assert_string_equal(bed.check.results[0].module, "fq_rcpt");
    assert_int_equal(policy_bed_round_trips(&bed), 0);
    policy_bed_request(&bed, POLICY_AT_CONNECT); /* an empty chain */
    policy_bed_run(&bed, false);
    assert_null(bed.check.results[0].module);
    policy_bed_fini(&bed);
}

static void test_run_content_once_per_recipient(void **state)
{
    static const struct mx_str marks[] = {MX_STR("allow=user_lists")};
    static const struct policy_scan scan = {.score = 50};
    struct policy_bed bed;
    (void)state;
    policy_bed_init(&bed, full);
    policy_bed_request(&bed, POLICY_AT_CONTENT);
    policy_bed_rcpt(&bed, 1, "<v@example.net>");
    policy_bed_rcpt(&bed, 2, "<w@example.net>");
    bed.rcpts[1].marks = marks;
    bed.rcpts[1].n_marks = 1;
    bed.req.scan = &scan;
    policy_bed_run(&bed, false);
    assert_int_equal(bed.check.n_results, 3);
    assert_int_equal(bed.check.results[0].verdict.action, POLICY_REJECT);
    assert_int_equal(bed.check.results[1].verdict.action, POLICY_CONTINUE);
    assert_int_equal(bed.check.results[2].verdict.action, POLICY_REJECT);
    assert_ptr_equal(bed.check.results[2].rcpt, &bed.rcpts[2]);
    policy_bed_fini(&bed);
}

static void test_run_marks(void **state)
{
    struct policy_bed bed;
    (void)state;
    policy_bed_init(&bed, full);
    store_mem_list(bed.store, "system", "s.example", STORE_ALLOWED);
    policy_bed_request(&bed, POLICY_AT_RCPT);
    policy_bed_run(&bed, false);
    assert_int_equal(bed.check.results[0].n_marks, 1);
    assert_true(mx_str_eq(bed.check.results[0].marks[0], MX_STR("allow=user_lists")));
    policy_bed_fini(&bed);
}

static void test_run_degraded_once_in_the_log(void **state)
{
    struct policy_bed bed;
    (void)state;
    policy_bed_init(&bed, full);
    store_mem_break(bed.store, "store down");
    for (int i = 0; i < 3; i++) {
        policy_bed_request(&bed, POLICY_AT_RCPT);
        policy_bed_run(&bed, false);
        assert_null(bed.check.results[0].module);
        assert_int_equal(bed.check.n_degraded, 2);
        assert_string_equal(bed.check.degraded[0], "user_lists");
        assert_string_equal(bed.check.degraded[1], "greylist");
    }
    const char *first = strstr(policy_bed_log(&bed), "policy.degraded module=greylist");
    assert_non_null(first);
    assert_null(strstr(first + 1, "policy.degraded module=greylist"));
    store_mem_break(bed.store, NULL);
    policy_bed_request(&bed, POLICY_AT_RCPT);
    policy_bed_run(&bed, false);
    assert_int_equal(bed.check.n_degraded, 0);
    assert_non_null(strstr(policy_bed_log(&bed), "policy.recovered module=greylist"));
    policy_bed_fini(&bed);
}

static void test_run_on_fail_tempfail(void **state)
{
    struct policy_bed bed;
    (void)state;
    policy_bed_init(&bed, "  chain: {rcpt: [user_lists, greylist]}\n"
                          "  greylist: {on_fail: tempfail}\n");
    store_mem_break(bed.store, "store late");
    policy_bed_request(&bed, POLICY_AT_RCPT);
    policy_bed_run(&bed, false);
    assert_string_equal(bed.check.results[0].module, "greylist");
    assert_int_equal(bed.check.results[0].verdict.code, 451);
    assert_int_equal(bed.check.n_degraded, 2);
    policy_bed_fini(&bed);
}

static void test_run_warn_records_but_passes(void **state)
{
    struct policy_bed bed;
    (void)state;
    policy_bed_init(&bed, "  chain: {rcpt: [greylist]}\n"
                          "  greylist: {mode: warn, learn_period: 0, delay: 60s}\n");
    policy_bed_request(&bed, POLICY_AT_RCPT);
    policy_bed_run(&bed, false);
    assert_null(bed.check.results[0].module);
    assert_non_null(strstr(policy_bed_log(&bed), "policy.warn id=Q1 stage=rcpt "
                                                 "module=greylist action=tempfail "
                                                 "reason=first-seen"));
    policy_bed_request(&bed, POLICY_AT_RCPT);
    policy_bed_run(&bed, true);
    assert_string_equal(bed.check.trace[0].verdict,
                        "450 4.7.1 Greylisted, please try again in 60 seconds");
    assert_string_equal(bed.check.trace[0].mode, "warn");
    assert_non_null(strstr(bed.check.trace[0].answers[0], "first seen 0 s ago"));
    policy_bed_fini(&bed);
}

static void test_run_explain_records_nothing(void **state)
{
    struct policy_bed bed;
    struct store_stats stats;
    (void)state;
    policy_bed_init(&bed, full);
    policy_bed_request(&bed, POLICY_AT_RCPT);
    policy_bed_run(&bed, true);
    store_stats(bed.store, &stats);
    assert_int_equal(stats.effects, 0);
    assert_int_equal(bed.check.n_trace, 3);
    assert_string_equal(bed.check.trace[0].step, "next");
    assert_string_equal(bed.check.trace[2].step, "done");
    policy_bed_rcpt(&bed, 0, "<u>");
    policy_bed_run(&bed, true);
    assert_string_equal(bed.check.trace[1].step, "not reached");
    policy_bed_fini(&bed);
}

static void test_run_late_records_nothing(void **state)
{
    struct policy_bed bed;
    struct store_stats stats;
    (void)state;
    policy_bed_init(&bed, full);
    policy_bed_request(&bed, POLICY_AT_RCPT);
    bed.n_done = 0;
    bed.check = (struct policy_check){.req = &bed.req,
                                      .store = bed.store,
                                      .deadline_ms = bed.clock.now_ms - 1,
                                      .done = policy_bed_done,
                                      .user = &bed};
    policy_chain_run(bed.chain, &bed.check);
    assert_int_equal(bed.n_done, 1);
    assert_true(bed.check.is_late);
    store_stats(bed.store, &stats);
    assert_int_equal(stats.effects, 0);
    policy_bed_fini(&bed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_run_one_round_trip),
        cmocka_unit_test(test_run_no_round_trip),
        cmocka_unit_test(test_run_content_once_per_recipient),
        cmocka_unit_test(test_run_marks),
        cmocka_unit_test(test_run_degraded_once_in_the_log),
        cmocka_unit_test(test_run_on_fail_tempfail),
        cmocka_unit_test(test_run_warn_records_but_passes),
        cmocka_unit_test(test_run_explain_records_nothing),
        cmocka_unit_test(test_run_late_records_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
