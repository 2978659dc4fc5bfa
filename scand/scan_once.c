/*
 * One scan from request to reply: fills the envelope, parses, runs the chain, and turns
 * the result into a ScanReply. Used by workers and by mxdropctl scan --local alike, so
 * that both give the same findings. Scores of mailbox scopes stay empty until a detector
 * knows mailboxes.
 */
#include "scan_once.h"

#include "mx_arena.h"
#include "mx_err.h"
#include "mx_time.h"
#include "mxp_pack.h"

static const struct mx_str *slices(struct mx_arena *arena, size_t n,
                                   const ProtobufCBinaryData *bytes)
{
    struct mx_str *out = mx_arena_array(arena, n + 1, sizeof(*out));
    for (size_t i = 0; i < n; i++)
        out[i] = mxp_str(bytes[i]);
    return out;
}

static void fill_envelope(struct mx_arena *arena, const Mxp__ScanRequest *request,
                          struct message_envelope *out)
{
    *out = (struct message_envelope){
        .id = mx_str(request->id),
        .client_addr = mxp_str(request->client_addr),
        .client_name = mxp_str(request->client_name),
        .helo = mxp_str(request->helo),
        .sender = mxp_str(request->sender),
        .auth_user = mx_str(request->auth_user),
        .recipients = slices(arena, request->n_recipients, request->recipients),
        .n_recipients = request->n_recipients,
    };
}

static struct scan_choice choice_of(struct mx_arena *arena,
                                    const Mxp__ScanRequest *request)
{
    struct mx_str *only = mx_arena_array(arena, request->n_only + 1, sizeof(*only));
    for (size_t i = 0; i < request->n_only; i++)
        only[i] = mx_str(request->only[i]);
    return (struct scan_choice){only, request->n_only};
}

static void put_findings(struct mx_arena *arena, const struct scan_result *result,
                         Mxp__ScanReply *reply)
{
    reply->findings = mx_arena_array(arena, result->n_findings + 1, sizeof(void *));
    for (size_t i = 0; i < result->n_findings; i++) {
        const struct scan_finding *from = &result->findings[i];
        Mxp__Finding *to = mx_arena_alloc(arena, sizeof(*to));
        mxp__finding__init(to);
        to->symbol = (char *)(uintptr_t)from->symbol;
        to->detector = (char *)(uintptr_t)from->detector;
        to->score = from->score;
        to->detail = mxp_bytes(from->detail);
        reply->findings[reply->n_findings++] = to;
    }
    reply->viruses = mx_arena_array(arena, result->n_viruses + 1, sizeof(void *));
    for (size_t i = 0; i < result->n_viruses; i++)
        reply->viruses[reply->n_viruses++] =
            mx_arena_dup(arena, result->viruses[i].p, result->viruses[i].n);
    reply->degraded = mx_arena_array(arena, result->n_faults + 1, sizeof(void *));
    for (size_t i = 0; i < result->n_faults; i++)
        reply->degraded[reply->n_degraded++] =
            (char *)(uintptr_t)result->faults[i].detector;
}

/* Protobuf's "string" must be UTF-8: what a message declares need not be. */
static char *utf8_or(struct mx_arena *arena, struct mx_str text, const char *instead)
{
    if (!mx_str_is_utf8(text))
        text = mx_str(instead);
    return mx_arena_dup(arena, text.p ? text.p : "", text.n);
}

static void put_parts(struct mx_arena *arena, const struct message *msg,
                      Mxp__ScanReply *reply)
{
    size_t n = msg->n_parts < SCAN_REPLY_PARTS_MAX ? msg->n_parts : SCAN_REPLY_PARTS_MAX;
    reply->parts = mx_arena_array(arena, n + 1, sizeof(void *));
    for (size_t i = 0; i < n; i++) {
        const struct message_part *from = &msg->parts[i];
        Mxp__Part *to = mx_arena_alloc(arena, sizeof(*to));
        mxp__part__init(to);
        to->type = utf8_or(arena, from->type, "application/octet-stream");
        to->disposition = utf8_or(arena, from->disposition, "");
        to->name = mxp_bytes(from->name);
        to->size = from->content.n;
        to->depth = from->depth;
        reply->parts[reply->n_parts++] = to;
    }
}

