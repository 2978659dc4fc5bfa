/*
 * The order of things in a session.
 *
 * Refusals. A verdict of CONNECT is not returned from the connect callback: libmilter
 * takes no text there, Sendmail reads any reply code as "reject for good", and Postfix
 * shows its own words. It is kept and given at HELO, where both MTAs send our code and
 * text and close on 421, and at MAIL for clients that never said HELO. The same refusal
 * answers every later HELO and MAIL of the connection.
 *
 * Accepting early is never done: ACCEPT or DISCARD for a recipient would mean the whole
 * message. DISCARD and HOLD that policyd says before the end are remembered and carried
 * out at the end, unless something stricter comes.
 *
 * A message ends exactly once (finish): at its verdict, at abort, at the next MAIL or
 * with the connection; that is where it is counted and logged.
 */
#include "shim_session.h"

#include <stdatomic.h>
#include <string.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "mx_metric.h"
#include "mx_time.h"
#include "shim_ask.h"
#include "shim_edit.h"

static const char *const helo_macros[] = {
    "{tls_version}", "{cipher}", "{cipher_bits}", "{cert_subject}", "{tls_sni}",
};
static const char *const connect_macros[] = {
    "j",
    "{daemon_name}",
    "{daemon_addr}",
    "{daemon_port}",
    "{client_ptr}",
    "{client_port}",
    "{if_addr}",
    "{mxdrop_stress}",
};
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct shim_verdict draining = {
    .action = SHIM_TEMPFAIL,
    .code = 421,
    .enhanced = "4.3.2",
    .text = MX_STR("Service restarting, please come back"),
    .module = "shim",
    .reason = "drain"};
static const struct shim_verdict busy = {
    .action = SHIM_TEMPFAIL,
    .code = 421,
    .enhanced = "4.3.2",
    .text = MX_STR("System is busy, please come back later"),
    .module = "shim",
    .reason = "overloaded"};
static const struct shim_verdict no_scanner = {
    .action = SHIM_TEMPFAIL,
    .code = 421,
    .enhanced = "4.3.2",
    .text = MX_STR("Content scanner not available, please come back later"),
    .module = "shim",
    .reason = "scand-down"};
static const struct shim_verdict budget_gone = {
    .action = SHIM_TEMPFAIL,
    .code = 452,
    .enhanced = "4.3.1",
    .text = MX_STR("Insufficient system storage, please try again later"),
    .module = "shim",
    .reason = "budget"};
static const struct shim_verdict header_refused = {
    .action = SHIM_REJECT,
    .code = 552,
    .enhanced = "5.3.4",
    .text = MX_STR("Message header is too large"),
    .module = "shim",
    .reason = "header-size"};
static const struct shim_verdict edit_refused = {
    .action = SHIM_TEMPFAIL,
    .code = 451,
    .enhanced = "4.3.0",
    .text = MX_STR("Message could not be processed, please try again later"),
    .module = "shim",
    .reason = "edit"};

static void timed(struct shim *shim, enum shim_stage stage, int64_t began_us)
{
    mx_histogram_add_us(shim->stats.stage[stage], mx_mono_us() - began_us);
}

struct shim_conn *shim_session_open(struct shim *shim,
                                    const struct shim_features *features)
{
    pthread_mutex_lock(&shim->lock);
    struct shim_settings *settings = shim_settings_hold(shim->settings);
    pthread_mutex_unlock(&shim->lock);
    uint64_t serial = atomic_fetch_add(&shim->serial, 1);
    struct shim_conn *conn = shim_conn_new(settings, &shim->budget, features, serial);
    shim_settings_drop(settings); /* conn holds its own */
    atomic_fetch_add(&shim->sessions, 1);
    mx_counter_add(shim->stats.connections, 1);
    mx_counter_add(shim->stats.sessions, 1);
    return conn;
}

static const char *esc(const struct shim_conn *conn, struct mx_str s)
{
    return mx_str_esc(conn->scratch, s);
}

static enum shim_outcome outcome_of(enum shim_action action)
{
    switch (action) {
    case SHIM_CONTINUE: return SHIM_OUTCOME_ACCEPT;
    case SHIM_HOLD: return SHIM_OUTCOME_HOLD;
    case SHIM_DISCARD: return SHIM_OUTCOME_DISCARD;
    case SHIM_TEMPFAIL: return SHIM_OUTCOME_TEMPFAIL;
    case SHIM_REJECT: return SHIM_OUTCOME_REJECT;
    }
    return SHIM_OUTCOME_TEMPFAIL;
}

