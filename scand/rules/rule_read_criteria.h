/* The criteria of uri_detail rules. */
#ifndef RULE_READ_CRITERIA_H
#define RULE_READ_CRITERIA_H

#include "mx_str.h"

#include "rule_set.h"

struct mx_arena;
struct mx_err;

#define RULE_CRITERION_ARGS 3 /* name, "=~" or "!~", pattern */

/**
 * rule_read_criteria(arena, line, rule, err):
 * "text =~ /re/i domain !~ m{re}" into the arguments of ${rule}, three a criterion. Of a
 * name that is given twice the last one counts, as in the original.
 * Fails:  no criterion, a name that is none, a pattern that is none (-1).
 */
int rule_read_criteria(struct mx_arena *arena, struct mx_str line, struct rule *rule,
                       struct mx_err *err);

#endif
