/*
 * The times of texts and rules as stages: "form X" makes a text, "match X" looks for
 * patterns in it, then functions and metas; what a run has left is "captures": rules that
 * capture a value, and those that are compiled for one message with it. A rule's own time
 * is that of its judge or function; the prefilter works for all rules of a text at once
 * and stands among the rules as PREFILTER.
 */
#include "scan_rules_times.h"

#include "mx_arena.h"
#include "rules/rule_run.h"
#include "scan.h"
#include "text/text.h"

#define PREFILTER "(prefilter)"

static void tell_texts(const struct text_times *texts, struct scan_result *result)
{
    scan_spent(result, "form tree", "", texts->tree_ns);
    scan_spent(result, "form relays", "", texts->relays_ns);
    scan_spent(result, "form body", "", texts->body_ns);
    scan_spent(result, "form rawbody", "", texts->rawbody_ns);
    scan_spent(result, "form uri", "", texts->uri_ns);
}

static void tell_matching(const struct rule_times *rules, struct scan_result *result)
{
    static const struct {
        enum rule_kind kind;
        const char *stage;
    } stages[] = {
        {RULE_HEADER, "match header"},   {RULE_BODY, "match body"},
        {RULE_RAWBODY, "match rawbody"}, {RULE_URI, "match uri"},
        {RULE_FULL, "match full"},       {RULE_MIMEHEADER, "match mimeheader"},
    };
    scan_spent(result, "form header values", "", rules->header_ns);
    for (size_t i = 0; i < sizeof(stages) / sizeof(*stages); i++)
        scan_spent(result, stages[i].stage, "", rules->kind_ns[stages[i].kind]);
    scan_spent(result, "evals", "", rules->eval_ns);
    scan_spent(result, "metas", "", rules->meta_ns);
    int64_t rest_ns = rules->all_ns - rules->header_ns - rules->eval_ns - rules->meta_ns;
    for (size_t i = 0; i < sizeof(rules->kind_ns) / sizeof(*rules->kind_ns); i++)
        rest_ns -= rules->kind_ns[i];
    scan_spent(result, "captures", "", rest_ns);
}

void scan_rules_times(const struct rule_set *set, const struct text_times *texts,
                      const struct rule_times *rules, struct scan_result *result)
{
    tell_texts(texts, result);
    tell_matching(rules, result);
    scan_spent(result, "rule", PREFILTER, rules->prefilter_ns);
    for (size_t i = 0; i < set->n_rules; i++)
        if (rules->rule_ns[i] > 0)
            scan_spent(result, "rule",
                       mx_str_cstr(scan_scratch(result), set->rules[i].name),
                       rules->rule_ns[i]);
}