/* What the summary line tells beyond the message itself. */
struct ending {
    enum shim_outcome outcome;
    const char *stage;
    const struct shim_verdict *verdict;   /* or NULL */
    const struct shim_findings *findings; /* or NULL */
};

static void log_summary(struct shim *shim, struct shim_conn *conn,
                        const struct ending *end)
{
    const struct shim_msg *msg = &conn->msg;
    const struct shim_verdict none = {0}, *v = end->verdict ? end->verdict : &none;
    const Mxp__ScanReply *scan = end->findings ? end->findings->scan : NULL;
    char client[MX_NET_TEXT_MAX];
    mx_log(
        shim->log, MX_LOG_INFO, "shim.message",
        "id=%s queue=%s client=%s action=%s stage=%s module=%s reason=%s code=%u "
        "rcpts=%zu refused=%u size=%llu score=%.2f scanner=%s scan_ms=%llu degraded=%s "
        "forged=%zu ms=%lld",
        msg->id, msg->queue_id.n ? esc(conn, msg->queue_id) : "-",
        mx_net_format(&conn->addr, client), shim_stats_outcome_name(end->outcome),
        end->stage, v->module ? esc(conn, mx_str(v->module)) : "-",
        v->reason ? esc(conn, mx_str(v->reason)) : "-", v->code, msg->n_rcpts,
        msg->refused, (unsigned long long)msg->spool.total, scan ? scan->score : 0.0,
        scan && *scan->scanner ? esc(conn, mx_str(scan->scanner)) : "-",
        (unsigned long long)(end->findings ? end->findings->scan_us / 1000 : 0),
        msg->degraded ? esc(conn, mx_str(msg->degraded)) : "-", msg->n_forged,
        (long long)((mx_mono_us() - msg->began_us) / 1000));
}

/* The message is over: count it, tell of it, forget it. */
static void finish(struct shim *shim, struct shim_conn *conn, const struct ending *end)
{
    struct shim_msg *msg = &conn->msg;
    if (!msg->is_open)
        return;
    mx_counter_add(shim->stats.messages[end->outcome], 1);
    if (end->outcome == SHIM_OUTCOME_ACCEPT)
        shim_admit_learn(&shim->admit, &conn->addr, mx_mono_ms(shim->clock));
    if (end->verdict)
        shim_alarm_note(&shim->alarm, end->verdict);
    mx_counter_add(shim->stats.spooled_bytes, (int64_t)msg->spool.total);
    if (msg->spool.is_truncated)
        mx_counter_add(shim->stats.oversized, 1);
    log_summary(shim, conn, end);
    shim_conn_reset(conn);
    mx_arena_reset(conn->scratch); /* an idle connection holds no large reply */
    mx_counter_set(shim->stats.spool_bytes, atomic_load(&shim->budget.used));
    atomic_fetch_sub(&shim->messages, 1);
}

static void finish_with(struct shim *shim, struct shim_conn *conn, const char *stage,
                        const struct shim_verdict *verdict)
{
    struct ending end = {
        .outcome = outcome_of(verdict->action), .stage = stage, .verdict = verdict};
    finish(shim, conn, &end);
}

void shim_session_abort(struct shim *shim, struct shim_conn *conn)
{
    struct ending end = {.outcome = SHIM_OUTCOME_ABORT, .stage = "abort"};
    if (conn)
        finish(shim, conn, &end);
}

void shim_session_close(struct shim *shim, struct shim_conn *conn)
{
    if (conn == NULL)
        return;
    shim_session_abort(shim, conn);
    shim_conn_free(conn);
    mx_counter_add(shim->stats.sessions, -1);
    atomic_fetch_sub(&shim->sessions, 1);
}

static void take_macros(struct shim_conn *conn, const struct shim_mta *mta,
                        const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        shim_conn_macro(conn, names[i], mta->macro(mta->ctx, names[i]));
}

