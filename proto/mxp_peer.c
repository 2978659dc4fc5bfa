/*
 * One endpoint as the client sees it, and the choice between endpoints.
 *
 * "The better of two random ones" spreads load as well as asking everybody for theirs,
 * without the herd that a global minimum draws to the endpoint that just came up: every
 * client sees only its own work in flight, and two random draws differ between clients.
 * (Mitzenmacher, The power of two choices in randomized load balancing, 2001.)
 *
 * A call that is late, answered with an internal error, or lost with its connection is a
 * failure; shedding is not: an endpoint that sheds is healthy and only rests for a
 * moment. All calls lost with one connection count as one failure (see mxp_client.c).
 */
#include "mxp_peer.h"

#define REST_MS 50u   /* milliseconds, plus as much jitter */
#define HOPE_MS 10000 /* a daemon has restarted by then, or will not soon */

uint32_t mxp_random_below(struct mxp_random *random, uint32_t n)
{
    uint64_t x = random->state;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    random->state = x;
    /* High bits scaled to the range: the bias is below n / 2^32. */
    uint64_t high = (x * 0x2545f4914f6cdd1dULL) >> 32;
    return (uint32_t)((high * n) >> 32);
}

void mxp_peer_connected(struct mxp_peer *peer, int64_t now_ms)
{
    peer->is_connected = true;
    peer->is_draining = false;
    peer->rest_until_ms = 0;
    if (peer->is_open)
        peer->probe_at_ms = now_ms;
}

void mxp_peer_disconnected(struct mxp_peer *peer, int64_t now_ms)
{
    peer->down_since_ms = now_ms;
    peer->is_connected = false;
    peer->is_draining = false;
    peer->is_probing = false;
}

void mxp_peer_asked(struct mxp_peer *peer)
{
    peer->in_flight++;
    peer->calls++;
    if (peer->is_open)
        peer->is_probing = true;
}

void mxp_peer_ended(struct mxp_peer *peer)
{
    if (peer->in_flight > 0)
        peer->in_flight--;
    if (peer->in_flight == 0)
        peer->is_probing = false;
}

bool mxp_peer_succeeded(struct mxp_peer *peer)
{
    bool has_closed = peer->is_open;
    peer->is_open = peer->is_probing = false;
    peer->failures = 0;
    peer->probe_gap_ms = 0;
    return has_closed;
}

/* Half to one and a half times the gap, which then doubles up to its bound. */
static void plan_probe(struct mxp_peer *peer, const struct mxp_breaker *breaker,
                       struct mxp_random *random, int64_t now_ms)
{
    unsigned gap = peer->probe_gap_ms ? peer->probe_gap_ms : breaker->probe_min_ms;
    peer->probe_at_ms = now_ms + gap / 2 + mxp_random_below(random, gap + 1);
    peer->probe_gap_ms =
        gap > breaker->probe_max_ms / 2 ? breaker->probe_max_ms : gap * 2;
}

bool mxp_peer_trip(struct mxp_peer *peer, const struct mxp_breaker *breaker,
                   struct mxp_random *random, int64_t now_ms)
{
    bool has_opened = !peer->is_open;
    /* Failures of older calls while it is open anyway do not push the probe away. */
    if (has_opened || peer->is_probing)
        plan_probe(peer, breaker, random, now_ms);
    peer->is_open = true;
    peer->is_probing = false;
    return has_opened;
}

bool mxp_peer_failed(struct mxp_peer *peer, const struct mxp_breaker *breaker,
                     struct mxp_random *random, int64_t now_ms)
{
    peer->failures_all++;
    peer->failures++;
    if (!peer->is_open && peer->failures < breaker->failures_max)
        return false;
    return mxp_peer_trip(peer, breaker, random, now_ms);
}

void mxp_peer_rest(struct mxp_peer *peer, struct mxp_random *random, int64_t now_ms)
{
    peer->rest_until_ms = now_ms + REST_MS + mxp_random_below(random, REST_MS);
}

bool mxp_peer_usable(const struct mxp_peer *peer)
{
    return peer->is_connected && !peer->is_open && !peer->is_draining &&
           !peer->is_leaving;
}

bool mxp_peer_hopeful(const struct mxp_peer *peer, int64_t now_ms)
{
    return !peer->is_open && !peer->is_leaving &&
           (peer->is_connected || now_ms - peer->down_since_ms < HOPE_MS);
}

static bool probe_due(const struct mxp_peer *peer, int64_t now_ms)
{
    return peer->is_open && peer->is_connected && !peer->is_probing &&
           !peer->is_leaving && !peer->is_draining && now_ms >= peer->probe_at_ms;
}

/* May this one be asked? On the strict round resting ones may not. */
static bool can_ask(const struct mxp_choice *choice, const struct mxp_peer *peer,
                    bool is_strict)
{
    return peer != choice->except && mxp_peer_usable(peer) &&
           !(is_strict && choice->now_ms < peer->rest_until_ms);
}

/* The candidate of this rank, counted from 0; there are more than ${rank}. */
static struct mxp_peer *nth(const struct mxp_choice *choice, bool is_strict,
                            uint32_t rank)
{
    for (size_t i = 0; i < choice->n; i++) {
        if (can_ask(choice, choice->peers[i], is_strict) && rank-- == 0)
            return choice->peers[i];
    }
    return NULL;
}

static struct mxp_peer *better_of_two(const struct mxp_choice *choice, bool is_strict,
                                      struct mxp_random *random)
{
    uint32_t n = 0;
    for (size_t i = 0; i < choice->n; i++)
        n += can_ask(choice, choice->peers[i], is_strict);
    if (n == 0)
        return NULL;
    uint32_t first = mxp_random_below(random, n);
    struct mxp_peer *a = nth(choice, is_strict, first);
    if (n == 1)
        return a;
    /* Any of the others, evenly. */
    uint32_t second = (first + 1 + mxp_random_below(random, n - 1)) % n;
    struct mxp_peer *b = nth(choice, is_strict, second);
    return b->in_flight < a->in_flight ? b : a;
}

static struct mxp_peer *to_probe(const struct mxp_choice *choice)
{
    for (size_t i = 0; i < choice->n; i++) {
        struct mxp_peer *peer = choice->peers[i];
        if (peer != choice->except && probe_due(peer, choice->now_ms))
            return peer;
    }
    return NULL;
}

struct mxp_peer *mxp_peer_choose(const struct mxp_choice *choice,
                                 struct mxp_random *random)
{
    struct mxp_peer *peer = choice->is_retry ? NULL : to_probe(choice);
    if (peer == NULL)
        peer = better_of_two(choice, true, random);
    if (peer == NULL)
        peer = better_of_two(choice, false, random);
    return peer || !choice->is_retry ? peer : to_probe(choice);
}
