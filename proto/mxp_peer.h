/*
 * What the client knows of one endpoint: connection, work in flight, circuit breaker; and
 * which endpoint to ask. Pure: time and chance are passed in, nothing is sent from here.
 *
 * The breaker is closed (calls go there), or open (none do). While it is open and the
 * endpoint is connected, one call at a time is let through as a probe, at distances that
 * double, with jitter. A good answer closes it.
 */
#ifndef MXP_PEER_H
#define MXP_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* xorshift64*: for choice and jitter, not for secrets. State is never 0. */
struct mxp_random {
    uint64_t state;
};

/** mxp_random_below(random, n): evenly 0 to ${n} - 1; ${n} of 0 gives 0. */
uint32_t mxp_random_below(struct mxp_random *random, uint32_t n);

/* Settings of all breakers of a client. */
struct mxp_breaker {
    unsigned failures_max; /* in a row, then it opens */
    unsigned probe_min_ms, probe_max_ms;
};

struct mxp_peer {
    bool is_connected;
    bool is_draining; /* said so itself; until it connects again */
    bool is_leaving;  /* not in the list any more: finishes what it has */
    bool is_open, is_probing;
    unsigned in_flight;
    unsigned failures;     /* in a row */
    unsigned probe_gap_ms; /* to the next probe, before jitter */
    int64_t probe_at_ms;
    int64_t rest_until_ms; /* overloaded: others first */
    int64_t down_since_ms; /* while it is not connected */
    uint64_t calls, failures_all;
};

/** mxp_peer_connected(peer, now_ms): a new connection; an open breaker may probe at once.
 */
void mxp_peer_connected(struct mxp_peer *peer, int64_t now_ms);
void mxp_peer_disconnected(struct mxp_peer *peer, int64_t now_ms);

/** mxp_peer_asked(peer): an attempt was sent; where the breaker is open it is the probe.
 */
void mxp_peer_asked(struct mxp_peer *peer);

/** mxp_peer_ended(peer): one attempt less in flight; says nothing of good or bad. */
void mxp_peer_ended(struct mxp_peer *peer);

/** mxp_peer_succeeded(peer): a good answer. Returns true where it closed the breaker. */
bool mxp_peer_succeeded(struct mxp_peer *peer);

/**
 * mxp_peer_failed(peer, breaker, random, now_ms):
 * One failure more. Returns true where it opened the breaker (not for a failed probe,
 * which only moves the next one away).
 */
bool mxp_peer_failed(struct mxp_peer *peer, const struct mxp_breaker *breaker,
                     struct mxp_random *random, int64_t now_ms);

/** mxp_peer_trip(...): open at once: nothing that the endpoint says can be used. */
bool mxp_peer_trip(struct mxp_peer *peer, const struct mxp_breaker *breaker,
                   struct mxp_random *random, int64_t now_ms);

/** mxp_peer_rest(peer, random, now_ms): it shed work: the others first for some 50 ms. */
void mxp_peer_rest(struct mxp_peer *peer, struct mxp_random *random, int64_t now_ms);

/** mxp_peer_usable(peer): connected, breaker closed, not on its way out. */
bool mxp_peer_usable(const struct mxp_peer *peer);

/**
 * mxp_peer_hopeful(peer, now_ms):
 * Worth to wait for: breaker closed, and connected or away for less than 10 s (a restart,
 * but not a machine that is gone).
 */
bool mxp_peer_hopeful(const struct mxp_peer *peer, int64_t now_ms);

struct mxp_choice {
    struct mxp_peer *const *peers;
    size_t n;
    const struct mxp_peer *except; /* that was asked already; or NULL */
    bool is_retry; /* this call paid already: probe only as a last resort */
    int64_t now_ms;
};

/**
 * mxp_peer_choose(choice, random):
 * An endpoint whose probe is due (for a retry: at last), else the one of two random
 * usable ones that has less in flight; resting ones only where there is no other. Fails:
 * NULL: none can be asked now.
 */
struct mxp_peer *mxp_peer_choose(const struct mxp_choice *choice,
                                 struct mxp_random *random);

#endif