/* Keep a verdict of CONNECT or HELO beyond the question it came with. */
static void remember(struct shim_conn *conn, const struct shim_verdict *verdict)
{
    if (shim_reply_stronger(&conn->refusal, verdict) != verdict)
        return;
    struct mx_arena *arena = conn->arena;
    conn->refusal = *verdict;
    conn->refusal.text = mx_str_dup(arena, mx_str_sub(verdict->text, 0, SHIM_WORD_MAX));
    struct mx_str enhanced = mx_str_sub(mx_str(verdict->enhanced), 0, 11);
    struct mx_str module = mx_str_sub(mx_str(verdict->module), 0, 64);
    struct mx_str reason = mx_str_sub(mx_str(verdict->reason), 0, 64);
    conn->refusal.enhanced = enhanced.p ? mx_str_dup(arena, enhanced).p : NULL;
    conn->refusal.module = module.p ? mx_str_dup(arena, module).p : NULL;
    conn->refusal.reason = reason.p ? mx_str_dup(arena, reason).p : NULL;
}

static bool is_refusal(const struct shim_verdict *verdict)
{
    return verdict->action == SHIM_TEMPFAIL || verdict->action == SHIM_REJECT;
}

/* NULL: come in. */
static const struct shim_verdict *shed(struct shim *shim, const struct shim_conn *conn)
{
    struct shim_load load = {0};
    shim->backend.load(shim->backend.user, &load);
    switch (shim_admit_judge(&shim->admit, conn->settings->conf, &load, &conn->addr,
                             mx_mono_ms(shim->clock))) {
    case SHIM_ADMITTED: return NULL;
    case SHIM_SHED_BUSY: mx_counter_add(shim->stats.shed_busy, 1); return &busy;
    case SHIM_SHED_DOWN: mx_counter_add(shim->stats.shed_down, 1); return &no_scanner;
    }
    return NULL;
}

enum shim_status shim_session_connect(struct shim *shim, struct shim_conn *conn,
                                      const struct shim_mta *mta, const char *name,
                                      const struct sockaddr *sa)
{
    int64_t began = mx_mono_us();
    const char *resolve = mta->macro(mta->ctx, "{client_resolve}");
    bool is_verified = resolve == NULL || strcmp(resolve, "OK") == 0;
    shim_conn_connect(conn, is_verified ? name : NULL, sa);
    take_macros(conn, mta, connect_macros, COUNT(connect_macros));
    struct shim_verdict verdict;
    const struct shim_verdict *turned_away = shed(shim, conn);
    if (turned_away == NULL)
        shim_ask_envelope(shim, conn, MXP__STAGE__STAGE_CONNECT, NULL, &verdict);
    remember(conn, turned_away ? turned_away : &verdict);
    timed(shim, SHIM_STAGE_CONNECT, began);
    return SHIM_STATUS_CONTINUE;
}

/* A session or message that was refused before there was a message. */
static void log_refusal(struct shim *shim, struct shim_conn *conn, const char *stage,
                        const struct shim_verdict *verdict)
{
    char client[MX_NET_TEXT_MAX];
    shim_alarm_note(&shim->alarm, verdict);
    mx_log(shim->log, MX_LOG_INFO, "shim.refused",
           "id=%s client=%s action=%s stage=%s module=%s reason=%s code=%u", conn->id,
           mx_net_format(&conn->addr, client),
           shim_stats_outcome_name(outcome_of(verdict->action)), stage,
           verdict->module ? esc(conn, mx_str(verdict->module)) : "-",
           verdict->reason ? esc(conn, mx_str(verdict->reason)) : "-", verdict->code);
}

enum shim_status shim_session_helo(struct shim *shim, struct shim_conn *conn,
                                   const struct shim_mta *mta, const char *helo)
{
    int64_t began = mx_mono_us();
    shim_session_abort(shim, conn); /* HELO ends a message, RFC 5321 4.1.4 */
    shim_conn_helo(conn, helo);
    take_macros(conn, mta, helo_macros, COUNT(helo_macros));
    struct shim_verdict verdict;
    if (!is_refusal(&conn->refusal)) {
        shim_ask_envelope(shim, conn, MXP__STAGE__STAGE_HELO, NULL, &verdict);
        remember(conn, &verdict);
    }
    timed(shim, SHIM_STAGE_HELO, began);
    const struct shim_verdict *refusal =
        atomic_load(&shim->is_draining) ? &draining : &conn->refusal;
    if (!is_refusal(refusal))
        return SHIM_STATUS_CONTINUE;
    log_refusal(shim, conn, "helo", refusal);
    return shim_reply_send(conn->scratch, mta, refusal);
}

