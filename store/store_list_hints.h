/*
 * Which kinds of patterns each list had when it was last read: what to ask it for next
 * time. A hint may be wrong; a list names its kinds with each answer, so that whoever
 * followed a wrong one finds out and asks again.
 */
#ifndef STORE_LIST_HINTS_H
#define STORE_LIST_HINTS_H

#include <stdint.h>

#include "mx_str.h"

#define STORE_LIST_HINTS 4096 /* lists; a newer one displaces another */

struct store_list_hints {
    struct {
        uint64_t scope; /* hash of its name */
        uint64_t kinds; /* as a set, see store_pattern.h */
    } slots[STORE_LIST_HINTS];
};

/** store_list_hints_get(hints, scope): for a list not seen yet all but networks, as
 * mailboxes hardly list any. ${hints} begins as zeros. */
uint64_t store_list_hints_get(const struct store_list_hints *hints, struct mx_str scope);

/** store_list_hints_set(hints, scope, kinds): what its answer said. */
void store_list_hints_set(struct store_list_hints *hints, struct mx_str scope,
                          uint64_t kinds);

#endif
