/*
 * A server of the wire in a thread, for tests of the client: answers status requests,
 * with its own name as program, in the way that the test sets.
 */
#ifndef ECHO_SERVER_H
#define ECHO_SERVER_H

#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "admin.pb-c.h"
#include "mx_err.h"
#include "mx_time.h"
#include "mxp_server.h"

enum echo_mode {
    ECHO_ANSWER,
    ECHO_SWALLOW,    /* reads, never answers */
    ECHO_ERROR,      /* error_code */
    ECHO_WRONG_TYPE, /* a reply that nobody asked for */
};

struct echo_server {
    char endpoint[128];
    char name[16];
    struct mxp_server *server;
    pthread_t thread;
    atomic_int mode, error_code;
    atomic_uint requests, faults;
    atomic_size_t body_octets;
    atomic_bool is_stopping;
    char fault_text[256]; /* the last; read it after echo_stop */
};

static inline void echo_on_fault(void *user, const char *peer, enum mx_err_code code,
                                 const char *reason)
{
    struct echo_server *echo = user;
    (void)code;
    snprintf(echo->fault_text, sizeof(echo->fault_text), "%s: %s", peer, reason);
    atomic_fetch_add(&echo->faults, 1);
}

static inline void echo_one(struct echo_server *echo, const struct mxp_request *request)
{
    atomic_fetch_add(&echo->requests, 1);
    atomic_fetch_add(&echo->body_octets, request->body.n);
    Mxp__StatusReply reply = MXP__STATUS_REPLY__INIT;
    reply.program = echo->name;
    switch (atomic_load(&echo->mode)) {
    case ECHO_ANSWER:
        mxp_server_reply(echo->server, request, MXP_STATUS_REPLY, &reply.base);
        break;
    case ECHO_ERROR:
        mxp_server_error(echo->server, request, atomic_load(&echo->error_code),
                         "as told");
        break;
    case ECHO_WRONG_TYPE:
        mxp_server_reply(echo->server, request, MXP_SCAN_REPLY, &reply.base);
        break;
    default: break;
    }
}

static inline void *echo_run(void *state)
{
    struct echo_server *echo = state;
    struct pollfd fd = {.fd = mxp_server_fd(echo->server), .events = POLLIN};
    while (!atomic_load(&echo->is_stopping)) {
        bool more = true;
        while (more) {
            struct mxp_request *request = mxp_server_next(echo->server, &more);
            if (request)
                echo_one(echo, request);
            mxp_request_free(request);
        }
        poll(&fd, 1, 10);
    }
    return NULL;
}

/* ${options} may be NULL; endpoint, on_fault and user are ours. */
static inline void echo_start(struct echo_server *echo, const char *endpoint,
                              const char *name, const struct mxp_server_options *options)
{
    struct mx_err err = {0};
    struct mxp_server_options own = options ? *options : (struct mxp_server_options){0};
    memset(echo, 0, sizeof(*echo));
    snprintf(echo->endpoint, sizeof(echo->endpoint), "%s", endpoint);
    snprintf(echo->name, sizeof(echo->name), "%s", name);
    own.endpoint = echo->endpoint;
    own.on_fault = echo_on_fault;
    own.user = echo;
    if (mxp_server_open(&own, &echo->server, &err) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(pthread_create(&echo->thread, NULL, echo_run, echo), 0);
}

static inline void echo_stop(struct echo_server *echo)
{
    atomic_store(&echo->is_stopping, true);
    pthread_join(echo->thread, NULL);
    mxp_server_close(echo->server);
}

/* Wait until ${*value} reaches ${at_least}; a test that waits five seconds has failed. */
static inline void echo_await(atomic_uint *value, unsigned at_least)
{
    int64_t give_up = mx_mono_ms(&mx_clock_real) + 5000;
    while (atomic_load(value) < at_least) {
        if (mx_mono_ms(&mx_clock_real) > give_up)
            fail_msg("waited for %u, have %u", at_least, atomic_load(value));
        poll(NULL, 0, 1);
    }
}

#endif
