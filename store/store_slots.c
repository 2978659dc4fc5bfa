/*
 * A direct-mapped table: one slot per hash value, one comparison per look, no list to
 * walk and nothing to sweep. What it forgets it forgets at random, which suits a memory
 * that only helps while the store is down.
 */
#include "store_slots.h"

#include <stdlib.h>
#include <string.h>

#include "mx_arena.h"

static size_t slot_at(struct mx_str key)
{
    return mx_str_hash(key) % STORE_SLOTS;
}

static bool holds(const struct store_slot *slot, struct mx_str key)
{
    return slot->key != NULL && mx_str_eq(mx_str_of(slot->key, slot->n), key);
}

void store_slots_put(struct store_slots *slots, struct mx_str key, const int64_t value[2],
                     int64_t now_ms)
{
    struct store_slot *slot = &slots->slots[slot_at(key)];
    if (key.n > STORE_SLOTS_KEY_MAX)
        return;
    if (!holds(slot, key)) {
        free(slot->key);
        slot->key = mx_xalloc(key.n + 1);
        if (key.n > 0)
            memcpy(slot->key, key.p, key.n);
        slot->n = key.n;
    }
    slot->value[0] = value[0];
    slot->value[1] = value[1];
    slot->seen_ms = now_ms;
}

const struct store_slot *store_slots_get(const struct store_slots *slots,
                                         struct mx_str key)
{
    const struct store_slot *slot = &slots->slots[slot_at(key)];
    return holds(slot, key) ? slot : NULL;
}

void store_slots_forget(struct store_slots *slots, struct mx_str key)
{
    struct store_slot *slot = &slots->slots[slot_at(key)];
    if (!holds(slot, key))
        return;
    free(slot->key);
    *slot = (struct store_slot){0};
}

void store_slots_fini(struct store_slots *slots)
{
    for (size_t i = 0; i < STORE_SLOTS; i++)
        free(slots->slots[i].key);
}
