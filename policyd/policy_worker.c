/*
 * The worker's thread, from its start to its end. The server's descriptor is
 * edge-triggered, so besides being polled it is looked at before every wait of the loop
 * (a uv_prepare handle), after whatever replies the iteration sent.
 *
 * Orders of the main thread wait in a list under a lock that is taken only when the loop
 * was woken for them; no request takes it.
 *
 * Draining: new requests are answered with "draining", which makes clients ask another
 * policyd and stay away; when nothing is under way and it has been quiet for
 * DRAIN_QUIET_MS, or the time is up, everything is closed and the loop runs out of
 * handles.
 */
#include "policy_worker.h"

#include <stdio.h>
#include <stdlib.h>

#include "mx_arena.h"
#include "mx_health.h"
#include "mx_metric.h"
#include "mx_time.h"
#include "mxp_server.h"
#include "policy_chain.h"
#include "policy_map.h"
#include "policy_request.h"
#include "policy_serve.h"
#include "policy_shims.h"
#include "policy_topology.h"
#include "policy_verdict.h"
#include "store_dovecot.h"
#include "store_snapshot.h"

#define TICK_MS 100        /* while draining, and for gauges */
#define DRAIN_QUIET_MS 300 /* clients have understood */

enum order_kind { ORDER_CHAIN, ORDER_MAP, ORDER_TOPOLOGY, ORDER_DRAIN };

struct order {
    struct order *next;
    enum order_kind kind;
    struct policy_chain *chain;
    size_t file;
    struct policy_map *map;
    struct policy_topology *topology;
};

/* ---- the loop ---- */

static void on_readable(uv_poll_t *poll, int status, int events)
{
    (void)poll, (void)status, (void)events; /* on_prepare looks before the next wait */
}

static void on_prepare(uv_prepare_t *prepare)
{
    struct policy_worker *w = prepare->data;
    if (!w->is_closed)
        policy_serve(w);
}

/* ---- the store's state ---- */

static void on_store_state(void *user, bool is_up, const char *reason)
{
    struct policy_worker *w = user;
    const char *why = reason ? reason : "down";
    if (!mx_health_degraded(w->options.health, "store", is_up ? NULL : why))
        return;
    if (is_up)
        mx_log(w->options.log, MX_LOG_INFO, "store.up", "worker=%u", w->options.index);
    else
        mx_log(w->options.log, MX_LOG_WARN, "store.down", "worker=%u reason=\"%s\"",
               w->options.index, why);
}

/* ---- ending ---- */

static void close_all(struct policy_worker *w)
{
    w->is_closed = true;
    uv_close((uv_handle_t *)&w->poll, NULL);
    uv_close((uv_handle_t *)&w->prepare, NULL);
    uv_close((uv_handle_t *)&w->more, NULL);
    uv_close((uv_handle_t *)&w->tick, NULL);
    uv_close((uv_handle_t *)&w->wake, NULL);
    store_free(w->store); /* checks that still wait are answered without it */
    w->store = NULL;
}

static void set_gauges(struct policy_worker *w)
{
    struct store_stats stats;
    store_stats(w->store, &stats);
    mx_counter_set(w->metrics.in_flight, (int64_t)w->in_flight);
    mx_counter_set(w->metrics.round_trips, (int64_t)stats.round_trips);
    mx_counter_set(w->metrics.commands, (int64_t)(stats.commands + stats.effects));
    mx_counter_set(w->metrics.unknown, (int64_t)stats.unknown);
    mx_counter_set(w->metrics.lost, (int64_t)stats.lost);
}

static void on_tick(uv_timer_t *timer)
{
    struct policy_worker *w = timer->data;
    int64_t now = mx_mono_ms(w->options.clock);
    set_gauges(w);
    if (!w->is_draining)
        return;
    bool is_quiet = w->in_flight == 0 && now - w->quiet_since_ms >= DRAIN_QUIET_MS;
    if (is_quiet || now >= w->drain_until_ms)
        close_all(w);
}

/* ---- orders ---- */

static void post(struct policy_worker *w, const struct order *order)
{
    struct order *copy = mx_xalloc(sizeof(*copy));
    *copy = *order;
    copy->next = NULL;
    pthread_mutex_lock(&w->lock);
    *w->orders_end = copy;
    w->orders_end = &copy->next;
    pthread_mutex_unlock(&w->lock);
    uv_async_send(&w->wake);
}

