/*
 * Runs a message through a rule set. Without network and without early ends, the order of
 * priorities is invisible, so it is the order of cost and need instead:
 *
 *   1 rules whose captures others need
 *   2 patterns, group by group: the prefilter names candidates, the judge decides
 *   3 patterns that hold captured values, compiled for this message
 *   4 functions
 *   5 metas, each after those it reads
 *
 * A rule counts once, with "multiple" as often as it matches, up to its maxhits. A rule
 * that meets a limit of the judge has not hit and is not tried again on this message.
 * After the deadline nothing more is started; what has hit by then is reported, but no
 * metas, which would take rules that never ran for rules that did not hit.
 */
#include "rule_run.h"

#include <stdlib.h>
#include <time.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "mx_time.h"

#include "rule_eval.h"
#include "rule_match.h"
#include "rule_meta.h"
#include "rule_run_capture.h"
#include "rule_run_text.h"

#define MIME_HITS_MAX 1000 /* of a mimeheader rule with "multiple" and no maxhits */

struct rule_runner {
    const struct rule_set *set;
    struct rule_match *match;
    struct eval_shared *shared;
    const struct eval_function **functions; /* by rule */
    uint8_t *is_active[2];                  /* by rule: score sets 0 and 2 */
    uint32_t *capturing, *later;            /* rules with captures; that need them */
    size_t n_capturing, n_later;
};

struct run {
    const struct rule_runner *runner;
    const struct rule *rules;
    struct rule_match_scratch *scratch;
    struct rule_judge_scratch *judging;
    struct mx_arena *arena;
    struct mx_arena *picked; /* texts of one group or rule: the next one forgets them */
    const struct rule_run_input *input;
    const uint8_t *is_active;
    double *counts;     /* by rule */
    uint8_t *is_closed; /* by rule: done before the groups, or met a limit */
    uint32_t *limited;
    size_t n_limited;
    struct rule_captures *captures;
    bool is_late;
};

/* ---- making a runner --------------------------------------------------------------- */

static bool is_eval(enum rule_kind kind)
{
    return kind == RULE_HEADER_EVAL || kind == RULE_BODY_EVAL ||
           kind == RULE_RAWBODY_EVAL || kind == RULE_FULL_EVAL;
}

static void prepare_rule(struct rule_runner *runner, size_t i)
{
    const struct rule *rule = &runner->set->rules[i];
    runner->is_active[0][i] = rule_is_active(rule, 0);
    runner->is_active[1][i] = rule_is_active(rule, 2);
    if (is_eval(rule->kind) && rule_eval_check(rule, NULL) == 0)
        runner->functions[i] = rule_eval_find(rule->function);
    enum rule_match_mode mode = rule_match_mode(runner->match, i);
    if (mode == RULE_MATCH_LATER)
        runner->later[runner->n_later++] = (uint32_t)i;
    else if (mode != RULE_MATCH_NONE && (rule->flags & RULE_HAS_CAPTURE))
        runner->capturing[runner->n_capturing++] = (uint32_t)i;
}

int rule_runner_new(const struct rule_set *set, const struct rule_match_options *options,
                    struct rule_runner **out, struct mx_err *err)
{
    struct rule_runner *runner = mx_xalloc(sizeof(*runner));
    size_t n = set->n_rules + 1;
    runner->set = set;
    if (rule_match_new(set, options, &runner->match, err) < 0) {
        rule_runner_free(runner);
        return -1;
    }
    runner->shared = eval_shared_new(set);
    runner->functions = mx_xalloc(n * sizeof(struct eval_function *));
    runner->capturing = mx_xalloc(n * sizeof(uint32_t));
    runner->later = mx_xalloc(n * sizeof(uint32_t));
    runner->is_active[0] = mx_xalloc(n);
    runner->is_active[1] = mx_xalloc(n);
    for (size_t i = 0; i < set->n_rules; i++)
        prepare_rule(runner, i);
    *out = runner;
    return 0;
}

void rule_runner_free(struct rule_runner *runner)
{
    if (runner == NULL)
        return;
    rule_match_free(runner->match);
    eval_shared_free(runner->shared);
    free(runner->functions);
    free(runner->capturing);
    free(runner->later);
    free(runner->is_active[0]);
    free(runner->is_active[1]);
    free(runner);
}

