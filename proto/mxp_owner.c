/*
 * The owner thread: sleeps in epoll on its inbox, the sockets and their monitors; turns
 * what it finds into calls of mxp_calls, and reports what changed on an endpoint.
 *
 * ZeroMQ's descriptors are edge-triggered, and any operation on a socket may swallow an
 * edge. So a link that was used in any way is put on the list of touched links, and the
 * loop does not sleep before each of them was read until empty.
 *
 * Nothing here blocks, so that a deadline is never late by more than one pass of the
 * loop. What may take time (encoding, copying a reply) is done by the calling threads.
 */
#include "mxp_owner.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <unistd.h>
#include <utlist.h>

#include "mx_arena.h"
#include "mx_time.h"
#include "mxp_calls.h"

#define EVENTS_MAX 64
#define SOCKETS_MAX 4096   /* two for each of 1024 endpoints, and as many that leave */
#define SCRATCH_MAX 262144 /* bytes: for one ErrorReply at a time */

int mxp_owner_init(struct mxp_owner *owner, const struct mxp_client_options *options,
                   struct mx_err *err)
{
    *owner = (struct mxp_owner){
        .options = *options, .epoll_fd = -1, .inbox.fd = -1, .is_stirred = false};
    owner->breaker = (struct mxp_breaker){.failures_max = options->breaker_failures,
                                          .probe_min_ms = options->probe_min_ms,
                                          .probe_max_ms = options->probe_max_ms};
    if (getrandom(&owner->random.state, sizeof(owner->random.state), 0) < 0)
        return mx_err_errno(err, "getrandom");
    owner->random.state |= 1;
    if (mxp_inbox_init(&owner->inbox, err) != 0)
        return -1;
    owner->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (owner->epoll_fd < 0)
        return mx_err_errno(err, "epoll_create1");
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    if (epoll_ctl(owner->epoll_fd, EPOLL_CTL_ADD, owner->inbox.fd, &event) != 0)
        return mx_err_errno(err, "epoll_ctl");
    owner->context = zmq_ctx_new();
    if (owner->context == NULL ||
        zmq_ctx_set(owner->context, ZMQ_MAX_SOCKETS, SOCKETS_MAX) != 0)
        return mx_err_set(err, MX_ERR_SYSTEM, "ZeroMQ: %s", zmq_strerror(zmq_errno()));
    owner->scratch = mx_arena_new(SCRATCH_MAX);
    mxp_calls_init(owner);
    return 0;
}

void mxp_owner_fini(struct mxp_owner *owner)
{
    for (size_t i = 0; i < owner->n_links; i++)
        mxp_link_close(owner->links[i]);
    free(owner->links);
    mxp_calls_fini(owner);
    mx_arena_free(owner->scratch);
    if (owner->context)
        zmq_ctx_term(owner->context);
    if (owner->epoll_fd >= 0)
        close(owner->epoll_fd);
    if (owner->inbox.fd >= 0)
        mxp_inbox_fini(&owner->inbox);
}

/* ---- what an endpoint does -----------------------------------------------------------
 */

void mxp_owner_touch(struct mxp_owner *owner, struct mxp_link *link)
{
    if (link->is_touched)
        return;
    link->is_touched = true;
    LL_PREPEND(owner->touched, link);
}

void mxp_owner_count_usable(struct mxp_owner *owner)
{
    size_t n = 0;
    for (size_t i = 0; i < owner->n_links; i++)
        n += mxp_peer_usable(&owner->links[i]->peer);
    atomic_store_explicit(&owner->usable, n, memory_order_relaxed);
}

void mxp_owner_tell(struct mxp_owner *owner, struct mxp_link *link, const char *state,
                    const char *reason)
{
    if (owner->options.on_event == NULL || link->peer.is_leaving ||
        (link->told && strcmp(link->told, state) == 0))
        return;
    link->told = state;
    struct mxp_client_event event = {
        .address = link->address, .state = state, .reason = reason};
    owner->options.on_event(owner->options.user, &event);
}

void mxp_owner_failed(struct mxp_owner *owner, struct mxp_link *link, const char *reason)
{
    if (!mxp_peer_failed(&link->peer, &owner->breaker, &owner->random, owner->now_ms))
        return;
    mxp_owner_count_usable(owner);
    mxp_owner_tell(owner, link, "down", reason);
}

