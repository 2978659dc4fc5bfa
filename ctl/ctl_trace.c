/*
 * A policy reply on paper: module by module the result, the time, the verdict and the
 * answers it had, then what became of the stage. At CONTENT the chain is walked once per
 * recipient; the trace says whose walk a line belongs to.
 */
#include "ctl_trace.h"

#include "ctl.h"
#include "mx_arena.h"
#include "mxp_pack.h"

static const char *action_name(Mxp__Action action)
{
    switch (action) {
    case MXP__ACTION__ACTION_CONTINUE: return "continue";
    case MXP__ACTION__ACTION_REJECT: return "reject";
    case MXP__ACTION__ACTION_TEMPFAIL: return "tempfail";
    case MXP__ACTION__ACTION_DISCARD: return "discard";
    case MXP__ACTION__ACTION_HOLD: return "hold";
    default: return "unknown";
    }
}

static const char *outcome_name(Mxp__Outcome outcome)
{
    switch (outcome) {
    case MXP__OUTCOME__OUTCOME_DELIVER: return "deliver";
    case MXP__OUTCOME__OUTCOME_TAG: return "tag";
    case MXP__OUTCOME__OUTCOME_FOLDER: return "folder";
    case MXP__OUTCOME__OUTCOME_REFUSE: return "refuse";
    case MXP__OUTCOME__OUTCOME_DISCARD: return "discard";
    case MXP__OUTCOME__OUTCOME_QUARANTINE: return "quarantine";
    default: return "unknown";
    }
}

static const char *edit_name(Mxp__EditKind kind)
{
    switch (kind) {
    case MXP__EDIT_KIND__EDIT_ADD_HEADER: return "add header";
    case MXP__EDIT_KIND__EDIT_REMOVE_HEADER: return "remove header";
    case MXP__EDIT_KIND__EDIT_CHANGE_HEADER: return "change header";
    case MXP__EDIT_KIND__EDIT_INSERT_HEADER: return "insert header";
    case MXP__EDIT_KIND__EDIT_REMOVE_RCPT: return "remove recipient";
    case MXP__EDIT_KIND__EDIT_ADD_RCPT: return "add recipient";
    default: return "nothing";
    }
}

/* "450 4.7.1 text", or "". */
static struct mx_str reply_line(struct mx_arena *arena, const Mxp__SmtpReply *reply)
{
    if (!reply)
        return MX_STR("");
    return mx_str(mx_arena_printf(arena, "%u %s %.*s", reply->code,
                                  reply->enhanced ? reply->enhanced : "",
                                  MX_STR_FMT(mxp_str(reply->text))));
}

/* ---- for people ---- */

static void text_step(struct mx_arena *arena, const Mxp__Trace *step, FILE *out)
{
    fprintf(out, "    %-16s %-12s %8.3f ms  %s%s", ctl_text(arena, mx_str(step->module)),
            ctl_text(arena, mx_str(step->step)), (double)step->us / 1000,
            step->mode && mx_str_eq(mx_str(step->mode), MX_STR("warn")) ? "(warn) " : "",
            ctl_text(arena, mx_str(step->verdict)));
    if (step->recipient.len)
        fprintf(out, "  %s", ctl_text(arena, mxp_str(step->recipient)));
    fputs("\n", out);
    for (size_t i = 0; i < step->n_answers; i++)
        fprintf(out, "    %-16s   %s\n", "", ctl_text(arena, mx_str(step->answers[i])));
}

static void text_results(struct mx_arena *arena, const Mxp__PolicyReply *reply, FILE *out)
{
    for (size_t i = 0; i < reply->n_outcomes; i++) {
        const Mxp__RecipientResult *one = reply->outcomes[i];
        bool has_module = one->module && *one->module;

        fprintf(out, "  outcome %s: %s%s%s\n", ctl_text(arena, mxp_str(one->path)),
                outcome_name(one->outcome), has_module ? " by " : "",
                has_module ? ctl_text(arena, mx_str(one->module)) : "");
    }
    for (size_t i = 0; i < reply->n_edits; i++) {
        const Mxp__Edit *edit = reply->edits[i];

        fprintf(out, "  edit    %s %s%s%s\n", edit_name(edit->kind),
                ctl_text(arena, mxp_str(edit->name)), edit->value.len ? ": " : "",
                ctl_text(arena, mxp_str(edit->value)));
    }
    for (size_t i = 0; i < reply->n_degraded; i++)
        fprintf(out, "  degraded: %s\n", ctl_text(arena, mx_str(reply->degraded[i])));
}

