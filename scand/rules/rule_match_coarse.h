/* Small patterns that match wherever a large one does. */
#ifndef RULE_MATCH_COARSE_H
#define RULE_MATCH_COARSE_H

#include <stdbool.h>
#include <stddef.h>

#include "mx_str.h"

struct mx_arena;
struct regex_node;
struct mx_err;

#define RULE_COARSE_ARENA (128u << 20) /* most of it is never touched */

struct rule_coarse {
    struct mx_str pattern; /* byte sets, groups and repeats only; needs no flags but s */
    const struct regex_node *root;
    size_t cost;     /* positions of it */
    size_t min;      /* bytes of its shortest match */
    double bits;     /* how rare a match is: -log2 of its share of places */
    bool is_exact;   /* it matches exactly where the original does */
    bool folds_high; /* the original folds case of bytes from 0xC0 on */
};

/**
 * rule_coarse_make(arena, pattern, budget, out, err):
 * A pattern of at most ${budget} positions (where that can be had) that matches in every
 * text in which ${pattern} does. ${budget} 0: as it is, only spelled out.
 * Owner:  ${out} in ${arena}, of at least RULE_COARSE_ARENA bytes.
 * Fails:  a pattern that is not understood, or too large (-1).
 */
int rule_coarse_make(struct mx_arena *arena, struct mx_str pattern, size_t budget,
                     struct rule_coarse *out, struct mx_err *err);

/**
 * rule_coarse_loosen(arena, pattern, out, err):
 * As rule_coarse_make without a budget, but letters are joined and long repeats open:
 * what rule_match_lazy can run.
 */
int rule_coarse_loosen(struct mx_arena *arena, struct mx_str pattern,
                       struct rule_coarse *out, struct mx_err *err);

#endif
