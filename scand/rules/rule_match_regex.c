/*
 * Reads patterns into trees of byte sets. A descent over the pattern: alternatives, rows,
 * atoms with quantifiers. Flags i, s, x are followed as they come and go, as sets come
 * out folded and "." depends on them; m and captures make no difference to which strings
 * can match.
 *
 * It leaves out what no filter can be made of, and refuses it: the caller then lets the
 * judge look at every text. Depth and number of nodes are bounded.
 */
#include "rule_match_regex.h"

#include <string.h>

#include "mx_arena.h"
#include "mx_err.h"

#include "rule_match_class.h"

struct parser {
    struct regex *regex;
    struct mx_str s;
    size_t at;
    struct regex_flags flags;
    unsigned depth;
};

static struct regex_node *parse_alternatives(struct parser *p);

void regex_set_add(struct regex_set *set, unsigned from, unsigned to)
{
    for (unsigned c = from; c <= to; c++)
        set->bits[c >> 6] |= UINT64_C(1) << (c & 63);
}

void regex_set_join(struct regex_set *set, const struct regex_set *other)
{
    for (size_t i = 0; i < 4; i++)
        set->bits[i] |= other->bits[i];
}

unsigned regex_fold(unsigned byte)
{
    unsigned other = byte ^ 0x20;
    unsigned lower = byte | 0x20;
    bool is_ascii = lower >= 'a' && lower <= 'z';
    bool is_latin = lower >= 0xe0 && lower <= 0xfe && lower != 0xf7;
    return is_ascii || is_latin ? other : byte;
}

struct regex_node *regex_node_new(struct regex *regex, enum regex_op op)
{
    struct regex_node *node = mx_arena_alloc(regex->arena, sizeof(*node));
    node->op = op;
    regex->n_nodes++;
    return node;
}

static bool has(const struct parser *p, size_t n)
{
    return p->s.n - p->at >= n;
}

static bool takes(struct parser *p, const char *text)
{
    size_t n = strlen(text);
    if (!has(p, n) || memcmp(p->s.p + p->at, text, n) != 0)
        return false;
    p->at += n;
    return true;
}

/* A node that stands for something forgotten. */
static struct regex_node *loose(struct parser *p, enum regex_op op)
{
    p->regex->is_exact = false;
    return regex_node_new(p->regex, op);
}

/* Under x: white space and comments between atoms mean nothing. */
static void skip_blank(struct parser *p)
{
    while (p->flags.x && has(p, 1)) {
        char c = p->s.p[p->at];
        if (c == '#') {
            while (has(p, 1) && p->s.p[p->at] != '\n')
                p->at++;
        } else if (c == ' ' || (c >= '\t' && c <= '\r')) {
            p->at++;
        } else {
            return;
        }
    }
}

/* ---- groups ------------------------------------------------------------------------ */

/* "imsx-i", "^aa" up to ":" or ")": true at either. */
static bool take_flags(struct parser *p)
{
    bool value = true;
    while (has(p, 1)) {
        char c = p->s.p[p->at];
        if (c == ':' || c == ')')
            return true;
        p->at++;
        switch (c) {
        case '^': p->flags = (struct regex_flags){0}; break;
        case '-': value = false; break;
        case 'i': p->flags.i = value; break;
        case 's': p->flags.s = value; break;
        case 'x':
            if (p->flags.x && value)
                return false; /* xx: blanks in classes, too */
            p->flags.x = value;
            break;
        case 'm':
        case 'n':
        case 'a':
        case 'U': break;
        default: return false;
        }
    }
    return false;
}

/* Behind "(?<", "(?'": the name up to its end. */
static bool skip_name(struct parser *p, char end)
{
    size_t from = p->at;
    while (has(p, 1) && p->s.p[p->at] != end && p->s.p[p->at] != ')')
        p->at++;
    return p->at > from && has(p, 1) && p->s.p[p->at++] == end;
}

static struct regex_node *finish_group(struct parser *p, bool is_assertion)
{
    struct regex_node *node = parse_alternatives(p);
    if (node == NULL || !takes(p, ")"))
        return NULL;
    return is_assertion ? loose(p, REGEX_EMPTY) : node;
}

/* "(?i)" lasts to the end of the group around it; "(?i:" has a group of its own. */
static struct regex_node *flag_group(struct parser *p, struct regex_flags *keep)
{
    if (!take_flags(p))
        return NULL;
    if (takes(p, ")")) {
        *keep = p->flags;
        return regex_node_new(p->regex, REGEX_EMPTY);
    }
    p->at++;
    return finish_group(p, false);
}

static struct regex_node *special_group(struct parser *p, struct regex_flags *keep)
{
    if (takes(p, "#")) {
        while (has(p, 1) && p->s.p[p->at] != ')')
            p->at++;
        return takes(p, ")") ? regex_node_new(p->regex, REGEX_EMPTY) : NULL;
    }
    if (takes(p, "=") || takes(p, "!") || takes(p, "<=") || takes(p, "<!"))
        return finish_group(p, true);
    if (takes(p, ">")) {
        p->regex->is_exact = false;
        return finish_group(p, false);
    }
    if (takes(p, ":") || takes(p, "|"))
        return finish_group(p, false);
    if (takes(p, "P<") || takes(p, "<"))
        return skip_name(p, '>') ? finish_group(p, false) : NULL;
    if (takes(p, "'"))
        return skip_name(p, '\'') ? finish_group(p, false) : NULL;
    return flag_group(p, keep);
}

/* Behind "(". */
static struct regex_node *parse_group(struct parser *p)
{
    if (p->depth >= REGEX_DEPTH_MAX || takes(p, "*"))
        return NULL;
    p->depth++;
    struct regex_flags keep = p->flags;
    struct regex_node *node =
        takes(p, "?") ? special_group(p, &keep) : finish_group(p, false);
    p->flags = keep;
    p->depth--;
    return node;
}

