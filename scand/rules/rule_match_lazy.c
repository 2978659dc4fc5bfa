/*
 * A deterministic automaton whose states are made when a text first needs them. A state
 * is the set of nodes that can be reached by what was read, from any place of the text
 * on. All states of a large pattern would be far too many, but mail needs some thousand
 * of them: then each byte finds the next state in a table.
 *
 * What is kept is bounded: past the bound all is forgotten and begun anew. So is what one
 * text can have made: making a state takes some ten microseconds, and a hostile text
 * might ask for one at each byte.
 */
#include "rule_match_lazy.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mx_arena.h"

#include "rule_match_nfa.h"

#define BUCKETS (2 * RULE_LAZY_STATES_MAX)

/* Transitions are the state, or one of these; small, so that more of them stay near. */
typedef uint16_t transition;
#define UNKNOWN UINT16_MAX
#define MATCH (UINT16_MAX - 1)
static_assert(RULE_LAZY_STATES_MAX < MATCH, "a transition holds every state");

struct lazy_state {
    uint32_t items, n_items; /* its nodes */
    uint32_t hash;
};

struct rule_lazy {
    const struct rule_nfa *nfa;
    struct lazy_state *states; /* the first: nothing was read */
    transition *next;          /* by state and class */
    unsigned row_bits;         /* log2 of transitions of a state */
    uint32_t *items;
    uint32_t *buckets; /* 1 + state, by hash */
    size_t n_states, n_items, states_room, items_room;
    uint32_t *begin; /* nodes that wait for the first byte of a match */
    size_t n_begin;
    /* Nodes that are being collected. */
    uint32_t *found, *stack;
    uint32_t *marks, mark; /* by node: equal to mark where it was met */
    size_t n_found;
    bool is_match, matches_nothing; /* met the match; meets it before any byte */
};

/* ---- nodes ------------------------------------------------------------------------- */

static void begin_nodes(struct rule_lazy *lazy)
{
    lazy->mark++;
    lazy->n_found = 0;
    lazy->is_match = false;
}

/* The nodes that wait for a byte, from ${node} on. */
static void collect(struct rule_lazy *lazy, uint32_t node)
{
    const struct rule_nfa *nfa = lazy->nfa;
    size_t n = 0;
    lazy->stack[n++] = node;
    while (n > 0) {
        uint32_t at = lazy->stack[--n];
        const struct nfa_node *found = &nfa->nodes[at];
        if (lazy->marks[at] == lazy->mark)
            continue;
        lazy->marks[at] = lazy->mark;
        if (found->op == NFA_MATCH)
            lazy->is_match = true;
        else if (found->op == NFA_SET)
            lazy->found[lazy->n_found++] = at;
        else
            for (uint32_t i = found->n_edges; i-- > 0;)
                lazy->stack[n++] = nfa->edges[found->edges + i];
    }
}

/* What ${byte} leads to from each of ${nodes}. */
static void follow(struct rule_lazy *lazy, const uint32_t *nodes, size_t n, unsigned byte)
{
    const struct rule_nfa *nfa = lazy->nfa;
    for (size_t i = 0; i < n; i++) {
        const struct nfa_node *node = &nfa->nodes[nodes[i]];
        if (regex_set_has(&nfa->sets[node->set], byte))
            collect(lazy, nfa->edges[node->edges]);
    }
}

static void step(struct rule_lazy *lazy, uint32_t from, unsigned byte)
{
    const struct lazy_state *state = &lazy->states[from];
    begin_nodes(lazy);
    follow(lazy, lazy->items + state->items, state->n_items, byte);
    follow(lazy, lazy->begin, lazy->n_begin, byte);
}

/* ---- states ------------------------------------------------------------------------ */

/* Twice of what was there, no more than there may ever be. */
static size_t more_room(size_t needed, size_t max)
{
    return needed < max / 2 ? needed * 2 : max;
}

static void make_room(struct rule_lazy *lazy)
{
    size_t n_items = lazy->n_items + lazy->n_found;
    if (lazy->n_states == lazy->states_room) {
        size_t row = sizeof(*lazy->next) << lazy->row_bits;
        lazy->states_room = more_room(lazy->n_states + 64, RULE_LAZY_STATES_MAX);
        lazy->states =
            mx_xrealloc(lazy->states, lazy->states_room * sizeof(*lazy->states));
        lazy->next = mx_xrealloc(lazy->next, lazy->states_room * row);
    }
    if (n_items >= lazy->items_room) {
        lazy->items_room = more_room(n_items + 64, RULE_LAZY_ITEMS_MAX + 1);
        lazy->items = mx_xrealloc(lazy->items, lazy->items_room * sizeof(*lazy->items));
    }
}