/* What refuses a message before anybody is asked. */
static const struct shim_verdict *early_refusal(struct shim *shim, struct shim_conn *conn,
                                                char **argv, struct mx_err *err)
{
    if (atomic_load(&shim->is_draining))
        return &draining;
    if (is_refusal(&conn->refusal))
        return &conn->refusal;
    if (shim_conn_mail(conn, argv, err) == 0) {
        atomic_fetch_add(&shim->messages, 1);
        return NULL;
    }
    mx_counter_add(shim->stats.spool_full, 1);
    mx_log_throttled(shim->log, &shim->spool_full, MX_LOG_WARN, "shim.spool-full",
                     "id=%s instead=tempfail error=%s", conn->id,
                     esc(conn, mx_str(err->text)));
    return &budget_gone;
}

/* HOLD and DISCARD before the end wait for the end; what is stricter answers now. */
static bool postpone(struct shim_msg *msg, const struct shim_verdict *verdict)
{
    if (is_refusal(verdict))
        return false;
    if (shim_reply_stronger(&msg->pending, verdict) == verdict)
        msg->pending =
            (struct shim_verdict){.action = verdict->action, .module = "envelope"};
    return true;
}

static void mail_verdict(struct shim *shim, struct shim_conn *conn,
                         const struct shim_mta *mta, struct shim_verdict *out)
{
    shim_conn_auth(conn, mta->macro(mta->ctx, "{auth_authen}"),
                   mta->macro(mta->ctx, "{auth_type}"));
    shim_conn_queue_id(conn, mta->macro(mta->ctx, "i"));
    shim_ask_missed(shim, conn, out);
    if (out->action == SHIM_CONTINUE)
        shim_ask_envelope(shim, conn, MXP__STAGE__STAGE_MAIL, NULL, out);
}

enum shim_status shim_session_mail(struct shim *shim, struct shim_conn *conn,
                                   const struct shim_mta *mta, char **argv)
{
    int64_t began = mx_mono_us();
    struct mx_err err = {0};
    shim_session_abort(shim, conn);
    mx_arena_reset(conn->scratch);
    const struct shim_verdict *early = early_refusal(shim, conn, argv, &err);
    if (early) {
        log_refusal(shim, conn, "mail", early);
        return shim_reply_send(conn->scratch, mta, early);
    }
    struct shim_verdict verdict;
    postpone(&conn->msg, &conn->refusal);
    mail_verdict(shim, conn, mta, &verdict);
    timed(shim, SHIM_STAGE_MAIL, began);
    if (postpone(&conn->msg, &verdict))
        return SHIM_STATUS_CONTINUE;
    enum shim_status status = shim_reply_send(conn->scratch, mta, &verdict);
    finish_with(shim, conn, "mail", &verdict);
    return status;
}

static const struct shim_verdict *rcpt_fault(const struct mx_err *err,
                                             struct shim_verdict *out)
{
    bool is_bad = err->code == MX_ERR_INPUT;
    *out = (struct shim_verdict){
        .action = is_bad ? SHIM_REJECT : SHIM_TEMPFAIL,
        .code = is_bad ? 553 : 452,
        .enhanced = is_bad ? "5.1.3" : "4.5.3",
        .text = mx_str(err->text),
        .module = "shim",
        .reason = "rcpt-limit",
    };
    return out;
}

static enum shim_status rcpt_refused(struct shim *shim, struct shim_conn *conn,
                                     const struct shim_mta *mta,
                                     const struct shim_verdict *verdict)
{
    bool is_temporary = verdict->action == SHIM_TEMPFAIL;
    shim_alarm_note(&shim->alarm, verdict);
    conn->msg.refused++;
    conn->msg.tempfailed += is_temporary;
    mx_counter_add(is_temporary ? shim->stats.rcpt_tempfailed : shim->stats.rcpt_rejected,
                   1);
    mx_log(shim->log, MX_LOG_DEBUG, "shim.rcpt",
           "id=%s action=%s module=%s reason=%s code=%u", conn->msg.id,
           is_temporary ? "tempfail" : "reject",
           verdict->module ? esc(conn, mx_str(verdict->module)) : "-",
           verdict->reason ? esc(conn, mx_str(verdict->reason)) : "-", verdict->code);
    return shim_reply_send(conn->scratch, mta, verdict);
}