static void put_files(struct mx_arena *arena, const struct scan_result *result,
                      Mxp__ScanReply *reply)
{
    reply->files = mx_arena_array(arena, result->n_files + 1, sizeof(void *));
    for (size_t i = 0; i < result->n_files; i++) {
        Mxp__File *to = mx_arena_alloc(arena, sizeof(*to));
        mxp__file__init(to);
        to->name = mxp_bytes(result->files[i].name);
        to->type = utf8_or(arena, result->files[i].type, "");
        to->archive_depth = result->files[i].depth;
        reply->files[reply->n_files++] = to;
    }
}

static void put_costs(struct mx_arena *arena, const struct scan_result *result,
                      Mxp__ScanReply *reply)
{
    reply->costs = mx_arena_array(arena, result->n_costs + 1, sizeof(void *));
    for (size_t i = 0; i < result->n_costs; i++) {
        Mxp__DetectorCost *to = mx_arena_alloc(arena, sizeof(*to));
        mxp__detector_cost__init(to);
        to->detector = (char *)(uintptr_t)result->costs[i].detector;
        to->us = result->costs[i].us;
        to->is_finished = result->costs[i].is_finished;
        reply->costs[reply->n_costs++] = to;
    }
}

static void put_spent(struct mx_arena *arena, const struct scan_result *result,
                      Mxp__ScanReply *reply)
{
    reply->spent = mx_arena_array(arena, result->n_spent + 1, sizeof(void *));
    for (size_t i = 0; i < result->n_spent; i++) {
        Mxp__Spent *to = mx_arena_alloc(arena, sizeof(*to));
        mxp__spent__init(to);
        to->detector = (char *)(uintptr_t)result->spent[i].detector;
        to->stage = (char *)(uintptr_t)result->spent[i].stage;
        to->item = (char *)(uintptr_t)result->spent[i].item;
        to->ns = (uint64_t)result->spent[i].ns;
        reply->spent[reply->n_spent++] = to;
    }
}

/* Parses, for the chain; false: what is wrong is in the result. */
static bool parse(struct mx_arena *arena, struct mx_str raw, struct message *msg,
                  struct scan_result *result)
{
    struct mx_err err = {0};
    int64_t from_ns = result->is_profiled ? mx_cpu_ns() : 0;
    result->detector = "message";
    int rc = message_parse(arena, raw, msg, &err);
    if (rc < 0)
        scan_result_fault(result, "message", mx_str_dup(arena, mx_str(err.text)).p);
    if (result->is_profiled)
        scan_spent(result, "", "", mx_cpu_ns() - from_ns);
    return rc == 0;
}

void scan_once_run(struct scan_chain *chain, const struct scan_conf *conf,
                   struct mx_arena *arena, const struct scan_once *once,
                   struct scan_result *out_result, Mxp__ScanReply **out)
{
    int64_t from_us = mx_mono_us();
    struct message msg = {.is_truncated = once->request->is_truncated,
                          .deadline_ms = once->deadline_ms,
                          .now_ms = once->now_ms};
    if (msg.now_ms == 0)
        msg.now_ms = once->request->received_at_ms;
    if (msg.now_ms == 0)
        msg.now_ms = mx_wall_ms(&mx_clock_real);
    fill_envelope(arena, once->request, &msg.envelope);

    Mxp__ScanReply *reply = mx_arena_alloc(arena, sizeof(*reply));
    mxp__scan_reply__init(reply);
    scan_result_init(out_result, arena);
    out_result->is_profiled = once->request->profile;
    if (parse(arena, once->raw, &msg, out_result)) {
        struct scan_choice choice = choice_of(arena, once->request);
        reply->score = scan_chain_run(chain, &msg, &choice, out_result);
        put_parts(arena, &msg, reply);
    }
    reply->required = conf->required_score;
    reply->scanner = (char *)(uintptr_t)once->scanner;
    put_findings(arena, out_result, reply);
    put_files(arena, out_result, reply);
    if (once->request->profile) {
        put_costs(arena, out_result, reply);
        put_spent(arena, out_result, reply);
    }
    reply->us = (uint64_t)(mx_mono_us() - from_us);
    *out = reply;
}
