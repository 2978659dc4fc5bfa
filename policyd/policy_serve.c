/*
 * What a worker does with a request: a check begins in an arena of its own and is
 * answered when the chain is through with it; questions for the lists and for the status
 * are answered at once; what is too much, or comes while the worker ends, is sent
 * elsewhere.
 */
#include "policy_serve.h"

#include "mx_arena.h"
#include "mx_health.h"
#include "mx_metric.h"
#include "mx_time.h"
#include "mxp_pack.h"
#include "mxp_server.h"
#include "policy_chain.h"
#include "policy_log.h"
#include "policy_reply.h"
#include "policy_request.h"
#include "policy_shims.h"
#include "policy_status.h"
#include "policy_topology.h"

#define RECEIVE_MAX 256       /* requests taken before replies get their turn */
#define BYTES_MAX (64u << 20) /* octets of requests under way */

/* One policy request under way; lives in its own arena. */
struct job {
    struct policy_worker *worker;
    struct mx_arena *arena;
    struct mxp_request *request;
    size_t bytes; /* of the request as it came */
    struct policy_wish wish;
    struct policy_check check;
};

/* ---- arenas ---- */

static struct mx_arena *take_arena(struct policy_worker *w)
{
    return w->n_arenas ? w->arenas[--w->n_arenas] : mx_arena_new(POLICY_ARENA_MAX);
}

static void give_arena(struct policy_worker *w, struct mx_arena *arena)
{
    if (w->n_arenas == POLICY_ARENAS_KEPT) {
        mx_arena_free(arena);
        return;
    }
    mx_arena_reset(arena);
    w->arenas[w->n_arenas++] = arena;
}

/* ---- policy requests ---- */

static void end_job(struct job *job)
{
    struct policy_worker *w = job->worker;
    struct mx_arena *arena = job->arena;
    w->in_flight--;
    w->bytes_in_flight -= job->bytes;
    atomic_store_explicit(&w->busy, (unsigned)w->in_flight, memory_order_relaxed);
    mxp_request_free(job->request);
    give_arena(w, arena); /* and with it the job */
}

static void account(struct job *job, const struct policy_outcome *outcome)
{
    struct policy_worker *w = job->worker;
    size_t stage = policyd_conf_stage_index(job->check.req->stage);
    mx_counter_add(w->metrics.requests[stage], 1);
    mx_histogram_add_us(w->metrics.seconds[stage],
                        mx_mono_us() - job->request->arrived_us);
    policy_outcome_count(&w->metrics.outcomes, &job->check, outcome);
    policy_log_verdict(w->options.log, &job->check, outcome);
}

static void on_checked(struct policy_check *check)
{
    struct job *job = check->user;
    struct policy_worker *w = job->worker;
    struct policy_outcome fold, *outcome = NULL;
    if (check->is_late) {
        mx_counter_add(w->metrics.late, 1);
        end_job(job);
        return;
    }
    if (check->req->stage == POLICY_AT_CONTENT) {
        policy_outcome_fold(check, &fold);
        outcome = &fold;
    }
    const Mxp__PolicyReply *reply =
        policy_reply_make(check, outcome, policy_topology_version(w->topology));
    mxp_server_reply(w->server, job->request, MXP_POLICY_REPLY, &reply->base);
    if (!check->is_explain)
        account(job, outcome);
    end_job(job);
}

static void refuse_bad(struct job *job, const struct mx_err *err)
{
    struct policy_worker *w = job->worker;
    mx_counter_add(w->metrics.bad, 1);
    mx_log_throttled(w->options.log, &w->bad_lines, MX_LOG_WARN, "policy.bad-request",
                     "error=%s", mx_str_esc(job->arena, mx_str(err->text)));
    mxp_server_error(w->server, job->request, MXP__ERROR_CODE__ERROR_BAD_REQUEST,
                     err->text);
    end_job(job);
}

static void begin_check(struct policy_worker *w, struct mxp_request *request)
{
    struct mx_arena *arena = take_arena(w);
    struct job *job = mx_arena_alloc(arena, sizeof(*job));
    struct mx_err err;
    job->worker = w;
    job->arena = arena;
    job->request = request;
    w->in_flight++;
    job->bytes = request->payload.n;
    w->bytes_in_flight += job->bytes;
    atomic_store_explicit(&w->busy, (unsigned)w->in_flight, memory_order_relaxed);
    if (policy_request_decode(arena, request->payload, policy_chain_delimiter(w->chain),
                              &job->wish, &err) < 0) {
        refuse_bad(job, &err);
        return;
    }
    mxp_request_forget(request);
    struct policy_req *req = &job->wish.req;
    int64_t stage_end_ms =
        mx_mono_ms(w->options.clock) + policy_chain_deadline_ms(w->chain, req->stage);
    req->now_ms = mx_wall_ms(w->options.clock);
    job->check = (struct policy_check){.req = req,
                                       .store = w->store,
                                       .deadline_ms = request->expires_ms < stage_end_ms
                                                          ? request->expires_ms
                                                          : stage_end_ms,
                                       .arrived_us = request->arrived_us,
                                       .is_explain = job->wish.is_explain,
                                       .done = on_checked,
                                       .user = job};
    policy_chain_run(w->chain, &job->check);
}

