/*
 * Makes coarse patterns. Stock rules hold patterns of up to 200 kB: words whose every
 * letter is spelled in hundreds of ways, and long lists of phrases. No automaton of all
 * of them runs fast, but to decide where the judge must look, much less will do:
 *
 *   letters    in an alternative, all that is spelled with high bytes (UTF-8) becomes
 *              a run of high bytes, all entities one, single bytes a set
 *   repeats    of more than a few rounds become open ended
 *   windows    of a row too long for the budget, the run of pieces that is rarest
 *   shares     alternatives share the budget
 *
 * Each step only adds strings, so a text without a match of the result has no match of
 * the original. How rare a match is gets estimated from the bytes of average mail; a
 * result that would match nearly everywhere is of no use, which the caller decides.
 */
#include "rule_match_coarse.h"

#include <math.h>

#include "mx_arena.h"
#include "mx_err.h"

#include "rule_match_regex.h"

#define COST_MAX 1000000u     /* positions are not counted further */
#define SHARE_MIN 6           /* positions each alternative gets */
#define ROUNDS_MAX 4          /* of a repeat of one byte, when it has to be small */
#define GROUP_ROUNDS_MAX 8    /* of any other */
#define SEQUENCE_BYTES_MAX 12 /* of a spelled letter */

/* What is known of the strings of a node. */
struct summary {
    size_t min, max; /* length; max COST_MAX: no bound */
    size_t cost;
    double bits;
    struct regex_set first, later; /* bytes at the start, and behind it */
};

struct shrinker {
    struct regex *regex;
};

/* Share of a byte in mail text, in parts of 10,000; rough on purpose. */
static unsigned weight_of(unsigned c)
{
    unsigned lower = c | 0x20;
    if (c == ' ')
        return 1500;
    if (c >= 'a' && c <= 'z')
        return c == 'e' || c == 't' || c == 'a' || c == 'o' ? 600 : 200;
    if (lower >= 'a' && lower <= 'z')
        return 30;
    if (c >= '0' && c <= '9')
        return 40;
    if (c < 0x80)
        return c > ' ' || c == '\n' ? 25 : 1;
    return 2;
}

static double share_of(const struct regex_set *set)
{
    unsigned sum = 0;
    for (unsigned i = 0; i < 4; i++)
        for (uint64_t rest = set->bits[i]; rest != 0; rest &= rest - 1)
            sum += weight_of(i * 64 + (unsigned)__builtin_ctzll(rest));
    return sum < 10000 ? sum / 10000.0 : 1;
}

static size_t cap(size_t n)
{
    return n < COST_MAX ? n : COST_MAX;
}

static void summarise(const struct regex_node *node, struct summary *out);

static void summarise_row(const struct regex_node *node, struct summary *out)
{
    for (const struct regex_node *child = node->first; child; child = child->next) {
        struct summary s;
        summarise(child, &s);
        if (out->min == 0)
            regex_set_join(&out->first, &s.first);
        if (out->max > 0)
            regex_set_join(&out->later, &s.first);
        regex_set_join(&out->later, &s.later);
        out->min = cap(out->min + s.min);
        out->max = cap(out->max + s.max);
        out->cost = cap(out->cost + s.cost);
        out->bits += s.bits;
    }
}

static void summarise_alternatives(const struct regex_node *node, struct summary *out)
{
    double hits = 0;
    out->min = COST_MAX;
    for (const struct regex_node *child = node->first; child; child = child->next) {
        struct summary s;
        summarise(child, &s);
        regex_set_join(&out->first, &s.first);
        regex_set_join(&out->later, &s.later);
        out->min = s.min < out->min ? s.min : out->min;
        out->max = s.max > out->max ? s.max : out->max;
        out->cost = cap(out->cost + s.cost);
        hits += exp2(-s.bits);
    }
    out->bits = hits >= 1 || hits <= 0 ? 0 : -log2(hits);
}

static void summarise_repeat(const struct regex_node *node, struct summary *out)
{
    struct summary s;
    summarise(node->first, &s);
    size_t rounds = node->max == REGEX_INFINITE ? node->min : node->max;
    *out = s;
    out->min = cap(s.min * node->min);
    out->max = node->max == REGEX_INFINITE && s.max > 0 ? COST_MAX : cap(s.max * rounds);
    out->cost = cap(s.cost * (rounds > 0 ? rounds : 1));
    out->bits = s.bits * node->min;
    if (node->max > 1)
        regex_set_join(&out->later, &s.first);
}