const struct rule_match *rule_runner_match(const struct rule_runner *runner)
{
    return runner->match;
}

/* ---- time -------------------------------------------------------------------------- */

static int64_t now_ns(const struct run *run)
{
    struct timespec now;
    if (run->input->times == NULL)
        return 0;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void look_at_clock(struct run *run)
{
    int64_t deadline_ms = run->input->deadline_ms;
    if (deadline_ms > 0 && mx_mono_us() / 1000 >= deadline_ms)
        run->is_late = true;
}

static void note_rule_time(struct run *run, size_t rule, int64_t from_ns)
{
    struct rule_times *times = run->input->times;
    if (times == NULL)
        return;
    int64_t ns = now_ns(run) - from_ns;
    times->judge_ns += ns;
    times->n_judged++;
    times->rule_ns[rule] += ns;
}

/* ---- one rule on one text ---------------------------------------------------------- */

static double most_hits(const struct rule *rule)
{
    if ((rule->flags & (RULE_MULTIPLE | RULE_NEGATED)) != RULE_MULTIPLE)
        return 1;
    if (rule->max_hits > 0)
        return rule->max_hits;
    return rule->kind == RULE_MIMEHEADER ? MIME_HITS_MAX : 1e9;
}

static void close_limited(struct run *run, uint32_t rule)
{
    run->is_closed[rule] = true;
    run->counts[rule] = 0;
    run->limited[run->n_limited++] = rule;
}

/* Count matches in the judge's text. */
static void judge(struct run *run, uint32_t index, const struct rule_judge *judge)
{
    const struct rule *rule = &run->rules[index];
    double most = most_hits(rule);
    struct rule_found found = {0};
    int64_t from_ns = now_ns(run);
    enum rule_judged judged = RULE_JUDGED_YES;
    while (run->counts[index] < most) {
        judged = rule_judge_next(run->judging, judge, &found);
        if (judged != RULE_JUDGED_YES)
            break;
        run->counts[index]++;
        if (rule->flags & RULE_HAS_CAPTURE)
            rule_captures_take(run->captures, run->arena, run->judging, judge);
    }
    note_rule_time(run, index, from_ns);
    if (judged == RULE_JUDGED_LIMIT)
        close_limited(run, index);
    if (judged == RULE_JUDGED_LATE)
        run->is_late = true;
}

static bool is_wanted(const struct run *run, uint32_t index, bool is_first)
{
    const struct rule *rule = &run->rules[index];
    return run->is_active[index] && !run->is_closed[index] &&
           run->counts[index] < most_hits(rule) &&
           !(is_first && (rule->flags & RULE_NOSUBJECT));
}

static void take_candidate(struct run *run, struct rule_candidate candidate,
                           bool is_first)
{
    if (!is_wanted(run, candidate.rule, is_first))
        return;
    if (candidate.is_sure && most_hits(&run->rules[candidate.rule]) <= 1)
        run->counts[candidate.rule] = 1;
    else
        judge(run, candidate.rule, rule_match_judge(run->runner->match, candidate.rule));
}

/* ---- groups ------------------------------------------------------------------------ */

static void run_text(struct run *run, size_t group, struct mx_str text, bool is_first)
{
    size_t n;
    int64_t from_ns = now_ns(run);
    const struct rule_candidate *candidates =
        rule_match_scan(run->runner->match, run->scratch, group, text, &n);
    if (run->input->times != NULL) {
        run->input->times->prefilter_ns += now_ns(run) - from_ns;
        run->input->times->n_scans++;
    }
    rule_judge_text(run->judging, text, run->input->deadline_ms);
    for (size_t i = 0; i < n && !run->is_late; i++)
        take_candidate(run, candidates[i], is_first);
    look_at_clock(run);
}

static void take_missing(struct run *run, const struct rule_match_group *group)
{
    for (size_t i = 0; i < group->n; i++)
        if (is_wanted(run, group->rules[i], false) &&
            rule_match_misses(run->runner->match, group->rules[i]))
            run->counts[group->rules[i]] = 1;
}

/* "!~": hit if nothing matched. */
static void negate(struct run *run, uint32_t index)
{
    if ((run->rules[index].flags & RULE_NEGATED) && run->is_active[index] &&
        !run->is_closed[index])
        run->counts[index] = run->counts[index] > 0 ? 0 : 1;
}

/* Of a mimeheader rule only the first part that matches counts. */
static void close_found(struct run *run, const struct rule_match_group *group)
{
    for (size_t i = 0; i < group->n; i++)
        if (run->counts[group->rules[i]] > 0 &&
            !(run->rules[group->rules[i]].flags & RULE_NEGATED))
            run->is_closed[group->rules[i]] = true;
}

static void run_group(struct run *run, size_t index)
{
    const struct rule_match_group *group = rule_match_group(run->runner->match, index);
    struct rule_texts texts;
    int64_t from_ns = now_ns(run);
    mx_arena_reset(run->picked);
    rule_run_texts(run->picked, run->input->texts, group, &texts);
    int64_t formed_ns = now_ns(run);
    if (run->input->times != NULL)
        run->input->times->header_ns += formed_ns - from_ns;
    if (texts.is_missing)
        take_missing(run, group);
    for (size_t i = 0; i < texts.list.n && !run->is_late; i++) {
        if (texts.list.v[i].p == NULL && group->kind == RULE_MIMEHEADER)
            take_missing(run, group);
        else
            run_text(run, index, texts.list.v[i], i == 0 && group->kind == RULE_BODY);
        if (group->kind == RULE_MIMEHEADER)
            close_found(run, group);
    }
    for (size_t i = 0; i < group->n && !run->is_late; i++)
        negate(run, group->rules[i]);
    if (run->input->times != NULL)
        run->input->times->kind_ns[group->kind] += now_ns(run) - formed_ns;
}

/* ---- captures ---------------------------------------------------------------------- */

/* One rule by its judge alone, on all its texts. */
static void run_alone(struct run *run, uint32_t index, const struct rule_judge *with)
{
    const struct rule *rule = &run->rules[index];
    struct rule_match_group group = rule_match_texts(rule);
    struct rule_texts texts;
    mx_arena_reset(run->picked);
    rule_run_texts(run->picked, run->input->texts, &group, &texts);
    struct mx_str unset = rule->if_unset;
    if (texts.is_missing)
        texts.list = (struct text_list){&unset, 1};
    for (size_t i = 0; i < texts.list.n && !run->is_late; i++) {
        bool is_subject = i == 0 && rule->kind == RULE_BODY;
        if (!is_wanted(run, index, is_subject))
            continue;
        rule_judge_text(run->judging, texts.list.v[i], run->input->deadline_ms);
        judge(run, index, with);
        look_at_clock(run);
    }
    negate(run, index);
    run->is_closed[index] = true;
}

static void run_capturing(struct run *run)
{
    const struct rule_runner *runner = run->runner;
    for (size_t i = 0; i < runner->n_capturing && !run->is_late; i++)
        if (run->is_active[runner->capturing[i]])
            run_alone(run, runner->capturing[i],
                      rule_match_judge(runner->match, runner->capturing[i]));
}

static void run_later(struct run *run)
{
    const struct rule_runner *runner = run->runner;
    for (size_t i = 0; i < runner->n_later && !run->is_late; i++) {
        uint32_t index = runner->later[i];
        struct rule_judge *filled = NULL;
        struct mx_str pattern;
        if (!run->is_active[index] ||
            !rule_captures_fill(run->captures, run->arena, run->rules[index].pattern,
                                &pattern))
            continue;
        if (rule_judge_compile(rule_match_factory(runner->match), pattern, &filled,
                               NULL) < 0) {
            close_limited(run, index);
            continue;
        }
        run_alone(run, index, filled);
        rule_judge_free(filled);
    }
}

/* ---- functions, presence ----------------------------------------------------------- */

static void run_exists(struct run *run, uint32_t index)
{
    const struct rule *rule = &run->rules[index];
    struct mx_str value;
    mx_arena_reset(run->picked);
    bool is_there =
        text_header_get(run->picked, run->input->texts, rule->selector, &value);
    run->counts[index] = is_there != ((rule->flags & RULE_NEGATED) != 0);
}

static void run_function(struct run *run, uint32_t index, struct eval_context *context)
{
    const struct rule *rule = &run->rules[index];
    const struct eval_function *function = run->runner->functions[index];
    if (function == NULL || function->needs_network || function->run == NULL)
        return;
    int64_t from_ns = now_ns(run);
    context->rule = rule;
    context->is_limited = false;
    int count = function->run(context, rule->args, rule->n_args);
    run->counts[index] = count > 0 ? count : 0;
    if (context->is_limited)
        close_limited(run, index);
    if (run->input->times != NULL) {
        int64_t ns = now_ns(run) - from_ns;
        run->input->times->eval_ns += ns;
        run->input->times->rule_ns[index] += ns;
    }
    look_at_clock(run);
}

static void run_functions(struct run *run)
{
    struct eval_context context = {.arena = run->arena,
                                   .set = run->runner->set,
                                   .shared = run->runner->shared,
                                   .texts = run->input->texts,
                                   .bayes = run->input->bayes};
    for (size_t i = 0; i < run->runner->set->n_rules && !run->is_late; i++) {
        if (!run->is_active[i])
            continue;
        if (run->rules[i].kind == RULE_HEADER_EXISTS)
            run_exists(run, (uint32_t)i);
        else if (is_eval(run->rules[i].kind))
            run_function(run, (uint32_t)i, &context);
    }
}

/* ---- all --------------------------------------------------------------------------- */

/* How often the score of a rule that hit counts. */
static unsigned times_of(const struct rule *rule, double count)
{
    if (rule->flags & RULE_SUBRULE)
        return 0;
    bool is_counted =
        (rule->flags & RULE_MULTIPLE) && rule->kind != RULE_META && !is_eval(rule->kind);
    return is_counted ? (unsigned)count : 1;
}

static void collect(struct run *run, struct rule_run_result *out)
{
    const struct rule_set *set = run->runner->set;
    size_t n = 0;
    for (size_t i = 0; i < set->n_rules; i++)
        n += run->counts[i] != 0;
    struct rule_hit *hits = mx_arena_array(run->arena, n + 1, sizeof(*hits));
    n = 0;
    for (size_t i = 0; i < set->n_rules; i++) {
        double count = run->counts[i];
        if (count == 0)
            continue;
        unsigned times = times_of(&set->rules[i], count);
        double score = times * set->rules[i].scores[out->score_set];
        hits[n++] = (struct rule_hit){(uint32_t)i, count, times, score};
        out->score += score;
    }
    out->hits = hits;
    out->n_hits = n;
    out->limited = run->limited;
    out->n_limited = run->n_limited;
    out->is_late = run->is_late;
}

void rule_run(const struct rule_runner *runner, struct rule_match_scratch *scratch,
              struct mx_arena *arena, const struct rule_run_input *input,
              struct rule_run_result *out)
{
    size_t n = runner->set->n_rules;
    bool has_bayes = input->bayes >= 0;
    *out = (struct rule_run_result){.score_set = has_bayes ? 2 : 0};
    struct run run = {.runner = runner,
                      .rules = runner->set->rules,
                      .scratch = scratch,
                      .judging = rule_match_judging(scratch),
                      .arena = arena,
                      .input = input,
                      .is_active = runner->is_active[has_bayes]};
    run.counts = mx_arena_array(arena, n + 1, sizeof(*run.counts));
    run.is_closed = mx_arena_array(arena, n + 1, 1);
    run.limited = mx_arena_array(arena, n + 1, sizeof(*run.limited));
    run.captures = mx_arena_alloc(arena, sizeof(*run.captures));
    run.picked = mx_arena_new(mx_arena_left(arena));
    int64_t from_ns = now_ns(&run);
    run_capturing(&run);
    for (size_t i = 0; i < rule_match_n_groups(runner->match) && !run.is_late; i++)
        run_group(&run, i);
    run_later(&run);
    run_functions(&run);
    int64_t meta_ns = now_ns(&run);
    if (!run.is_late)
        rule_meta_run(runner->set, out->score_set, run.counts);
    if (input->times != NULL) {
        input->times->meta_ns += now_ns(&run) - meta_ns;
        input->times->all_ns += now_ns(&run) - from_ns;
    }
    collect(&run, out);
    mx_arena_free(run.picked);
}
