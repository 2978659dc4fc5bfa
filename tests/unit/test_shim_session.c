/* Whole sessions against a faked cluster and a faked MTA. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>

#include "shim_fake.h"

#define CONTENT MXP__STAGE__STAGE_CONTENT
#define RCPT MXP__STAGE__STAGE_RCPT

struct fixture {
    struct fake *fake;
    struct shim_conn *conn;
};

static const struct shim_features all = {
    .has_space = true, .has_skip = true, .has_rcpt_rej = true, .is_quiet = true};

static struct fixture start(void)
{
    struct fixture f = {fake_new(), NULL};
    f.conn = shim_session_open(&f.fake->shim, &all);
    return f;
}

static void stop(struct fixture *f)
{
    shim_session_close(&f->fake->shim, f->conn);
    assert_int_equal(f->fake->shim.sessions, 0);
    assert_int_equal(f->fake->shim.messages, 0);
    assert_int_equal(f->fake->shim.budget.used, 0);
    fake_free(f->fake);
}

static enum shim_status greet(struct fixture *f)
{
    struct fake *fake = f->fake;
    shim_session_connect(&fake->shim, f->conn, &fake->mta, "mx.example.com", NULL);
    return shim_session_helo(&fake->shim, f->conn, &fake->mta, "mx.example.com");
}

static enum shim_status mail(struct fixture *f)
{
    char *argv[] = {(char[]){"<a@b>"}, NULL};
    return shim_session_mail(&f->fake->shim, f->conn, &f->fake->mta, argv);
}

static enum shim_status rcpt(struct fixture *f, const char *path)
{
    char text[128];
    snprintf(text, sizeof(text), "%s", path);
    char *argv[] = {text, NULL};
    return shim_session_rcpt(&f->fake->shim, f->conn, &f->fake->mta, argv);
}

static enum shim_status header(struct fixture *f, const char *name, const char *value)
{
    return shim_session_header(&f->fake->shim, f->conn, name, value);
}

static enum shim_status body(struct fixture *f, struct mx_str bytes)
{
    return shim_session_body(&f->fake->shim, f->conn, &f->fake->mta, bytes);
}

static enum shim_status eom(struct fixture *f)
{
    return shim_session_eom(&f->fake->shim, f->conn, &f->fake->mta);
}

/* Everything up to the end of a message with one recipient. */
static enum shim_status message(struct fixture *f)
{
    assert_int_equal(greet(f), SHIM_STATUS_CONTINUE);
    assert_int_equal(mail(f), SHIM_STATUS_CONTINUE);
    assert_int_equal(rcpt(f, "<x@y>"), SHIM_STATUS_CONTINUE);
    assert_int_equal(header(f, "Subject", " hi"), SHIM_STATUS_NOREPLY);
    assert_int_equal(shim_session_eoh(&f->fake->shim, f->conn), SHIM_STATUS_NOREPLY);
    assert_int_equal(body(f, MX_STR("text\r\n")), SHIM_STATUS_CONTINUE);
    return eom(f);
}

static int64_t outcomes(struct fixture *f, enum shim_outcome outcome)
{
    return mx_counter_get(f->fake->shim.stats.messages[outcome]);
}

static void test_session_accepts(void **state)
{
    struct fixture f = start();
    (void)state;
    assert_int_equal(message(&f), SHIM_STATUS_CONTINUE);
    assert_int_equal(f.fake->scan_calls, 1);
    assert_int_equal(f.fake->policy_calls[CONTENT], 1);
    assert_int_equal(f.fake->progress, 1);
    assert_int_equal(outcomes(&f, SHIM_OUTCOME_ACCEPT), 1);
    stop(&f);
}

static void test_session_connect_refusal_is_told_at_helo_and_mail(void **state)
{
    struct fixture f = start();
    (void)state;
    fake_says(f.fake, MXP__STAGE__STAGE_CONNECT, MXP__ACTION__ACTION_REJECT, 554, "5.7.1",
              "listed");
    struct fake *fake = f.fake;
    assert_int_equal(shim_session_connect(&fake->shim, f.conn, &fake->mta, "x", NULL),
                     SHIM_STATUS_CONTINUE);
    assert_false(fake->has_reply);
    assert_int_equal(shim_session_helo(&fake->shim, f.conn, &fake->mta, "h"),
                     SHIM_STATUS_REJECT);
    assert_string_equal(fake->reply.code, "554");
    assert_string_equal(fake->reply.lines[0], "listed");
    fake->has_reply = false;
    assert_int_equal(mail(&f), SHIM_STATUS_REJECT);
    assert_true(fake->has_reply);
    assert_int_equal(fake->policy_calls[MXP__STAGE__STAGE_MAIL], 0);
    assert_int_equal(rcpt(&f, "<x@y>"), SHIM_STATUS_TEMPFAIL); /* no message is open */
    stop(&f);
}