/* ---- other requests ---- */

static void answer_status(struct policy_worker *w, const struct mxp_request *request)
{
    struct mx_arena *arena = take_arena(w);
    const Mxp__StatusReply *reply = policy_status_make(
        arena, &(struct policy_status){.node = w->options.node,
                                       .process = w->options.process,
                                       .endpoint = w->options.advertise,
                                       .public_key = w->options.keys.public_key,
                                       .workers = w->options.workers,
                                       .busy = (unsigned)w->in_flight,
                                       .since_ms = w->options.since_ms,
                                       .now_ms = mx_wall_ms(w->options.clock),
                                       .is_draining = w->is_draining,
                                       .health = w->options.health,
                                       .metrics = w->options.metrics,
                                       .topology = w->topology,
                                       .shims = w->shims});
    mxp_server_reply(w->server, request, MXP_STATUS_REPLY, &reply->base);
    give_arena(w, arena);
}

/* Whoever asks gets the lists; only a shim that says who it is is remembered. */
static void answer_topology(struct policy_worker *w, const struct mxp_request *request)
{
    struct mx_arena *arena = take_arena(w);
    struct mx_err err;
    if (policy_shims_hear(w->shims, arena, request->payload, &err) < 0)
        mx_log_throttled(w->options.log, &w->bad_lines, MX_LOG_WARN, "policy.bad-request",
                         "error=%s", mx_str_esc(arena, mx_str(err.text)));
    mxp_server_reply_bytes(w->server, request, MXP_TOPOLOGY_REPLY,
                           policy_topology_bytes(w->topology));
    give_arena(w, arena);
}

static bool is_full(const struct policy_worker *w, const struct mxp_request *request)
{
    return w->in_flight >= w->options.in_flight_max ||
           (w->in_flight > 0 && w->bytes_in_flight + request->payload.n > BYTES_MAX);
}

static void shed(struct policy_worker *w, const struct mxp_request *request)
{
    if (w->is_draining) {
        w->quiet_since_ms = mx_mono_ms(w->options.clock);
        mx_counter_add(w->metrics.draining, 1);
        mxp_server_error(w->server, request, MXP__ERROR_CODE__ERROR_DRAINING, "draining");
        return;
    }
    mx_counter_add(w->metrics.overloaded, 1);
    mx_log_throttled(w->options.log, &w->overload_lines, MX_LOG_WARN, "policy.overloaded",
                     "in_flight=%zu instead=\"other policyd\"", w->in_flight);
    mxp_server_error(w->server, request, MXP__ERROR_CODE__ERROR_OVERLOADED,
                     "too many checks under way");
}

static void handle(struct policy_worker *w, struct mxp_request *request)
{
    switch (request->header.type) {
    case MXP_POLICY_REQUEST:
        if (!w->is_draining && !is_full(w, request)) {
            begin_check(w, request); /* owns the request from now on */
            return;
        }
        shed(w, request);
        break;
    case MXP_TOPOLOGY_REQUEST: answer_topology(w, request); break;
    case MXP_STATUS_REQUEST: answer_status(w, request); break;
    default:
        mxp_server_error(w->server, request, MXP__ERROR_CODE__ERROR_UNKNOWN_TYPE,
                         "policyd answers policy, topology and status requests");
    }
    mxp_request_free(request);
}

static void on_more(uv_idle_t *idle)
{
    (void)idle; /* its being active keeps the loop from waiting */
}

void policy_serve(struct policy_worker *w)
{
    bool has_more = false;
    struct mxp_request *request = NULL;
    size_t n = 0;
    while (n < RECEIVE_MAX && (request = mxp_server_next(w->server, &has_more)) != NULL) {
        handle(w, request);
        n++;
    }
    if (request != NULL || has_more)
        uv_idle_start(&w->more, on_more);
    else
        uv_idle_stop(&w->more);
}

/* ---- faults ---- */

void policy_serve_fault(void *user, const char *peer, enum mx_err_code code,
                        const char *reason)
{
    struct policy_worker *w = user;
    struct mx_arena *arena = take_arena(w);
    mx_counter_add(w->metrics.faults, 1);
    mx_log_throttled(w->options.log,
                     code == MX_ERR_VERSION ? &w->version_lines : &w->fault_lines,
                     MX_LOG_WARN, "wire.fault", "peer=%s reason=\"%s\" action=ignored",
                     mx_str_esc(arena, mx_str(peer)), reason);
    give_arena(w, arena);
}
