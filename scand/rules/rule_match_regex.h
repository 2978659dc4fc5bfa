/*
 * A pattern as a tree of byte sets: what rule_match_coarse makes prefilters from. The
 * language of the tree holds every string that the pattern matches; assertions, captures
 * and back-references are forgotten, so it may hold more.
 */
#ifndef RULE_MATCH_REGEX_H
#define RULE_MATCH_REGEX_H

#include <stdbool.h>
#include <stdint.h>

#include "mx_str.h"

struct mx_arena;
struct mx_err;

#define REGEX_INFINITE UINT32_MAX
#define REGEX_DEPTH_MAX 200    /* groups in groups */
#define REGEX_NODES_MAX 400000 /* of one pattern */

enum regex_op {
    REGEX_EMPTY,  /* nothing, or an assertion */
    REGEX_SET,    /* one byte of a set */
    REGEX_CAT,    /* children in a row */
    REGEX_ALT,    /* one of the children */
    REGEX_REPEAT, /* the child, min to max times */
    REGEX_ANY,    /* any string: a back-reference */
};

struct regex_set {
    uint64_t bits[4];
};

struct regex_node {
    enum regex_op op;
    uint32_t min, max;
    struct regex_set set;
    struct regex_node *first, *next; /* children; next sibling */
};

struct regex {
    struct mx_arena *arena;
    struct regex_node *root;
    size_t n_nodes;
    bool is_exact;   /* nothing was forgotten */
    bool folds_high; /* case-insensitive bytes from 0xC0 on */
};

/**
 * regex_parse(arena, pattern, out, err):
 * Read a pattern of PCRE2 over bytes.
 * Owner:  nodes in ${arena}: at most 200 bytes for each byte of ${pattern}.
 * Fails:  syntax beyond what is read here (conditions, recursion, verbs, properties),
 *         or a bound; says nothing about whether PCRE2 takes it (-1).
 */
int regex_parse(struct mx_arena *arena, struct mx_str pattern, struct regex *out,
                struct mx_err *err);

/** regex_node_new(regex, op): an empty node. */
struct regex_node *regex_node_new(struct regex *regex, enum regex_op op);

/** regex_set_add(set, from, to): bytes of a range, both ends included. */
void regex_set_add(struct regex_set *set, unsigned from, unsigned to);

/** regex_set_has(set, byte): is it in the set? */
static inline bool regex_set_has(const struct regex_set *set, unsigned byte)
{
    return set->bits[byte >> 6] >> (byte & 63) & 1;
}

/** regex_set_join(set, other): the bytes of both. */
void regex_set_join(struct regex_set *set, const struct regex_set *other);

/** regex_fold(byte): the same letter in the other case, as Perl sees bytes: ASCII and
 * ISO 8859-1 without multiplication and division signs; or the byte itself. */
unsigned regex_fold(unsigned byte);

#endif