/* CONNECT and HELO of a client on the Internet. */
static enum shim_status greet_from(struct fixture *f, uint32_t addr)
{
    struct fake *fake = f->fake;
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(addr)};
    shim_session_connect(&fake->shim, f->conn, &fake->mta, "mx.example.com",
                         (const struct sockaddr *)&sa);
    return shim_session_helo(&fake->shim, f->conn, &fake->mta, "mx.example.com");
}

static void test_session_overload_turns_strangers_away(void **state)
{
    struct fixture f = start();
    struct fake *fake = f.fake;
    (void)state;
    assert_int_equal(greet_from(&f, 0xc0000201), SHIM_STATUS_CONTINUE);
    assert_int_equal(mail(&f), SHIM_STATUS_CONTINUE);
    assert_int_equal(rcpt(&f, "<x@y>"), SHIM_STATUS_CONTINUE);
    unsigned asked = fake->policy_calls[MXP__STAGE__STAGE_CONNECT];
    fake->load =
        (struct shim_load){.is_known = true, .usable = 1, .workers = 1, .in_flight = 17};
    assert_int_equal(eom(&f), SHIM_STATUS_CONTINUE); /* what began is finished */
    assert_int_equal(greet_from(&f, 0xc6336401), SHIM_STATUS_TEMPFAIL);
    assert_string_equal(fake->reply.code, "421");
    assert_string_equal(fake->reply.enhanced, "4.3.2");
    assert_int_equal(mail(&f), SHIM_STATUS_TEMPFAIL);
    assert_int_equal(fake->policy_calls[MXP__STAGE__STAGE_CONNECT], asked);
    assert_int_equal(mx_counter_get(fake->shim.stats.shed_busy), 1);
    shim_session_close(&fake->shim, f.conn);
    f.conn = shim_session_open(&fake->shim, &all);
    assert_int_equal(greet_from(&f, 0xc0000202), SHIM_STATUS_CONTINUE); /* known */
    stop(&f);
}

static void test_session_down_early(void **state)
{
    struct fixture f = start();
    struct fake *fake = f.fake;
    (void)state;
    fake->tuned->scand_down_early = true;
    fake->clock.now_ms = 100000;
    fake->load = (struct shim_load){.is_known = true, .workers = 1};
    assert_int_equal(greet_from(&f, 0xc0000201), SHIM_STATUS_CONTINUE); /* to find out */
    shim_session_close(&fake->shim, f.conn);
    f.conn = shim_session_open(&fake->shim, &all);
    assert_int_equal(greet_from(&f, 0xc0000201), SHIM_STATUS_TEMPFAIL);
    assert_string_equal(fake->reply.code, "421");
    assert_int_equal(mx_counter_get(fake->shim.stats.shed_down), 1);
    stop(&f);
}

static void test_session_rcpt_refusals_concern_one_recipient(void **state)
{
    struct fixture f = start();
    (void)state;
    greet(&f);
    mail(&f);
    fake_says(f.fake, RCPT, MXP__ACTION__ACTION_TEMPFAIL, 450, "4.7.1", "greylisted");
    assert_int_equal(rcpt(&f, "<later@y>"), SHIM_STATUS_TEMPFAIL);
    fake_says(f.fake, RCPT, MXP__ACTION__ACTION_REJECT, 550, "5.1.1", "nobody");
    assert_int_equal(rcpt(&f, "<nobody@y>"), SHIM_STATUS_REJECT);
    assert_int_equal(f.conn->msg.tempfailed, 1);
    assert_int_equal(f.conn->msg.refused, 2);
    f.fake->policy[RCPT].action = MXP__ACTION__ACTION_CONTINUE;
    assert_int_equal(rcpt(&f, "<x@y>"), SHIM_STATUS_CONTINUE);
    assert_int_equal(f.conn->msg.n_rcpts, 1);
    assert_int_equal(eom(&f), SHIM_STATUS_CONTINUE);
    stop(&f);
}

static void test_session_mta_refused_recipient_is_only_counted(void **state)
{
    struct fixture f = start();
    (void)state;
    greet(&f);
    mail(&f);
    f.fake->macros[0] = "{rcpt_mailer}";
    f.fake->macros[1] = "error";
    assert_int_equal(rcpt(&f, "<x@y>"), SHIM_STATUS_CONTINUE);
    assert_int_equal(f.conn->msg.n_rcpts, 0);
    assert_int_equal(f.fake->policy_calls[RCPT], 0);
    stop(&f);
}

