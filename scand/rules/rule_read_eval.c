/*
 * Calls of eval functions. An argument is a text in quotes of either kind, which ends at
 * the first such quote that a comma or the end follows, or a bare word of letters,
 * digits and .:- in it.
 */
#include "rule_read_eval.h"

#include <string.h>

#include "mx_arena.h"
#include "mx_err.h"

#include "rule_text.h"

static bool is_bare_byte(char c)
{
    return (rule_text_is_word(c) && c != '_') || c == '.' || c == ':' || c == '-';
}

/* Is ${rest} at its end or at a comma? Cut that and the space around it off. */
static bool take_separator(struct mx_str *rest)
{
    struct mx_str s = rule_text_trim(*rest);

    if (s.n > 0 && s.p[0] != ',') {
        return false;
    }
    *rest = rule_text_trim(mx_str_sub(s, 1, s.n));
    return true;
}

/* Behind the opening quote: the argument up to its closing one. Quotes that close
   nothing are passed, so the whole line is looked at once for each argument at most. */
static bool take_quoted(struct mx_str *rest, char quote, struct mx_str *out)
{
    for (size_t i = 0; i < rest->n; i++) {
        struct mx_str tail;

        if (rest->p[i] != quote) {
            continue;
        }
        tail = mx_str_sub(*rest, i + 1, rest->n);
        if (take_separator(&tail)) {
            *out = mx_str_sub(*rest, 0, i);
            *rest = tail;
            return true;
        }
    }
    return false;
}

static bool take_bare(struct mx_str *rest, struct mx_str *out)
{
    struct mx_str tail;
    size_t n = 0;

    while (n < rest->n && is_bare_byte(rest->p[n])) {
        n++;
    }
    tail = mx_str_sub(*rest, n, rest->n);
    if (n == 0 || !take_separator(&tail)) {
        return false;
    }
    *out = mx_str_sub(*rest, 0, n);
    *rest = tail;
    return true;
}

static int take_args(struct mx_arena *arena, struct mx_str text, struct rule *rule,
                     struct mx_err *err)
{
    struct mx_str args[RULE_ARGS_MAX], rest = rule_text_trim(text), *copy;
    size_t n = 0;

    while (rest.n > 0) {
        char first = rest.p[0];
        struct mx_str inside = mx_str_sub(rest, 1, rest.n);
        bool taken;

        if (n == RULE_ARGS_MAX) {
            return mx_err_set(err, MX_ERR_LIMIT, "more than %d arguments", RULE_ARGS_MAX);
        }
        if (first == '\'' || first == '"') {
            taken = take_quoted(&inside, first, &args[n]);
            rest = inside;
        } else {
            taken = take_bare(&rest, &args[n]);
        }
        if (!taken) {
            return mx_err_set(err, MX_ERR_INPUT,
                              "argument %zu is neither a quoted text "
                              "nor a word",
                              n + 1);
        }
        n++;
    }
    copy = mx_arena_array(arena, n + 1, sizeof(*copy));
    memcpy(copy, args, n * sizeof(*copy));
    rule->args = copy;
    rule->n_args = n;
    return 0;
}

int rule_read_eval(struct mx_arena *arena, struct mx_str call, struct rule *rule,
                   struct mx_err *err)
{
    size_t n = 0;

    while (n < call.n && rule_text_is_word(call.p[n])) {
        n++;
    }
    if (n == 0 || n + 2 > call.n || call.p[n] != '(' || call.p[call.n - 1] != ')') {
        return mx_err_set(err, MX_ERR_INPUT, "eval:function(arguments) expected");
    }
    rule->function = mx_str_sub(call, 0, n);
    if (rule->kind == RULE_HEADER_EVAL &&
        (mx_str_starts(rule->function, MX_STR("check_rbl")) ||
         mx_str_starts(rule->function, MX_STR("check_dns")))) {
        rule->kind = RULE_RBL_EVAL;
    }
    return take_args(arena, mx_str_sub(call, n + 1, call.n - n - 2), rule, err);
}
