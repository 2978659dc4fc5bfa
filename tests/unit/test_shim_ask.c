/* Requests as they go on the wire, and what happens when nobody answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "shim_ask.h"
#include "shim_fake.h"

#define CONTENT MXP__STAGE__STAGE_CONTENT

static const struct shim_features all = {.has_space = true};

struct fixture {
    struct fake *fake;
    struct shim_conn *conn;
    struct shim_verdict verdict;
    struct shim_findings findings;
};

static struct fixture start(void)
{
    struct fixture f = {.fake = fake_new(), .findings.fault = ""};
    struct mx_err err;
    char *argv[] = {(char[]){"<a@b>"}, (char[]){"SIZE=5"}, NULL};
    f.conn = shim_session_open(&f.fake->shim, &all);
    shim_conn_connect(f.conn, "mx.example.com", NULL);
    shim_conn_macro(f.conn, "{daemon_name}", "smtpd");
    shim_conn_helo(f.conn, "helo.example.com");
    assert_int_equal(shim_conn_mail(f.conn, argv, &err), 0);
    shim_conn_auth(f.conn, NULL, NULL);
    f.fake->shim.messages = 1;
    return f;
}

static void stop(struct fixture *f)
{
    shim_session_close(&f->fake->shim, f->conn);
    fake_free(f->fake);
}

static Mxp__PolicyRequest *sent(struct fixture *f)
{
    ProtobufCMessage *m = mxp_unpack(f->fake->arena, &mxp__policy_request__descriptor,
                                     f->fake->last_policy, NULL);
    assert_non_null(m);
    return (Mxp__PolicyRequest *)m;
}

static void rcpt(struct fixture *f, const char *path)
{
    char text[64];
    snprintf(text, sizeof(text), "%s", path);
    char *argv[] = {text, NULL};
    struct shim_rcpt *r = shim_conn_rcpt(f->conn, argv, NULL);
    shim_ask_envelope(&f->fake->shim, f->conn, MXP__STAGE__STAGE_RCPT, r, &f->verdict);
    assert_int_equal(shim_conn_rcpt_keep(f->conn, r, NULL), 0);
}

static void scan(struct fixture *f)
{
    f->verdict = (struct shim_verdict){.action = SHIM_CONTINUE};
    shim_ask_scan(&f->fake->shim, f->conn, &f->fake->mta, &f->findings, &f->verdict);
}

static Mxp__PolicyReply *content(struct fixture *f)
{
    return shim_ask_content(&f->fake->shim, f->conn, &f->fake->mta, &f->findings,
                            &f->verdict);
}

static void test_ask_envelope_carries_all_that_is_known(void **state)
{
    struct fixture f = start();
    (void)state;
    rcpt(&f, "<one@y>");
    shim_conn_queue_id(f.conn, "4XYZ");
    rcpt(&f, "<two@y>");
    Mxp__PolicyRequest *q = sent(&f);
    assert_int_equal(q->stage, MXP__STAGE__STAGE_RCPT);
    assert_string_equal(q->id, "4XYZ");
    assert_string_equal(q->connection, f.conn->id);
    assert_true(mx_str_eq(mxp_str(q->helo), MX_STR("helo.example.com")));
    assert_true(mx_str_eq(mxp_str(q->sender), MX_STR("<a@b>")));
    assert_true(mx_str_eq(mxp_str(q->rcpt->path), MX_STR("<two@y>")));
    assert_int_equal(q->n_rcpts, 1);
    assert_true(mx_str_eq(mxp_str(q->rcpts[0]->path), MX_STR("<one@y>")));
    assert_int_equal(q->size, 5);
    assert_int_equal(q->n_macros, 1);
    assert_string_equal(q->macros[0]->name, "{daemon_name}");
    stop(&f);
}

static void test_ask_envelope_results_come_back_at_content(void **state)
{
    struct fixture f = start();
    Mxp__RecipientResult result;
    char *mailboxes[] = {(char[]){"box1"}, (char[]){"box2"}},
         *marks[] = {(char[]){"allow=1"}};
    (void)state;
    mxp__recipient_result__init(&result);
    result.n_mailboxes = 2;
    result.mailboxes = mailboxes;
    result.n_marks = 1;
    result.marks = marks;
    result.rewritten = mxp_bytes(MX_STR("new@y"));
    result.split_class = (char[]){"block"};
    f.fake->policy[MXP__STAGE__STAGE_RCPT].rcpt = &result;
    rcpt(&f, "<one@y>");
    rcpt(&f, "<two@y>");
    scan(&f);
    Mxp__ScanRequest *s = (Mxp__ScanRequest *)mxp_unpack(
        f.fake->arena, &mxp__scan_request__descriptor, f.fake->last_scan, NULL);
    assert_int_equal(s->n_mailboxes, 2); /* each once */
    assert_int_equal(s->n_recipients, 2);
    assert_non_null(content(&f));
    Mxp__PolicyRequest *q = sent(&f);
    assert_int_equal(q->n_rcpts, 2);
    assert_string_equal(q->rcpts[1]->mailboxes[1], "box2");
    assert_string_equal(q->rcpts[1]->marks[0], "allow=1");
    assert_string_equal(q->rcpts[1]->split_class, "block");
    assert_true(mx_str_eq(mxp_str(q->rcpts[1]->rewritten), MX_STR("new@y")));
    assert_non_null(q->scan);
    stop(&f);
}

