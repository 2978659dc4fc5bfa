/*
 * What policies need of the shared state, in their own words. A check asks all its
 * questions as one batch (one pipelined round trip in Redis) and tells its effects
 * without waiting.
 *
 * Adding a kind of question: a member here, an entry in the tables of store_redis_kinds.c
 * and store_mem.c, a test that both agree (tests/unit/test_store_agree.c).
 *
 * A store belongs to one loop (thread). Answers come through one callback per batch;
 * only the policy chain and the tools use it.
 */
#ifndef STORE_H
#define STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mx_str.h"
#include "store_prefs.h"

struct mx_arena;
struct mx_err;
struct mx_net;
struct store;

enum store_kind {
    STORE_LIST_MATCH, /* is one of these patterns on this scope's allow/deny list? */
    STORE_GREY_SEEN,  /* when was this (pool, tuple) first seen, how often did it pass? */
    STORE_EPOCH,      /* since when has this store kept state? */
    STORE_RATE,       /* is there room for this much under this rate? */
    STORE_QUOTA,      /* what is known of this mailbox's quota? */
    STORE_PREFS_OF,   /* what did this scope choose? */
    STORE_DOVECOT, /* its usage as Dovecot's quota_clone wrote it: store_dovecot asks */
};

/* Most specific first: the first that is listed answers. Behind the ${n_patterns} come
   the networks around ${client}, from its address to the widest that can be listed; they
   are written out only where a list has such networks (store_list_pattern). */
struct store_list_query {
    struct mx_str scope;           /* "user@dom" (a mailbox id), "@dom", "system" */
    const struct mx_str *patterns; /* "a@b", "b", ".b" (subdomains) */
    size_t n_patterns;             /* with the networks at most STORE_PATTERNS_MAX */
    const struct mx_net *client;   /* NULL: none */
};
#define STORE_PATTERNS_MAX 64
#define STORE_PATTERN_MAX 512 /* bytes of a pattern or scope: local part, "@", domain */

struct store_grey_query {
    struct mx_str pool;  /* sender pool: "192.0.2.0/24", a domain ... */
    struct mx_str tuple; /* what is greylisted within the pool, any bytes; hashed */
};
#define STORE_TUPLE_TEXT_MAX 512 /* bytes of a tuple that are kept, for people */

/* A token bucket of the whole cluster: ${limit} units per period, all of them at once at
   most. Asking takes nothing; STORE_RATE_HIT does. */
struct store_rate_query {
    struct mx_str name; /* what is limited, any bytes */
    int64_t limit;      /* units per period, at least 1 */
    int64_t period_ms;  /* at least 1 */
    int64_t cost;       /* units, 0 or more */
    int64_t now_ms;     /* wall clock */
};

struct store_question {
    enum store_kind kind;
    union {
        struct store_list_query list;
        struct store_grey_query grey;
        struct store_rate_query rate;
        struct mx_str mailbox; /* STORE_QUOTA: a mailbox id */
        struct {
            struct mx_str scope; /* as of a list */
            unsigned which;      /* 1u << enum store_pref; at least one */
        } prefs;
        struct {
            struct mx_str prefix, username;
        } dovecot;
    };
};

enum store_listing { STORE_NOT_LISTED, STORE_ALLOWED, STORE_DENIED };

struct store_answer {
    bool is_known; /* false: late, broken, down; the rest is zero then */
    union {
        struct {
            enum store_listing listing;
            size_t pattern; /* which one matched, for store_list_pattern */
        } list;
        struct {
            int64_t first_ms; /* wall clock; 0: never seen */
            int64_t last_ms;
            int64_t passes;      /* how often this tuple passed */
            int64_t pool_passes; /* how often any tuple of the pool passed */
        } grey;
        struct {
            int64_t since_ms; /* wall clock; 0: the store holds nothing, not even this */
        } epoch;
        struct {
            int64_t wait_ms; /* 0: there is room; else come back then */
            int64_t left;    /* units that would be left now, without this cost */
        } rate;
        struct {
            bool has_limit, has_used; /* missing is not zero */
            int64_t limit, used;      /* bytes */
            int64_t over_since_ms;    /* wall clock; 0: it is not known to be over */
            int64_t active_ms; /* wall clock of the owner's last visit; 0: not known */
        } quota;
        struct store_prefs prefs;
    };
};

/* One check's questions. The caller owns it until ->done, which is called exactly once,
   perhaps before store_ask returns. */
struct store_batch {
    const struct store_question *questions;
    struct store_answer *answers; /* as many, zeroed by the caller */
    size_t n;
    unsigned timeout_ms;    /* answers after it are unknown */
    struct mx_arena *arena; /* of the request, for encoding */
    void (*done)(struct store_batch *batch);
    void *user;
    /* NULL, or in words why answers are unknown; static text: "store down", "store late",
       "store busy", "store refused" (an error reply), "store closed". */
    const char *fault;
};

enum store_effect_kind {
    STORE_GREY_FIRST,  /* remember the first attempt, unless one is remembered */
    STORE_GREY_PASS,   /* it passed: count for tuple and pool, renew both */
    STORE_EPOCH_SET,   /* the store keeps state from now on, unless it says so already */
    STORE_RATE_HIT,    /* take this cost from the bucket */
    STORE_QUOTA_OVER,  /* the mailbox is over its quota, since now unless it was */
    STORE_QUOTA_UNDER, /* it is not any more */
};

struct store_effect {
    enum store_effect_kind kind;
    union {
        struct store_grey_query grey;
        struct store_rate_query rate;
        struct mx_str mailbox; /* STORE_QUOTA_OVER, STORE_QUOTA_UNDER */
    };
    int64_t now_ms; /* wall clock */
    int64_t ttl_ms; /* how long to remember, 0 not at all; EPOCH_SET: 0 for ever */
};

struct store_stats {
    uint64_t round_trips; /* batches sent */
    uint64_t commands;    /* commands in them */
    uint64_t effects;     /* commands for effects */
    uint64_t unknown;     /* answers that stayed unknown */
    uint64_t lost;        /* effects that were dropped, or that the store refused */
};

struct store_ops {
    void (*ask)(struct store *store, struct store_batch *batch);
    void (*tell)(struct store *store, const struct store_effect *effects, size_t n);
    void (*stats)(const struct store *store, struct store_stats *out);
    bool (*is_up)(const struct store *store);
    void (*free)(struct store *store);
};

/* Implementations embed this as their first member. */
struct store {
    const struct store_ops *ops;
};

/**
 * store_ask(store, batch):
 * Ask everything in one round trip. When the store is down ->done comes at once with all
 * answers unknown.
 */
static inline void store_ask(struct store *store, struct store_batch *batch)
{
    store->ops->ask(store, batch);
}

/** store_tell(store, effects, n): send without waiting; lost when the store is down. */
static inline void store_tell(struct store *store, const struct store_effect *effects,
                              size_t n)
{
    store->ops->tell(store, effects, n);
}

/** store_stats(store, out): since the store was made. */
static inline void store_stats(const struct store *store, struct store_stats *out)
{
    store->ops->stats(store, out);
}

/** store_is_up(store): questions have a chance of being answered. */
static inline bool store_is_up(const struct store *store)
{
    return store->ops->is_up(store);
}

/** store_free(store): batches in flight are done, answers unknown. NULL is fine. */
static inline void store_free(struct store *store)
{
    if (store)
        store->ops->free(store);
}

#endif
