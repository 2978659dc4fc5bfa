/*
 * Criteria of uri_detail rules: NAME =~ /re/mods or NAME !~ /re/mods, in any number, with
 * anything between them, which is passed over as in the original. A pattern ends at the
 * first delimiter that modifiers and then space (or the end) follow. Brackets do not come
 * in pairs here: what opens a pattern closes it.
 */
#include "rule_read_criteria.h"

#include "mx_arena.h"
#include "mx_err.h"

#include "rule_read.h"
#include "rule_text.h"

static const char *const names[] = {"raw", "type", "cleaned", "text", "domain", "host"};

#define NAMES (sizeof(names) / sizeof(names[0]))

/* The index of a criterion's name; NAMES: it is none. */
static size_t name_index(struct mx_str name)
{
    size_t i = 0;

    while (i < NAMES && !mx_str_eq(name, mx_str(names[i]))) {
        i++;
    }
    return i;
}

/* The word at the end of ${line}, but for space. */
static struct mx_str last_word(struct mx_str line)
{
    struct mx_str s = rule_text_trim(line);
    size_t from = s.n;

    while (from > 0 && rule_text_is_word(s.p[from - 1])) {
        from--;
    }
    return mx_str_sub(s, from, s.n - from);
}

static bool is_modifier(char c)
{
    return c == 'i' || c == 'm' || c == 's' || c == 'x';
}

/* How many modifiers ${s} begins with, if its end or space follows them; else -1. */
static ptrdiff_t count_modifiers(struct mx_str s)
{
    size_t n = 0;

    while (n < s.n && is_modifier(s.p[n])) {
        n++;
    }
    return n == s.n || rule_text_is_space(s.p[n]) ? (ptrdiff_t)n : -1;
}

/* Length of "/re/mods" or "m,re,mods" at the start of ${s}; 0: there is none. */
static size_t literal_length(struct mx_str s)
{
    size_t open = mx_str_starts(s, MX_STR("m"));

    if (s.n <= open + 1 || rule_text_is_word(s.p[open]) || (!open && s.p[0] != '/')) {
        return 0;
    }
    for (size_t i = open + 1; i < s.n; i++) {
        ptrdiff_t n =
            s.p[i] == s.p[open] ? count_modifiers(mx_str_sub(s, i + 1, s.n)) : -1;

        if (n >= 0) {
            return i + 1 + (size_t)n;
        }
    }
    return 0;
}

/* Where the next "=~" or "!~" of ${s} is, or -1. */
static ptrdiff_t find_operator(struct mx_str s)
{
    for (size_t i = 0; i + 1 < s.n; i++) {
        if ((s.p[i] == '=' || s.p[i] == '!') && s.p[i + 1] == '~') {
            return (ptrdiff_t)i;
        }
    }
    return -1;
}

/* Cut "NAME =~ literal" off ${rest}, up to its operator at ${at}, into ${args}. */
static int take_criterion(struct mx_arena *arena, struct mx_str *rest, size_t at,
                          struct mx_str *args, struct mx_err *err)
{
    struct mx_str name = last_word(mx_str_sub(*rest, 0, at)), literal;
    size_t i = name_index(name), n;

    if (i == NAMES) {
        return mx_err_set(err, MX_ERR_INPUT, "\"%.*s\" is nothing of a URI",
                          MX_STR_FMT(mx_str_sub(name, 0, 80)));
    }
    args += i * RULE_CRITERION_ARGS;
    args[0] = name;
    args[1] = mx_str_sub(*rest, at, 2);
    literal = rule_text_trim(mx_str_sub(*rest, at + 2, rest->n));
    n = literal_length(literal);
    if (n == 0) {
        return mx_err_set(err, MX_ERR_INPUT, "%.*s without a /pattern/",
                          MX_STR_FMT(name));
    }
    *rest = mx_str_sub(literal, n, literal.n);
    return rule_read_pattern(arena, mx_str_sub(literal, 0, n), &args[2], err);
}

int rule_read_criteria(struct mx_arena *arena, struct mx_str line, struct rule *rule,
                       struct mx_err *err)
{
    struct mx_str args[NAMES * RULE_CRITERION_ARGS] = {{NULL, 0}}, *out;
    struct mx_str rest = line;
    ptrdiff_t at;

    while ((at = find_operator(rest)) >= 0) {
        if (take_criterion(arena, &rest, (size_t)at, args, err)) {
            return -1;
        }
    }
    out = mx_arena_array(arena, NAMES * RULE_CRITERION_ARGS, sizeof(*out));
    rule->n_args = 0;
    for (size_t i = 0; i < NAMES * RULE_CRITERION_ARGS; i += RULE_CRITERION_ARGS) {
        for (size_t j = 0; args[i].n > 0 && j < RULE_CRITERION_ARGS; j++) {
            out[rule->n_args++] = args[i + j];
        }
    }
    rule->args = out;
    return rule->n_args > 0 ? 0
                            : mx_err_set(err, MX_ERR_INPUT, "NAME =~ /pattern/ expected");
}
