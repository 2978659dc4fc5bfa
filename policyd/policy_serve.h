/* The inside of a worker; only policy_worker.c and policy_serve.c see it. */
#ifndef POLICY_SERVE_H
#define POLICY_SERVE_H

#include <pthread.h>
#include <stdatomic.h>

#include <uv.h>

#include "mx_err.h"
#include "mx_log.h"
#include "policy_outcome.h"
#include "policy_worker.h"
#include "policyd_conf.h"
#include "store_redis.h"

#define POLICY_ARENAS_KEPT 256 /* idle ones; each keeps one chunk */

struct mx_counter;
struct mx_histogram;
struct mxp_server;
struct order;
struct policy_shims;
struct store;

struct policy_worker_metrics {
    struct mx_counter *requests[POLICYD_STAGES];
    struct mx_histogram *seconds[POLICYD_STAGES];
    struct mx_counter *late, *bad, *overloaded, *draining, *faults;
    struct mx_counter *in_flight, *round_trips, *commands, *unknown, *lost;
    struct policy_outcome_counters outcomes;
};

struct policy_worker {
    struct policy_worker_options options;
    pthread_t thread;
    bool is_draining, is_closed;
    uv_loop_t loop;
    uv_poll_t poll;
    uv_prepare_t prepare;
    uv_idle_t more;
    uv_timer_t tick;
    uv_async_t wake;
    struct mxp_server *server;
    struct store *store;
    struct store_redis_settings
        dovecot; /* of the second connection, where there is one */
    struct policy_chain *chain;
    struct policy_shims *shims; /* who asked for the lists */
    struct policy_topology *topology;
    size_t in_flight, bytes_in_flight;
    _Atomic unsigned busy; /* in_flight for others */
    struct mx_arena *arenas[POLICY_ARENAS_KEPT];
    size_t n_arenas;
    int64_t drain_until_ms, quiet_since_ms;
    struct policy_worker_metrics metrics;
    struct mx_throttle fault_lines, version_lines, bad_lines, overload_lines;
    pthread_mutex_t lock; /* of the orders */
    struct order *orders, **orders_end;
};

/** policy_serve(worker): take what has come, and begin or answer it. Before each wait of
 * the loop, as the server's descriptor is edge-triggered. */
void policy_serve(struct policy_worker *worker);

/** policy_serve_fault: on_fault of the server; ${user} is the worker. */
void policy_serve_fault(void *user, const char *peer, enum mx_err_code code,
                        const char *reason);

#endif
