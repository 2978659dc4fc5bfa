/*
 * Directives that define rules: header, body, meta and so on. A later definition replaces
 * an earlier one if it is good; a broken one is noted and the earlier one stays.
 */
#include "rule_read.h"

#include "mx_arena.h"
#include "mx_err.h"

#include "rule_read_criteria.h"
#include "rule_read_eval.h"
#include "rule_text.h"

/* /re/mods into ${rule}. */
static int take_pattern(struct rule_reader *reader, struct mx_str literal,
                        struct rule *rule, struct mx_err *err)
{
    if (rule_read_pattern(reader->arena, literal, &rule->pattern, err)) {
        return -1;
    }
    rule->flags |= rule_read_captures(rule->pattern);
    return 0;
}

static bool is_selector_byte(char c)
{
    return rule_text_is_word(c) || c == '.' || c == '-' || c == ':';
}

/* One of the words that may stand behind a colon of a selector. */
static bool is_modifier(struct mx_str word)
{
    static const char *const words[] = {"raw", "addr",  "name",  "host", "domain",
                                        "ip",  "revip", "first", "last"};

    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
        if (mx_str_ieq(word, mx_str(words[i]))) {
            return true;
        }
    }
    return false;
}

/* "Name", "Name:", "Name:mod", "Name:mod:mod": without a colon at the end. */
static int check_selector(struct mx_str *selector, struct mx_err *err)
{
    struct mx_str rest = *selector, field;
    unsigned n = 0;

    if (rest.n > 0 && rest.p[rest.n - 1] == ':') {
        *selector = rest = mx_str_sub(rest, 0, rest.n - 1);
    }
    while (mx_str_next(&rest, ':', &field) == 0) {
        if (field.n == 0 || n > 2 || (n > 0 && !is_modifier(field))) {
            return mx_err_set(err, MX_ERR_INPUT, "no such header or modifier");
        }
        n++;
    }
    return n > 0 ? 0 : mx_err_set(err, MX_ERR_INPUT, "no header named");
}

/* Cut " [if-unset: TEXT]" off the end of ${literal}. */
static void take_if_unset(struct mx_str *literal, struct rule *rule)
{
    ptrdiff_t at = mx_str_find(*literal, MX_STR("[if-unset:"));
    struct mx_str text;

    if (at < 1 || literal->p[literal->n - 1] != ']' ||
        !rule_text_is_space(literal->p[at - 1])) {
        return;
    }
    text = mx_str_sub(*literal, (size_t)at + 10, literal->n - (size_t)at - 11);
    if (text.n < 2 || !rule_text_is_space(text.p[0])) {
        return;
    }
    while (text.n > 1 && rule_text_is_space(text.p[0])) {
        text = mx_str_sub(text, 1, text.n);
    }
    rule->if_unset = text;
    rule->has_if_unset = true;
    *literal = rule_text_trim(mx_str_sub(*literal, 0, (size_t)at));
}

/* "HDR =~ /re/ [if-unset: X]" into ${rule}. */
static int take_match(struct rule_reader *reader, struct mx_str value, struct rule *rule,
                      struct mx_err *err)
{
    struct mx_str literal;
    size_t n = 0;

    while (n < value.n && is_selector_byte(value.p[n])) {
        n++;
    }
    rule->selector = mx_str_sub(value, 0, n);
    literal = rule_text_trim(mx_str_sub(value, n, value.n));
    if (mx_str_starts(literal, MX_STR("!~"))) {
        rule->flags |= RULE_NEGATED;
    } else if (!mx_str_starts(literal, MX_STR("=~"))) {
        return mx_err_set(err, MX_ERR_INPUT, "HEADER =~ /pattern/ expected");
    }
    literal = rule_text_trim(mx_str_sub(literal, 2, literal.n));
    if (check_selector(&rule->selector, err)) {
        return -1;
    }
    take_if_unset(&literal, rule);
    return take_pattern(reader, literal, rule, err);
}

static int take_exists(struct mx_str name, struct rule *rule, struct mx_err *err)
{
    for (size_t i = 0; i < name.n; i++) {
        if (!is_selector_byte(name.p[i]) || (name.p[i] == ':' && i + 1 < name.n)) {
            return mx_err_set(err, MX_ERR_INPUT, "exists:HEADER expected");
        }
    }
    rule->kind = RULE_HEADER_EXISTS;
    rule->selector = name;
    return check_selector(&rule->selector, err);
}

static int take_header(struct rule_reader *reader, struct mx_str value, struct rule *rule,
                       struct mx_err *err)
{
    if (mx_str_starts(value, MX_STR("rbleval:"))) {
        value = mx_str_sub(value, 3, value.n);
    }
    if (mx_str_starts(value, MX_STR("eval:"))) {
        rule->kind = RULE_HEADER_EVAL;
        return rule_read_eval(reader->arena, mx_str_sub(value, 5, value.n), rule, err);
    }
    if (mx_str_starts(value, MX_STR("exists:"))) {
        return take_exists(mx_str_sub(value, 7, value.n), rule, err);
    }
    rule->kind = RULE_HEADER;
    return take_match(reader, value, rule, err);
}

