/*
 * Data directives: words and lines that eval functions and texts look up, kept as named
 * lists in file order.
 */
#ifndef RULE_LIST_H
#define RULE_LIST_H

#include <stdbool.h>

#include "mx_str.h"

#include "rule_set.h"

struct mx_arena;
struct mx_err;
struct rule_names;

#define RULE_LISTS_MAX 10000           /* named lists, enlist_* (NAME) */
#define RULE_LIST_ENTRIES_MAX 1000000u /* words of all lists, removals included */

struct rule_list_draft;

/* Lists while rule files are being read. */
struct rule_lists {
    struct mx_arena *arena;
    struct rule_names *names; /* "directive\0(NAME)" -> draft */
    struct rule_list_draft *drafts;
    size_t n, room, n_entries;
};

/** rule_lists_init, _fini(lists): no lists yet; ${arena} outlives them. */
void rule_lists_init(struct rule_lists *lists, struct mx_arena *arena);
void rule_lists_fini(struct rule_lists *lists);

/** rule_lists_has(directive): is ${directive} (lower case, _) one of data? */
bool rule_lists_has(struct mx_str directive);

/**
 * rule_lists_take(lists, directive, value, err):
 * Take one line of data.
 * Fails:  no value, a value of the wrong form, a bound (-1).
 */
int rule_lists_take(struct rule_lists *lists, struct mx_str directive,
                    struct mx_str value, struct mx_err *err);

/**
 * rule_lists_finish(lists, set, err):
 * Resolve removals and repetitions, put the lists into ${set}, and what forming texts
 * needs into set->text.
 * Fails:  a network that cannot be read; it is left out, the rest is taken (-1).
 */
int rule_lists_finish(struct rule_lists *lists, struct rule_set *set, struct mx_err *err);

#endif
