/*
 * Rule files as people look at them. Reads a set as the detector does and compiles each
 * pattern with the judge alone: the prefilter changes how fast a rule is found and never
 * whether, and its databases take half a minute to make.
 */
#include "scan_rules.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mx_arena.h"
#include "mx_err.h"

#include "rules/rule_match_judge.h"
#include "rules/rule_meta.h"
#include "rules/rule_set.h"
#include "scan_conf.h"
#include "scan_rules_text.h"

#define ARENA_BYTES ((size_t)64 << 20) /* texts of pattern faults */
#define DIR_UPDATES "/var/lib/spamassassin/4.000001"
#define DIR_PACKAGE "/usr/share/spamassassin"
#define DIR_SITE "/etc/spamassassin"

struct scan_rules {
    struct rule_set *set;
    struct mx_arena *arena;
    struct rule_problem *faults; /* patterns that no engine compiles */
    size_t n_faults;
    struct rule_judge_factory *factory;
};

void scan_rules_default_dirs(const char *out[static 3])
{
    out[0] = access(DIR_UPDATES, R_OK) == 0 ? DIR_UPDATES : DIR_PACKAGE;
    out[1] = access(DIR_SITE, R_OK) == 0 ? DIR_SITE : NULL;
    out[2] = NULL;
}

void scan_rules_conf_dirs(const struct mx_conf *conf,
                          const char *out[static SCAN_RULES_DIRS_MAX + 1],
                          const char **overlay)
{
    const struct scan_conf *scan = mx_conf_get(conf, "scand");
    const struct rules_settings *settings = &scan->rules;
    size_t n = 0;

    for (; n < settings->dirs.n && n < SCAN_RULES_DIRS_MAX; n++)
        out[n] = settings->dirs.v[n];
    out[n] = NULL;
    if (n == 0)
        scan_rules_default_dirs(out);
    *overlay = settings->overlay[0] ? settings->overlay : NULL;
}

/* A pattern with %{NAME} is compiled for each message, when NAME is known. */
static bool has_fixed_pattern(const struct rule *rule)
{
    return rule->pattern.n > 0 && !(rule->flags & RULE_NEEDS_CAPTURE);
}

static void find_faults(struct scan_rules *rules)
{
    const struct rule_set *set = rules->set;

    rules->faults =
        mx_arena_array(rules->arena, RULE_PROBLEMS_MAX, sizeof(*rules->faults));
    for (size_t i = 0; i < set->n_rules && rules->n_faults < RULE_PROBLEMS_MAX; i++) {
        const struct rule *rule = &set->rules[i];
        struct rule_judge *judge = NULL;
        struct mx_err err = {0};

        if (!has_fixed_pattern(rule))
            continue;
        if (rule_judge_compile(rules->factory, rule->pattern, &judge, &err)) {
            rules->faults[rules->n_faults++] = (struct rule_problem){
                .kind = RULE_PROBLEM_PATTERN,
                .rule = rule->name,
                .file = rule->file,
                .line = rule->line,
                .text = mx_str(mx_arena_printf(rules->arena, "%.300s", err.text)),
            };
        }
        rule_judge_free(judge);
    }
}

int scan_rules_open(const char *const *dirs, const char *overlay, struct scan_rules **out,
                    struct mx_err *err)
{
    struct rule_read_options options = {.dirs = dirs, .overlay = overlay};
    struct rule_set *set = NULL;
    struct scan_rules *rules;

    if (rule_set_read(&options, &set, err))
        return -1;
    rules = mx_xalloc(sizeof(*rules));
    rules->set = set;
    rules->arena = mx_arena_new(ARENA_BYTES);
    rules->factory = rule_judge_factory_new();
    find_faults(rules);
    *out = rules;
    return 0;
}

void scan_rules_close(struct scan_rules *rules)
{
    if (!rules)
        return;
    rule_judge_factory_free(rules->factory);
    mx_arena_free(rules->arena);
    rule_set_free(rules->set);
    free(rules);
}

const struct rule_set *scan_rules_set(const struct scan_rules *rules)
{
    return rules->set;
}

void scan_rules_totals(const struct scan_rules *rules, struct scan_rules_totals *out)
{
    const struct rule_set *set = rules->set;

    *out = (struct scan_rules_totals){
        .n_files = set->n_files,
        .n_lines = set->n_lines,
        .n_rules = set->n_rules,
        .n_lists = set->n_lists,
        .n_ignored = set->n_ignored,
        .n_problems = set->n_problems_all + rules->n_faults,
        .required_score = set->required_score,
    };
}