static void begin_draining(struct policy_worker *w)
{
    w->is_draining = true;
    w->quiet_since_ms = mx_mono_ms(w->options.clock);
    w->drain_until_ms = w->quiet_since_ms + w->options.drain_timeout_ms;
}

/* Takes over the references that the order holds. */
static void obey(struct policy_worker *w, struct order *order)
{
    switch (order->kind) {
    case ORDER_CHAIN:
        policy_chain_unref(w->chain);
        w->chain = order->chain;
        break;
    case ORDER_MAP:
        policy_chain_swap(w->chain, order->file, order->map);
        policy_map_unref(order->map);
        break;
    case ORDER_TOPOLOGY:
        policy_topology_unref(w->topology);
        w->topology = order->topology;
        break;
    case ORDER_DRAIN: begin_draining(w); break;
    }
}

static void take_orders(struct policy_worker *w)
{
    pthread_mutex_lock(&w->lock);
    struct order *order = w->orders;
    w->orders = NULL;
    w->orders_end = &w->orders;
    pthread_mutex_unlock(&w->lock);
    while (order) {
        struct order *next = order->next;
        obey(w, order);
        free(order);
        order = next;
    }
}

static void on_wake(uv_async_t *async)
{
    take_orders(async->data);
}

void policy_worker_use_chain(struct policy_worker *worker, struct policy_chain *chain)
{
    post(worker, &(struct order){.kind = ORDER_CHAIN, .chain = chain});
}

void policy_worker_use_map(struct policy_worker *worker, size_t file,
                           struct policy_map *map)
{
    post(worker,
         &(struct order){.kind = ORDER_MAP, .file = file, .map = policy_map_ref(map)});
}

void policy_worker_use_topology(struct policy_worker *worker,
                                struct policy_topology *topology)
{
    post(worker, &(struct order){.kind = ORDER_TOPOLOGY,
                                 .topology = policy_topology_ref(topology)});
}

void policy_worker_drain(struct policy_worker *worker)
{
    post(worker, &(struct order){.kind = ORDER_DRAIN});
}

unsigned policy_worker_busy(const struct policy_worker *worker)
{
    return atomic_load_explicit(&worker->busy, memory_order_relaxed);
}

/* ---- starting ---- */

static void make_metrics(struct policy_worker *w)
{
    struct mx_metrics *all = w->options.metrics;
    struct policy_worker_metrics *m = &w->metrics;
    char labels[64];
    for (size_t i = 0; i < POLICYD_STAGES; i++) {
        snprintf(labels, sizeof(labels), "stage=\"%s\"",
                 policy_stage_name(policyd_conf_stage(i)));
        m->requests[i] = mx_metrics_counter(all, "mxdrop_policy_requests_total", labels,
                                            "Checks answered.");
        m->seconds[i] = mx_metrics_histogram(all, "mxdrop_policy_request_seconds", labels,
                                             "From arrival to reply.");
    }
    m->late = mx_metrics_counter(all, "mxdrop_policy_late_total", NULL,
                                 "Checks dropped because nobody waited any more.");
    m->bad = mx_metrics_counter(all, "mxdrop_policy_bad_total", NULL,
                                "Requests that could not be read.");
    m->overloaded = mx_metrics_counter(all, "mxdrop_policy_overloaded_total", NULL,
                                       "Requests sent elsewhere for lack of room.");
    m->draining = mx_metrics_counter(all, "mxdrop_policy_draining_total", NULL,
                                     "Requests sent elsewhere while ending.");
    m->faults = mx_metrics_counter(all, "mxdrop_policy_wire_faults_total", NULL,
                                   "Garbage on the wire.");
    snprintf(labels, sizeof(labels), "worker=\"%u\"", w->options.index);
    m->in_flight =
        mx_metrics_gauge(all, "mxdrop_policy_in_flight", labels, "Checks under way.");
    m->round_trips = mx_metrics_gauge(all, "mxdrop_policy_store_round_trips", labels,
                                      "Batches of questions sent since start.");
    m->commands = mx_metrics_gauge(all, "mxdrop_policy_store_commands", labels,
                                   "Commands sent since start.");
    m->unknown = mx_metrics_gauge(all, "mxdrop_policy_store_unknown", labels,
                                  "Questions without an answer since start.");
    m->lost = mx_metrics_gauge(all, "mxdrop_policy_store_lost", labels,
                               "Effects that were lost since start.");
    policy_outcome_counters_init(&m->outcomes, all);
}

