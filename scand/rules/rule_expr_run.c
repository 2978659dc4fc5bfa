/*
 * The stack machine of meta and `if` expressions. Its programs come from rule_expr.c
 * alone, which has bounded their stack and lets jumps lead forwards only: so a run takes
 * at most as many steps as the program has.
 */
#include "rule_expr_run.h"

#include <assert.h>
#include <stdint.h>

#include "rule_expr.h"

/* Perl's ^ on numbers: as unsigned integers. */
static double xor
    (double a, double b) {
        uint64_t x = a > 0 && a < 1.8e19 ? (uint64_t)a : 0;
        uint64_t y = b > 0 && b < 1.8e19 ? (uint64_t)b : 0;

        return (double)(x ^ y);
    }

    /* Two operands become one. */
    static double apply(enum rule_op op, double a, double b)
{
    switch (op) {
    case RULE_OP_ADD: return a + b;
    case RULE_OP_SUBTRACT: return a - b;
    case RULE_OP_MULTIPLY: return a * b;
    case RULE_OP_DIVIDE: return a / b;
    case RULE_OP_LESS: return a < b;
    case RULE_OP_LESS_EQUAL: return a <= b;
    case RULE_OP_GREATER: return a > b;
    case RULE_OP_GREATER_EQUAL: return a >= b;
    case RULE_OP_EQUAL: return a == b;
    case RULE_OP_NOT_EQUAL: return a != b;
    default: assert(op == RULE_OP_XOR); return xor(a, b);
    }
}

/* Does the jump ${step} jump, with ${top} on the stack? */
static bool is_taken(const struct rule_step *step, double top)
{
    switch (step->op) {
    case RULE_OP_OR: return top != 0;
    case RULE_OP_SKIP: return true;
    default: return top == 0; /* AND, TEST */
    }
}

/* A jump: the stack's new height; moves ${i}. */
static size_t jump(const struct rule_step *step, const double *stack, size_t n, size_t *i)
{
    bool taken = is_taken(step, n > 0 ? stack[n - 1] : 0);

    if (taken) {
        *i += step->arg;
    }
    if (step->op == RULE_OP_TEST || (step->op != RULE_OP_SKIP && !taken)) {
        n--;
    }
    return n;
}

bool rule_expr_run(const struct rule_expr *expr, const double *counts, double *out)
{
    double stack[RULE_EXPR_STACK_MAX];
    size_t n = 0;

    for (size_t i = 0; i < expr->n_steps; i++) {
        const struct rule_step *step = &expr->steps[i];

        switch (step->op) {
        case RULE_OP_NUMBER: stack[n++] = step->number; break;
        case RULE_OP_LOAD: stack[n++] = counts ? counts[step->arg] : 0; break;
        case RULE_OP_NOT: stack[n - 1] = stack[n - 1] == 0; break;
        case RULE_OP_NEGATE: stack[n - 1] = -stack[n - 1]; break;
        case RULE_OP_AND:
        case RULE_OP_OR:
        case RULE_OP_TEST:
        case RULE_OP_SKIP: n = jump(step, stack, n, &i); break;
        default:
            if (step->op == RULE_OP_DIVIDE && stack[n - 1] == 0) {
                return false;
            }
            stack[n - 2] = apply(step->op, stack[n - 2], stack[n - 1]);
            n--;
        }
    }
    assert(n == 1);
    *out = stack[0];
    return true;
}

double rule_expr_value(const struct rule_expr *expr, const double *counts)
{
    double value = 0;

    return rule_expr_run(expr, counts, &value) ? value : 0;
}