bool scan_rules_kind(const struct scan_rules *rules, size_t nth,
                     struct scan_rules_kind *out)
{
    struct scan_rules_kind kind = {0};

    if (nth > RULE_RBL_EVAL)
        return false;
    kind.name = rule_kind_text((enum rule_kind)nth);
    for (size_t i = 0; i < rules->set->n_rules; i++) {
        const struct rule *rule = &rules->set->rules[i];

        if (rule->kind != (enum rule_kind)nth)
            continue;
        kind.n++;
        if (rule->flags & RULE_SUBRULE)
            kind.n_subrules++;
        else if (rule_is_active(rule, 0))
            kind.n_scored++;
    }
    *out = kind;
    return true;
}

bool scan_rules_problem(const struct scan_rules *rules, size_t nth,
                        struct scan_rules_problem *out)
{
    const struct rule_set *set = rules->set;
    const struct rule_problem *problem;

    if (nth >= set->n_problems + rules->n_faults)
        return false;
    problem = nth < set->n_problems ? &set->problems[nth]
                                    : &rules->faults[nth - set->n_problems];
    *out = (struct scan_rules_problem){
        .kind = rule_problem_text(problem->kind),
        .about = problem->rule,
        .file = problem->file,
        .text = problem->text,
        .line = problem->line,
        .is_fault = problem->kind != RULE_PROBLEM_NEEDS_NETWORK,
    };
    return true;
}

/* ---- one rule ---- */

static const char *judge_text(const struct scan_rules *rules, const struct rule *rule)
{
    struct rule_judge *judge = NULL;
    const char *text = "";

    if (rule->flags & RULE_NEEDS_CAPTURE)
        return "compiled for each message that has what it names";
    if (rule->pattern.n == 0)
        return "";
    if (rule_judge_compile(rules->factory, rule->pattern, &judge, NULL))
        return "none: it does not compile";
    if (rule_judge_is_wide(judge))
        text = rule_judge_is_jit(judge) ? "PCRE2, 32 bits a byte, JIT"
                                        : "PCRE2, 32 bits a byte, interpreted";
    else
        text = rule_judge_is_jit(judge) ? "PCRE2, JIT" : "PCRE2, interpreted";
    rule_judge_free(judge);
    return text;
}

static bool is_read_by(const struct rule *reader, size_t index)
{
    for (size_t i = 0; reader->meta && i < reader->meta->n_needs; i++) {
        if (reader->meta->needs[i] == index)
            return true;
    }
    return false;
}

/* Whom rule ${index} reads, and who reads it. */
static void find_relations(const struct rule_set *set, struct mx_arena *arena,
                           size_t index, struct scan_rules_rule *out)
{
    const struct rule_meta *meta = set->rules[index].meta;
    struct mx_str *reads, *read_by;

    reads = mx_arena_array(arena, (meta ? meta->n_needs : 0) + 1, sizeof(*reads));
    for (size_t i = 0; meta && i < meta->n_needs; i++)
        reads[out->n_reads++] = set->rules[meta->needs[i]].name;
    for (size_t i = 0; i < set->n_rules; i++)
        out->n_read_by += is_read_by(&set->rules[i], index);
    read_by = mx_arena_array(arena, out->n_read_by + 1, sizeof(*read_by));
    for (size_t i = 0, n = 0; n < out->n_read_by; i++) {
        if (is_read_by(&set->rules[i], index))
            read_by[n++] = set->rules[i].name;
    }
    out->reads = reads;
    out->read_by = read_by;
}

bool scan_rules_find(const struct scan_rules *rules, struct mx_arena *arena,
                     struct mx_str name, struct scan_rules_rule *out)
{
    ptrdiff_t index = rule_set_find(rules->set, name);
    const struct rule *rule;

    if (index < 0)
        return false;
    rule = &rules->set->rules[index];
    *out = (struct scan_rules_rule){
        .name = rule->name,
        .description = rule->description,
        .file = rule->file,
        .kind = rule_kind_text(rule->kind),
        .line = rule->line,
        .definition = scan_rules_definition(arena, rule),
        .flags = scan_rules_flags(arena, rule),
        .how = scan_rules_how(rules->set, (size_t)index),
        .judge = judge_text(rules, rule),
        .has_score = rule->has_score,
        .is_active = rule_is_active(rule, 0),
        .priority = rule->priority,
    };
    memcpy(out->scores, rule->scores, sizeof(out->scores));
    find_relations(rules->set, arena, (size_t)index, out);
    return true;
}