static void init_handles(struct policy_worker *w)
{
    uv_loop_init(&w->loop);
    uv_poll_init(&w->loop, &w->poll, mxp_server_fd(w->server));
    uv_prepare_init(&w->loop, &w->prepare);
    uv_idle_init(&w->loop, &w->more);
    uv_timer_init(&w->loop, &w->tick);
    uv_async_init(&w->loop, &w->wake, on_wake);
    w->prepare.data = w->tick.data = w->wake.data = w;
    uv_poll_start(&w->poll, UV_READABLE, on_readable);
    uv_prepare_start(&w->prepare, on_prepare);
    uv_timer_start(&w->tick, on_tick, TICK_MS, TICK_MS);
}

static int open_server(struct policy_worker *w, struct mx_err *err)
{
    return mxp_server_open(
        &(struct mxp_server_options){.endpoint = w->options.endpoint,
                                     .keys = w->options.keys,
                                     .allowed_keys = w->options.allowed_keys,
                                     .payload_max = POLICY_PAYLOAD_MAX,
                                     .clock = w->options.clock,
                                     .on_fault = policy_serve_fault,
                                     .user = w},
        &w->server, err);
}

/* Dovecot's Redis came or went: lists and limits do not depend on it. */
static void on_dovecot_state(void *user, bool is_up, const char *reason)
{
    struct policy_worker *w = user;
    const char *why = reason ? reason : "down";
    if (mx_health_degraded(w->options.health, "dovecot", is_up ? NULL : why))
        mx_log(w->options.log, is_up ? MX_LOG_INFO : MX_LOG_WARN,
               is_up ? "dovecot.up" : "dovecot.down", "worker=%u reason=\"%s\"",
               w->options.index, is_up ? "connected" : why);
}

static int open_store(struct policy_worker *w, struct mx_err *err)
{
    struct store_redis_options options = {.settings = w->options.redis,
                                          .clock = w->options.clock,
                                          .on_state = on_store_state,
                                          .user = w};
    struct store *dovecot = NULL;
    if (store_redis_new(&w->loop, &options, &w->store, err) < 0)
        return -1;
    w->store = store_snapshot_new(w->store, w->options.clock);
    if (*w->options.redis->dovecot.address == '\0')
        return 0;
    store_redis_dovecot(w->options.redis, &w->dovecot);
    options.settings = &w->dovecot;
    options.on_state = on_dovecot_state;
    if (store_redis_new(&w->loop, &options, &dovecot, err) < 0)
        return mx_err_wrap(err, "redis.dovecot");
    w->store = store_dovecot_new(w->store, dovecot, w->options.redis->dovecot.prefix);
    return 0;
}

static void fini(struct policy_worker *w)
{
    take_orders(w);
    mxp_server_close(w->server);
    policy_chain_unref(w->chain);
    policy_topology_unref(w->topology);
    policy_shims_free(w->shims);
    for (size_t i = 0; i < w->n_arenas; i++)
        mx_arena_free(w->arenas[i]);
    pthread_mutex_destroy(&w->lock);
    free(w);
}

static void *run(void *user)
{
    struct policy_worker *w = user;
    uv_run(&w->loop, UV_RUN_DEFAULT);
    w->options.on_end(w->options.user);
    return NULL;
}

/* A loop whose handles were never run: close them, let it notice. */
static void abandon(struct policy_worker *w)
{
    close_all(w);
    uv_run(&w->loop, UV_RUN_DEFAULT);
    uv_loop_close(&w->loop);
}

int policy_worker_start(const struct policy_worker_options *options,
                        struct policy_chain *chain, struct policy_worker **out,
                        struct mx_err *err)
{
    struct policy_worker *w = mx_xalloc(sizeof(*w));
    w->options = *options;
    w->chain = chain;
    w->orders_end = &w->orders;
    w->shims = policy_shims_new(options->clock);
    pthread_mutex_init(&w->lock, NULL);
    make_metrics(w);
    if (open_server(w, err) < 0)
        goto fail;
    init_handles(w);
    if (open_store(w, err) < 0) {
        abandon(w);
        goto fail;
    }
    if (pthread_create(&w->thread, NULL, run, w) != 0) {
        mx_err_set(err, MX_ERR_SYSTEM, "cannot start a thread");
        abandon(w);
        goto fail;
    }
    *out = w;
    return 0;
fail:
    fini(w);
    return -1;
}

void policy_worker_join(struct policy_worker *worker)
{
    if (worker == NULL)
        return;
    pthread_join(worker->thread, NULL);
    uv_loop_close(&worker->loop);
    fini(worker);
}