static void summarise(const struct regex_node *node, struct summary *out)
{
    *out = (struct summary){0};
    switch (node->op) {
    case REGEX_EMPTY: return;
    case REGEX_SET:
        out->min = out->max = out->cost = 1;
        out->bits = -log2(share_of(&node->set));
        out->first = node->set;
        return;
    case REGEX_ANY:
        out->max = COST_MAX;
        out->cost = 1;
        regex_set_add(&out->first, 0, 255);
        regex_set_add(&out->later, 0, 255);
        return;
    case REGEX_CAT: summarise_row(node, out); return;
    case REGEX_ALT: summarise_alternatives(node, out); return;
    case REGEX_REPEAT: summarise_repeat(node, out); return;
    }
}

/* ---- letters ----------------------------------------------------------------------- */

/* What the branches of an alternative that spell a letter come down to. */
struct letters {
    struct regex_set ascii;        /* single bytes */
    struct regex_set entity_later; /* behind "&" */
    bool has_ascii, has_high, has_entity;
};

static bool starts_high(const struct regex_set *set)
{
    return set->bits[0] == 0 && set->bits[1] == 0;
}

static bool starts_entity(const struct regex_set *set)
{
    return set->bits[0] == UINT64_C(1) << '&' && set->bits[1] == 0 && set->bits[2] == 0 &&
           set->bits[3] == 0;
}

/* Take a branch that spells a letter; false: it is something else. */
static bool letters_take(struct letters *letters, const struct summary *s)
{
    if (s->min == 1 && s->max == 1) {
        for (size_t i = 0; i < 2; i++)
            letters->ascii.bits[i] |= s->first.bits[i];
        letters->has_ascii |= (s->first.bits[0] | s->first.bits[1]) != 0;
        letters->has_high |= (s->first.bits[2] | s->first.bits[3]) != 0;
        return true;
    }
    if (s->min == 0 || s->max > SEQUENCE_BYTES_MAX)
        return false;
    if (starts_high(&s->first) && starts_high(&s->later)) {
        letters->has_high = true;
        return true;
    }
    if (!starts_entity(&s->first) || s->min == 1)
        return false;
    letters->has_entity = true;
    regex_set_join(&letters->entity_later, &s->later);
    return true;
}

static struct regex_node *set_node(struct regex *regex, struct regex_set set)
{
    struct regex_node *node = regex_node_new(regex, REGEX_SET);
    node->set = set;
    return node;
}

static struct regex_node *many_node(struct regex *regex, struct regex_set set)
{
    struct regex_node *node = regex_node_new(regex, REGEX_REPEAT);
    node->first = set_node(regex, set);
    node->min = 1;
    node->max = REGEX_INFINITE;
    return node;
}

static void prepend(struct regex_node *parent, struct regex_node *child)
{
    child->next = parent->first;
    parent->first = child;
}

static void put_letters(struct regex *regex, const struct letters *letters,
                        struct regex_node *alt)
{
    struct regex_set high = {{0}}, amp = {{0}};
    regex_set_add(&high, 0x80, 0xff);
    regex_set_add(&amp, '&', '&');
    if (letters->has_entity) {
        struct regex_node *row = regex_node_new(regex, REGEX_CAT);
        prepend(row, many_node(regex, letters->entity_later));
        prepend(row, set_node(regex, amp));
        prepend(alt, row);
    }
    if (letters->has_high)
        prepend(alt, many_node(regex, high));
    if (letters->has_ascii)
        prepend(alt, set_node(regex, letters->ascii));
}

/* Join the spellings of a letter among the branches of ${alt}; others stay. */
static void join_letters(struct shrinker *shrinker, struct regex_node *alt)
{
    struct letters letters = {.has_ascii = false};
    struct regex_node **link = &alt->first;
    while (*link != NULL) {
        struct summary s;
        summarise(*link, &s);
        if (letters_take(&letters, &s))
            *link = (*link)->next;
        else
            link = &(*link)->next;
    }
    put_letters(shrinker->regex, &letters, alt);
}

