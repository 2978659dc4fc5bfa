/*
 * What others are told: metrics, health, status replies, the entry in the registry. The
 * registry is how shims find us, and nothing more: a scanner whose Redis is away goes on
 * scanning for those who know it.
 */
#include "supervisor.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "admin.pb-c.h"
#include "mx_arena.h"
#include "mx_err.h"
#include "mx_health.h"
#include "mx_time.h"
#include "registry.h"
#include "scan_table.h"
#include "store_redis.h"

#define MESSAGES "mxdrop_scan_messages_total"
#define MESSAGES_HELP "Scan requests by how they ended."
#define COUNTERS_MAX 1024 /* in a status reply */
#define AGE_LOOK_MS 5000  /* between two looks at the age of the signatures */

static struct mx_counter *messages(struct mx_metrics *metrics, const char *labels)
{
    return mx_metrics_counter(metrics, MESSAGES, labels, MESSAGES_HELP);
}

static void init_detectors(struct supervisor *sup)
{
    for (size_t i = 0; scan_table[i] != NULL && i < WORKER_COSTS_MAX; i++) {
        char label[64];
        snprintf(label, sizeof(label), "detector=\"%s\"", scan_table[i]->name);
        sup->metrics.detector[i] =
            mx_metrics_histogram(sup->env->metrics, "mxdrop_scan_detector_seconds", label,
                                 "Time of one detector on one message.");
        sup->metrics.detector_failed[i] =
            mx_metrics_counter(sup->env->metrics, "mxdrop_scan_detector_failures_total",
                               label, "Messages that it could not judge.");
    }
}

void sup_status_init(struct supervisor *sup)
{
    struct mx_metrics *all = sup->env->metrics;
    struct sup_metrics *m = &sup->metrics;
    m->done = messages(all, "outcome=\"done\"");
    m->poison = messages(all, "outcome=\"poison\"");
    m->expired = messages(all, "outcome=\"expired\"");
    m->overloaded = messages(all, "outcome=\"overloaded\"");
    m->draining = messages(all, "outcome=\"draining\"");
    m->bad = messages(all, "outcome=\"bad_request\"");
    m->failed = messages(all, "outcome=\"failed\"");
    m->retries = mx_metrics_counter(all, "mxdrop_scan_retries_total", NULL,
                                    "Messages given to a second worker.");
    m->crashed = mx_metrics_counter(all, "mxdrop_scan_workers_lost_total",
                                    "cause=\"crash\"", "Workers that ended unasked.");
    m->hung = mx_metrics_counter(all, "mxdrop_scan_workers_lost_total", "cause=\"hang\"",
                                 "Workers that ended unasked.");
    m->recycled = mx_metrics_counter(all, "mxdrop_scan_workers_recycled_total", NULL,
                                     "Workers replaced by age or memory.");
    m->viruses = mx_metrics_counter(all, "mxdrop_scan_viruses_total", NULL,
                                    "Messages with a virus.");
    m->limits = mx_metrics_counter(all, "mxdrop_scan_rule_limits_total", NULL,
                                   "Rules left out of a message: match limit met.");
    m->reloads = mx_metrics_counter(all, "mxdrop_scan_reloads_total", "result=\"done\"",
                                    "Engines loaded anew.");
    m->reload_failures = mx_metrics_counter(all, "mxdrop_scan_reloads_total",
                                            "result=\"failed\"", "Engines loaded anew.");
    m->reload_refusals = mx_metrics_counter(all, "mxdrop_scan_reloads_total",
                                            "result=\"refused\"", "Engines loaded anew.");
    m->queued = mx_metrics_gauge(all, "mxdrop_scan_queued", NULL, "Messages waiting.");
    m->busy = mx_metrics_gauge(all, "mxdrop_scan_busy", NULL, "Workers with a message.");
    m->workers = mx_metrics_gauge(all, "mxdrop_scan_workers", NULL, "Workers wanted.");
    m->generation = mx_metrics_gauge(all, "mxdrop_scan_generation", NULL,
                                     "Number of the engine that serves; 0: none.");
    m->signature_age =
        mx_metrics_gauge(all, "mxdrop_scan_signature_age_seconds", NULL,
                         "Since a signature file changed last; 0: there is none.");
    m->body_bytes =
        mx_metrics_gauge(all, "mxdrop_scan_bytes", NULL, "Octets of messages held.");
    m->scan = mx_metrics_histogram(all, "mxdrop_scan_seconds", NULL,
                                   "From a worker's start on a message to its reply.");
    m->wait = mx_metrics_histogram(all, "mxdrop_scan_wait_seconds", NULL,
                                   "From a message's arrival to a worker's start on it.");
    init_detectors(sup);
}

