/*
 * The client as its users see it: calls are encoded here, on the calling thread, handed
 * to the owner thread (mxp_owner.c) through its inbox, and their answer is copied into
 * the caller's arena here. No socket is ever touched by a calling thread.
 *
 * Why one owner thread: see ARCHITECTURE.md; bench/client_model.c measures it against a
 * socket per calling thread.
 */
#include "mxp_client.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "mx_time.h"
#include "mxp_calls.h"
#include "mxp_owner.h"

#define ENDPOINTS_MAX 1024
#define BREAKER_FAILURES 3
#define PROBE_MIN_MS 200
#define PROBE_MAX_MS 5000
#define IN_FLIGHT_MAX 4096

struct mxp_client {
    struct mxp_owner owner;
    pthread_t thread;
    char *public_key, *secret_key;
};

static void *run(void *state)
{
    mxp_owner_run(state);
    return NULL;
}

/* Signals are for the program's own threads. */
static int start_thread(struct mxp_client *client, struct mx_err *err)
{
    sigset_t all, before;
    char name[16];
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&client->thread, NULL, run, &client->owner);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc != 0)
        return mx_err_set(err, MX_ERR_SYSTEM, "pthread_create: %s", strerror(rc));
    const char *label = client->owner.options.name;
    snprintf(name, sizeof(name), "mxp-%s", label ? label : "client");
    pthread_setname_np(client->thread, name);
    return 0;
}

static unsigned or_default(unsigned value, unsigned when_zero)
{
    return value ? value : when_zero;
}

static void set_defaults(struct mxp_client_options *options)
{
    options->breaker_failures = or_default(options->breaker_failures, BREAKER_FAILURES);
    options->probe_min_ms = or_default(options->probe_min_ms, PROBE_MIN_MS);
    options->probe_max_ms = or_default(options->probe_max_ms, PROBE_MAX_MS);
    options->in_flight_max = or_default(options->in_flight_max, IN_FLIGHT_MAX);
    if (options->reply_max == 0)
        options->reply_max = MXP_PAYLOAD_MAX;
}

static void dispose(struct mxp_client *client)
{
    mxp_owner_fini(&client->owner);
    free(client->public_key);
    free(client->secret_key);
    free(client);
}

int mxp_client_new(const struct mxp_client_options *options, struct mxp_client **out,
                   struct mx_err *err)
{
    struct mxp_client *client = mx_xalloc(sizeof(*client));
    struct mxp_client_options own = *options;
    set_defaults(&own);
    if (own.keys.public_key)
        own.keys.public_key = client->public_key = mx_xdup(own.keys.public_key);
    if (own.keys.secret_key)
        own.keys.secret_key = client->secret_key = mx_xdup(own.keys.secret_key);
    if (mxp_owner_init(&client->owner, &own, err) != 0 ||
        start_thread(client, err) != 0) {
        dispose(client);
        return -1;
    }
    *out = client;
    return 0;
}

void mxp_client_free(struct mxp_client *client)
{
    if (client == NULL)
        return;
    mxp_inbox_close(&client->owner.inbox);
    pthread_join(client->thread, NULL);
    dispose(client);
}

/* ---- the list of endpoints, and numbers ----------------------------------------------
 */

struct replace_job {
    struct mxp_job job;
    const struct mxp_endpoint *endpoints;
    size_t n;
    int rc;
    struct mx_err err;
};

static void start_replace(void *owner, struct mxp_job *job)
{
    struct replace_job *replace = (struct replace_job *)job;
    replace->rc = mxp_owner_replace(owner, replace->endpoints, replace->n, &replace->err);
    mxp_job_done(job);
}

/* Post and wait. Fails: the client is being freed (-1). */
static int run_job(struct mxp_client *client, struct mxp_job *job)
{
    int rc = mxp_inbox_post(&client->owner.inbox, job);
    if (rc == 0)
        mxp_job_wait(job, 0, NULL, NULL);
    mxp_job_fini(job);
    return rc;
}

int mxp_client_endpoints(struct mxp_client *client, const struct mxp_endpoint *endpoints,
                         size_t n, struct mx_err *err)
{
    struct replace_job replace = {.endpoints = endpoints, .n = n};
    if (n > ENDPOINTS_MAX)
        return mx_err_set(err, MX_ERR_LIMIT, "%zu endpoints, at most %d", n,
                          ENDPOINTS_MAX);
    mxp_job_init(&replace.job, start_replace);
    if (run_job(client, &replace.job) != 0)
        return mx_err_set(err, MX_ERR_DOWN, "the client is being closed");
    if (replace.rc != 0)
        return mx_err_set(err, replace.err.code, "%s", replace.err.text);
    return 0;
}

