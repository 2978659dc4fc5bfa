/*
 * Requests out of state, verdicts out of replies. Each request carries all that is known
 * so far, so any policyd can answer it; nothing is copied that lives as long as the call.
 *
 * No answer is an answer too: the configured one. It marks the message as degraded,
 * counts, shows up in health, and warns once a minute, not once a message.
 *
 * Left out: the wire, retries, deadlines (mxp_client); who is asked (shim_backend.c).
 */
#include "shim_ask.h"

#include <stdatomic.h>
#include <string.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "mx_health.h"
#include "mx_metric.h"
#include "mx_time.h"
#include "mxp_client.h"
#include "mxp_pack.h"

#define MAILBOXES_MAX 256u /* mailboxes of one message that a scan is told of */

static const struct shim_verdict policyd_gone = {
    .action = SHIM_TEMPFAIL,
    .code = 451,
    .enhanced = "4.3.0",
    .text = MX_STR("Policy service not available, please try again later"),
    .module = "shim",
    .reason = "policyd-down"};
static const struct shim_verdict scand_gone = {
    .action = SHIM_TEMPFAIL,
    .code = 451,
    .enhanced = "4.3.2",
    .text = MX_STR("Content scanner not available, please try again later"),
    .module = "shim",
    .reason = "scand-down"};
static const struct shim_verdict spool_gone = {
    .action = SHIM_TEMPFAIL,
    .code = 452,
    .enhanced = "4.3.1",
    .text = MX_STR("Insufficient system storage, please try again later"),
    .module = "shim",
    .reason = "spool"};

static char *text(const char *s)
{
    /* protobuf-c wants char *, and never writes to what it packs. */
    union {
        const char *in;
        char *out;
    } u = {s ? s : ""};
    return u.out;
}

static ProtobufCBinaryData *bytes_of(struct mx_arena *arena, const struct mx_str *v,
                                     size_t n)
{
    ProtobufCBinaryData *out = mx_arena_array(arena, n, sizeof(*out));
    for (size_t i = 0; i < n; i++)
        out[i] = mxp_bytes(v[i]);
    return out;
}

static void fill_rcpt(struct mx_arena *arena, const struct shim_rcpt *rcpt,
                      Mxp__Recipient *out)
{
    mxp__recipient__init(out);
    out->path = mxp_bytes(rcpt->path);
    out->n_args = rcpt->n_args;
    out->args = bytes_of(arena, rcpt->args, rcpt->n_args);
    out->n_mailboxes = rcpt->n_mailboxes;
    out->mailboxes = rcpt->mailboxes;
    out->n_marks = rcpt->n_marks;
    out->marks = rcpt->marks;
    out->rewritten = mxp_bytes(rcpt->rewritten);
    out->split_class = text(rcpt->split_class);
}

static void fill_macros(struct mx_arena *arena, const struct shim_conn *conn,
                        Mxp__PolicyRequest *out)
{
    out->n_macros = conn->n_macros;
    out->macros = mx_arena_array(arena, conn->n_macros, sizeof(*out->macros));
    for (size_t i = 0; i < conn->n_macros; i++) {
        Mxp__Macro *macro = mx_arena_alloc(arena, sizeof(*macro));
        mxp__macro__init(macro);
        macro->name = text(conn->macros[i].name);
        macro->value = mxp_bytes(conn->macros[i].value);
        out->macros[i] = macro;
    }
}

static ProtobufCBinaryData addr_bytes(const struct shim_conn *conn)
{
    size_t n = conn->addr.family == 4 ? 4 : conn->addr.family == 6 ? 16 : 0;
    return mxp_bytes(mx_str_of(conn->addr.addr, n));
}

static void fill_connection(struct shim *shim, const struct shim_conn *conn,
                            Mxp__PolicyRequest *out)
{
    mxp__policy_request__init(out);
    out->id = text(conn->id);
    out->connection = text(conn->id);
    out->client_addr = addr_bytes(conn);
    out->client_name = mxp_bytes(conn->client_name);
    out->helo = mxp_bytes(conn->helo);
    out->topology = shim->backend.topology_held(shim->backend.user);
    fill_macros(conn->scratch, conn, out);
}