void sup_status_resize(struct supervisor *sup)
{
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    sup->n_workers = (size_t)(sup->conf->workers > 0 ? sup->conf->workers
                              : cpus > 0             ? cpus
                                                     : 1);
    if (sup->n_workers > SUP_WORKERS_MAX)
        sup->n_workers = SUP_WORKERS_MAX;
}

/* One line in the log for each change of state. */
static void set_degraded(struct supervisor *sup, const char *check, const char *reason)
{
    if (!mx_health_degraded(sup->env->health, check, reason))
        return;
    if (reason != NULL)
        mx_log(sup->log, MX_LOG_ERROR, "degraded", "check=%s reason=\"%s\"", check,
               reason);
    else
        mx_log(sup->log, MX_LOG_INFO, "recovered", "check=%s", check);
}

/* Old signatures serve; somebody should look at freshclam. */
static void judge_age(struct supervisor *sup)
{
    const struct clamav_settings *clamav = &sup->conf->clamav;
    int64_t now_ms = mx_mono_ms(sup->clock), newest_ms = 0;
    struct mx_err err;
    char reason[96];
    if (now_ms < sup->age_next_ms)
        return;
    sup->age_next_ms = now_ms + AGE_LOOK_MS;
    if (sup_watch_newest(clamav->signatures, &newest_ms, &err) < 0)
        newest_ms = 0; /* that they are missing is the detector's to say */
    int64_t hours = (mx_wall_ms(sup->clock) - newest_ms) / 3600000;
    bool is_old = clamav->max_age_ms > 0 && newest_ms > 0 &&
                  mx_wall_ms(sup->clock) - newest_ms > clamav->max_age_ms;
    snprintf(reason, sizeof(reason), "the newest signature file is %lld hours old",
             (long long)hours);
    set_degraded(sup, "signatures", is_old ? reason : NULL);
    mx_counter_set(sup->metrics.signature_age, newest_ms > 0 ? hours * 3600 : 0);
}

void sup_status_gauges(struct supervisor *sup)
{
    const struct sup_engine *serving = sup->serving;
    mx_counter_set(sup->metrics.queued, (int64_t)sup->queue.n);
    mx_counter_set(sup->metrics.busy, (int64_t)sup_workers_busy(sup));
    mx_counter_set(sup->metrics.workers, (int64_t)sup->n_workers);
    mx_counter_set(sup->metrics.body_bytes, (int64_t)sup->body_bytes);
    mx_counter_set(sup->metrics.generation, serving ? serving->generation : 0);
    /* The first one takes its time: until then we are not ready, which is no fault. */
    bool is_missing = serving == NULL && (sup->is_ready || sup->engine_failures > 0);
    set_degraded(sup, "engine", is_missing ? "no engine is loaded" : NULL);
    set_degraded(sup, "detectors",
                 serving && serving->n_faults > 0 ? serving->faults : NULL);
    set_degraded(sup, "rules_trial", sup->trial.doubt[0] ? sup->trial.doubt : NULL);
    judge_age(sup);
    set_degraded(sup, "workers",
                 sup->worker_after_ms > mx_mono_ms(sup->clock)
                     ? "they die as soon as they start"
                     : NULL);
}

