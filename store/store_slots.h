/* A table of fixed size: keys of any bytes, two numbers each, newer ones displace. */
#ifndef STORE_SLOTS_H
#define STORE_SLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mx_str.h"

#define STORE_SLOTS 4096u         /* entries kept, at most */
#define STORE_SLOTS_KEY_MAX 1025u /* bytes; longer ones are not kept */

struct store_slot {
    char *key; /* NULL: free */
    size_t n;
    int64_t value[2];
    int64_t seen_ms;
};

/* Direct-mapped: an entry displaces the one whose key falls into its slot. Keys are kept
   and compared whole: no sender can make up one that passes for another. */
struct store_slots {
    struct store_slot slots[STORE_SLOTS];
};

/**
 * store_slots_put(slots, key, value, now_ms):
 * Keep two numbers for a key, seen now (milliseconds of any clock that the caller keeps
 * to).
 * Owner:  copies ${key}.
 */
void store_slots_put(struct store_slots *slots, struct mx_str key, const int64_t value[2],
                     int64_t now_ms);

/** store_slots_get(slots, key): its entry, or NULL; until the next put or forget. */
const struct store_slot *store_slots_get(const struct store_slots *slots,
                                         struct mx_str key);

/** store_slots_forget(slots, key): no entry for it any more. */
void store_slots_forget(struct store_slots *slots, struct mx_str key);

/** store_slots_fini(slots): frees what it keeps, not itself. */
void store_slots_fini(struct store_slots *slots);

#endif