size_t mxp_client_usable(const struct mxp_client *client)
{
    return atomic_load_explicit(&client->owner.usable, memory_order_relaxed);
}

struct stats_job {
    struct mxp_job job;
    struct mxp_endpoint_stat *out;
    size_t max, n;
};

static void start_stats(void *state, struct mxp_job *job)
{
    const struct mxp_owner *owner = state;
    struct stats_job *stats = (struct stats_job *)job;
    for (size_t i = 0; i < owner->n_links && stats->n < stats->max; i++) {
        const struct mxp_link *link = owner->links[i];
        struct mxp_endpoint_stat *stat = &stats->out[stats->n++];
        *stat = (struct mxp_endpoint_stat){.is_open = link->peer.is_open,
                                           .in_flight = link->peer.in_flight,
                                           .calls = link->peer.calls,
                                           .failures = link->peer.failures_all};
        memcpy(stat->address, link->address, sizeof(stat->address));
    }
    mxp_job_done(job);
}

size_t mxp_client_stats(struct mxp_client *client, struct mxp_endpoint_stat *out,
                        size_t max)
{
    struct stats_job stats = {.out = out, .max = max};
    mxp_job_init(&stats.job, start_stats);
    return run_job(client, &stats.job) == 0 ? stats.n : 0;
}

/* ---- calls ------------------------------------------------------------------------- */

/* Count one call in. Fails: too many wait already (-1). */
static int enter(struct mxp_owner *owner)
{
    unsigned before = atomic_fetch_add_explicit(&owner->waiting, 1, memory_order_relaxed);
    if (before < owner->options.in_flight_max)
        return 0;
    atomic_fetch_sub_explicit(&owner->waiting, 1, memory_order_relaxed);
    return -1;
}

static int take_reply(struct mx_arena *arena, struct mxp_flight *flight,
                      struct mxp_answer *out, struct mx_err *err)
{
    size_t n = zmq_msg_size(&flight->reply);
    if (n >= mx_arena_left(arena))
        return mx_err_set(err, MX_ERR_LIMIT, "a reply of %zu octets is too large", n);
    const char *p = mx_arena_dup(arena, zmq_msg_data(&flight->reply), n);
    out->payload = mx_str_of(p, n);
    out->attempts = flight->attempts;
    memcpy(out->endpoint, flight->endpoint, sizeof(out->endpoint));
    return 0;
}

static int fly(struct mxp_client *client, struct mxp_flight *flight)
{
    const struct mxp_call *call = flight->call;
    mxp_job_init(&flight->job, mxp_calls_start);
    int rc = mxp_inbox_post(&client->owner.inbox, &flight->job);
    if (rc == 0) {
        mxp_job_wait(&flight->job, call->on_tick ? call->tick_ms : 0, call->on_tick,
                     call->user);
        rc = flight->rc;
    } else {
        atomic_fetch_sub_explicit(&client->owner.waiting, 1, memory_order_relaxed);
        mx_err_set(&flight->err, MX_ERR_DOWN, "the client is being closed");
    }
    mxp_job_fini(&flight->job);
    return rc;
}

int mxp_client_call(struct mxp_client *client, struct mx_arena *arena,
                    const struct mxp_call *call, struct mxp_answer *out,
                    struct mx_err *err)
{
    if (enter(&client->owner) != 0)
        return mx_err_set(err, MX_ERR_LIMIT, "%u calls wait already",
                          client->owner.options.in_flight_max);
    unsigned deadline_ms =
        call->deadline_ms < MXP_DEADLINE_MAX_MS ? call->deadline_ms : MXP_DEADLINE_MAX_MS;
    struct mxp_flight flight;
    flight.call = call;
    flight.deadline_ms = mx_mono_ms(&mx_clock_real) + deadline_ms;
    flight.attempts = 0;
    zmq_msg_init(&flight.reply);
    mxp_parcel_init(&flight.parcel, call->payload, call->body);
    int rc = fly(client, &flight);
    if (rc != 0)
        mx_err_set(err, flight.err.code, "%s", flight.err.text);
    else
        rc = take_reply(arena, &flight, out, err);
    mxp_parcel_fini(&flight.parcel);
    zmq_msg_close(&flight.reply);
    return rc;
}
