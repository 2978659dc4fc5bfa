/*
 * Thompson's construction on a tree of byte sets, from the end of the pattern to its
 * start, so that every node knows where to go on when it is made. Repeats are unrolled;
 * the number of nodes is bounded.
 */
#include "rule_match_nfa.h"

#include <stdlib.h>
#include <string.h>

#include "mx_arena.h"

/* ---- nodes ------------------------------------------------------------------------- */

/* Room for ${n} elements more behind the ${count} that are there. */
static void *grow(void *array, size_t *room, size_t count, size_t n, size_t size)
{
    if (count + n <= *room)
        return array;
    *room = (count + n) * 2 + 64;
    return mx_xrealloc(array, *room * size);
}

static uint32_t add_node(struct rule_nfa *nfa, enum nfa_op op, uint32_t set, size_t n)
{
    nfa->nodes = grow(nfa->nodes, &nfa->nodes_room, nfa->n_nodes, 1, sizeof(*nfa->nodes));
    nfa->edges = grow(nfa->edges, &nfa->edges_room, nfa->n_edges, n, sizeof(*nfa->edges));
    nfa->nodes[nfa->n_nodes] =
        (struct nfa_node){op, set, (uint32_t)nfa->n_edges, (uint32_t)n};
    nfa->n_edges += n;
    return (uint32_t)nfa->n_nodes++;
}

static void set_edge(struct rule_nfa *nfa, uint32_t node, size_t nth, uint32_t to)
{
    nfa->edges[nfa->nodes[node].edges + nth] = to;
}

static uint32_t set_number(struct rule_nfa *nfa, const struct regex_set *set)
{
    for (size_t i = 0; i < nfa->n_sets; i++)
        if (memcmp(&nfa->sets[i], set, sizeof(*set)) == 0)
            return (uint32_t)i;
    nfa->sets = grow(nfa->sets, &nfa->sets_room, nfa->n_sets, 1, sizeof(*nfa->sets));
    nfa->sets[nfa->n_sets] = *set;
    return (uint32_t)nfa->n_sets++;
}

/* ---- trees ------------------------------------------------------------------------- */

/* The start of an automaton of ${tree} that goes on at ${next}. */
static uint32_t build(struct rule_nfa *nfa, const struct regex_node *tree, uint32_t next);

static bool is_full(const struct rule_nfa *nfa)
{
    return nfa->n_nodes > RULE_NFA_NODES_MAX || nfa->n_edges > 2 * RULE_NFA_NODES_MAX;
}

static size_t count_children(const struct regex_node *tree)
{
    size_t n = 0;
    for (const struct regex_node *child = tree->first; child; child = child->next)
        n++;
    return n;
}

static uint32_t build_set(struct rule_nfa *nfa, const struct regex_set *set,
                          uint32_t next)
{
    uint32_t node = add_node(nfa, NFA_SET, set_number(nfa, set), 1);
    set_edge(nfa, node, 0, next);
    return node;
}

static uint32_t build_row(struct rule_nfa *nfa, const struct regex_node *tree,
                          uint32_t next)
{
    size_t n = count_children(tree), i = 0;
    const struct regex_node **children = mx_xalloc((n + 1) * sizeof(*children));
    for (const struct regex_node *child = tree->first; child; child = child->next)
        children[i++] = child;
    while (i-- > 0)
        next = build(nfa, children[i], next);
    free(children);
    return next;
}

static uint32_t build_alternatives(struct rule_nfa *nfa, const struct regex_node *tree,
                                   uint32_t next)
{
    uint32_t split = add_node(nfa, NFA_SPLIT, 0, count_children(tree));
    size_t i = 0;
    for (const struct regex_node *child = tree->first; child; child = child->next)
        set_edge(nfa, split, i++, build(nfa, child, next));
    return split;
}

static uint32_t build_repeat(struct rule_nfa *nfa, const struct regex_node *tree,
                             uint32_t next)
{
    bool is_open = tree->max == REGEX_INFINITE;
    uint32_t n_options = is_open ? 1 : tree->max - tree->min;
    uint32_t entry = next;
    for (uint32_t i = 0; i < n_options && !is_full(nfa); i++) {
        uint32_t split = add_node(nfa, NFA_SPLIT, 0, 2);
        set_edge(nfa, split, 0, build(nfa, tree->first, is_open ? split : entry));
        set_edge(nfa, split, 1, next);
        entry = split;
    }
    for (uint32_t i = 0; i < tree->min && !is_full(nfa); i++)
        entry = build(nfa, tree->first, entry);
    return entry;
}

static uint32_t build_any(struct rule_nfa *nfa, uint32_t next)
{
    struct regex_set all = {{0}};
    regex_set_add(&all, 0, 255);
    uint32_t split = add_node(nfa, NFA_SPLIT, 0, 2);
    set_edge(nfa, split, 0, build_set(nfa, &all, split));
    set_edge(nfa, split, 1, next);
    return split;
}

static uint32_t build(struct rule_nfa *nfa, const struct regex_node *tree, uint32_t next)
{
    if (is_full(nfa))
        return next;
    switch (tree->op) {
    case REGEX_EMPTY: break;
    case REGEX_ANY: return build_any(nfa, next);
    case REGEX_SET: return build_set(nfa, &tree->set, next);
    case REGEX_CAT: return build_row(nfa, tree, next);
    case REGEX_ALT: return build_alternatives(nfa, tree, next);
    case REGEX_REPEAT: return build_repeat(nfa, tree, next);
    }
    return next;
}

/* ---- classes ----------------------------------------------------------------------- */

/* Of each class that has bytes inside ${set} and outside, those inside leave it. */
static void split_classes(struct rule_nfa *nfa, const struct regex_set *set)
{
    bool is_outside[256] = {false};
    size_t moved_to[256] = {0}; /* 0 is never a new class */
    for (unsigned c = 0; c < 256; c++)
        if (!regex_set_has(set, c))
            is_outside[nfa->class_of[c]] = true;
    for (unsigned c = 0; c < 256; c++) {
        uint8_t old = nfa->class_of[c];
        if (!regex_set_has(set, c) || !is_outside[old])
            continue;
        if (moved_to[old] == 0)
            moved_to[old] = nfa->n_classes++;
        nfa->class_of[c] = (uint8_t)moved_to[old];
    }
}

static void find_classes(struct rule_nfa *nfa)
{
    nfa->n_classes = 1;
    for (size_t i = 0; i < nfa->n_sets; i++)
        split_classes(nfa, &nfa->sets[i]);
    for (unsigned c = 0; c < 256; c++)
        nfa->byte_of[nfa->class_of[c]] = (uint8_t)c;
}

/* ---- all --------------------------------------------------------------------------- */

struct rule_nfa *rule_nfa_new(const struct regex_node *root)
{
    struct rule_nfa *nfa = mx_xalloc(sizeof(*nfa));
    nfa->start = build(nfa, root, add_node(nfa, NFA_MATCH, 0, 0));
    if (is_full(nfa)) {
        rule_nfa_free(nfa);
        return NULL;
    }
    find_classes(nfa);
    return nfa;
}

void rule_nfa_free(struct rule_nfa *nfa)
{
    if (nfa == NULL)
        return;
    free(nfa->nodes);
    free(nfa->edges);
    free(nfa->sets);
    free(nfa);
}