static const char *message_id(const struct shim_msg *msg)
{
    return msg->queue_id.n > 0 ? msg->queue_id.p : msg->id;
}

static void fill_message(const struct shim_conn *conn, Mxp__PolicyRequest *out)
{
    const struct shim_msg *msg = &conn->msg;
    struct mx_arena *arena = conn->scratch;
    out->id = text(message_id(msg));
    out->sender = mxp_bytes(msg->sender);
    out->n_sender_args = msg->n_sender_args;
    out->sender_args = bytes_of(arena, msg->sender_args, msg->n_sender_args);
    out->auth_user = text(msg->auth_user);
    out->auth_type = text(msg->auth_type);
    out->size = msg->size_said;
    out->tempfailed_rcpts = msg->tempfailed;
    out->n_rcpts = msg->n_rcpts;
    out->rcpts = mx_arena_array(arena, msg->n_rcpts, sizeof(*out->rcpts));
    for (size_t i = 0; i < msg->n_rcpts; i++) {
        out->rcpts[i] = mx_arena_alloc(arena, sizeof(*out->rcpts[i]));
        fill_rcpt(arena, &msg->rcpts[i], out->rcpts[i]);
    }
}

static enum shim_action action_of(Mxp__Action action)
{
    switch (action) {
    case MXP__ACTION__ACTION_CONTINUE: return SHIM_CONTINUE;
    case MXP__ACTION__ACTION_REJECT: return SHIM_REJECT;
    case MXP__ACTION__ACTION_TEMPFAIL: return SHIM_TEMPFAIL;
    case MXP__ACTION__ACTION_DISCARD: return SHIM_DISCARD;
    case MXP__ACTION__ACTION_HOLD: return SHIM_HOLD;
    case _MXP__ACTION_IS_INT_SIZE: break;
    }
    return SHIM_TEMPFAIL; /* an action of a later version: not one that lets mail through
                           */
}

static void verdict_of(const Mxp__PolicyReply *reply, struct shim_verdict *out)
{
    *out = (struct shim_verdict){
        .action = action_of(reply->action),
        .module = *reply->module ? reply->module : NULL,
        .reason = *reply->reason ? reply->reason : NULL,
    };
    if (reply->reply) {
        out->code = reply->reply->code;
        out->enhanced = reply->reply->enhanced;
        out->text = mxp_str(reply->reply->text);
    }
}

/* Nobody answered: remember it everywhere an operator may look. */
static void note_down(struct shim *shim, struct shim_conn *conn, const char *check,
                      const struct mx_err *why)
{
    bool is_scan = strcmp(check, "scand") == 0;
    const struct shim_conf *conf = conn->settings->conf;
    bool is_soft = is_scan ? conf->scand_down != SHIM_SCAND_TEMPFAIL
                           : conf->policyd_down != SHIM_POLICYD_TEMPFAIL;
    mx_counter_add(is_scan ? shim->stats.scand_down : shim->stats.policyd_down, 1);
    mx_health_degraded(shim->health, check, why->text);
    atomic_store(is_scan ? &shim->scand_is_down : &shim->policyd_is_down, true);
    shim_conn_degraded(conn, check);
    mx_log_throttled(
        shim->log, is_scan ? &shim->scand_down : &shim->policyd_down, MX_LOG_WARN,
        is_scan ? "shim.scand-down" : "shim.policyd-down", "id=%s instead=%s error=%s",
        conn->msg.is_open ? conn->msg.id : conn->id, is_soft ? "continue" : "tempfail",
        mx_str_esc(conn->scratch, mx_str(why->text)));
}

static void note_up(struct shim *shim, const char *check, _Atomic bool *is_down)
{
    if (atomic_load(is_down) && atomic_exchange(is_down, false) &&
        mx_health_degraded(shim->health, check, NULL))
        mx_log(shim->log, MX_LOG_INFO, "shim.recovered", "check=%s", check);
}