static void test_ask_envelope_stage_not_configured_asks_nobody(void **state)
{
    struct fixture f = start();
    (void)state;
    f.conn->settings->ask = SHIM_ASK_MAIL;
    shim_ask_envelope(&f.fake->shim, f.conn, MXP__STAGE__STAGE_HELO, NULL, &f.verdict);
    assert_int_equal(f.fake->policy_calls[MXP__STAGE__STAGE_HELO], 0);
    assert_int_equal(f.verdict.action, SHIM_CONTINUE);
    stop(&f);
}

static void test_ask_envelope_policyd_down(void **state)
{
    struct fixture f = start();
    (void)state;
    f.fake->is_policyd_down = true;
    shim_ask_envelope(&f.fake->shim, f.conn, MXP__STAGE__STAGE_MAIL, NULL, &f.verdict);
    assert_int_equal(f.verdict.action, SHIM_TEMPFAIL);
    assert_int_equal(f.verdict.code, 451);
    assert_string_equal(f.verdict.enhanced, "4.3.0");
    assert_string_equal(f.conn->msg.degraded, "policyd");
    f.fake->tuned->policyd_down = SHIM_POLICYD_CONTINUE;
    shim_ask_envelope(&f.fake->shim, f.conn, MXP__STAGE__STAGE_MAIL, NULL, &f.verdict);
    assert_int_equal(f.verdict.action, SHIM_CONTINUE);
    assert_int_equal(mx_counter_get(f.fake->shim.stats.policyd_down), 2);
    assert_true(f.fake->shim.policyd_is_down);
    f.fake->is_policyd_down = false;
    shim_ask_envelope(&f.fake->shim, f.conn, MXP__STAGE__STAGE_MAIL, NULL, &f.verdict);
    assert_false(f.fake->shim.policyd_is_down);
    stop(&f);
}

static void test_ask_missed_stages_are_asked_again(void **state)
{
    struct fixture f = start();
    (void)state;
    shim_conn_reset(f.conn);
    f.fake->shim.messages = 0;
    f.fake->is_policyd_down = true;
    shim_ask_envelope(&f.fake->shim, f.conn, MXP__STAGE__STAGE_CONNECT, NULL, &f.verdict);
    assert_int_equal(f.verdict.action, SHIM_CONTINUE);
    assert_int_equal(f.conn->missed, SHIM_ASK_CONNECT);
    f.fake->is_policyd_down = false;
    fake_says(f.fake, MXP__STAGE__STAGE_CONNECT, MXP__ACTION__ACTION_REJECT, 554, "5.7.1",
              "x");
    shim_ask_missed(&f.fake->shim, f.conn, &f.verdict);
    assert_int_equal(f.verdict.action, SHIM_REJECT);
    assert_int_equal(f.conn->missed, 0);
    stop(&f);
}

