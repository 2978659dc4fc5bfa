/* The stack machine of rule_expr.h, as its parser needs it. */
#ifndef RULE_EXPR_RUN_H
#define RULE_EXPR_RUN_H

#include <stdbool.h>

struct rule_expr;

/**
 * rule_expr_run(expr, counts, out):
 * As rule_expr_value.
 * Fails:  division by zero (false, ${out} untouched).
 */
bool rule_expr_run(const struct rule_expr *expr, const double *counts, double *out);

#endif
