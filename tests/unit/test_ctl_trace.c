/* ctl_trace.c: a policy reply for people and for programs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ctl_trace.h"
#include "mx_arena.h"
#include "mxp_pack.h"

/* A refusal at RCPT with a trace of one module, hostile bytes in what comes from outside.
 */
struct reply {
    Mxp__PolicyReply reply;
    Mxp__SmtpReply smtp;
    Mxp__Trace step;
    Mxp__Trace *steps[1];
    char *answers[1];
};

static void make_reply(struct reply *r)
{
    mxp__policy_reply__init(&r->reply);
    mxp__smtp_reply__init(&r->smtp);
    mxp__trace__init(&r->step);
    r->smtp.code = 450;
    r->smtp.enhanced = (char *)(uintptr_t) "4.7.1";
    r->smtp.text = mxp_bytes(MX_STR("wait\x1b[2J"));
    r->answers[0] = (char *)(uintptr_t) "first seen 3 s ago";
    r->step.module = (char *)(uintptr_t) "greylist";
    r->step.step = (char *)(uintptr_t) "done";
    r->step.mode = (char *)(uintptr_t) "on";
    r->step.verdict = (char *)(uintptr_t) "450 4.7.1 wait";
    r->step.us = 1500;
    r->step.answers = r->answers;
    r->step.n_answers = 1;
    r->steps[0] = &r->step;
    r->reply.action = MXP__ACTION__ACTION_TEMPFAIL;
    r->reply.reply = &r->smtp;
    r->reply.module = (char *)(uintptr_t) "greylist";
    r->reply.reason = (char *)(uintptr_t) "first-seen";
    r->reply.trace = r->steps;
    r->reply.n_trace = 1;
}

typedef void show_fn(struct mx_arena *arena, const struct ctl_trace *trace, FILE *out);

/* What ${show} prints; the caller frees it. */
static char *shown(show_fn *show, const Mxp__PolicyReply *reply, const char *argument)
{
    struct mx_arena *arena = mx_arena_new(1 << 20);
    const struct ctl_trace trace = {
        .stage = "rcpt", .argument = argument, .reply = reply};
    char *text = NULL;
    size_t n;
    FILE *out = open_memstream(&text, &n);

    show(arena, &trace, out);
    fclose(out);
    mx_arena_free(arena);
    return text;
}

static void test_ctl_trace_text_walk_then_verdict(void **state)
{
    struct reply r;
    char *text;

    (void)state;
    make_reply(&r);
    text = shown(ctl_trace_text, &r.reply, "<a@b>");
    assert_non_null(strstr(text, "rcpt <a@b>\n    greylist "));
    assert_non_null(strstr(text, "1.500 ms  450 4.7.1 wait\n"));
    assert_non_null(strstr(text, "first seen 3 s ago\n"));
    assert_non_null(
        strstr(text, "  => 450 4.7.1 wait\\x1b[2J  (greylist: first-seen)\n"));
    assert_null(strchr(text, '\x1b'));
    free(text);
}

static void test_ctl_trace_text_marks_warn_mode(void **state)
{
    struct reply r;
    char *text;

    (void)state;
    make_reply(&r);
    r.step.mode = (char *)(uintptr_t) "warn";
    text = shown(ctl_trace_text, &r.reply, "");
    assert_non_null(strstr(text, "(warn) 450 4.7.1 wait"));
    free(text);
}

static void test_ctl_trace_text_without_verdict(void **state)
{
    Mxp__PolicyReply reply = MXP__POLICY_REPLY__INIT;
    char *text;

    (void)state;
    text = shown(ctl_trace_text, &reply, "192.0.2.1");
    assert_string_equal(text, "rcpt 192.0.2.1\n  => continue\n");
    free(text);
}

static void test_ctl_trace_json_fields(void **state)
{
    struct reply r;
    char *text;

    (void)state;
    make_reply(&r);
    text = shown(ctl_trace_json, &r.reply, "<\"a\"@b>");
    assert_string_equal(
        text,
        "{\"stage\":\"rcpt\",\"argument\":\"<\\\"a\\\"@b>\",\"action\":\"tempfail\","
        "\"reply\":\"450 4.7.1 wait\\u001b[2J\",\"module\":\"greylist\","
        "\"reason\":\"first-seen\",\"trace\":[{\"module\":\"greylist\","
        "\"step\":\"done\",\"mode\":\"on\",\"verdict\":\"450 4.7.1 wait\","
        "\"us\":1500,\"answers\":[\"first seen 3 s ago\"]}],\"outcomes\":[],"
        "\"edits\":[],\"degraded\":[]}");
    free(text);
}

static void test_ctl_trace_shows_outcomes_and_edits(void **state)
{
    Mxp__PolicyReply reply = MXP__POLICY_REPLY__INIT;
    Mxp__RecipientResult result = MXP__RECIPIENT_RESULT__INIT, *results[] = {&result};
    Mxp__Edit edit = MXP__EDIT__INIT, *edits[] = {&edit};
    char *text;

    (void)state;
    result.path = mxp_bytes(MX_STR("<x@y>"));
    result.outcome = MXP__OUTCOME__OUTCOME_QUARANTINE;
    result.module = (char *)(uintptr_t) "spam";
    edit.kind = MXP__EDIT_KIND__EDIT_ADD_HEADER;
    edit.name = mxp_bytes(MX_STR("X-Mxdrop-Score"));
    edit.value = mxp_bytes(MX_STR("7.1"));
    reply.outcomes = results;
    reply.n_outcomes = 1;
    reply.edits = edits;
    reply.n_edits = 1;
    text = shown(ctl_trace_text, &reply, "f");
    assert_non_null(strstr(text, "outcome <x@y>: quarantine by spam\n"));
    assert_non_null(strstr(text, "add header X-Mxdrop-Score: 7.1\n"));
    free(text);
    text = shown(ctl_trace_json, &reply, "f");
    assert_non_null(strstr(text, "{\"path\":\"<x@y>\",\"outcome\":\"quarantine\","
                                 "\"module\":\"spam\"}"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ctl_trace_text_walk_then_verdict),
        cmocka_unit_test(test_ctl_trace_text_marks_warn_mode),
        cmocka_unit_test(test_ctl_trace_text_without_verdict),
        cmocka_unit_test(test_ctl_trace_json_fields),
        cmocka_unit_test(test_ctl_trace_shows_outcomes_and_edits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
