/* policy_request: bounds and syntax. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "mxp_pack.h"
#include "policy.pb-c.h"
#include "policy_request.h"

struct scene {
    struct mx_arena *arena;
    Mxp__PolicyRequest in;
    Mxp__Recipient rcpt, *rcpts[1];
    struct policy_wish wish;
    struct mx_err err;
};

static int setup(void **state)
{
    struct scene *s = mx_xalloc(sizeof(*s));
    s->arena = mx_arena_new(POLICY_ARENA_MAX);
    mxp__policy_request__init(&s->in);
    mxp__recipient__init(&s->rcpt);
    s->rcpts[0] = &s->rcpt;
    s->in.stage = MXP__STAGE__STAGE_RCPT;
    s->in.sender = mxp_bytes(MX_STR("<a@S.example>"));
    s->rcpt.path = mxp_bytes(MX_STR("<Bob+List@Example.ORG>"));
    s->in.rcpt = &s->rcpt;
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    struct scene *s = *state;
    mx_arena_free(s->arena);
    free(s);
    return 0;
}

static int decode(struct scene *s, const char *delimiter)
{
    return policy_request_decode(s->arena, mxp_pack(s->arena, &s->in.base), delimiter,
                                 &s->wish, &s->err);
}

static void test_decode_mailbox(void **state)
{
    static const struct {
        const char *path, *delimiter, *mailbox;
    } cases[] = {
        {"<Bob+List@Example.ORG>", "+", "bob@example.org"},
        {"<Bob+List@Example.ORG>", "", "bob+list@example.org"},
        {"<bob-x+y@example.org>", "+-", "bob@example.org"},
        {"<+x@example.org>", "+", "+x@example.org"},
        {"<Postmaster>", "+", "postmaster"},
        {"<@relay.example:Bob@example.org>", "+", "bob@example.org"},
    };
    struct scene *s = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        s->rcpt.path = mxp_bytes(mx_str(cases[i].path));
        assert_int_equal(decode(s, cases[i].delimiter), 0);
        const struct policy_rcpt *rcpt = s->wish.req.rcpt;
        assert_false(rcpt->is_bad);
        assert_true(mx_str_eq(rcpt->path, mx_str(cases[i].path)));
        if (!mx_str_eq(rcpt->mailbox, mx_str(cases[i].mailbox)))
            fail_msg("%s: %.*s", cases[i].path, MX_STR_FMT(rcpt->mailbox));
    }
}

static void test_decode_all_fields(void **state)
{
    struct scene *s = *state;
    char *marks[] = {(char[]){"allow=user_lists"}};
    s->in.id = (char[]){"Q1"};
    s->in.client_addr = mxp_bytes(MX_STR("\xc0\x00\x02\x01"));
    s->in.client_name = mxp_bytes(MX_STR("MX.S.Example"));
    s->in.auth_user = (char[]){"joe"};
    s->in.tempfailed_rcpts = 3;
    s->in.explain = true;
    s->rcpt.marks = marks;
    s->rcpt.n_marks = 1;
    s->in.rcpts = s->rcpts;
    s->in.n_rcpts = 1;
    assert_int_equal(decode(s, "+"), 0);
    const struct policy_req *req = &s->wish.req;
    char text[MX_NET_TEXT_MAX];
    assert_string_equal(mx_net_format(&req->client, text), "192.0.2.1");
    assert_true(mx_str_eq(req->client_name, MX_STR("mx.s.example")));
    assert_true(mx_str_eq(req->sender.domain, MX_STR("s.example")));
    assert_int_equal(req->tempfailed_rcpts, 3);
    assert_true(s->wish.is_explain);
    assert_int_equal(req->n_rcpts, 1);
    assert_true(mx_str_eq(req->rcpts[0].marks[0], MX_STR("allow=user_lists")));
}

/* What strangers type is judged by modules, not refused here. */
static void test_decode_bad_addresses(void **state)
{
    struct scene *s = *state;
    char *big = mx_arena_alloc(s->arena, 100000);
    memset(big, 'x', 100000);
    s->in.sender = mxp_bytes(mx_str_of(big, 100000));
    s->rcpt.path = mxp_bytes(MX_STR("<bob@@x>"));
    s->in.helo = mxp_bytes(mx_str_of(big, 100000));
    assert_int_equal(decode(s, "+"), 0);
    assert_true(s->wish.req.has_bad_sender);
    assert_true(s->wish.req.rcpt->is_bad);
    assert_int_equal(s->wish.req.rcpt->mailbox.n, 0);
    assert_int_equal(s->wish.req.helo.n, POLICY_TEXT_MAX);
    s->rcpt.path = mxp_bytes(MX_STR("<>"));
    assert_int_equal(decode(s, "+"), 0);
    assert_true(s->wish.req.rcpt->is_bad);
}

