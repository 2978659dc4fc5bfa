/* policy_reply: what the shim is told. */
#include "policy_bed.h"

#include "mxp_pack.h"
#include "policy_reply.h"

static const char conf[] =
    "  chain: {rcpt: [user_lists, greylist], content: [virus, spam]}\n"
    "  greylist: {delay: 60s, learn_period: 0}\n";

static void test_make_rcpt(void **state)
{
    struct policy_bed bed;
    (void)state;
    policy_bed_init(&bed, conf);
    policy_bed_request(&bed, POLICY_AT_RCPT);
    policy_bed_run(&bed, true);
    const Mxp__PolicyReply *reply = policy_reply_make(&bed.check, NULL, 42);
    assert_int_equal(reply->action, MXP__ACTION__ACTION_TEMPFAIL);
    assert_int_equal(reply->reply->code, 450);
    assert_string_equal(reply->reply->enhanced, "4.7.1");
    assert_string_equal(reply->module, "greylist");
    assert_string_equal(reply->reason, "first-seen");
    assert_int_equal(reply->topology, 42);
    assert_string_equal(reply->rcpt->mailboxes[0], "u@example.net");
    assert_int_equal(reply->n_trace, 2);
    assert_true(reply->trace[1]->n_answers >= 1);
    assert_true(mxp_pack(bed.arena, &reply->base).n > 0);
    policy_bed_fini(&bed);
}

static void test_make_content(void **state)
{
    static const struct policy_scan scan = {.score = 6};
    struct policy_bed bed;
    struct policy_outcome outcome;
    (void)state;
    policy_bed_init(&bed, conf);
    policy_bed_request(&bed, POLICY_AT_CONTENT);
    policy_bed_rcpt(&bed, 1, "<v@example.net>");
    bed.req.scan = &scan;
    policy_bed_run(&bed, false);
    policy_outcome_fold(&bed.check, &outcome);
    const Mxp__PolicyReply *reply = policy_reply_make(&bed.check, &outcome, 0);
    assert_int_equal(reply->action, MXP__ACTION__ACTION_CONTINUE);
    assert_null(reply->reply);
    assert_null(reply->rcpt);
    assert_int_equal(reply->n_outcomes, 2);
    assert_int_equal(reply->outcomes[1]->outcome, MXP__OUTCOME__OUTCOME_TAG);
    assert_string_equal(reply->outcomes[1]->module, "spam");
    assert_int_equal(reply->n_edits, 3);
    assert_int_equal(reply->edits[0]->kind, MXP__EDIT_KIND__EDIT_ADD_HEADER);
    policy_bed_fini(&bed);
}

/* No byte of a text can end the reply line. */
static void test_make_text_is_clean(void **state)
{
    struct policy_bed bed;
    struct policy_result result = {
        .verdict = {POLICY_REJECT, 550, "5.7.1", MX_STR("a\r\nb\0c"), "r", NULL, NULL, 0},
        .module = "m"};
    (void)state;
    policy_bed_init(&bed, conf);
    policy_bed_request(&bed, POLICY_AT_CONNECT);
    bed.check =
        (struct policy_check){.req = &bed.req, .results = &result, .n_results = 1};
    const Mxp__PolicyReply *reply = policy_reply_make(&bed.check, NULL, 0);
    assert_true(mx_str_eq(mxp_str(reply->reply->text), MX_STR("a??b?c")));
    policy_bed_fini(&bed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_make_rcpt),
        cmocka_unit_test(test_make_content),
        cmocka_unit_test(test_make_text_is_clean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