/* Everywhere in the tree, innermost first. */
static void simplify(struct shrinker *shrinker, struct regex_node *node)
{
    for (struct regex_node *child = node->first; child; child = child->next)
        simplify(shrinker, child);
    if (node->op == REGEX_ALT)
        join_letters(shrinker, node);
    if (node->op == REGEX_REPEAT &&
        node->max > (node->first->op == REGEX_SET ? ROUNDS_MAX : GROUP_ROUNDS_MAX)) {
        node->min = node->min < ROUNDS_MAX ? node->min : ROUNDS_MAX;
        node->max = REGEX_INFINITE;
    }
}

/* ---- budget ------------------------------------------------------------------------ */

static struct regex_node *shrink(struct shrinker *shrinker, struct regex_node *node,
                                 size_t budget);

/* A copy of the pieces ${from} to ${to} (not included) of a row. */
static struct regex_node *window(struct shrinker *shrinker, struct regex_node *from,
                                 const struct regex_node *to)
{
    struct regex_node *row = regex_node_new(shrinker->regex, REGEX_CAT);
    struct regex_node **end = &row->first;
    for (; from != to; from = from->next) {
        *end = regex_node_new(shrinker->regex, from->op);
        **end = *from;
        (*end)->next = NULL;
        end = &(*end)->next;
    }
    return row;
}

struct best {
    struct regex_node *from, *to;
    double bits;
};

/* The window of pieces that fits and is rarest. */
static struct best best_window(struct regex_node *row, size_t budget)
{
    struct best best = {NULL, NULL, -1};
    for (struct regex_node *from = row->first; from != NULL; from = from->next) {
        size_t cost = 0;
        double bits = 0;
        for (struct regex_node *to = from; to != NULL; to = to->next) {
            struct summary s;
            summarise(to, &s);
            cost += s.cost;
            bits += s.bits;
            if (cost > budget)
                break;
            if (bits > best.bits + 0.01)
                best = (struct best){from, to->next, bits};
        }
    }
    return best;
}

static struct regex_node *shrink_row(struct shrinker *shrinker, struct regex_node *row,
                                     size_t budget)
{
    struct best best = best_window(row, budget);
    struct regex_node *small = NULL;
    double small_bits = best.bits;
    for (struct regex_node *child = row->first; child != NULL; child = child->next) {
        struct summary s;
        summarise(child, &s);
        if (s.cost <= budget || s.bits <= small_bits)
            continue;
        struct regex_node *next = child->next;
        struct regex_node *tried = shrink(shrinker, child, budget);
        child->next = next;
        summarise(tried, &s);
        if (s.cost <= budget && s.bits > small_bits) {
            small = tried;
            small_bits = s.bits;
        }
    }
    if (small != NULL)
        return window(shrinker, small, small->next);
    return window(shrinker, best.from, best.to);
}

static struct regex_node *shrink_alternatives(struct shrinker *shrinker,
                                              struct regex_node *alt, size_t budget)
{
    size_t n = 0;
    for (struct regex_node *child = alt->first; child; child = child->next)
        n++;
    size_t share = budget / n > SHARE_MIN ? budget / n : SHARE_MIN;
    struct regex_node *out = regex_node_new(shrinker->regex, REGEX_ALT);
    struct regex_node **end = &out->first;
    for (struct regex_node *child = alt->first, *next; child; child = next) {
        next = child->next;
        struct regex_node *small = shrink(shrinker, child, share);
        *end = window(shrinker, small, small->next);
        end = &(*end)->next;
    }
    return out;
}

/* A superset of ${node} that costs no more than ${budget}, or as little as can be had. */
static struct regex_node *shrink(struct shrinker *shrinker, struct regex_node *node,
                                 size_t budget)
{
    struct summary s;
    summarise(node, &s);
    if (s.cost <= budget)
        return node;
    if (shrinker->regex->n_nodes > REGEX_NODES_MAX)
        return regex_node_new(shrinker->regex, REGEX_EMPTY);
    switch (node->op) {
    case REGEX_CAT: return shrink_row(shrinker, node, budget);
    case REGEX_ALT: return shrink_alternatives(shrinker, node, budget);
    case REGEX_REPEAT:
        if (node->min > 0) /* one round is enough to be seen */
            return shrink(shrinker, node->first, budget);
        return regex_node_new(shrinker->regex, REGEX_EMPTY);
    case REGEX_EMPTY:
    case REGEX_SET:
    case REGEX_ANY: break;
    }
    return node;
}

/* ---- text -------------------------------------------------------------------------- */

