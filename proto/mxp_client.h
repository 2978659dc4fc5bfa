/*
 * Client side: one request, one deadline, the better of two endpoints, one retry on
 * another one, never blocking for ever.
 *
 * One owner thread holds every ZeroMQ socket (a DEALER per endpoint); callers hand it
 * their request and sleep on a condition until the answer or their deadline. Any number
 * of threads may call at once. The owner knows the work in flight on each endpoint and
 * one circuit breaker per endpoint: after failures in a row an endpoint gets no calls but
 * single probes, at times with growing, jittered distance; the first good answer closes
 * the breaker again.
 */
#ifndef MXP_CLIENT_H
#define MXP_CLIENT_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mxp_frame.h"

struct mx_arena;
struct mx_clock;
struct mx_err;
struct mxp_client;

/*
 * A message body that several attempts may send without copying it; counted, as ZeroMQ
 * may still hold it when the caller has gone.
 */
struct mxp_body;

/** mxp_body_new(p, n, release, user): ${release} is called once, from any thread, when
 * the last holder is done. */
struct mxp_body *mxp_body_new(const void *p, size_t n, void (*release)(void *user),
                              void *user);
void mxp_body_unref(struct mxp_body *body);

/* CURVE keys in Z85, as mxdropctl keygen prints them; all NULL on ipc:// and loopback. */
struct mxp_keys {
    const char *public_key, *secret_key;
};

struct mxp_endpoint {
    const char *address;    /* "ipc:///run/mxdrop/policyd.sock", "tcp://192.0.2.1:9610" */
    const char *public_key; /* of that server; NULL or "" without CURVE */
};

/* What changed on an endpoint, for the log of the program. Called on the owner thread. */
struct mxp_client_event {
    const char *address;
    const char *state;  /* "up", "down", "version" */
    const char *reason; /* "timeout", "refused", "draining" ... */
};

struct mxp_client_options {
    const char *name; /* for thread names: "policy", "scan" */
    struct mxp_keys keys;
    unsigned breaker_failures; /* in a row until the breaker opens; 0: 3 */
    unsigned probe_min_ms,
        probe_max_ms;       /* first and longest distance of probes; 0: 200, 5000 */
    unsigned in_flight_max; /* calls waiting at once; beyond: MX_ERR_LIMIT; 0: 4096 */
    size_t reply_max;       /* octets of a reply's payload; 0: MXP_PAYLOAD_MAX */
    void (*on_event)(void *user, const struct mxp_client_event *event);
    void *user;
};

/**
 * mxp_client_new(options, out, err):
 * Start the owner thread, without endpoints.
 * Owner:  mxp_client_free, which fails the calls under way with MX_ERR_DOWN.
 */
int mxp_client_new(const struct mxp_client_options *options, struct mxp_client **out,
                   struct mx_err *err);
void mxp_client_free(struct mxp_client *client);

/**
 * mxp_client_endpoints(client, endpoints, n, err):
 * Replace the list. An endpoint that stays keeps its connection and its history; one that
 * goes finishes what is in flight. At most 1024. Not to be called from on_event.
 * Fails:  an address that ZeroMQ refuses, tcp:// to a host other than loopback without
 *         keys (-1, the list stays as it was).
 */
int mxp_client_endpoints(struct mxp_client *client, const struct mxp_endpoint *endpoints,
                         size_t n, struct mx_err *err);

struct mxp_call {
    enum mxp_type type;
    const ProtobufCMessage *payload;
    struct mxp_body *body;    /* or NULL; borrowed for the call */
    enum mxp_type reply_type; /* anything else is a failure of that endpoint */
    unsigned deadline_ms;     /* for everything */
    unsigned attempt_ms; /* after this the second endpoint is asked too, if there is one;
                            0: only when the first fails */
    unsigned tick_ms;    /* call ->on_tick that often while waiting; 0: never */
    void (*on_tick)(void *user);
    void *user;
};

struct mxp_answer {
    struct mx_str payload; /* encoded reply, in the caller's arena */
    unsigned attempts;
    char endpoint[128]; /* who answered */
};

/**
 * mxp_client_call(client, arena, call, out, err):
 * Ask and wait. Callable from any thread. An endpoint that fails, sheds (overloaded,
 * draining) or is late costs one retry on another; a second failure ends the call.
 * Owner:  ${out}->payload lives in ${arena}.
 * Where none is connected the call waits for one that is new or went less than 10 s ago;
 * it fails at once where there is none, or all breakers are open. Calls whose connection
 * broke wait for it too, within their deadline. Fails:  deadline (MX_ERR_TIMEOUT), no
 * endpoint that could be asked, or both failed (MX_ERR_DOWN), the server says our request
 * is bad (MX_ERR_INPUT), other major (MX_ERR_VERSION), too many calls in flight
 * (MX_ERR_LIMIT) (-1).
 */
int mxp_client_call(struct mxp_client *client, struct mx_arena *arena,
                    const struct mxp_call *call, struct mxp_answer *out,
                    struct mx_err *err);

/** mxp_client_usable(client): endpoints that a call would go to now: connected, breaker
 * closed. */
size_t mxp_client_usable(const struct mxp_client *client);

struct mxp_endpoint_stat {
    char address[128];
    bool is_open; /* breaker open: not used but for probes */
    unsigned in_flight;
    uint64_t calls, failures;
};

/** mxp_client_stats(client, out, max): one entry an endpoint; returns how many. */
size_t mxp_client_stats(struct mxp_client *client, struct mxp_endpoint_stat *out,
                        size_t max);

#endif
