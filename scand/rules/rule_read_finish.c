/*
 * The last step of reading: what can only be said when every file is read. Default
 * scores, tags in patterns, programs of metas and their order, flags and priorities that
 * metas pass on, what cannot run here, the digest.
 */
#include "rule_read.h"

#include <stdlib.h>
#include <string.h>

#include "mx_arena.h"
#include "mx_err.h"

#include "rule_eval.h"
#include "rule_meta.h"
#include "rule_names.h"

#define NET_PRIORITY -100
#define SCORE_DEFAULT 1.0
#define SCORE_DEFAULT_TRIAL 0.01 /* T_ rules */

/* Problems of ${rule} belong to where it was defined. */
static void problem_of(struct rule_reader *reader, const struct rule *rule,
                       enum rule_problem_kind kind, const char *text)
{
    reader->file = rule->file;
    reader->line = rule->line;
    rule_read_problem(reader, kind, rule->name, text);
}

static void set_default_score(struct rule *rule)
{
    double score =
        mx_str_starts(rule->name, MX_STR("T_")) ? SCORE_DEFAULT_TRIAL : SCORE_DEFAULT;

    for (size_t i = 0; i < 4 && !rule->has_score; i++) {
        rule->scores[i] = rule->flags & RULE_NICE ? -score : score;
    }
}

/* ReplaceTags in the pattern of ${draft}; what is too long then is no rule any more. */
static void replace_tags(struct rule_reader *reader, struct rule_draft *draft,
                         size_t *budget)
{
    struct rule *rule = &draft->rule;
    struct mx_err err = {0};
    struct mx_str pattern;

    /* mimeheader is the one kind with a pattern that the original leaves alone. */
    if (!draft->wants_replace || rule->pattern.n == 0 || rule->kind == RULE_MIMEHEADER) {
        return;
    }
    if (rule_replace_apply(&reader->replace, rule->pattern, &pattern, &err) ||
        pattern.n > *budget) {
        problem_of(reader, rule, RULE_PROBLEM_LIMIT,
                   err.code ? err.text : "all patterns are too long with their tags");
        rule->kind = RULE_EMPTY;
        rule->pattern = MX_STR_NONE;
        return;
    }
    *budget -= pattern.n;
    rule->pattern = pattern;
}

/* Drafts that a definition exists for become the rules of the set. */
static struct rule *collect(struct rule_reader *reader)
{
    struct rule_set *set = reader->set;
    struct rule *rules =
        mx_arena_array(reader->arena, reader->n_drafts + 1, sizeof(*rules));
    size_t budget = RULE_PATTERNS_BYTES_MAX;

    for (size_t i = 0; i < reader->n_drafts; i++) {
        struct rule_draft *draft = &reader->drafts[i];

        if (!draft->is_defined) {
            continue;
        }
        replace_tags(reader, draft, &budget);
        set_default_score(&draft->rule);
        rules[set->n_rules] = draft->rule;
        rule_names_set(set->names, draft->rule.name, set->n_rules++);
    }
    set->rules = rules;
    return rules;
}

/* Compile metas. A broken one is no rule: it is left as an empty one, which never hits.
 */
static void compile_metas(struct rule_reader *reader, struct rule *rules)
{
    struct rule_set *set = reader->set;
    struct rule_meta_budget budget = {RULE_META_STEPS_MAX, RULE_GLOB_BYTES_MAX};
    struct mx_err err = {0};

    for (size_t i = 0; i < set->n_rules; i++) {
        if (rules[i].kind == RULE_META &&
            rule_meta_compile(set, i, &budget, &rules[i].meta, &err)) {
            problem_of(reader, &rules[i],
                       err.code == MX_ERR_LIMIT ? RULE_PROBLEM_LIMIT : RULE_PROBLEM_META,
                       err.text);
            rules[i].kind = RULE_EMPTY;
        }
    }
}

