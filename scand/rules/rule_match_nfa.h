/*
 * A pattern as an automaton: nodes that take a byte, nodes that lead to several others, a
 * node that is the match. rule_match_lazy runs it.
 */
#ifndef RULE_MATCH_NFA_H
#define RULE_MATCH_NFA_H

#include <stddef.h>
#include <stdint.h>

#include "rule_match_regex.h"

#define RULE_NFA_NODES_MAX 100000u

enum nfa_op {
    NFA_SET,   /* take a byte of a set, go on at the only edge */
    NFA_SPLIT, /* go on at every edge */
    NFA_MATCH,
};

struct nfa_node {
    enum nfa_op op;
    uint32_t set;            /* its number */
    uint32_t edges, n_edges; /* in edges of the automaton */
};

struct rule_nfa {
    struct nfa_node *nodes;
    uint32_t *edges;
    struct regex_set *sets; /* all different */
    uint32_t start;
    size_t n_nodes, n_edges, n_sets;
    size_t nodes_room, edges_room, sets_room;
    uint8_t class_of[256]; /* bytes of a class are in the same sets */
    uint8_t byte_of[256];  /* one byte of each class */
    size_t n_classes;
};

/**
 * rule_nfa_new(root):
 * The automaton of a pattern; NULL: it has more than RULE_NFA_NODES_MAX nodes.
 * Owner:  rule_nfa_free.
 */
struct rule_nfa *rule_nfa_new(const struct regex_node *root);
void rule_nfa_free(struct rule_nfa *nfa);

#endif
