/* A table from names to numbers: rules, lists, tags, plugins by name. */
#ifndef RULE_NAMES_H
#define RULE_NAMES_H

#include <stddef.h>

#include "mx_str.h"

struct mx_arena;
struct rule_names;

/**
 * rule_names_new(arena):
 * An empty table. Entries live in ${arena}, the table itself on the heap.
 * Owner:  rule_names_free, before the arena goes.
 */
struct rule_names *rule_names_new(struct mx_arena *arena);
void rule_names_free(struct rule_names *names);

/** rule_names_find(names, name): its number, or -1. */
ptrdiff_t rule_names_find(const struct rule_names *names, struct mx_str name);

/** rule_names_set(names, name, number): add or replace; ${name} is borrowed. */
void rule_names_set(struct rule_names *names, struct mx_str name, size_t number);

#endif
