/*
 * Names to numbers, on uthash. Names from files are hostile at most in number, which the
 * reader bounds; uthash expands its buckets so that a lookup stays short.
 */
#include "rule_names.h"

#include <stdint.h>
#include <uthash.h>

#include "mx_arena.h"

struct entry {
    size_t number;
    UT_hash_handle hh;
};

struct rule_names {
    struct mx_arena *arena;
    struct entry *entries;
};

struct rule_names *rule_names_new(struct mx_arena *arena)
{
    struct rule_names *names = mx_arena_alloc(arena, sizeof(*names));

    names->arena = arena;
    return names;
}

void rule_names_free(struct rule_names *names)
{
    if (names) {
        HASH_CLEAR(hh, names->entries);
    }
}

static struct entry *find(const struct rule_names *names, struct mx_str name)
{
    struct entry *found = NULL;

    if (name.n > 0 && name.n <= UINT32_MAX) {
        HASH_FIND(hh, names->entries, name.p, name.n, found);
    }
    return found;
}

ptrdiff_t rule_names_find(const struct rule_names *names, struct mx_str name)
{
    const struct entry *found = find(names, name);

    return found ? (ptrdiff_t)found->number : -1;
}

void rule_names_set(struct rule_names *names, struct mx_str name, size_t number)
{
    struct entry *entry = find(names, name);

    if (!entry && name.n > 0) {
        entry = mx_arena_alloc(names->arena, sizeof(*entry));
        HASH_ADD_KEYPTR(hh, names->entries, name.p, name.n, entry);
    }
    if (entry) {
        entry->number = number;
    }
}