static void on_up(struct mxp_owner *owner, struct mxp_link *link)
{
    mxp_peer_connected(&link->peer, owner->now_ms);
    owner->is_stirred = true;
    mxp_owner_count_usable(owner);
    if (!link->peer.is_open)
        mxp_owner_tell(owner, link, "up", "connected");
}

/* Whatever was in flight there is lost; all of it together is one failure. */
static void on_lost(struct mxp_owner *owner, struct mxp_link *link)
{
    bool was_probing = link->peer.is_probing;
    if (link->peer.in_flight > 0 || was_probing)
        mxp_owner_failed(owner, link, "connection lost");
    mxp_peer_disconnected(&link->peer, owner->now_ms);
    mxp_owner_count_usable(owner);
    mxp_owner_tell(owner, link, "down", "connection lost");
    mxp_calls_lost(owner, link, MX_ERR_DOWN, "connection lost");
}

/* What it says cannot be read: nothing else that it says can be trusted either. */
static void on_unreadable(struct mxp_owner *owner, struct mxp_link *link,
                          enum mxp_arrived arrived)
{
    bool is_version = arrived == MXP_ARRIVED_VERSION;
    const char *reason =
        is_version ? "speaks another major version" : "its answer cannot be read";
    link->peer.failures_all++;
    mxp_peer_trip(&link->peer, &owner->breaker, &owner->random, owner->now_ms);
    mxp_owner_count_usable(owner);
    mxp_owner_tell(owner, link, is_version ? "version" : "down", reason);
    mxp_calls_lost(owner, link, is_version ? MX_ERR_VERSION : MX_ERR_DOWN, reason);
}

/* ---- reading ----------------------------------------------------------------------- */

static void read_answers(struct mxp_owner *owner, struct mxp_link *link)
{
    enum mxp_arrived arrived;
    do {
        struct mxp_header header;
        zmq_msg_t payload;
        zmq_msg_init(&payload);
        arrived = mxp_link_receive(link, &header, &payload);
        if (arrived == MXP_ARRIVED_REPLY)
            mxp_calls_answer(owner, link, &header, &payload);
        else if (arrived != MXP_ARRIVED_NOTHING)
            on_unreadable(owner, link, arrived);
        zmq_msg_close(&payload);
    } while (arrived != MXP_ARRIVED_NOTHING);
}

static void on_connection(struct mxp_owner *owner, struct mxp_link *link,
                          const struct mxp_monitor_event *event)
{
    switch (event->kind) {
    case MXP_MONITOR_UP: on_up(owner, link); break;
    case MXP_MONITOR_LOST:
        read_answers(owner, link); /* what came before the end is good */
        if (link->peer.is_connected)
            on_lost(owner, link);
        break;
    case MXP_MONITOR_REFUSED: mxp_owner_tell(owner, link, "down", "refused"); break;
    case MXP_MONITOR_DENIED: mxp_owner_tell(owner, link, "down", "keys refused"); break;
    case MXP_MONITOR_GARBAGE:
        mxp_owner_tell(owner, link, "down", "handshake failed");
        break;
    default: break;
    }
}

static void serve(struct mxp_owner *owner, struct mxp_link *link)
{
    struct mxp_monitor_event event;
    read_answers(owner, link);
    while (mxp_monitor_next(link->monitor, &event) != MXP_MONITOR_NOTHING)
        on_connection(owner, link, &event);
}

static void serve_touched(struct mxp_owner *owner)
{
    while (owner->touched) {
        struct mxp_link *link = owner->touched;
        LL_DELETE(owner->touched, link);
        link->is_touched = false;
        serve(owner, link);
    }
}

/* ---- the list of endpoints -----------------------------------------------------------
 */

static int watch(struct mxp_owner *owner, struct mxp_link *link, struct mx_err *err)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = link};
    if (epoll_ctl(owner->epoll_fd, EPOLL_CTL_ADD, link->fd, &event) != 0 ||
        epoll_ctl(owner->epoll_fd, EPOLL_CTL_ADD, mxp_monitor_fd(link->monitor),
                  &event) != 0)
        return mx_err_errno(err, "epoll_ctl");
    mxp_owner_touch(owner, link);
    return 0;
}

static void drop(struct mxp_owner *owner, struct mxp_link *link)
{
    if (link->is_touched)
        LL_DELETE(owner->touched, link);
    epoll_ctl(owner->epoll_fd, EPOLL_CTL_DEL, link->fd, NULL);
    epoll_ctl(owner->epoll_fd, EPOLL_CTL_DEL, mxp_monitor_fd(link->monitor), NULL);
    mxp_calls_forget(owner, link);
    mxp_link_close(link);
}

