/*
 * A worker: one thread with its own loop, endpoint, Redis connection, chain and arenas;
 * thousands of checks are under way in it at once. What the main thread wants of it
 * (another chain, a map's new table, new lists, to drain) is posted and taken up between
 * events.
 */
#ifndef POLICY_WORKER_H
#define POLICY_WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mxp_client.h"

struct mx_clock;
struct mx_err;
struct mx_health;
struct mx_log;
struct mx_metrics;
struct policy_chain;
struct policy_map;
struct policy_topology;
struct policy_worker;
struct store_redis_settings;

struct policy_worker_options {
    unsigned index, workers; /* this one, and how many there are */
    const char *node;        /* name in the cluster */
    const char *process;     /* that of the first worker */
    const char *endpoint;    /* where it listens */
    const char *advertise;   /* as shims reach it */
    struct mxp_keys keys;
    const char *const *allowed_keys; /* ends with NULL */
    size_t in_flight_max;
    int64_t drain_timeout_ms;
    int64_t since_ms; /* wall clock at start */
    const struct store_redis_settings *redis;
    const struct mx_clock *clock;
    struct mx_log *log;
    struct mx_metrics *metrics;
    struct mx_health *health;
    void (*on_end)(void *user); /* drained and closed; on the worker's thread */
    void *user;
};

/**
 * policy_worker_start(options, chain, out, err):
 * Bind, then serve on a thread of its own. Texts and pointers of ${options} are borrowed.
 * Owner:  takes the caller's reference of ${chain}, also on failure. End it with
 *         policy_worker_drain, wait for on_end, then policy_worker_join.
 * Fails:  endpoint in use or bad, Redis settings that cannot work (-1).
 */
int policy_worker_start(const struct policy_worker_options *options,
                        struct policy_chain *chain, struct policy_worker **out,
                        struct mx_err *err);

/** policy_worker_use_chain: new checks use ${chain}; takes the caller's reference. */
void policy_worker_use_chain(struct policy_worker *worker, struct policy_chain *chain);

/** policy_worker_use_map, policy_worker_use_topology: take references of their own. */
void policy_worker_use_map(struct policy_worker *worker, size_t file,
                           struct policy_map *map);
void policy_worker_use_topology(struct policy_worker *worker,
                                struct policy_topology *topology);

/** policy_worker_drain: finish what is under way, send new requests elsewhere, end. */
void policy_worker_drain(struct policy_worker *worker);

/** policy_worker_busy(worker): checks under way. Any thread. */
unsigned policy_worker_busy(const struct policy_worker *worker);

/** policy_worker_join(worker): wait for the thread and free. NULL is fine. */
void policy_worker_join(struct policy_worker *worker);

#endif