/* Order the metas, and note those that no order has a place for. */
static void order_metas(struct rule_reader *reader)
{
    struct rule_set *set = reader->set;
    bool *is_placed = mx_xalloc(set->n_rules + 1);

    set->n_meta_order = rule_meta_sort(set, &set->meta_order);
    for (size_t i = 0; i < set->n_meta_order; i++) {
        is_placed[set->meta_order[i]] = true;
    }
    for (size_t i = 0; i < set->n_rules; i++) {
        if (set->rules[i].kind == RULE_META && !is_placed[i]) {
            problem_of(reader, &set->rules[i], RULE_PROBLEM_META,
                       "depends on itself, or on a rule that does: it never hits");
        }
    }
    free(is_placed);
}

/* A meta that reads a rule of the network is one itself; as in the original this looks
   one step deep for each meta in turn, and so, in our order, all the way down. */
static void pass_on_net(const struct rule_set *set, struct rule *rules)
{
    for (size_t i = 0; i < set->n_meta_order; i++) {
        struct rule *rule = &rules[set->meta_order[i]];

        for (size_t n = 0; n < rule->meta->n_needs; n++) {
            rule->flags |= rules[rule->meta->needs[n]].flags & RULE_NET;
        }
    }
}

/* What a meta reads must not run after it: from the last meta to the first. */
static void pass_on_priorities(const struct rule_set *set, struct rule *rules)
{
    for (size_t i = set->n_meta_order; i-- > 0;) {
        const struct rule *rule = &rules[set->meta_order[i]];

        for (size_t n = 0; n < rule->meta->n_needs; n++) {
            struct rule *need = &rules[rule->meta->needs[n]];

            if (need->priority <= rule->priority) {
                continue;
            }
            need->priority = rule->priority < NET_PRIORITY && (need->flags & RULE_NET)
                                 ? NET_PRIORITY
                                 : rule->priority;
        }
    }
}

/* Net rules without a priority of their own start early, so that answers come in time. */
static void set_net_priorities(const struct rule_set *set, struct rule *rules)
{
    for (size_t i = 0; i < set->n_rules; i++) {
        if (rules[i].priority == 0 && (rules[i].flags & RULE_NET)) {
            rules[i].priority = NET_PRIORITY;
        }
    }
}

/* Rules that are known but cannot hit here. */
static void note_what_cannot_run(struct rule_reader *reader)
{
    for (size_t i = 0; i < reader->set->n_rules; i++) {
        const struct rule *rule = &reader->set->rules[i];
        const struct eval_function *function;
        struct mx_err err = {0};

        if (rule->function.n == 0) {
            continue;
        }
        function = rule_eval_find(rule->function);
        if (rule->kind == RULE_RBL_EVAL || rule->kind == RULE_EMPTY ||
            (function && function->needs_network)) {
            problem_of(reader, rule, RULE_PROBLEM_NEEDS_NETWORK, "asks the network");
        } else if (!function) {
            problem_of(reader, rule, RULE_PROBLEM_UNKNOWN_EVAL, "no such function here");
        } else if (rule_eval_check(rule, &err)) {
            problem_of(reader, rule, RULE_PROBLEM_SYNTAX, err.text);
        }
    }
}

void rule_read_finish(struct rule_reader *reader)
{
    struct rule_set *set = reader->set;
    struct rule *rules = collect(reader);
    struct mx_err err = {0};

    compile_metas(reader, rules);
    order_metas(reader);
    pass_on_net(set, rules);
    pass_on_priorities(set, rules);
    set_net_priorities(set, rules);
    note_what_cannot_run(reader);
    if (rule_lists_finish(&reader->lists, set, &err)) {
        reader->line = 0;
        rule_read_problem(reader, RULE_PROBLEM_SYNTAX, MX_STR("networks"), err.text);
    }
    set->problems = (const struct rule_problem *)mx_arena_dup(
        set->arena, reader->problems, reader->n_problems * sizeof(*reader->problems));
    set->n_problems = reader->n_problems;
    set->digest = rule_set_digest(set);
}
