/*
 * Expressions of meta rules and of `if` lines: one syntax, Perl's meaning, compiled to
 * a bounded program for a small stack machine.
 *
 * Operators, tightest first: ! and sign, * /, + -, < <= > >=, == !=, ^, &&, ||, ?:.
 * && and || give the operand that decided, comparisons and ! give 1 or 0, a row of
 * comparisons (a < b < c) means each of them, as in Perl 5.32.
 */
#ifndef RULE_EXPR_H
#define RULE_EXPR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mx_str.h"

struct mx_arena;
struct mx_err;

/* Bounds of one expression; the largest stock one has under 300 steps. */
#define RULE_EXPR_STEPS_MAX 500000
#define RULE_EXPR_DEPTH_MAX 100 /* parentheses and signs inside each other */
#define RULE_EXPR_STACK_MAX 256 /* values at a time */

enum rule_op {
    RULE_OP_NUMBER, /* push number */
    RULE_OP_LOAD,   /* push the count of rule ${arg} */
    RULE_OP_NOT,
    RULE_OP_NEGATE,
    RULE_OP_ADD,
    RULE_OP_SUBTRACT,
    RULE_OP_MULTIPLY,
    RULE_OP_DIVIDE,
    RULE_OP_LESS,
    RULE_OP_LESS_EQUAL,
    RULE_OP_GREATER,
    RULE_OP_GREATER_EQUAL,
    RULE_OP_EQUAL,
    RULE_OP_NOT_EQUAL,
    RULE_OP_XOR,  /* of bits */
    RULE_OP_AND,  /* 0 on top: keep it and skip ${arg} steps; else drop it */
    RULE_OP_OR,   /* not 0 on top: keep it and skip ${arg} steps; else drop it */
    RULE_OP_TEST, /* drop the top; it was 0: skip ${arg} steps */
    RULE_OP_SKIP, /* skip ${arg} steps */
};

struct rule_step {
    enum rule_op op;
    uint32_t arg;
    double number;
};

struct rule_expr {
    const struct rule_step *steps;
    size_t n_steps;
};

struct rule_expr_parser;

/* What names mean. A name of ${functions} takes "(text)", handed over unparsed. */
struct rule_expr_names {
    const char *const *functions; /* ends with NULL */
    bool has_signed_numbers;      /* `if` lines: -1 is a number */
    size_t max_steps;             /* RULE_EXPR_STEPS_MAX, or what is left of more */
    /* Push exactly one value for ${name} (with rule_expr_push); -1 + err: no such name.
     */
    int (*resolve)(void *context, struct rule_expr_parser *parser, struct mx_str name,
                   struct mx_str argument, struct mx_err *err);
    void *context;
};

/**
 * rule_expr_parse(arena, text, names, out, err):
 * Compile ${text}.
 * Owner:  steps in ${arena}.
 * Fails:  syntax, a bound, what ${names} refuses, an expression that divides by zero
 *         when all counts are 0 (-1, ${out} untouched).
 */
int rule_expr_parse(struct mx_arena *arena, struct mx_str text,
                    const struct rule_expr_names *names, struct rule_expr *out,
                    struct mx_err *err);

/**
 * rule_expr_push(parser, op, arg, number, err):
 * One step, from inside resolve.
 * Fails:  a bound (-1).
 */
int rule_expr_push(struct rule_expr_parser *parser, struct rule_step step,
                   struct mx_err *err);

/**
 * rule_expr_value(expr, counts):
 * Its value; counts[i] is what RULE_OP_LOAD i pushes. NULL: all are 0. A division by
 * zero makes the whole 0.
 */
double rule_expr_value(const struct rule_expr *expr, const double *counts);

#endif