static void test_ask_unknown_action_does_not_accept(void **state)
{
    struct fixture f = start();
    (void)state;
    f.fake->policy[MXP__STAGE__STAGE_MAIL].action = (Mxp__Action)99;
    shim_ask_envelope(&f.fake->shim, f.conn, MXP__STAGE__STAGE_MAIL, NULL, &f.verdict);
    assert_int_equal(f.verdict.action, SHIM_TEMPFAIL);
    stop(&f);
}

static void test_ask_scan_down_as_configured(void **state)
{
    struct fixture f = start();
    (void)state;
    f.fake->is_scand_down = true;
    scan(&f);
    assert_int_equal(f.verdict.action, SHIM_TEMPFAIL);
    assert_string_equal(f.verdict.enhanced, "4.3.2");
    f.fake->tuned->scand_down = SHIM_SCAND_ACCEPT;
    scan(&f);
    assert_int_equal(f.verdict.action, SHIM_CONTINUE);
    assert_string_equal(f.findings.fault, "timeout");
    content(&f);
    assert_string_equal(sent(&f)->scan_fault, "timeout");
    assert_null(sent(&f)->scan);
    assert_int_equal(f.verdict.action, SHIM_CONTINUE);
    f.fake->tuned->scand_down = SHIM_SCAND_HOLD;
    scan(&f);
    content(&f);
    assert_int_equal(f.verdict.action, SHIM_HOLD);
    stop(&f);
}

static void test_ask_scan_down_submission_has_its_own_value(void **state)
{
    struct fixture f = start();
    (void)state;
    shim_conn_auth(f.conn, "user", "PLAIN");
    f.fake->is_scand_down = true;
    f.fake->tuned->scand_down_submission = SHIM_SCAND_ACCEPT;
    scan(&f);
    assert_int_equal(f.verdict.action, SHIM_CONTINUE);
    stop(&f);
}

static void test_ask_content_poison_is_named(void **state)
{
    struct fixture f = start();
    (void)state;
    f.fake->scan.is_poison = true;
    scan(&f);
    content(&f);
    assert_string_equal(sent(&f)->scan_fault, "poison");
    assert_int_equal(f.verdict.action, SHIM_CONTINUE); /* policyd decides */
    stop(&f);
}

static void test_ask_content_policyd_down_holds_what_is_harmful(void **state)
{
    struct fixture f = start();
    char *viruses[] = {(char[]){"Eicar"}};
    (void)state;
    f.fake->is_policyd_down = true;
    scan(&f);
    assert_null(content(&f));
    assert_int_equal(f.verdict.action, SHIM_TEMPFAIL);
    f.fake->tuned->policyd_down = SHIM_POLICYD_CONTINUE;
    content(&f);
    assert_int_equal(f.verdict.action, SHIM_CONTINUE);
    f.fake->scan.n_viruses = 1;
    f.fake->scan.viruses = viruses;
    scan(&f);
    content(&f);
    assert_int_equal(f.verdict.action, SHIM_HOLD);
    stop(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ask_envelope_carries_all_that_is_known),
        cmocka_unit_test(test_ask_envelope_results_come_back_at_content),
        cmocka_unit_test(test_ask_envelope_stage_not_configured_asks_nobody),
        cmocka_unit_test(test_ask_envelope_policyd_down),
        cmocka_unit_test(test_ask_missed_stages_are_asked_again),
        cmocka_unit_test(test_ask_unknown_action_does_not_accept),
        cmocka_unit_test(test_ask_scan_down_as_configured),
        cmocka_unit_test(test_ask_scan_down_submission_has_its_own_value),
        cmocka_unit_test(test_ask_content_poison_is_named),
        cmocka_unit_test(test_ask_content_policyd_down_holds_what_is_harmful),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