static uint32_t add_state(struct rule_lazy *lazy, uint32_t hash)
{
    size_t row = sizeof(*lazy->next) << lazy->row_bits;
    make_room(lazy);
    lazy->states[lazy->n_states] =
        (struct lazy_state){(uint32_t)lazy->n_items, (uint32_t)lazy->n_found, hash};
    memcpy(lazy->items + lazy->n_items, lazy->found,
           lazy->n_found * sizeof(*lazy->items));
    lazy->n_items += lazy->n_found;
    memset(lazy->next + (lazy->n_states << lazy->row_bits), 0xff, row); /* UNKNOWN */
    return (uint32_t)lazy->n_states++;
}

static bool is_state(const struct rule_lazy *lazy, uint32_t state, uint32_t hash)
{
    const struct lazy_state *known = &lazy->states[state];
    return known->hash == hash && known->n_items == lazy->n_found &&
           memcmp(lazy->items + known->items, lazy->found,
                  lazy->n_found * sizeof(*lazy->found)) == 0;
}

/* The state of the collected nodes. Nodes come in an order that their set decides but for
   rare cases, in which two states mean the same. */
static uint32_t find_state(struct rule_lazy *lazy)
{
    uint32_t hash = (uint32_t)lazy->n_found;
    for (size_t i = 0; i < lazy->n_found; i++)
        hash = ((hash ^ lazy->found[i]) * 0x9E3779B1u) ^ hash >> 15;
    uint32_t at = hash & (BUCKETS - 1);
    for (; lazy->buckets[at] != 0; at = (at + 1) & (BUCKETS - 1))
        if (is_state(lazy, lazy->buckets[at] - 1, hash))
            return lazy->buckets[at] - 1;
    uint32_t state = add_state(lazy, hash);
    lazy->buckets[at] = state + 1;
    return state;
}

static void forget(struct rule_lazy *lazy)
{
    memset(lazy->buckets, 0, BUCKETS * sizeof(*lazy->buckets));
    lazy->n_states = lazy->n_items = 0;
    begin_nodes(lazy);
    find_state(lazy); /* nothing has begun */
}

static bool is_full(const struct rule_lazy *lazy)
{
    return lazy->n_states == RULE_LAZY_STATES_MAX ||
           lazy->n_items + lazy->nfa->n_nodes > RULE_LAZY_ITEMS_MAX;
}

/* The transition from a state by a class, for the table. */
static transition make_transition(struct rule_lazy *lazy, uint32_t from, size_t class)
{
    step(lazy, from, lazy->nfa->byte_of[class]);
    transition to = lazy->is_match ? MATCH : (transition)find_state(lazy);
    lazy->next[(from << lazy->row_bits) + class] = to;
    return to;
}

/* ---- all --------------------------------------------------------------------------- */

struct rule_lazy *rule_lazy_new(const struct rule_nfa *nfa)
{
    struct rule_lazy *lazy = mx_xalloc(sizeof(*lazy));
    lazy->nfa = nfa;
    while (nfa->n_classes > (size_t)1 << lazy->row_bits)
        lazy->row_bits++;
    lazy->buckets = mx_xalloc(BUCKETS * sizeof(*lazy->buckets));
    lazy->marks = mx_xalloc(nfa->n_nodes * sizeof(*lazy->marks));
    lazy->found = mx_xalloc(nfa->n_nodes * sizeof(*lazy->found));
    lazy->stack = mx_xalloc((nfa->n_edges + 1) * sizeof(*lazy->stack));
    begin_nodes(lazy);
    collect(lazy, nfa->start);
    lazy->n_begin = lazy->n_found;
    lazy->matches_nothing = lazy->is_match;
    lazy->begin = mx_xalloc((lazy->n_begin + 1) * sizeof(*lazy->begin));
    memcpy(lazy->begin, lazy->found, lazy->n_begin * sizeof(*lazy->begin));
    forget(lazy);
    return lazy;
}

void rule_lazy_free(struct rule_lazy *lazy)
{
    if (lazy == NULL)
        return;
    free(lazy->states);
    free(lazy->next);
    free(lazy->items);
    free(lazy->buckets);
    free(lazy->begin);
    free(lazy->marks);
    free(lazy->found);
    free(lazy->stack);
    free(lazy);
}

bool rule_lazy_may_match(struct rule_lazy *lazy, struct mx_str text)
{
    const uint8_t *class_of = lazy->nfa->class_of;
    transition at = 0;
    unsigned n_built = 0;
    if (lazy->matches_nothing)
        return true;
    if (is_full(lazy))
        forget(lazy);
    for (size_t i = 0; i < text.n; i++) {
        size_t class = class_of[(unsigned char)text.p[i]];
        transition to = lazy->next[((size_t)at << lazy->row_bits) + class];
        if (to == UNKNOWN) {
            if (++n_built > RULE_LAZY_BUILT_MAX || is_full(lazy))
                return true;
            to = make_transition(lazy, at, class);
        }
        if (to == MATCH)
            return true;
        at = to;
    }
    return false;
}

size_t rule_lazy_states(const struct rule_lazy *lazy)
{
    return lazy->n_states;
}
