/*
 * Parser of meta and `if` expressions: a lexer, precedence climbing over one table of
 * infixes, steps for the machine in rule_expr_run.c.
 *
 * The lexer follows SpamAssassin's: a sign may stick to digits, bytes that begin no token
 * are passed over. What SpamAssassin would refuse is refused here as well, so that a
 * broken rule is broken in both.
 */
#include "rule_expr.h"

#include <stdlib.h>
#include <string.h>

#include "mx_arena.h"
#include "mx_err.h"

#include "rule_expr_run.h"
#include "rule_text.h"

struct rule_expr_parser {
    struct mx_str rest;
    struct mx_str token;       /* the current one; empty at the end */
    const struct infix *infix; /* that token as an operator; NULL: it is none */
    const struct rule_expr_names *names;
    struct rule_step *steps;
    size_t n_steps, room;
    unsigned depth; /* of what is inside each other */
    int stack;      /* values the steps so far leave */
};

struct infix {
    const char *text;
    unsigned level; /* higher binds tighter */
    enum rule_op op;
};

#define LEVEL_EQUALITY 4
#define LEVEL_RELATION 5

static const struct infix infixes[] = {
    {"||", 1, RULE_OP_OR},
    {"&&", 2, RULE_OP_AND},
    {"^", 3, RULE_OP_XOR},
    {"==", LEVEL_EQUALITY, RULE_OP_EQUAL},
    {"!=", LEVEL_EQUALITY, RULE_OP_NOT_EQUAL},
    {"<", LEVEL_RELATION, RULE_OP_LESS},
    {"<=", LEVEL_RELATION, RULE_OP_LESS_EQUAL},
    {">", LEVEL_RELATION, RULE_OP_GREATER},
    {">=", LEVEL_RELATION, RULE_OP_GREATER_EQUAL},
    {"+", 6, RULE_OP_ADD},
    {"-", 6, RULE_OP_SUBTRACT},
    {"*", 7, RULE_OP_MULTIPLY},
    {"/", 7, RULE_OP_DIVIDE},
};

static int parse_ternary(struct rule_expr_parser *parser, struct mx_err *err);

/* ---- tokens ---- */