/* ---- atoms ------------------------------------------------------------------------- */

static struct regex_node *set_node(struct parser *p, struct regex_set set)
{
    struct regex_node *node = regex_node_new(p->regex, REGEX_SET);
    if (p->flags.i && regex_class_fold(&set))
        p->regex->folds_high = true;
    node->set = set;
    return node;
}

static struct regex_node *parse_class(struct parser *p)
{
    struct regex_node *node = regex_node_new(p->regex, REGEX_SET);
    bool folds_high = false;
    if (!regex_class_parse(p->s, &p->at, p->flags, &node->set, &folds_high))
        return NULL;
    p->regex->folds_high |= folds_high;
    return node;
}

/* Behind a backslash. */
static struct regex_node *parse_escape(struct parser *p)
{
    struct regex_set set = {{0}};
    if (!has(p, 1))
        return NULL;
    char c = p->s.p[p->at];
    if (memchr("bBAZzGK", c, 7) != NULL) {
        p->at++;
        return loose(p, REGEX_EMPTY);
    }
    if (c >= '1' && c <= '9') {
        p->at++;
        bool is_long = has(p, 1) && p->s.p[p->at] >= '0' && p->s.p[p->at] <= '9';
        return is_long ? NULL : loose(p, REGEX_ANY);
    }
    if (!regex_class_escape(p->s, &p->at, &set))
        return NULL;
    return set_node(p, set);
}

static struct regex_node *parse_atom(struct parser *p)
{
    struct regex_set set = {{0}};
    unsigned char c = (unsigned char)p->s.p[p->at++];
    switch (c) {
    case '(': return parse_group(p);
    case '[': return parse_class(p);
    case '\\': return parse_escape(p);
    case '^':
    case '$': return loose(p, REGEX_EMPTY);
    case '*':
    case '+':
    case '?': return NULL;
    case '.':
        regex_set_add(&set, 0, 255);
        if (!p->flags.s)
            set.bits[0] &= ~(UINT64_C(1) << '\n');
        break;
    default: regex_set_add(&set, c, c); break;
    }
    return set_node(p, set);
}

/* ---- quantifiers ------------------------------------------------------------------- */

/* Decimal digits; at most 65535, which is PCRE2's bound. */
static bool take_number(struct parser *p, uint32_t *out)
{
    uint32_t value = 0;
    size_t from = p->at;
    while (has(p, 1) && p->s.p[p->at] >= '0' && p->s.p[p->at] <= '9' && value < 65536)
        value = value * 10 + (uint32_t)(p->s.p[p->at++] - '0');
    *out = value;
    return p->at > from && value < 65536;
}

/* "{m}", "{m,}", "{m,n}"; anything else in braces is text. */
static bool take_braces(struct parser *p, uint32_t *min, uint32_t *max)
{
    size_t from = p->at;
    if (takes(p, "{") && take_number(p, min)) {
        *max = *min;
        if (takes(p, ",") && !take_number(p, max))
            *max = REGEX_INFINITE;
        if (takes(p, "}") && *min <= *max)
            return true;
    }
    p->at = from;
    return false;
}

static bool take_quantifier(struct parser *p, uint32_t *min, uint32_t *max)
{
    *min = 0;
    *max = REGEX_INFINITE;
    if (takes(p, "?"))
        *max = 1;
    else if (takes(p, "+"))
        *min = 1;
    else if (!takes(p, "*") && !take_braces(p, min, max))
        return false;
    if (takes(p, "+"))
        p->regex->is_exact = false; /* possessive: gives nothing back */
    else
        takes(p, "?");
    return true;
}

static struct regex_node *parse_piece(struct parser *p)
{
    struct regex_node *node = parse_atom(p);
    if (node == NULL)
        return NULL;
    uint32_t min, max;
    skip_blank(p);
    if (!take_quantifier(p, &min, &max))
        return node;
    struct regex_node *repeat = regex_node_new(p->regex, REGEX_REPEAT);
    repeat->min = min;
    repeat->max = max;
    repeat->first = node;
    return repeat;
}

/* ---- rows and alternatives --------------------------------------------------------- */

static struct regex_node *parse_row(struct parser *p)
{
    struct regex_node *row = regex_node_new(p->regex, REGEX_CAT);
    struct regex_node **end = &row->first;
    skip_blank(p);
    while (has(p, 1) && p->s.p[p->at] != '|' && p->s.p[p->at] != ')') {
        struct regex_node *piece = parse_piece(p);
        if (piece == NULL || p->regex->n_nodes > REGEX_NODES_MAX)
            return NULL;
        *end = piece;
        end = &piece->next;
        skip_blank(p);
    }
    return row;
}

static struct regex_node *parse_alternatives(struct parser *p)
{
    struct regex_node *alt = regex_node_new(p->regex, REGEX_ALT);
    struct regex_node **end = &alt->first;
    do {
        struct regex_node *row = parse_row(p);
        if (row == NULL)
            return NULL;
        *end = row;
        end = &row->next;
    } while (takes(p, "|"));
    if (alt->first->next == NULL)
        return alt->first; /* a single row */
    return alt;
}

int regex_parse(struct mx_arena *arena, struct mx_str pattern, struct regex *out,
                struct mx_err *err)
{
    *out = (struct regex){.arena = arena, .is_exact = true};
    struct parser p = {.regex = out, .s = pattern};
    out->root = parse_alternatives(&p);
    if (out->root == NULL || p.at != pattern.n)
        return mx_err_set(err, MX_ERR_INPUT, "at byte %zu: no filter is made of this",
                          p.at);
    return 0;
}