static int take_mimeheader(struct rule_reader *reader, struct mx_str value,
                           struct rule *rule, struct mx_err *err)
{
    struct mx_str raw = MX_STR(":raw");

    rule->kind = RULE_MIMEHEADER;
    if (take_match(reader, value, rule, err)) {
        return -1;
    }
    if (rule->selector.n > raw.n && mx_str_iends(rule->selector, raw)) {
        rule->selector.n -= raw.n;
        rule->flags |= RULE_RAW;
    }
    return mx_str_chr(rule->selector, ':') < 0
               ? 0
               : mx_err_set(err, MX_ERR_INPUT, "only :raw may follow a header here");
}

/* A pattern, or an eval function where ${eval_kind} is one. */
static int take_text(struct rule_reader *reader, struct mx_str value, struct rule *rule,
                     enum rule_kind eval_kind, struct mx_err *err)
{
    if (eval_kind != RULE_EMPTY && mx_str_starts(value, MX_STR("eval:"))) {
        rule->kind = eval_kind;
        return rule_read_eval(reader->arena, mx_str_sub(value, 5, value.n), rule, err);
    }
    return take_pattern(reader, value, rule, err);
}

static int take_body(struct rule_reader *reader, struct mx_str value, struct rule *rule,
                     struct mx_err *err)
{
    rule->kind = RULE_BODY;
    return take_text(reader, value, rule, RULE_BODY_EVAL, err);
}

static int take_rawbody(struct rule_reader *reader, struct mx_str value,
                        struct rule *rule, struct mx_err *err)
{
    rule->kind = RULE_RAWBODY;
    return take_text(reader, value, rule, RULE_RAWBODY_EVAL, err);
}

static int take_full(struct rule_reader *reader, struct mx_str value, struct rule *rule,
                     struct mx_err *err)
{
    rule->kind = RULE_FULL;
    return take_text(reader, value, rule, RULE_FULL_EVAL, err);
}

static int take_uri(struct rule_reader *reader, struct mx_str value, struct rule *rule,
                    struct mx_err *err)
{
    rule->kind = RULE_URI;
    return take_text(reader, value, rule, RULE_EMPTY, err);
}

/* Compiled when all rules are known. */
static int take_meta(struct rule_reader *reader, struct mx_str value, struct rule *rule,
                     struct mx_err *err)
{
    (void)reader;
    (void)err;
    rule->kind = RULE_META;
    rule->expression = value;
    return 0;
}

/* uri_detail: an eval function, called with the criteria of its line. */
static int take_uri_detail(struct rule_reader *reader, struct mx_str value,
                           struct rule *rule, struct mx_err *err)
{
    rule->kind = RULE_BODY_EVAL;
    rule->function = MX_STR("check_uri_detail");
    return rule_read_criteria(reader->arena, value, rule, err);
}

/* askdns: a name that only an answer from the network could make hit. */
static int take_askdns(struct rule_reader *reader, struct mx_str value, struct rule *rule,
                       struct mx_err *err)
{
    (void)reader;
    (void)err;
    rule->kind = RULE_EMPTY;
    rule->function = MX_STR("askdns");
    rule->expression = value;
    return 0;
}

/* ---- dispatch ---- */

typedef int take_definition(struct rule_reader *, struct mx_str, struct rule *,
                            struct mx_err *);

static const struct {
    const char *directive;
    take_definition *take;
} directives[] = {
    {"header", take_header},
    {"body", take_body},
    {"meta", take_meta},
    {"uri", take_uri},
    {"rawbody", take_rawbody},
    {"full", take_full},
    {"mimeheader", take_mimeheader},
    {"uri_detail", take_uri_detail},
    {"askdns", take_askdns},
};

/* "NAME value" that defines a rule: -1 + err; 1 where ${directive} is none of them. */
static int take(struct rule_reader *reader, struct mx_str directive, struct mx_str value,
                struct mx_err *err)
{
    struct mx_str rest = value, name = rule_text_word(&rest);
    struct rule rule = {0};

    for (size_t i = 0; i < sizeof(directives) / sizeof(*directives); i++) {
        if (!mx_str_eq(directive, mx_str(directives[i].directive))) {
            continue;
        }
        if (name.n == 0 || rest.n == 0) {
            return mx_err_set(err, MX_ERR_INPUT, "a name and a value expected");
        }
        if (directives[i].take(reader, rest, &rule, err)) {
            return -1;
        }
        return rule_read_define(reader, name, &rule, err);
    }
    return 1;
}

bool rule_read_rule(struct rule_reader *reader, struct mx_str directive,
                    struct mx_str value)
{
    struct mx_str rest = value, name = rule_text_word(&rest);
    struct mx_err err = {0};
    int rc = take(reader, directive, value, &err);

    if (rc > 0) {
        rc = rule_read_about(reader, directive, value, &err);
    }
    if (rc < 0) {
        rule_read_problem(
            reader, err.code == MX_ERR_LIMIT ? RULE_PROBLEM_LIMIT : RULE_PROBLEM_SYNTAX,
            name.n > 0 ? name : directive, err.text);
    }
    return rc <= 0;
}
