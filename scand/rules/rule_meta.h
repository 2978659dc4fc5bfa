/*
 * Meta rules: expressions over the counts of other rules. Compiled when the set is read,
 * with their order of evaluation; run over one array of counts per message.
 */
#ifndef RULE_META_H
#define RULE_META_H

#include <stdbool.h>

#include "rule_expr.h"
#include "rule_set.h"

struct mx_err;
struct rule_names;

#define RULE_META_STEPS_MAX 4000000u /* of all metas of a set */
#define RULE_GLOB_BYTES_MAX                                                              \
    20000000u /* of rules_matching() globs, for each rule tried                          \
               */

struct rule_meta {
    struct rule_expr expr;
    const size_t *needs; /* rules whose counts it reads; each once */
    size_t n_needs;
};

/* Bounds that all metas of one set share. */
struct rule_meta_budget {
    size_t steps, glob_bytes;
};

/**
 * rule_meta_compile(set, index, budget, out, err):
 * The program of meta rule ${index}, whose set has all its rules and names.
 * Owner:  set->arena.
 * Fails:  syntax or a bound (-1).
 */
int rule_meta_compile(const struct rule_set *set, size_t index,
                      struct rule_meta_budget *budget, const struct rule_meta **out,
                      struct mx_err *err);

/**
 * rule_meta_sort(set, out):
 * The metas of ${set} in an order in which each comes after those it reads. Metas of a
 * cycle, and those that read them, are left out: they never hit.
 * Owner:  ${out} in set->arena. Returns how many there are.
 */
size_t rule_meta_sort(const struct rule_set *set, const uint32_t **out);

/** rule_meta_value(meta, counts): what it comes to; not 0 is a hit. */
double rule_meta_value(const struct rule_meta *meta, const double *counts);

/**
 * rule_meta_run(set, score_set, counts):
 * Evaluate every meta that is active in ${score_set}, in order, and write its count:
 * its value, at least 1 where it hits with less than nothing. ${counts} has one element
 * for each rule; those of other rules are read only.
 */
void rule_meta_run(const struct rule_set *set, unsigned score_set, double *counts);

#endif