static void test_session_rcpt_discard_removes_that_recipient_at_the_end(void **state)
{
    struct fixture f = start();
    (void)state;
    greet(&f);
    mail(&f);
    rcpt(&f, "<x@y>");
    f.fake->policy[RCPT].action = MXP__ACTION__ACTION_DISCARD;
    assert_int_equal(rcpt(&f, "<drop@y>"), SHIM_STATUS_CONTINUE);
    assert_int_equal(eom(&f), SHIM_STATUS_CONTINUE);
    assert_true(fake_has_edit(f.fake, '-', "<drop@y>", 0));
    stop(&f);
}

static void test_session_all_recipients_discarded_is_a_discard(void **state)
{
    struct fixture f = start();
    (void)state;
    greet(&f);
    mail(&f);
    f.fake->policy[RCPT].action = MXP__ACTION__ACTION_DISCARD;
    rcpt(&f, "<drop@y>");
    assert_int_equal(eom(&f), SHIM_STATUS_DISCARD);
    assert_int_equal(outcomes(&f, SHIM_OUTCOME_DISCARD), 1);
    stop(&f);
}

static void test_session_hold_at_mail_waits_for_the_end(void **state)
{
    struct fixture f = start();
    (void)state;
    f.fake->policy[MXP__STAGE__STAGE_MAIL].action = MXP__ACTION__ACTION_HOLD;
    assert_int_equal(message(&f), SHIM_STATUS_CONTINUE);
    assert_int_equal(f.fake->edits[0].kind, 'q');
    assert_int_equal(outcomes(&f, SHIM_OUTCOME_HOLD), 1);
    stop(&f);
}

static void test_session_content_refusal_changes_nothing(void **state)
{
    struct fixture f = start();
    (void)state;
    fake_says(f.fake, CONTENT, MXP__ACTION__ACTION_REJECT, 550, "5.7.0", "virus");
    fake_wants(f.fake, MXP__EDIT_KIND__EDIT_ADD_HEADER, "X-Mxdrop-Score", "5", 0);
    assert_int_equal(message(&f), SHIM_STATUS_REJECT);
    assert_string_equal(f.fake->reply.lines[0], "virus");
    assert_int_equal(f.fake->n_edits, 0);
    stop(&f);
}

static void test_session_content_refusal_beats_early_hold(void **state)
{
    struct fixture f = start();
    (void)state;
    f.fake->policy[MXP__STAGE__STAGE_MAIL].action = MXP__ACTION__ACTION_HOLD;
    fake_says(f.fake, CONTENT, MXP__ACTION__ACTION_TEMPFAIL, 451, "4.7.1", "later");
    assert_int_equal(message(&f), SHIM_STATUS_TEMPFAIL);
    stop(&f);
}

static void test_session_hold_the_mta_cannot_do_is_a_tempfail(void **state)
{
    struct fixture f = start();
    (void)state;
    f.fake->policy[CONTENT].action = MXP__ACTION__ACTION_HOLD;
    f.fake->refuses = 'q';
    assert_int_equal(message(&f), SHIM_STATUS_TEMPFAIL);
    assert_int_equal(outcomes(&f, SHIM_OUTCOME_TEMPFAIL), 1);
    stop(&f);
}

static void test_session_header_too_large_is_refused_at_the_body(void **state)
{
    struct fixture f = start();
    (void)state;
    f.fake->tuned->max_headers = 1;
    greet(&f);
    mail(&f);
    rcpt(&f, "<x@y>");
    assert_int_equal(header(&f, "A", " 1"), SHIM_STATUS_NOREPLY);
    assert_int_equal(header(&f, "B", " 2"), SHIM_STATUS_NOREPLY);
    assert_int_equal(body(&f, MX_STR("x")), SHIM_STATUS_REJECT);
    assert_string_equal(f.fake->reply.code, "552");
    assert_false(f.conn->msg.is_open); /* released at the verdict */
    stop(&f);
}

static void test_session_budget_gone_tempfails_body_and_mail(void **state)
{
    struct fixture f = start();
    char *chunk = mx_xalloc(200000);
    (void)state;
    f.fake->shim.budget.max = 100000;
    greet(&f);
    assert_int_equal(mail(&f), SHIM_STATUS_CONTINUE);
    rcpt(&f, "<x@y>");
    assert_int_equal(body(&f, mx_str_of(chunk, 200000)), SHIM_STATUS_TEMPFAIL);
    assert_string_equal(f.fake->reply.code, "452");
    assert_string_equal(f.fake->reply.enhanced, "4.3.1");
    f.fake->shim.budget.used = 99999;
    assert_int_equal(mail(&f), SHIM_STATUS_TEMPFAIL);
    assert_string_equal(f.fake->reply.code, "452");
    f.fake->shim.budget.used = 0;
    free(chunk);
    stop(&f);
}

