/*
 * How one rule comes to its answer, in words. What the prefilter does with a pattern
 * depends on the pattern, and on whether its text has rules enough for a database: so the
 * rule is compiled with a few others of its text, which takes milliseconds where the
 * whole set takes half a minute.
 */
#include "scan_rules_text.h"

#include "mx_arena.h"
#include "rules/rule_eval.h"
#include "rules/rule_match.h"
#include "rules/rule_set.h"

#define TOGETHER 8 /* rules compiled: more than make a database */

static bool is_same_text(const struct rule *a, const struct rule *b)
{
    return a->kind == b->kind && mx_str_eq(a->selector, b->selector) &&
           (a->flags & RULE_RAW) == (b->flags & RULE_RAW);
}

static const char *pattern_how(const struct rule_set *set, size_t index)
{
    const struct rule_match_options options = {.has_prefilter = true};
    struct rule few[TOGETHER] = {set->rules[index]};
    struct rule_set some = *set;
    struct rule_match *match = NULL;
    some.rules = few;
    some.n_rules = 1;
    for (size_t i = 0; i < set->n_rules && some.n_rules < TOGETHER; i++)
        if (i != index && is_same_text(&set->rules[i], &few[0]))
            few[some.n_rules++] = set->rules[i];
    if (rule_match_new(&some, &options, &match, NULL) < 0)
        return "";
    const char *how = rule_match_mode_text(rule_match_mode(match, 0));
    rule_match_free(match);
    return how;
}

static const char *function_how(const struct rule *rule)
{
    const struct eval_function *function = rule_eval_find(rule->function);
    if (rule_eval_check(rule, NULL) < 0)
        return "not run: its function is not known, or not as it is called";
    return function->needs_network ? "not run: needs the network" : "a function";
}

const char *scan_rules_how(const struct rule_set *set, size_t index)
{
    const struct rule *rule = &set->rules[index];
    switch (rule->kind) {
    case RULE_EMPTY: return "not defined";
    case RULE_HEADER_EXISTS: return "presence of the field";
    case RULE_META:
        return rule->meta != NULL ? "after the rules that it reads" : "not run";
    case RULE_HEADER_EVAL:
    case RULE_BODY_EVAL:
    case RULE_RAWBODY_EVAL:
    case RULE_FULL_EVAL: return function_how(rule);
    case RULE_RBL_EVAL: return "not run: needs the network";
    default: return pattern_how(set, index);
    }
}
