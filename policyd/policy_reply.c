/*
 * Encoding: what the shim has to do, in the words of policy.proto. A reply line's text
 * goes out clean, so that no shim has to know where it came from.
 */
#include "policy_reply.h"

#include "mx_arena.h"
#include "mxp_pack.h"
#include "policy_verdict.h"

/* protobuf-c wants char *, and never writes to what it packs. */
static char *text(const char *s)
{
    union {
        const char *in;
        char *out;
    } u = {s ? s : ""};
    return u.out;
}

static Mxp__Action action_of(enum policy_action action)
{
    switch (action) {
    case POLICY_CONTINUE:
    case POLICY_TAG:
    case POLICY_FOLDER: return MXP__ACTION__ACTION_CONTINUE;
    case POLICY_QUARANTINE:
    case POLICY_HOLD: return MXP__ACTION__ACTION_HOLD;
    case POLICY_DISCARD: return MXP__ACTION__ACTION_DISCARD;
    case POLICY_TEMPFAIL: return MXP__ACTION__ACTION_TEMPFAIL;
    case POLICY_REJECT: return MXP__ACTION__ACTION_REJECT;
    }
    return MXP__ACTION__ACTION_TEMPFAIL;
}

static Mxp__Outcome outcome_of(enum policy_copy copy)
{
    switch (copy) {
    case POLICY_COPY_TAG: return MXP__OUTCOME__OUTCOME_TAG;
    case POLICY_COPY_FOLDER: return MXP__OUTCOME__OUTCOME_FOLDER;
    case POLICY_COPY_REFUSE: return MXP__OUTCOME__OUTCOME_REFUSE;
    case POLICY_COPY_DISCARD: return MXP__OUTCOME__OUTCOME_DISCARD;
    case POLICY_COPY_DELIVER:
    case POLICY_COPIES: break;
    }
    return MXP__OUTCOME__OUTCOME_DELIVER;
}

static Mxp__SmtpReply *smtp_reply(struct mx_arena *arena,
                                  const struct policy_verdict *verdict)
{
    if (verdict->code == 0)
        return NULL;
    Mxp__SmtpReply *reply = mx_arena_alloc(arena, sizeof(*reply));
    mxp__smtp_reply__init(reply);
    reply->code = verdict->code;
    reply->enhanced = text(verdict->enhanced);
    reply->text = mxp_bytes(policy_verdict_clean(arena, verdict->text));
    return reply;
}

static char **strings(struct mx_arena *arena, const struct mx_str *v, size_t n)
{
    char **out = mx_arena_array(arena, n, sizeof(*out));
    for (size_t i = 0; i < n; i++)
        out[i] = text(mx_str_cstr(arena, v[i]));
    return out;
}

static Mxp__RecipientResult *rcpt_result(struct mx_arena *arena,
                                         const struct policy_rcpt *rcpt,
                                         const struct policy_result *result)
{
    Mxp__RecipientResult *out = mx_arena_alloc(arena, sizeof(*out));
    mxp__recipient_result__init(out);
    out->path = mxp_bytes(rcpt->path);
    out->n_mailboxes = rcpt->n_mailboxes;
    out->mailboxes = strings(arena, rcpt->mailboxes, rcpt->n_mailboxes);
    if (result->rewrite)
        out->rewritten = mxp_bytes(result->rewrite->paths);
    out->n_marks = result->n_marks;
    out->marks = strings(arena, result->marks, result->n_marks);
    out->module = text(result->module);
    return out;
}

static void add_outcomes(struct mx_arena *arena, const struct policy_check *check,
                         const struct policy_outcome *outcome, Mxp__PolicyReply *reply)
{
    reply->n_outcomes = check->n_results;
    reply->outcomes = mx_arena_array(arena, check->n_results, sizeof(*reply->outcomes));
    for (size_t i = 0; i < check->n_results; i++) {
        const struct policy_result *result = &check->results[i];
        reply->outcomes[i] = rcpt_result(arena, result->rcpt, result);
        reply->outcomes[i]->outcome = outcome_of(outcome->copies[i]);
    }
}

