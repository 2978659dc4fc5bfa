/*
 * Every key of ours in Redis, in one file.
 *
 *   mx:ls:{SCOPE}              hash: pattern -> "a 1700000000000" | "d 1700000000000",
 *                              "#" -> letters of the kinds of patterns in it, or "*":
 *                              without it nobody sees the list (store_pattern.h)
 *   mx:gl:{POOL}:n             counter: passes of the pool                     (TTL)
 *   mx:gl:{POOL}:t:HASH        hash of one tuple: f first, l last, n passes, t text (TTL)
 *   mx:rl:{NAME}               bucket of a rate limit: its theoretical arrival time (TTL)
 *   mx:qt:{MAILBOX}            hash: limit and used (bytes), active (ms)
 *   mx:qt:{MAILBOX}:over       since when it is over its quota, ms             (TTL)
 *   mx:pr:{SCOPE}              hash: name of a choice -> value
 *   mx:{epoch}                 since when this store keeps state
 *   mx:reg:{ROLE}:due          sorted set: node id by the time its entry ends  (TTL)
 *   mx:reg:{ROLE}:node         hash: node id -> encoded Node                   (TTL)
 *   mx:{probe}                 written to see whether Redis takes writes       (TTL)
 *
 * The part in braces is the cluster's hash tag: keys of one script share it. Text from
 * outside enters a key only encoded: letters, digits and @ . _ : / + = - stand for
 * themselves, other bytes are %HH, and what would become longer than STORE_TAG_MAX is
 * "#" and a hash. So no input can leave the braces, match as a pattern in SCAN, or make
 * a long key.
 */
#ifndef STORE_KEYS_H
#define STORE_KEYS_H

#include <stddef.h>

#include "mx_str.h"

struct mx_arena;

#define STORE_TAG_MAX 200 /* bytes of an encoded scope or pool */
#define STORE_HASH_HEX 32 /* digits of a hash: 128 bits */
#define STORE_KEY_MAX 288 /* bytes that hold any key of ours with its NUL */
#define STORE_EPOCH_KEY "mx:{epoch}"
#define STORE_PROBE_KEY "mx:{probe}"

struct store_key {
    char text[STORE_KEY_MAX]; /* ends in NUL */
    size_t n;
};

/** store_keys_list(out, scope): the list of a scope ("user@dom", "@dom", "system"). */
struct mx_str store_keys_list(struct store_key *out, struct mx_str scope);

/** store_keys_prefs(out, scope): what a scope chose. */
struct mx_str store_keys_prefs(struct store_key *out, struct mx_str scope);

/** store_keys_prefs_glob(out): SCAN pattern of all scopes that chose something. */
struct mx_str store_keys_prefs_glob(struct store_key *out);

/** store_keys_pool(out, pool): the counter of a sender pool. */
struct mx_str store_keys_pool(struct store_key *out, struct mx_str pool);

/** store_keys_tuple(out, pool, tuple): what is greylisted in a pool; ${tuple} is hashed.
 */
struct mx_str store_keys_tuple(struct store_key *out, struct mx_str pool,
                               struct mx_str tuple);

/** store_keys_counter_of(out, key): the counter of the pool that a tuple's key is in. */
struct mx_str store_keys_counter_of(struct store_key *out, struct mx_str key);

/** store_keys_rate(out, name): the bucket of what is limited. */
struct mx_str store_keys_rate(struct store_key *out, struct mx_str name);

/** store_keys_rates_glob(out): SCAN pattern of all buckets. */
struct mx_str store_keys_rates_glob(struct store_key *out);

/** store_keys_quota(out, mailbox), store_keys_over(out, mailbox): quota of a mailbox. */
struct mx_str store_keys_quota(struct store_key *out, struct mx_str mailbox);
struct mx_str store_keys_over(struct store_key *out, struct mx_str mailbox);

/** store_keys_due(out, role), store_keys_node(out, role): the registry of one role. */
struct mx_str store_keys_due(struct store_key *out, const char *role);
struct mx_str store_keys_node(struct store_key *out, const char *role);

/** store_keys_tuples_glob(out, pool): SCAN pattern of a pool's tuples; "": of all. */
struct mx_str store_keys_tuples_glob(struct store_key *out, struct mx_str pool);

/** store_keys_pools_glob(out, pool): SCAN pattern of everything on a pool; "": on all. */
struct mx_str store_keys_pools_glob(struct store_key *out, struct mx_str pool);

/**
 * store_keys_pool_of(arena, key, out):
 * The pool that a greylist key belongs to, decoded; "#hash" where it was too long.
 * Owner:  ${out} is in ${arena}.
 * Fails:  not a greylist key (-1, ${out} untouched).
 */
int store_keys_pool_of(struct mx_arena *arena, struct mx_str key, struct mx_str *out);

/** store_keys_rate_of(arena, key, out): the name of a bucket, as store_keys_pool_of. */
int store_keys_rate_of(struct mx_arena *arena, struct mx_str key, struct mx_str *out);

/** store_keys_prefs_of(arena, key, out): the scope of choices, as store_keys_pool_of. */
int store_keys_prefs_of(struct mx_arena *arena, struct mx_str key, struct mx_str *out);

#endif
