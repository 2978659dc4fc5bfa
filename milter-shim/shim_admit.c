/*
 * Admission happens at CONNECT, as a session that was let in is to be finished: turning
 * a client away before its body was sent costs both sides least, and its MTA tries the
 * next MX at once.
 *
 * The measure is the work in flight per scan worker, as that is how long a new message
 * would wait, in scans: the larger of what this process waits for and of what scanners
 * announce. Strangers go first. Who is no stranger is a table of network hashes with the
 * minute of their last accepted message: direct-mapped, of fixed size, without a lock. A
 * collision makes a stranger of somebody for a while, and does no other harm.
 *
 * Left out: what the client hears (shim_session.c), where the figures come from
 * (shim_backend.c). Other shims' work shows only as busy workers; each sheds by itself.
 */
#include "shim_admit.h"

#include <stdatomic.h>

#include "mx_net.h"
#include "shim_conf.h"

#define KNOWN_MINUTES (7u * 24 * 60)
#define MINUTE_MS 60000
#define MINUTE_MASK 0xffffffu /* low bits of a slot; the rest is the tag */
#define PROBE_MS 1000         /* between two sessions that are let in to find out */

/* FNV-1a over the network that a mail server's neighbours share. */
static uint64_t hash_of(const struct mx_net *addr)
{
    struct mx_net net = mx_net_mask(addr, 24, 64);
    size_t n = net.family == 4 ? 4 : 16;
    uint64_t hash = UINT64_C(14695981039346656037) ^ net.family;
    for (size_t i = 0; i < n; i++)
        hash = (hash ^ net.addr[i]) * UINT64_C(1099511628211);
    return hash ^ hash >> 29;
}

/* Minute 0 means "empty", so the count begins with 1. */
static uint64_t minute_of(int64_t now_ms)
{
    return ((uint64_t)now_ms / MINUTE_MS + 1) & MINUTE_MASK;
}

void shim_admit_learn(struct shim_admit *admit, const struct mx_net *addr, int64_t now_ms)
{
    if (addr->family == 0)
        return;
    uint64_t hash = hash_of(addr);
    uint64_t entry = (hash & ~(uint64_t)MINUTE_MASK) | minute_of(now_ms);
    atomic_store_explicit(&admit->known[hash % SHIM_KNOWN_SLOTS], entry,
                          memory_order_relaxed);
}

bool shim_admit_knows(const struct shim_admit *admit, const struct mx_net *addr,
                      int64_t now_ms)
{
    if (addr->family == 0)
        return false;
    uint64_t hash = hash_of(addr);
    uint64_t entry = atomic_load_explicit(&admit->known[hash % SHIM_KNOWN_SLOTS],
                                          memory_order_relaxed);
    uint64_t since = entry & MINUTE_MASK;
    return since != 0 && ((entry ^ hash) & ~(uint64_t)MINUTE_MASK) == 0 &&
           minute_of(now_ms) - since <= KNOWN_MINUTES;
}

/* One caller a second gets true. */
static bool is_probe(struct shim_admit *admit, int64_t now_ms)
{
    int64_t last = atomic_load(&admit->let_in_ms);
    return now_ms - last >= PROBE_MS &&
           atomic_compare_exchange_strong(&admit->let_in_ms, &last, now_ms);
}

static bool is_beyond(int64_t limit, const struct shim_load *load)
{
    unsigned work = load->in_flight > load->busy ? load->in_flight : load->busy;
    return limit > 0 && load->workers > 0 && work > (uint64_t)limit * load->workers;
}

/* No address: the MTA's own host, by a pipe or a UNIX socket. */
static bool is_local(const struct mx_net *addr)
{
    return addr->family == 0 || (addr->family == 4 && addr->addr[0] == 127);
}

enum shim_admission shim_admit_state(const struct shim_conf *conf,
                                     const struct shim_load *load)
{
    if (!load->is_known || !conf->has_scan)
        return SHIM_ADMITTED;
    if (conf->scand_down_early && load->usable == 0)
        return SHIM_SHED_DOWN;
    bool is_busy =
        is_beyond(conf->shed_load, load) || is_beyond(conf->shed_load_all, load);
    return is_busy ? SHIM_SHED_BUSY : SHIM_ADMITTED;
}

enum shim_admission shim_admit_judge(struct shim_admit *admit,
                                     const struct shim_conf *conf,
                                     const struct shim_load *load,
                                     const struct mx_net *addr, int64_t now_ms)
{
    enum shim_admission state = shim_admit_state(conf, load);
    if (state == SHIM_ADMITTED || is_local(addr))
        return SHIM_ADMITTED;
    if (state == SHIM_SHED_DOWN)
        return is_probe(admit, now_ms) ? SHIM_ADMITTED : SHIM_SHED_DOWN;
    bool is_welcome =
        shim_admit_knows(admit, addr, now_ms) && !is_beyond(conf->shed_load_all, load);
    return is_welcome ? SHIM_ADMITTED : SHIM_SHED_BUSY;
}