static Mxp__EditKind edit_kind_of(enum policy_edit_kind kind)
{
    switch (kind) {
    case POLICY_ADD_HEADER: return MXP__EDIT_KIND__EDIT_ADD_HEADER;
    case POLICY_REMOVE_RCPT: return MXP__EDIT_KIND__EDIT_REMOVE_RCPT;
    case POLICY_ADD_RCPT: return MXP__EDIT_KIND__EDIT_ADD_RCPT;
    }
    return MXP__EDIT_KIND__EDIT_NONE;
}

static void add_edits(struct mx_arena *arena, const struct policy_outcome *outcome,
                      Mxp__PolicyReply *reply)
{
    reply->n_edits = outcome->n_edits;
    reply->edits = mx_arena_array(arena, outcome->n_edits, sizeof(*reply->edits));
    for (size_t i = 0; i < outcome->n_edits; i++) {
        const struct policy_edit *in = &outcome->edits[i];
        Mxp__Edit *edit = mx_arena_alloc(arena, sizeof(*edit));
        mxp__edit__init(edit);
        edit->kind = edit_kind_of(in->kind);
        edit->name = mxp_bytes(in->name);
        edit->value = mxp_bytes(in->value);
        reply->edits[i] = edit;
    }
}

static Mxp__Trace *trace_of(struct mx_arena *arena, const struct policy_trace *in)
{
    Mxp__Trace *trace = mx_arena_alloc(arena, sizeof(*trace));
    mxp__trace__init(trace);
    trace->module = text(in->module);
    trace->step = text(in->step);
    trace->mode = text(in->mode);
    trace->verdict = text(in->verdict);
    trace->us = in->us;
    trace->n_answers = in->n_answers;
    trace->answers = mx_arena_array(arena, in->n_answers, sizeof(char *));
    for (size_t i = 0; i < in->n_answers; i++)
        trace->answers[i] = text(in->answers[i]);
    if (in->rcpt)
        trace->recipient = mxp_bytes(in->rcpt->path);
    return trace;
}

static void add_trace(struct mx_arena *arena, const struct policy_check *check,
                      Mxp__PolicyReply *reply)
{
    reply->n_trace = check->n_trace;
    reply->trace = mx_arena_array(arena, check->n_trace, sizeof(*reply->trace));
    for (size_t i = 0; i < check->n_trace; i++)
        reply->trace[i] = trace_of(arena, &check->trace[i]);
}

const Mxp__PolicyReply *policy_reply_make(const struct policy_check *check,
                                          const struct policy_outcome *outcome,
                                          uint64_t topology)
{
    const struct policy_req *req = check->req;
    struct mx_arena *arena = req->arena;
    const struct policy_verdict *verdict =
        outcome ? &outcome->verdict : &check->results[0].verdict;
    Mxp__PolicyReply *reply = mx_arena_alloc(arena, sizeof(*reply));
    mxp__policy_reply__init(reply);
    reply->action = action_of(verdict->action);
    reply->reply = smtp_reply(arena, verdict);
    reply->module = text(outcome ? outcome->module : check->results[0].module);
    reply->reason = text(verdict->reason);
    reply->topology = topology;
    if (outcome) {
        add_outcomes(arena, check, outcome, reply);
        add_edits(arena, outcome, reply);
    } else if (req->stage == POLICY_AT_RCPT) {
        reply->rcpt = rcpt_result(arena, req->rcpt, &check->results[0]);
    }
    reply->n_degraded = check->n_degraded;
    reply->degraded = mx_arena_array(arena, check->n_degraded, sizeof(char *));
    for (size_t i = 0; i < check->n_degraded; i++)
        reply->degraded[i] = text(check->degraded[i]);
    add_trace(arena, check, reply);
    return reply;
}