/* Ask policyd; NULL: nobody answered, and that is noted. */
static Mxp__PolicyReply *ask(struct shim *shim, struct shim_conn *conn,
                             const Mxp__PolicyRequest *request,
                             const struct shim_patience *patience)
{
    struct mx_err err = {0};
    Mxp__PolicyReply *reply = NULL;
    const struct shim_backend *backend = &shim->backend;
    if (backend->policy(backend->user, conn->scratch, request, patience, &reply, &err) <
        0) {
        note_down(shim, conn, "policyd", &err);
        return NULL;
    }
    note_up(shim, "policyd", &shim->policyd_is_down);
    for (size_t i = 0; i < reply->n_degraded; i++)
        shim_conn_degraded(conn, reply->degraded[i]);
    if (reply->topology != 0)
        backend->topology(backend->user, reply->topology);
    return reply;
}

static unsigned bit_of(Mxp__Stage stage)
{
    switch (stage) {
    case MXP__STAGE__STAGE_CONNECT: return SHIM_ASK_CONNECT;
    case MXP__STAGE__STAGE_HELO: return SHIM_ASK_HELO;
    case MXP__STAGE__STAGE_MAIL: return SHIM_ASK_MAIL;
    case MXP__STAGE__STAGE_RCPT: return SHIM_ASK_RCPT;
    default: return 0;
    }
}

/* A third of the budget for the first policyd, so that another one has time to answer. */
static struct shim_patience envelope_patience(const struct shim_conf *conf,
                                              Mxp__Stage stage)
{
    bool is_rcpt = stage == MXP__STAGE__STAGE_RCPT;
    int64_t ms = is_rcpt ? conf->rcpt_timeout_ms : conf->envelope_timeout_ms;
    return (struct shim_patience){.deadline_ms = (unsigned)ms,
                                  .attempt_ms = (unsigned)(ms / 3)};
}

static void take_rcpt(const Mxp__PolicyReply *reply, struct shim_rcpt *rcpt)
{
    const Mxp__RecipientResult *result = reply->rcpt;
    if (rcpt == NULL || result == NULL)
        return;
    rcpt->mailboxes = result->mailboxes;
    rcpt->n_mailboxes = result->n_mailboxes;
    rcpt->marks = result->marks;
    rcpt->n_marks = result->n_marks;
    rcpt->rewritten = mxp_str(result->rewritten);
    rcpt->split_class = result->split_class;
}

void shim_ask_envelope(struct shim *shim, struct shim_conn *conn, Mxp__Stage stage,
                       struct shim_rcpt *rcpt, struct shim_verdict *out)
{
    const struct shim_conf *conf = conn->settings->conf;
    *out = (struct shim_verdict){.action = SHIM_CONTINUE};
    if ((conn->settings->ask & bit_of(stage)) == 0)
        return;
    mx_arena_reset(conn->scratch);
    Mxp__PolicyRequest request;
    fill_connection(shim, conn, &request);
    if (conn->msg.is_open && stage >= MXP__STAGE__STAGE_MAIL)
        fill_message(conn, &request);
    request.stage = stage;
    if (rcpt) {
        request.rcpt = mx_arena_alloc(conn->scratch, sizeof(*request.rcpt));
        fill_rcpt(conn->scratch, rcpt, request.rcpt);
    }
    struct shim_patience patience = envelope_patience(conf, stage);
    Mxp__PolicyReply *reply = ask(shim, conn, &request, &patience);
    conn->missed &= ~bit_of(stage);
    if (reply) {
        verdict_of(reply, out);
        take_rcpt(reply, rcpt);
    } else if (stage < MXP__STAGE__STAGE_MAIL && !conn->msg.is_open) {
        conn->missed |= bit_of(stage);
    } else if (conf->policyd_down == SHIM_POLICYD_TEMPFAIL) {
        *out = policyd_gone;
    }
}