static void describe(void *user, Mxp__Node *node)
{
    struct supervisor *sup = user;
    const char *endpoint =
        sup->conf->advertise[0] ? sup->conf->advertise : sup->conf->endpoint;
    node->id = sup->node;
    node->endpoint = (char *)(uintptr_t)endpoint;
    node->public_key = (char *)(uintptr_t)sup->conf->public_key;
    node->workers = (uint32_t)sup->n_workers;
    node->busy = (uint32_t)sup_workers_busy(sup);
    node->is_draining = sup->is_draining;
    node->version = (char *)(uintptr_t)MX_VERSION;
    node->since_ms = sup->since_ms;
    if (sup->serving != NULL) {
        node->signatures = sup->serving->signatures;
        node->rules = sup->serving->rules;
    }
    /* The reason is in the log and in status replies; the list only needs the fact. */
    static const char *const detectors[] = {"detectors"};
    if (sup->serving != NULL && sup->serving->n_faults > 0) {
        node->degraded = (char **)(uintptr_t)detectors;
        node->n_degraded = 1;
    }
}

static void on_state(void *user, bool is_up, const char *reason)
{
    set_degraded(user, "registry", is_up ? NULL : reason);
}

void sup_status_announce(struct supervisor *sup)
{
    struct mx_err err = {0};
    struct registry_options options = {
        .settings = mx_conf_get(sup->env->conf, "redis"),
        .role = "scand",
        .describe = describe,
        .on_state = on_state,
        .user = sup,
    };
    if (registry_start(&sup->loop, &options, &sup->registry, &err) < 0)
        set_degraded(sup, "registry", err.text);
}

struct collect {
    struct mx_arena *arena;
    Mxp__StatusReply *reply;
};

static void add_counter(void *user, const char *name, const char *labels, int64_t value)
{
    struct collect *collect = user;
    if (collect->reply->n_counters >= COUNTERS_MAX)
        return;
    Mxp__Counter *counter = mx_arena_alloc(collect->arena, sizeof(*counter));
    mxp__counter__init(counter);
    counter->name = mx_arena_printf(collect->arena, "%s", name);
    counter->labels = mx_arena_printf(collect->arena, "%s", labels ? labels : "");
    counter->value = value;
    collect->reply->counters[collect->reply->n_counters++] = counter;
}

static void add_degraded(void *user, const char *check, const char *reason)
{
    struct collect *collect = user;
    Mxp__Degraded *degraded = mx_arena_alloc(collect->arena, sizeof(*degraded));
    mxp__degraded__init(degraded);
    degraded->check = mx_arena_printf(collect->arena, "%s", check);
    degraded->reason = mx_arena_printf(collect->arena, "%s", reason);
    if (collect->reply->n_degraded < SUP_DEGRADED_MAX)
        collect->reply->degraded[collect->reply->n_degraded++] = degraded;
}

/* Process ids are for people (and tests) who look for a worker: not for Prometheus, as
   they change all the time. */
static void add_workers(struct supervisor *sup, struct collect *collect)
{
    static const char *const states[] = {"starting", "idle", "busy"};
    for (size_t i = 0; i < SUP_WORKERS_MAX; i++) {
        const struct sup_worker *worker = sup->workers[i];
        if (worker == NULL)
            continue;
        char labels[96];
        snprintf(labels, sizeof(labels), "slot=\"%zu\",state=\"%s\",generation=\"%u\"", i,
                 states[worker->state], worker->engine->generation);
        add_counter(collect, "worker_pid", labels, worker->pid);
    }
}

void sup_status_reply(struct supervisor *sup, struct mxp_request *request)
{
    sup_status_gauges(sup);
    mx_arena_reset(sup->arena);
    Mxp__Node node;
    Mxp__StatusReply reply;
    mxp__node__init(&node);
    mxp__status_reply__init(&reply);
    struct collect collect = {sup->arena, &reply};
    describe(sup, &node);
    reply.node = &node;
    reply.program = (char *)(uintptr_t) "mxdrop-scand";
    reply.uptime_ms = mx_mono_ms(sup->clock) - sup->started_ms;
    reply.is_ready = sup->is_ready && sup->serving != NULL;
    reply.counters = mx_arena_array(sup->arena, COUNTERS_MAX, sizeof(void *));
    reply.degraded = mx_arena_array(sup->arena, SUP_DEGRADED_MAX, sizeof(void *));
    mx_metrics_each(sup->env->metrics, add_counter, &collect);
    mx_health_each(sup->env->health, add_degraded, &collect);
    add_workers(sup, &collect);
    mxp_server_reply(sup->server, request, MXP_STATUS_REPLY, &reply.base);
    mxp_request_free(request);
    sup_jobs_wake(sup);
}
