/* Calls of eval functions in rule files: "name('a', 2)". */
#ifndef RULE_READ_EVAL_H
#define RULE_READ_EVAL_H

#include "rule_set.h"

#define RULE_ARGS_MAX 256 /* arguments of one call */

/**
 * rule_read_eval(arena, call, rule, err):
 * Cut ${call} into the function and arguments of ${rule}; a header rule that asks a DNS
 * list becomes RULE_RBL_EVAL.
 * Owner:  args in ${arena}, their text in ${call}.
 * Fails:  not of the form name(args) (-1).
 */
int rule_read_eval(struct mx_arena *arena, struct mx_str call, struct rule *rule,
                   struct mx_err *err);

#endif