static enum shim_status rcpt_decide(struct shim *shim, struct shim_conn *conn,
                                    const struct shim_mta *mta, char **argv)
{
    struct mx_err err = {0};
    struct shim_verdict verdict;
    mx_arena_reset(conn->scratch);
    struct shim_rcpt *rcpt = shim_conn_rcpt(conn, argv, &err);
    if (rcpt == NULL)
        return rcpt_refused(shim, conn, mta, rcpt_fault(&err, &verdict));
    shim_ask_envelope(shim, conn, MXP__STAGE__STAGE_RCPT, rcpt, &verdict);
    if (is_refusal(&verdict))
        return rcpt_refused(shim, conn, mta, &verdict);
    if (verdict.action == SHIM_HOLD)
        postpone(&conn->msg, &verdict);
    rcpt->is_discarded = verdict.action == SHIM_DISCARD;
    if (shim_conn_rcpt_keep(conn, rcpt, &err) < 0)
        return rcpt_refused(shim, conn, mta, rcpt_fault(&err, &verdict));
    mx_counter_add(shim->stats.rcpt_accepted, 1);
    return SHIM_STATUS_CONTINUE;
}

enum shim_status shim_session_rcpt(struct shim *shim, struct shim_conn *conn,
                                   const struct shim_mta *mta, char **argv)
{
    int64_t began = mx_mono_us();
    if (!conn->msg.is_open)
        return SHIM_STATUS_TEMPFAIL;
    shim_conn_queue_id(conn, mta->macro(mta->ctx, "i"));
    const char *mailer = mta->macro(mta->ctx, "{rcpt_mailer}");
    if (conn->features.has_rcpt_rej && mailer && strcmp(mailer, "error") == 0) {
        mx_counter_add(shim->stats.rcpt_mta_refused, 1);
        return SHIM_STATUS_CONTINUE; /* the MTA refused it; our answer is not read */
    }
    enum shim_status status = rcpt_decide(shim, conn, mta, argv);
    timed(shim, SHIM_STAGE_RCPT, began);
    return status;
}

/* What cannot be answered where it happened is answered at the end of the message. */
static const struct shim_verdict *fault_of(const struct mx_err *err)
{
    return err->code == MX_ERR_INPUT ? &header_refused : &budget_gone;
}

static void spool_failed(struct shim *shim, struct shim_conn *conn,
                         const struct mx_err *err)
{
    const struct shim_verdict *fault = fault_of(err);
    if (shim_reply_stronger(&conn->msg.pending, fault) == fault)
        conn->msg.pending = *fault;
    if (err->code == MX_ERR_INPUT)
        return;
    mx_counter_add(shim->stats.spool_full, 1);
    mx_log_throttled(shim->log, &shim->spool_full, MX_LOG_WARN, "shim.spool-full",
                     "id=%s instead=tempfail error=%s", conn->msg.id,
                     esc(conn, mx_str(err->text)));
}

static enum shim_status quiet(const struct shim_conn *conn)
{
    return conn->features.is_quiet ? SHIM_STATUS_NOREPLY : SHIM_STATUS_CONTINUE;
}

enum shim_status shim_session_header(struct shim *shim, struct shim_conn *conn,
                                     const char *name, const char *value)
{
    struct mx_err err = {0};
    if (conn->msg.is_open && !is_refusal(&conn->msg.pending) &&
        shim_conn_header(conn, name, value, &err) < 0)
        spool_failed(shim, conn, &err);
    return quiet(conn);
}

enum shim_status shim_session_eoh(struct shim *shim, struct shim_conn *conn)
{
    struct mx_err err = {0};
    if (conn->msg.is_open && !is_refusal(&conn->msg.pending) &&
        shim_conn_end_header(conn, &err) < 0)
        spool_failed(shim, conn, &err);
    return quiet(conn);
}

enum shim_status shim_session_body(struct shim *shim, struct shim_conn *conn,
                                   const struct shim_mta *mta, struct mx_str bytes)
{
    struct mx_err err = {0};
    struct shim_msg *msg = &conn->msg;
    if (!msg->is_open)
        return SHIM_STATUS_CONTINUE;
    if (!is_refusal(&msg->pending) && shim_conn_body(conn, bytes, &err) < 0)
        spool_failed(shim, conn, &err);
    if (is_refusal(&msg->pending)) {
        struct shim_verdict verdict = msg->pending;
        enum shim_status status = shim_reply_send(conn->scratch, mta, &verdict);
        finish_with(shim, conn, "body", &verdict);
        return status;
    }
    bool is_enough = msg->spool.is_truncated || !conn->settings->conf->has_scan;
    return is_enough && conn->features.has_skip ? SHIM_STATUS_SKIP : SHIM_STATUS_CONTINUE;
}