static void put_byte(struct mx_buf *buf, unsigned c)
{
    bool is_plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (is_plain)
        mx_buf_printf(buf, "%c", (char)c);
    else
        mx_buf_printf(buf, "\\x%02x", c);
}

static void put_set(struct mx_buf *buf, const struct regex_set *set)
{
    mx_buf_str(buf, "[");
    for (unsigned c = 0; c < 256; c++) {
        if (!regex_set_has(set, c))
            continue;
        unsigned to = c;
        while (to < 255 && regex_set_has(set, to + 1))
            to++;
        put_byte(buf, c);
        if (to > c) {
            mx_buf_str(buf, "-");
            put_byte(buf, to);
        }
        c = to;
    }
    mx_buf_str(buf, "]");
}

static bool is_empty(const struct regex_set *set)
{
    return (set->bits[0] | set->bits[1] | set->bits[2] | set->bits[3]) == 0;
}

static void put_node(struct mx_buf *buf, const struct regex_node *node);

static void put_repeat(struct mx_buf *buf, const struct regex_node *node)
{
    mx_buf_str(buf, "(?:");
    put_node(buf, node->first);
    mx_buf_str(buf, ")");
    if (node->max == REGEX_INFINITE && node->min < 2)
        mx_buf_str(buf, node->min == 0 ? "*" : "+");
    else if (node->max == REGEX_INFINITE)
        mx_buf_printf(buf, "{%u,}", node->min);
    else
        mx_buf_printf(buf, "{%u,%u}", node->min, node->max);
}

static void put_node(struct mx_buf *buf, const struct regex_node *node)
{
    const struct regex_node *child = node->first;
    switch (node->op) {
    case REGEX_EMPTY: return;
    case REGEX_ANY: mx_buf_str(buf, ".*"); return;
    case REGEX_SET:
        if (is_empty(&node->set))
            mx_buf_str(buf, "[^\\x00-\\xff]");
        else
            put_set(buf, &node->set);
        return;
    case REGEX_CAT:
        for (; child != NULL; child = child->next)
            put_node(buf, child);
        return;
    case REGEX_ALT:
        mx_buf_str(buf, "(?:");
        for (; child != NULL; child = child->next) {
            put_node(buf, child);
            mx_buf_str(buf, child->next != NULL ? "|" : ")");
        }
        return;
    case REGEX_REPEAT: put_repeat(buf, node); return;
    }
}

/* What is said of the tree as it is now. */
static void tell(const struct regex *regex, struct rule_coarse *out)
{
    struct summary s;
    summarise(regex->root, &s);
    *out = (struct rule_coarse){.root = regex->root,
                                .cost = s.cost,
                                .min = s.min,
                                .bits = s.bits,
                                .is_exact = regex->is_exact,
                                .folds_high = regex->folds_high};
}

static int spell(const struct regex *regex, struct mx_str *out, struct mx_err *err)
{
    struct mx_buf buf = {0};
    mx_buf_str(&buf, "(?s)");
    put_node(&buf, regex->root);
    bool fits = !buf.is_overflown && buf.n < mx_arena_left(regex->arena) / 2;
    if (fits)
        *out = mx_str_dup(regex->arena, mx_str_of(buf.p, buf.n));
    mx_buf_fini(&buf);
    return fits ? 0 : mx_err_set(err, MX_ERR_LIMIT, "the pattern is too large");
}

int rule_coarse_make(struct mx_arena *arena, struct mx_str pattern, size_t budget,
                     struct rule_coarse *out, struct mx_err *err)
{
    struct regex regex;
    struct summary s;
    if (regex_parse(arena, pattern, &regex, err) < 0)
        return -1;
    summarise(regex.root, &s);
    if (budget > 0 && s.cost > budget) {
        struct shrinker shrinker = {.regex = &regex};
        simplify(&shrinker, regex.root);
        regex.root = shrink(&shrinker, regex.root, budget);
        regex.is_exact = false;
    }
    tell(&regex, out);
    return spell(&regex, &out->pattern, err);
}

int rule_coarse_loosen(struct mx_arena *arena, struct mx_str pattern,
                       struct rule_coarse *out, struct mx_err *err)
{
    struct regex regex;
    if (regex_parse(arena, pattern, &regex, err) < 0)
        return -1;
    struct shrinker shrinker = {.regex = &regex};
    simplify(&shrinker, regex.root);
    regex.is_exact = false;
    tell(&regex, out);
    return 0;
}