static void test_session_oversized_is_skipped_and_scanned_in_part(void **state)
{
    struct fixture f = start();
    char chunk[10000] = {0};
    (void)state;
    f.fake->tuned->scan_limit = 15000;
    f.fake->tuned->oversize_head = 100;
    greet(&f);
    mail(&f);
    rcpt(&f, "<x@y>");
    assert_int_equal(body(&f, mx_str_of(chunk, sizeof(chunk))), SHIM_STATUS_CONTINUE);
    assert_int_equal(body(&f, mx_str_of(chunk, sizeof(chunk))), SHIM_STATUS_SKIP);
    assert_int_equal(eom(&f), SHIM_STATUS_CONTINUE);
    Mxp__ScanRequest *scan = (Mxp__ScanRequest *)mxp_unpack(
        f.fake->arena, &mxp__scan_request__descriptor, f.fake->last_scan, NULL);
    assert_true(scan->is_truncated);
    assert_int_equal(scan->size, 20002);
    stop(&f);
}

static void test_session_abort_and_repeated_mail_forget(void **state)
{
    struct fixture f = start();
    (void)state;
    greet(&f);
    mail(&f);
    rcpt(&f, "<x@y>");
    body(&f, MX_STR("half a mess"));
    shim_session_abort(&f.fake->shim, f.conn);
    assert_int_equal(f.fake->shim.messages, 0);
    assert_int_equal(f.fake->shim.budget.used, 0);
    mail(&f);
    rcpt(&f, "<x@y>");
    mail(&f);
    assert_int_equal(f.conn->msg.n_rcpts, 0);
    assert_int_equal(f.fake->shim.messages, 1);
    assert_int_equal(outcomes(&f, SHIM_OUTCOME_ABORT), 2);
    stop(&f); /* and in the middle of a message */
}

static void test_session_drain_refuses_new_messages_with_421(void **state)
{
    struct fixture f = start();
    (void)state;
    greet(&f);
    mail(&f);
    rcpt(&f, "<x@y>");
    f.fake->shim.is_draining = true;
    assert_int_equal(eom(&f), SHIM_STATUS_CONTINUE); /* what runs finishes */
    assert_int_equal(mail(&f), SHIM_STATUS_TEMPFAIL);
    assert_string_equal(f.fake->reply.code, "421");
    stop(&f);
}

static void test_session_close_without_connection(void **state)
{
    struct fixture f = start();
    (void)state;
    shim_session_close(&f.fake->shim, NULL);
    shim_session_abort(&f.fake->shim, NULL);
    stop(&f);
}

static void test_session_without_scan_skips_the_body(void **state)
{
    struct fixture f = start();
    (void)state;
    f.fake->tuned->has_scan = false;
    greet(&f);
    mail(&f);
    rcpt(&f, "<x@y>");
    assert_int_equal(body(&f, MX_STR("x")), SHIM_STATUS_SKIP);
    assert_int_equal(eom(&f), SHIM_STATUS_CONTINUE);
    assert_int_equal(f.fake->scan_calls, 0);
    assert_int_equal(f.fake->policy_calls[CONTENT], 1);
    stop(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_session_accepts),
        cmocka_unit_test(test_session_connect_refusal_is_told_at_helo_and_mail),
        cmocka_unit_test(test_session_overload_turns_strangers_away),
        cmocka_unit_test(test_session_down_early),
        cmocka_unit_test(test_session_rcpt_refusals_concern_one_recipient),
        cmocka_unit_test(test_session_mta_refused_recipient_is_only_counted),
        cmocka_unit_test(test_session_rcpt_discard_removes_that_recipient_at_the_end),
        cmocka_unit_test(test_session_all_recipients_discarded_is_a_discard),
        cmocka_unit_test(test_session_hold_at_mail_waits_for_the_end),
        cmocka_unit_test(test_session_content_refusal_changes_nothing),
        cmocka_unit_test(test_session_content_refusal_beats_early_hold),
        cmocka_unit_test(test_session_hold_the_mta_cannot_do_is_a_tempfail),
        cmocka_unit_test(test_session_header_too_large_is_refused_at_the_body),
        cmocka_unit_test(test_session_budget_gone_tempfails_body_and_mail),
        cmocka_unit_test(test_session_oversized_is_skipped_and_scanned_in_part),
        cmocka_unit_test(test_session_abort_and_repeated_mail_forget),
        cmocka_unit_test(test_session_drain_refuses_new_messages_with_421),
        cmocka_unit_test(test_session_close_without_connection),
        cmocka_unit_test(test_session_without_scan_skips_the_body),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