static void hold(struct shim *shim, struct shim_conn *conn, const struct shim_mta *mta,
                 struct shim_verdict *verdict)
{
    const char *module = verdict->module ? verdict->module : "policy";
    const char *reason =
        mx_arena_printf(conn->scratch, "mxdrop %s %s", conn->msg.id,
                        mx_str_cstr(conn->scratch, mx_str_sub(mx_str(module), 0, 64)));
    if (mta->quarantine(mta->ctx, reason) == 0)
        return;
    mx_log_throttled(shim->log, &shim->edit_failed, MX_LOG_ERROR, "shim.hold",
                     "id=%s instead=tempfail error=\"the MTA has no hold queue for us\"",
                     conn->msg.id);
    *verdict = edit_refused;
}

/* Change the message as the verdict says, now that it will be accepted. */
static void carry_out(struct shim *shim, struct shim_conn *conn,
                      const struct shim_mta *mta, const Mxp__PolicyReply *reply,
                      struct shim_verdict *verdict)
{
    struct mx_err err = {0};
    unsigned failed = 0;
    if (shim_edit_leaves_nobody(&conn->msg, reply)) {
        verdict->action = SHIM_DISCARD;
        return;
    }
    if (shim_edit_apply(conn, mta, reply, &failed, &err) < 0) {
        mx_counter_add(shim->stats.edit_failed, 1);
        mx_log_throttled(shim->log, &shim->edit_failed, MX_LOG_ERROR, "shim.edit",
                         "id=%s instead=tempfail error=%s", conn->msg.id,
                         esc(conn, mx_str(err.text)));
        *verdict = edit_refused;
        return;
    }
    mx_counter_add(shim->stats.forged_headers, (int64_t)conn->msg.n_forged);
    mx_counter_add(shim->stats.edit_failed, failed);
    if (failed > 0)
        shim_conn_degraded(conn, "header-edit");
    if (verdict->action == SHIM_HOLD)
        hold(shim, conn, mta, verdict);
}

/* The verdict on a whole message, with all questions that are still open. */
static Mxp__PolicyReply *decide(struct shim *shim, struct shim_conn *conn,
                                const struct shim_mta *mta,
                                struct shim_findings *findings, struct shim_verdict *out)
{
    struct mx_err err = {0};
    if (!is_refusal(&conn->msg.pending) && shim_conn_end_header(conn, &err) < 0)
        spool_failed(shim, conn, &err);
    *out = conn->msg.pending;
    if (is_refusal(out))
        return NULL;
    shim_ask_scan(shim, conn, mta, findings, out);
    if (is_refusal(out))
        return NULL;
    struct shim_verdict content;
    Mxp__PolicyReply *reply = shim_ask_content(shim, conn, mta, findings, &content);
    if (shim_reply_stronger(out, &content) == &content || out->action == content.action)
        *out = content;
    return reply;
}

enum shim_status shim_session_eom(struct shim *shim, struct shim_conn *conn,
                                  const struct shim_mta *mta)
{
    int64_t began = mx_mono_us();
    if (!conn->msg.is_open)
        return SHIM_STATUS_TEMPFAIL;
    shim_conn_queue_id(conn, mta->macro(mta->ctx, "i"));
    struct shim_verdict verdict;
    struct shim_findings findings = {.fault = ""};
    mx_arena_reset(conn->scratch);
    Mxp__PolicyReply *reply = decide(shim, conn, mta, &findings, &verdict);
    if (verdict.action == SHIM_CONTINUE || verdict.action == SHIM_HOLD)
        carry_out(shim, conn, mta, reply, &verdict);
    enum shim_status status = shim_reply_send(conn->scratch, mta, &verdict);
    timed(shim, SHIM_STAGE_EOM, began);
    struct ending end = {outcome_of(verdict.action), "eom", &verdict, &findings};
    finish(shim, conn, &end);
    return status;
}