static void test_decode_refuses(void **state)
{
    struct scene *s = *state;
    char *id = mx_arena_alloc(s->arena, POLICY_ID_MAX + 2);
    memset(id, 'x', POLICY_ID_MAX + 1);
    s->in.id = id;
    assert_int_equal(decode(s, "+"), -1);
    s->in.id = (char[]){""};
    s->in.client_addr = mxp_bytes(MX_STR("12345"));
    assert_int_equal(decode(s, "+"), -1);
    s->in.client_addr = mxp_bytes(MX_STR(""));
    s->in.rcpt = NULL;
    assert_int_equal(decode(s, "+"), -1);
    s->in.stage = MXP__STAGE__STAGE_CONTENT;
    assert_int_equal(decode(s, "+"), -1);
    s->in.stage = (Mxp__Stage)77;
    assert_int_equal(decode(s, "+"), -1);
    assert_int_equal(
        policy_request_decode(s->arena, MX_STR("\xff\xff"), "+", &s->wish, &s->err), -1);
}

static void test_decode_too_many_recipients(void **state)
{
    struct scene *s = *state;
    size_t n = POLICY_RCPTS_MAX + 1;
    s->in.stage = MXP__STAGE__STAGE_CONTENT;
    s->in.rcpts = mx_arena_array(s->arena, n, sizeof(*s->in.rcpts));
    for (size_t i = 0; i < n; i++)
        s->in.rcpts[i] = &s->rcpt;
    s->in.n_rcpts = n;
    assert_int_equal(decode(s, "+"), -1);
    assert_int_equal(s->err.code, MX_ERR_LIMIT);
    s->in.n_rcpts = n - 1;
    assert_int_equal(decode(s, "+"), 0);
    assert_int_equal(s->wish.req.n_rcpts, POLICY_RCPTS_MAX);
}

static void test_decode_scan(void **state)
{
    struct scene *s = *state;
    Mxp__ScanReply scan;
    Mxp__Finding finding, *findings[POLICY_FINDINGS_MAX + 5];
    mxp__scan_reply__init(&scan);
    mxp__finding__init(&finding);
    finding.symbol = (char[]){"SYM"};
    for (size_t i = 0; i < POLICY_FINDINGS_MAX + 5; i++)
        findings[i] = &finding;
    scan.findings = findings;
    scan.n_findings = POLICY_FINDINGS_MAX + 5;
    scan.score = 4.5;
    scan.is_poison = true;
    s->in.scan = &scan;
    s->in.stage = MXP__STAGE__STAGE_CONTENT;
    s->in.rcpts = s->rcpts;
    s->in.n_rcpts = 1;
    assert_int_equal(decode(s, "+"), 0);
    assert_int_equal(s->wish.req.scan->n_findings, POLICY_FINDINGS_MAX);
    assert_true(s->wish.req.scan->is_poison);
    assert_true(s->wish.req.scan->score > 4.4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_decode_mailbox, setup, teardown),
        cmocka_unit_test_setup_teardown(test_decode_all_fields, setup, teardown),
        cmocka_unit_test_setup_teardown(test_decode_bad_addresses, setup, teardown),
        cmocka_unit_test_setup_teardown(test_decode_refuses, setup, teardown),
        cmocka_unit_test_setup_teardown(test_decode_too_many_recipients, setup, teardown),
        cmocka_unit_test_setup_teardown(test_decode_scan, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