void ctl_trace_text(struct mx_arena *arena, const struct ctl_trace *trace, FILE *out)
{
    const Mxp__PolicyReply *reply = trace->reply;
    struct mx_str line = reply_line(arena, reply->reply);
    bool has_module = reply->module && *reply->module;

    fprintf(out, "%s %s\n", trace->stage, ctl_text(arena, mx_str(trace->argument)));
    for (size_t i = 0; i < reply->n_trace; i++)
        text_step(arena, reply->trace[i], out);
    text_results(arena, reply, out);
    fprintf(out, "  => %s", line.n ? ctl_text(arena, line) : action_name(reply->action));
    if (has_module)
        fprintf(out, "  (%s: %s)", ctl_text(arena, mx_str(reply->module)),
                ctl_text(arena, mx_str(reply->reason)));
    fputs("\n", out);
}

/* ---- JSON ---- */

static void json_step(struct mx_arena *arena, const Mxp__Trace *step, FILE *out)
{
    fprintf(out, "{\"module\":%s,\"step\":%s,\"mode\":%s,\"verdict\":%s,\"us\":%llu",
            mx_str_json(arena, mx_str(step->module)),
            mx_str_json(arena, mx_str(step->step)),
            mx_str_json(arena, mx_str(step->mode)),
            mx_str_json(arena, mx_str(step->verdict)), (unsigned long long)step->us);
    if (step->recipient.len)
        fprintf(out, ",\"recipient\":%s", mx_str_json(arena, mxp_str(step->recipient)));
    fputs(",\"answers\":[", out);
    for (size_t i = 0; i < step->n_answers; i++)
        fprintf(out, "%s%s", i ? "," : "", mx_str_json(arena, mx_str(step->answers[i])));
    fputs("]}", out);
}

static void json_results(struct mx_arena *arena, const Mxp__PolicyReply *reply, FILE *out)
{
    fputs("],\"outcomes\":[", out);
    for (size_t i = 0; i < reply->n_outcomes; i++)
        fprintf(out, "%s{\"path\":%s,\"outcome\":\"%s\",\"module\":%s}", i ? "," : "",
                mx_str_json(arena, mxp_str(reply->outcomes[i]->path)),
                outcome_name(reply->outcomes[i]->outcome),
                mx_str_json(arena, mx_str(reply->outcomes[i]->module)));
    fputs("],\"edits\":[", out);
    for (size_t i = 0; i < reply->n_edits; i++)
        fprintf(out, "%s{\"kind\":\"%s\",\"name\":%s,\"value\":%s}", i ? "," : "",
                edit_name(reply->edits[i]->kind),
                mx_str_json(arena, mxp_str(reply->edits[i]->name)),
                mx_str_json(arena, mxp_str(reply->edits[i]->value)));
    fputs("],\"degraded\":[", out);
    for (size_t i = 0; i < reply->n_degraded; i++)
        fprintf(out, "%s%s", i ? "," : "",
                mx_str_json(arena, mx_str(reply->degraded[i])));
    fputs("]}", out);
}

void ctl_trace_json(struct mx_arena *arena, const struct ctl_trace *trace, FILE *out)
{
    const Mxp__PolicyReply *reply = trace->reply;

    fprintf(
        out,
        "{\"stage\":\"%s\",\"argument\":%s,\"action\":\"%s\",\"reply\":%s,\"module\":%s,"
        "\"reason\":%s,\"trace\":[",
        trace->stage, mx_str_json(arena, mx_str(trace->argument)),
        action_name(reply->action), mx_str_json(arena, reply_line(arena, reply->reply)),
        mx_str_json(arena, mx_str(reply->module)),
        mx_str_json(arena, mx_str(reply->reason)));
    for (size_t i = 0; i < reply->n_trace; i++) {
        if (i)
            fputs(",", out);
        json_step(arena, reply->trace[i], out);
    }
    json_results(arena, reply, out);
}