void shim_ask_missed(struct shim *shim, struct shim_conn *conn, struct shim_verdict *out)
{
    static const Mxp__Stage stages[] = {MXP__STAGE__STAGE_CONNECT,
                                        MXP__STAGE__STAGE_HELO};
    *out = (struct shim_verdict){.action = SHIM_CONTINUE};
    unsigned missed = conn->missed;
    for (size_t i = 0; i < 2 && out->action == SHIM_CONTINUE; i++)
        if (missed & bit_of(stages[i])) {
            shim_ask_envelope(shim, conn, stages[i], NULL, out);
            if (out->reason && strcmp(out->reason, policyd_gone.reason) == 0)
                conn->missed = missed; /* still nobody there: ask at the next MAIL */
        }
}

static bool has_mailbox(char *const *list, size_t n, const char *mailbox)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(list[i], mailbox) == 0)
            return true;
    return false;
}

static void fill_mailboxes(const struct shim_msg *msg, struct mx_arena *arena,
                           Mxp__ScanRequest *out)
{
    out->mailboxes = mx_arena_array(arena, MAILBOXES_MAX, sizeof(*out->mailboxes));
    for (size_t r = 0; r < msg->n_rcpts; r++)
        for (size_t m = 0; m < msg->rcpts[r].n_mailboxes; m++) {
            char *mailbox = msg->rcpts[r].mailboxes[m];
            if (out->n_mailboxes == MAILBOXES_MAX)
                return;
            if (!has_mailbox(out->mailboxes, out->n_mailboxes, mailbox))
                out->mailboxes[out->n_mailboxes++] = mailbox;
        }
}

static void fill_scan(const struct shim *shim, const struct shim_conn *conn,
                      Mxp__ScanRequest *out)
{
    const struct shim_msg *msg = &conn->msg;
    struct mx_arena *arena = conn->scratch;
    mxp__scan_request__init(out);
    out->id = text(message_id(msg));
    out->client_addr = addr_bytes(conn);
    out->client_name = mxp_bytes(conn->client_name);
    out->helo = mxp_bytes(conn->helo);
    out->sender = mxp_bytes(msg->sender);
    out->n_recipients = msg->n_rcpts;
    out->recipients = mx_arena_array(arena, msg->n_rcpts, sizeof(*out->recipients));
    for (size_t i = 0; i < msg->n_rcpts; i++)
        out->recipients[i] = mxp_bytes(msg->rcpts[i].path);
    fill_mailboxes(msg, arena, out);
    out->auth_user = text(msg->auth_user);
    out->size = msg->spool.total;
    out->is_truncated = msg->spool.is_truncated;
    out->received_at_ms = mx_wall_ms(shim->clock);
}

static void tick(void *user)
{
    const struct shim_mta *mta = user;
    (void)mta->progress(mta->ctx); /* an MTA that is gone shows at the next callback */
}

static struct shim_patience eom_patience(const struct shim_conf *conf, int64_t deadline,
                                         int64_t attempt, const struct shim_mta *mta)
{
    union {
        const struct shim_mta *in;
        void *out;
    } user = {mta};
    return (struct shim_patience){.deadline_ms = (unsigned)deadline,
                                  .attempt_ms = (unsigned)attempt,
                                  .tick_ms = (unsigned)conf->progress_ms,
                                  .on_tick = tick,
                                  .user = user.out};
}

static const char *fault_word(const struct mx_err *err)
{
    switch (err->code) {
    case MX_ERR_TIMEOUT: return "timeout";
    case MX_ERR_LIMIT: return "overloaded";
    case MX_ERR_INPUT: return "refused";
    case MX_ERR_VERSION: return "version";
    default: return "down";
    }
}

