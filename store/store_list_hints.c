/*
 * A direct-mapped table of hashes: two lists that share a slot, or even a hash, cost each
 * other a second look and nothing else, so names are not kept and slots do not expire.
 */
#include "store_list_hints.h"

#include "store_pattern.h"

uint64_t store_list_hints_get(const struct store_list_hints *hints, struct mx_str scope)
{
    uint64_t hash = mx_str_hash(scope);
    size_t at = hash % STORE_LIST_HINTS;
    return hints->slots[at].scope == hash ? hints->slots[at].kinds : STORE_KINDS_SENDERS;
}

void store_list_hints_set(struct store_list_hints *hints, struct mx_str scope,
                          uint64_t kinds)
{
    uint64_t hash = mx_str_hash(scope);
    size_t at = hash % STORE_LIST_HINTS;
    hints->slots[at].scope = hash;
    hints->slots[at].kinds = kinds;
}
