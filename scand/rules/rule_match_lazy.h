/* Runs the automaton of a pattern over texts: mostly one look-up in a table a byte. */
#ifndef RULE_MATCH_LAZY_H
#define RULE_MATCH_LAZY_H

#include <stdbool.h>
#include <stddef.h>

#include "mx_str.h"

struct rule_lazy; /* states met so far: one for each thread */
struct rule_nfa;

/* Together at most 11 MB: a state has two octets for each class of bytes, 256 at most,
   and four for each of its nodes; tables of the pattern have four for each node and edge.
 */
#define RULE_LAZY_STATES_MAX 8192u     /* kept at a time: a power of two */
#define RULE_LAZY_ITEMS_MAX (1u << 20) /* nodes of all of them */
#define RULE_LAZY_BUILT_MAX 400u       /* states made for one text */

/** rule_lazy_new(nfa): no states yet. Owner: rule_lazy_free, before ${nfa}. */
struct rule_lazy *rule_lazy_new(const struct rule_nfa *nfa);
void rule_lazy_free(struct rule_lazy *lazy);

/**
 * rule_lazy_may_match(lazy, text):
 * Does the pattern match somewhere in ${text}? A text that needs more than
 * RULE_LAZY_BUILT_MAX new states may.
 */
bool rule_lazy_may_match(struct rule_lazy *lazy, struct mx_str text);

/** rule_lazy_states(lazy): how many it has now. */
size_t rule_lazy_states(const struct rule_lazy *lazy);

#endif
