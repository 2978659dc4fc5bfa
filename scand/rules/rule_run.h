/*
 * One message's texts against a rule set: which rules hit, how often, and the score.
 */
#ifndef RULE_RUN_H
#define RULE_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rule_match.h"
#include "rule_set.h"

struct mx_arena;
struct mx_err;
struct rule_runner; /* a set, its patterns and functions: immutable, shared */

/**
 * rule_runner_new(set, options, out, err):
 * Make ${set} ready to run: rule_match_new, and functions looked up by name.
 * Owner:  ${set} is borrowed for the life of ${out}; rule_runner_free.
 */
int rule_runner_new(const struct rule_set *set, const struct rule_match_options *options,
                    struct rule_runner **out, struct mx_err *err);
void rule_runner_free(struct rule_runner *runner);
const struct rule_match *rule_runner_match(const struct rule_runner *runner);

/* Where CPU time goes, when it is asked for. */
struct rule_times {
    int64_t prefilter_ns, judge_ns, header_ns, eval_ns, meta_ns, all_ns;
    int64_t kind_ns[RULE_MIMEHEADER + 1]; /* by kind of text: prefilter and judges */
    size_t n_scans, n_judged;
    int64_t *rule_ns; /* by rule: its judge or function */
};

struct rule_run_input {
    const struct texts *texts;
    double bayes;             /* probability of spam; negative: not known, score set 0 */
    int64_t deadline_ms;      /* mx_mono_us() / 1000; 0: none */
    struct rule_times *times; /* added to; rule_ns has an element for each; NULL: not */
};

struct rule_hit {
    uint32_t rule;
    double count;   /* what metas saw */
    unsigned times; /* how often its score counts: 0 of a sub-rule */
    double score;   /* of all of them */
};

struct rule_run_result {
    const struct rule_hit *hits; /* in order of rules, sub-rules included */
    size_t n_hits;
    double score;
    unsigned score_set;
    const uint32_t *limited; /* rules that met a limit: no hits, whatever they found */
    size_t n_limited;
    bool is_late; /* the deadline passed: rules were left out, metas as well */
};

/**
 * rule_run(runner, scratch, arena, input, out):
 * Run all rules that are active: patterns, functions, then metas.
 * Owner:  ${out} lives in ${arena}.
 */
void rule_run(const struct rule_runner *runner, struct rule_match_scratch *scratch,
              struct mx_arena *arena, const struct rule_run_input *input,
              struct rule_run_result *out);

#endif