/* Those that left the list and have nothing in flight are closed. */
static void sweep(struct mxp_owner *owner)
{
    size_t kept = 0;
    owner->has_leaving = false;
    for (size_t i = 0; i < owner->n_links; i++) {
        struct mxp_link *link = owner->links[i];
        bool is_leaving = link->peer.is_leaving;
        if (is_leaving && link->peer.in_flight == 0) {
            drop(owner, link);
        } else {
            owner->has_leaving |= is_leaving;
            owner->links[kept++] = link;
        }
    }
    owner->n_links = kept;
}

static bool is_same(const struct mxp_link *link, const struct mxp_endpoint *endpoint)
{
    const char *key = endpoint->public_key ? endpoint->public_key : "";
    return strcmp(link->address, endpoint->address) == 0 &&
           strcmp(link->server_key, key) == 0;
}

static struct mxp_link *find(struct mxp_link *const *links, size_t n,
                             const struct mxp_endpoint *endpoint)
{
    for (size_t i = 0; i < n; i++) {
        if (is_same(links[i], endpoint))
            return links[i];
    }
    return NULL;
}

/* Opens what is new behind ${list}, which holds the present ones. Returns its length. */
static int open_new(struct mxp_owner *owner, const struct mxp_endpoint *endpoints,
                    size_t n, size_t *length, struct mx_err *err)
{
    struct mxp_link_options options = {.context = owner->context,
                                       .keys = owner->options.keys,
                                       .reply_max = owner->options.reply_max,
                                       .queue_max = 2 * owner->options.in_flight_max};
    for (size_t i = 0; i < n; i++) {
        options.endpoint = &endpoints[i];
        if (find(owner->links, *length, &endpoints[i]))
            continue;
        if (mxp_link_open(&options, &owner->links[*length], err) != 0)
            return -1;
        owner->links[*length]->peer.down_since_ms = owner->now_ms;
        if (watch(owner, owner->links[(*length)++], err) != 0)
            return -1;
    }
    return 0;
}

int mxp_owner_replace(struct mxp_owner *owner, const struct mxp_endpoint *endpoints,
                      size_t n, struct mx_err *err)
{
    size_t length = owner->n_links;
    owner->links = mx_xrealloc(owner->links, (length + n + 1) * sizeof(owner->links[0]));
    if (open_new(owner, endpoints, n, &length, err) != 0) {
        while (length > owner->n_links)
            drop(owner, owner->links[--length]);
        return -1;
    }
    owner->n_links = length;
    for (size_t i = 0; i < length; i++)
        owner->links[i]->peer.is_leaving = true;
    for (size_t i = 0; i < n; i++)
        find(owner->links, length, &endpoints[i])->peer.is_leaving = false;
    sweep(owner);
    mxp_owner_count_usable(owner);
    owner->is_stirred = true;
    return 0;
}

/* ---- the loop ---------------------------------------------------------------------- */

static void run_jobs(struct mxp_owner *owner)
{
    struct mxp_job *job = mxp_inbox_take(&owner->inbox), *next;
    for (; job; job = next) {
        next = job->next; /* the job is gone once it is done */
        job->start(owner, job);
    }
}

static int timeout_ms(const struct mxp_owner *owner)
{
    int64_t left = owner->next_due_ms - mx_mono_ms(&mx_clock_real);
    if (owner->next_due_ms == INT64_MAX || left > MXP_DEADLINE_MAX_MS)
        return (int)MXP_DEADLINE_MAX_MS;
    return left > 0 ? (int)left : 0;
}

void mxp_owner_run(struct mxp_owner *owner)
{
    struct epoll_event events[EVENTS_MAX];
    while (!mxp_inbox_closed(&owner->inbox)) {
        int n = epoll_wait(owner->epoll_fd, events, EVENTS_MAX, timeout_ms(owner));
        bool has_jobs = false;
        owner->now_ms = mx_mono_ms(&mx_clock_real);
        for (int i = 0; i < n; i++) {
            if (events[i].data.ptr)
                mxp_owner_touch(owner, events[i].data.ptr);
            else
                has_jobs = true;
        }
        if (has_jobs)
            run_jobs(owner);
        do {
            serve_touched(owner);
            mxp_calls_run_timers(owner);
        } while (owner->touched);
        if (owner->has_leaving)
            sweep(owner);
    }
    run_jobs(owner);
    mxp_calls_fail_all(owner);
}