static void scan_failed(struct shim *shim, struct shim_conn *conn,
                        const struct mx_err *err, struct shim_findings *out,
                        struct shim_verdict *verdict)
{
    const struct shim_conf *conf = conn->settings->conf;
    bool is_submission = *conn->msg.auth_user != '\0';
    int down = is_submission ? conf->scand_down_submission : conf->scand_down;
    out->fault = fault_word(err);
    note_down(shim, conn, "scand", err);
    if (down == SHIM_SCAND_TEMPFAIL)
        *verdict = scand_gone;
    out->must_hold = down == SHIM_SCAND_HOLD;
}

void shim_ask_scan(struct shim *shim, struct shim_conn *conn, const struct shim_mta *mta,
                   struct shim_findings *out, struct shim_verdict *verdict)
{
    const struct shim_conf *conf = conn->settings->conf;
    struct mx_err err = {0};
    struct mxp_body *body = NULL;
    *out = (struct shim_findings){.fault = ""};
    mx_arena_reset(conn->scratch);
    if (!conf->has_scan)
        return;
    Mxp__ScanRequest request;
    fill_scan(shim, conn, &request);
    if (shim_spool_take(&conn->msg.spool, &body, &err) < 0) {
        mx_log_throttled(shim->log, &shim->spool_full, MX_LOG_ERROR, "shim.spool",
                         "id=%s error=%s", conn->msg.id,
                         mx_str_esc(conn->scratch, mx_str(err.text)));
        *verdict = spool_gone;
        return;
    }
    struct shim_patience patience =
        eom_patience(conf, conf->scan_timeout_ms, conf->scan_attempt_ms, mta);
    int64_t began = mx_mono_us();
    int rc = shim->backend.scan(shim->backend.user, conn->scratch, &request, body,
                                &patience, &out->scan, &err);
    out->scan_us = (uint64_t)(mx_mono_us() - began);
    mx_histogram_add_us(shim->stats.stage[SHIM_STAGE_SCAN], (int64_t)out->scan_us);
    mxp_body_unref(body);
    if (rc < 0) {
        scan_failed(shim, conn, &err, out, verdict);
        return;
    }
    note_up(shim, "scand", &shim->scand_is_down);
    out->fault = out->scan->is_poison ? "poison" : "";
    for (size_t i = 0; i < out->scan->n_degraded; i++)
        shim_conn_degraded(conn, out->scan->degraded[i]);
}

/* Without policyd: as configured, but never what a scanner knows to be harmful. */
static void content_default(const struct shim_conf *conf,
                            const struct shim_findings *findings,
                            struct shim_verdict *verdict)
{
    bool is_harmful =
        findings->scan && (findings->scan->is_poison || findings->scan->n_viruses > 0);
    if (conf->policyd_down == SHIM_POLICYD_TEMPFAIL)
        *verdict = policyd_gone;
    else if (is_harmful)
        *verdict = (struct shim_verdict){
            .action = SHIM_HOLD, .module = "shim", .reason = "policyd-down"};
}

Mxp__PolicyReply *shim_ask_content(struct shim *shim, struct shim_conn *conn,
                                   const struct shim_mta *mta,
                                   const struct shim_findings *findings,
                                   struct shim_verdict *verdict)
{
    const struct shim_conf *conf = conn->settings->conf;
    Mxp__PolicyRequest request;
    *verdict = (struct shim_verdict){.action = SHIM_CONTINUE};
    fill_connection(shim, conn, &request);
    fill_message(conn, &request);
    request.stage = MXP__STAGE__STAGE_CONTENT;
    request.size = conn->msg.spool.total;
    request.scan = findings->scan;
    request.scan_fault = text(findings->fault);
    int64_t ms = conf->content_timeout_ms;
    struct shim_patience patience = eom_patience(conf, ms, ms / 3, mta);
    Mxp__PolicyReply *reply = ask(shim, conn, &request, &patience);
    if (reply == NULL)
        content_default(conf, findings, verdict);
    else
        verdict_of(reply, verdict);
    if (findings->must_hold && verdict->action == SHIM_CONTINUE)
        *verdict = (struct shim_verdict){
            .action = SHIM_HOLD, .module = "shim", .reason = "scand-down"};
    return reply;
}