static bool is_number_byte(char c)
{
    return (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
}

static bool is_name_byte(char c)
{
    return rule_text_is_word(c) || c == ':';
}

static size_t span(struct mx_str s, bool (*is_in)(char))
{
    size_t n = 0;

    while (n < s.n && is_in(s.p[n])) {
        n++;
    }
    return n;
}

/* Length of the token at the start of ${s}; 0 where none begins. */
static size_t token_length(struct mx_str s)
{
    static const char *const doubles[] = {"||", "&&", ">=", "<=", "==", "!="};

    if (is_number_byte(s.p[0])) {
        return span(s, is_number_byte);
    }
    if (rule_text_is_word(s.p[0])) {
        return span(s, is_name_byte);
    }
    for (size_t i = 0; i < sizeof(doubles) / sizeof(*doubles); i++) {
        if (mx_str_starts(s, mx_str(doubles[i]))) {
            return 2;
        }
    }
    return strchr("()^!><*/?:", s.p[0]) && s.p[0] ? 1 : 0;
}

static const struct infix *find_infix(struct mx_str token)
{
    for (size_t i = 0; i < sizeof(infixes) / sizeof(*infixes); i++) {
        if (mx_str_eq(token, mx_str(infixes[i].text))) {
            return &infixes[i];
        }
    }
    return NULL;
}

static void next(struct rule_expr_parser *parser)
{
    struct mx_str rest = parser->rest;
    size_t n = 0;

    while (rest.n > 0 && (n = token_length(rest)) == 0) {
        rest = mx_str_sub(rest, 1, rest.n);
    }
    parser->token = mx_str_sub(rest, 0, n);
    parser->infix = find_infix(parser->token);
    parser->rest = mx_str_sub(rest, n, rest.n);
}

static bool at(const struct rule_expr_parser *parser, const char *text)
{
    return mx_str_eq(parser->token, mx_str(text));
}

static int fail(const struct rule_expr_parser *parser, const char *expected,
                struct mx_err *err)
{
    if (parser->token.n == 0) {
        return mx_err_set(err, MX_ERR_INPUT, "ends where %s should be", expected);
    }
    return mx_err_set(err, MX_ERR_INPUT, "\"%.*s\" where %s should be",
                      (int)(parser->token.n > 80 ? 80 : parser->token.n), parser->token.p,
                      expected);
}

/* ---- steps ---- */

/* How many values a step adds. */
static int stack_change(enum rule_op op)
{
    switch (op) {
    case RULE_OP_NUMBER:
    case RULE_OP_LOAD: return 1;
    case RULE_OP_NOT:
    case RULE_OP_NEGATE:
    case RULE_OP_SKIP: return 0;
    default: return -1; /* two operands become one, or the top is dropped */
    }
}

int rule_expr_push(struct rule_expr_parser *parser, struct rule_step step,
                   struct mx_err *err)
{
    parser->stack += stack_change(step.op);
    if (parser->stack > RULE_EXPR_STACK_MAX) {
        return mx_err_set(err, MX_ERR_LIMIT, "more than %d values at a time",
                          RULE_EXPR_STACK_MAX);
    }
    if (parser->n_steps >= parser->names->max_steps) {
        return mx_err_set(err, MX_ERR_LIMIT, "more than %zu steps",
                          parser->names->max_steps);
    }
    if (parser->n_steps == parser->room) {
        parser->room = parser->room ? parser->room * 2 : 32;
        parser->steps = mx_xrealloc(parser->steps, parser->room * sizeof(*parser->steps));
    }
    parser->steps[parser->n_steps++] = step;
    return 0;
}

static int push_op(struct rule_expr_parser *parser, enum rule_op op, struct mx_err *err)
{
    return rule_expr_push(parser, (struct rule_step){.op = op}, err);
}

/* Let the jump at ${from} lead to the next step. */
static void land(struct rule_expr_parser *parser, size_t from)
{
    parser->steps[from].arg = (uint32_t)(parser->n_steps - from - 1);
}

/* ---- operands ---- */

/* Bounds the recursion of every function that can call itself by way of others. */
static int enter(struct rule_expr_parser *parser, struct mx_err *err)
{
    if (++parser->depth > RULE_EXPR_DEPTH_MAX) {
        return mx_err_set(err, MX_ERR_LIMIT, "nested more than %d deep",
                          RULE_EXPR_DEPTH_MAX);
    }
    return 0;
}

static int parse_number(struct rule_expr_parser *parser, struct mx_err *err)
{
    struct mx_str text = parser->token;
    struct rule_step step = {.op = RULE_OP_NUMBER};

    if (parser->names->has_signed_numbers && text.n > 1 && text.p[0] == '+') {
        text = mx_str_sub(text, 1, text.n);
    }
    if ((text.p[0] == '-' && !parser->names->has_signed_numbers) ||
        !rule_text_number(text, &step.number)) {
        return fail(parser, "a number without sign or a rule name", err);
    }
    next(parser);
    return rule_expr_push(parser, step, err);
}

static bool is_function(const struct rule_expr_parser *parser)
{
    for (const char *const *f = parser->names->functions; f && *f; f++) {
        if (mx_str_eq(parser->token, mx_str(*f))) {
            return true;
        }
    }
    return false;
}

/* A name, with the text in parentheses behind it where it is a function. */
static int parse_name(struct rule_expr_parser *parser, struct mx_err *err)
{
    struct mx_str name = parser->token, argument = MX_STR_NONE;

    if (is_function(parser)) {
        struct mx_str rest = rule_text_trim(parser->rest);
        ptrdiff_t end = mx_str_chr(rest, ')');

        if (rest.n == 0 || rest.p[0] != '(' || end < 0) {
            return mx_err_set(err, MX_ERR_INPUT, "%.*s without (argument)",
                              MX_STR_FMT(name));
        }
        argument = rule_text_trim(mx_str_sub(rest, 1, (size_t)end - 1));
        parser->rest = mx_str_sub(rest, (size_t)end + 1, rest.n);
    }
    next(parser);
    return parser->names->resolve(parser->names->context, parser, name, argument, err);
}

static int parse_parentheses(struct rule_expr_parser *parser, struct mx_err *err)
{
    next(parser);
    if (at(parser, ")")) { /* "()" declares a rule that something else will hit */
        next(parser);
        return push_op(parser, RULE_OP_NUMBER, err);
    }
    if (parse_ternary(parser, err)) {
        return -1;
    }
    if (!at(parser, ")")) {
        return fail(parser, "\")\" or an operator", err);
    }
    next(parser);
    return 0;
}

static int parse_operand(struct rule_expr_parser *parser, struct mx_err *err);

static int parse_prefixed(struct rule_expr_parser *parser, enum rule_op op,
                          struct mx_err *err)
{
    next(parser);
    if (parse_operand(parser, err)) {
        return -1;
    }
    return push_op(parser, op, err);
}

static int parse_operand(struct rule_expr_parser *parser, struct mx_err *err)
{
    char first = parser->token.n > 0 ? parser->token.p[0] : '\0';
    int rc = 0;

    if (enter(parser, err)) {
        return -1;
    }
    if (first == '(') {
        rc = parse_parentheses(parser, err);
    } else if (at(parser, "!")) {
        rc = parse_prefixed(parser, RULE_OP_NOT, err);
    } else if (at(parser, "-")) {
        rc = parse_prefixed(parser, RULE_OP_NEGATE, err);
    } else if (is_number_byte(first)) {
        rc = parse_number(parser, err);
    } else if (rule_text_is_word(first)) {
        rc = parse_name(parser, err);
    } else {
        rc = fail(parser, "a rule name", err);
    }
    parser->depth--;
    return rc;
}

/* ---- infixes ---- */

static int parse_level(struct rule_expr_parser *parser, unsigned level,
                       struct mx_err *err);

/* The right side of && or ||, which runs only where the left does not decide. */
static int parse_lazy(struct rule_expr_parser *parser, const struct infix *infix,
                      struct mx_err *err)
{
    size_t jump = parser->n_steps;

    if (push_op(parser, infix->op, err) || parse_level(parser, infix->level + 1, err)) {
        return -1;
    }
    land(parser, jump);
    return 0;
}

/*
 * The right side of a comparison, and where another one of the same level follows
 * (a < b < c), that one on a second copy of this right side: (a < b) && (b < c).
 */
static int parse_comparison(struct rule_expr_parser *parser, const struct infix *infix,
                            struct mx_err *err)
{
    const struct infix *following = NULL;
    size_t from = parser->n_steps, to = 0, jump = 0;

    if (parse_level(parser, infix->level + 1, err)) {
        return -1;
    }
    to = parser->n_steps;
    if (push_op(parser, infix->op, err)) {
        return -1;
    }
    following = parser->infix;
    if (!following || following->level != infix->level) {
        return 0;
    }
    jump = parser->n_steps;
    if (push_op(parser, RULE_OP_AND, err)) {
        return -1;
    }
    for (size_t i = from; i < to; i++) {
        if (rule_expr_push(parser, parser->steps[i], err)) {
            return -1;
        }
    }
    next(parser);
    if (enter(parser, err) || parse_comparison(parser, following, err)) {
        return -1;
    }
    parser->depth--;
    land(parser, jump);
    return 0;
}

static int parse_right(struct rule_expr_parser *parser, const struct infix *infix,
                       struct mx_err *err)
{
    next(parser);
    if (infix->op == RULE_OP_AND || infix->op == RULE_OP_OR) {
        return parse_lazy(parser, infix, err);
    }
    if (infix->level == LEVEL_EQUALITY || infix->level == LEVEL_RELATION) {
        return parse_comparison(parser, infix, err);
    }
    if (parse_level(parser, infix->level + 1, err)) {
        return -1;
    }
    return push_op(parser, infix->op, err);
}

static int parse_level(struct rule_expr_parser *parser, unsigned level,
                       struct mx_err *err)
{
    const struct infix *infix = NULL;

    if (parse_operand(parser, err)) {
        return -1;
    }
    while ((infix = parser->infix) && infix->level >= level) {
        if (parse_right(parser, infix, err)) {
            return -1;
        }
    }
    return 0;
}

/* a ? b : c */
static int parse_ternary(struct rule_expr_parser *parser, struct mx_err *err)
{
    size_t test = 0, skip = 0;

    if (parse_level(parser, 0, err)) {
        return -1;
    }
    if (!at(parser, "?")) {
        return 0;
    }
    if (enter(parser, err)) {
        return -1;
    }
    next(parser);
    test = parser->n_steps;
    if (push_op(parser, RULE_OP_TEST, err) || parse_ternary(parser, err)) {
        return -1;
    }
    if (!at(parser, ":")) {
        return fail(parser, "\":\"", err);
    }
    next(parser);
    skip = parser->n_steps;
    if (push_op(parser, RULE_OP_SKIP, err)) {
        return -1;
    }
    land(parser, test);
    parser->stack--; /* only one of both branches runs */
    if (parse_ternary(parser, err)) {
        return -1;
    }
    land(parser, skip);
    parser->depth--;
    return 0;
}

int rule_expr_parse(struct mx_arena *arena, struct mx_str text,
                    const struct rule_expr_names *names, struct rule_expr *out,
                    struct mx_err *err)
{
    struct rule_expr_parser parser = {.rest = text, .names = names};
    struct rule_expr expr = {0};
    double value = 0;
    int rc = -1;

    next(&parser);
    if (parse_ternary(&parser, err)) {
        goto done;
    }
    if (parser.token.n > 0) {
        fail(&parser, "an operator", err);
        goto done;
    }
    expr.steps = parser.steps;
    expr.n_steps = parser.n_steps;
    if (!rule_expr_run(&expr, NULL, &value)) {
        mx_err_set(err, MX_ERR_INPUT, "divides by zero where no rule hits");
        goto done;
    }
    if (parser.n_steps * sizeof(*parser.steps) > mx_arena_left(arena) / 2) {
        mx_err_set(err, MX_ERR_LIMIT, "no memory left for rules");
        goto done;
    }
    expr.steps = (const struct rule_step *)mx_arena_dup(
        arena, parser.steps, parser.n_steps * sizeof(*parser.steps));
    *out = expr;
    rc = 0;
done:
    free(parser.steps);
    return rc;
}
