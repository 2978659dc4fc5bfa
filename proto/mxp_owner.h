/*
 * The owner thread of a client: every socket, every call under way. Internal to the
 * client; mxp_client.c is what others see.
 */
#ifndef MXP_OWNER_H
#define MXP_OWNER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "mx_err.h"
#include "mxp_inbox.h"
#include "mxp_link.h"

/* One call, on the stack of the thread that waits for it. */
struct mxp_flight {
    struct mxp_job job; /* first */
    const struct mxp_call *call;
    struct mxp_parcel parcel;
    int64_t deadline_ms; /* on the monotonic clock */
    /* The result; the owner writes it before the job is done. */
    int rc;
    struct mx_err err;
    zmq_msg_t reply;
    unsigned attempts;
    char endpoint[MXP_ADDRESS_MAX];
};

/* A call as the owner keeps it, or a ghost: see mxp_owner.c. */
struct mxp_slot {
    uint64_t id;                   /* 0: free */
    struct mxp_flight *flight;     /* NULL: a ghost */
    struct mxp_link *asked[2];     /* that may still answer */
    const struct mxp_link *except; /* failed this call: do not ask it again */
    int64_t due_ms, hedge_ms, deadline_ms;
    struct mxp_slot *prev, *next;
};

struct mx_arena;

struct mxp_owner {
    struct mxp_client_options options;
    struct mxp_breaker breaker;
    struct mxp_inbox inbox;
    struct mxp_random random;
    atomic_uint waiting;  /* calls posted and not done */
    atomic_size_t usable; /* for mxp_client_usable */
    void *context;
    int epoll_fd;
    /* Only the owner's thread touches what follows. */
    int64_t now_ms, next_due_ms;
    struct mxp_link **links;
    size_t n_links;
    struct mxp_link *touched;
    struct mxp_slot *slots, *active, *free;
    uint64_t *ids; /* the last id that each slot had */
    size_t n_slots, n_ghosts, ghosts_max;
    bool is_stirred; /* something changed that waiting calls may profit from */
    bool has_leaving;
    struct mx_arena *scratch;
};

/** mxp_owner_init(owner, options, err) / mxp_owner_fini: without a thread. */
int mxp_owner_init(struct mxp_owner *owner, const struct mxp_client_options *options,
                   struct mx_err *err);
void mxp_owner_fini(struct mxp_owner *owner);

/** mxp_owner_run(owner): the thread's work, until the inbox is closed. */
void mxp_owner_run(struct mxp_owner *owner);

/** mxp_owner_replace(owner, endpoints, n, err): mxp_client_endpoints, on the owner's
 * thread. */
int mxp_owner_replace(struct mxp_owner *owner, const struct mxp_endpoint *endpoints,
                      size_t n, struct mx_err *err);

/* For mxp_calls: */

/** mxp_owner_touch(owner, link): look at ${link} before the next sleep. */
void mxp_owner_touch(struct mxp_owner *owner, struct mxp_link *link);

/** mxp_owner_failed(owner, link, reason): one failure of ${link}; tells if it opened the
 * breaker. */
void mxp_owner_failed(struct mxp_owner *owner, struct mxp_link *link, const char *reason);

/** mxp_owner_tell(owner, link, state, reason): an event, unless ${state} was the last
 * told. */
void mxp_owner_tell(struct mxp_owner *owner, struct mxp_link *link, const char *state,
                    const char *reason);

/** mxp_owner_count_usable(owner): after a link became usable, or ceased to be. */
void mxp_owner_count_usable(struct mxp_owner *owner);

#endif
