/*
 * One process of its own for a trial: what a message of the sample does to it, the engine
 * and its workers do not feel. It yields to them, too (TRIAL_NICE).
 *
 * The order names the sample, since the engine that serves was started with the settings
 * of its time. The bounds are those of the new engine, which is the one that judges.
 */
#include "engine_trial.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "scan_chain.h"
#include "scan_trial.h"
#include "worker_confine.h"

#define TRIAL_NICE 10
#define ARENA_MAX ((size_t)512 << 20) /* scores of two runs, and their comparison */

/* "messages LF directory" */
void engine_trial_order(const struct scan_conf *conf, struct engine_msg *out)
{
    snprintf(out->text, sizeof(out->text), "%lld\n%s",
             (long long)conf->rules.trial_messages, conf->rules.trial_sample);
}

static int take_order(const struct engine_trial *trial, struct scan_conf *out,
                      struct mx_err *err)
{
    struct mx_str rest = mx_str(trial->order->text), messages;
    *out = *trial->conf;
    if (mx_str_next(&rest, '\n', &messages) < 0 ||
        mx_str_to_int(messages, 1, INT32_MAX, &out->rules.trial_messages, err) < 0)
        return -1;
    out->rules.trial_sample = rest.p; /* ends where the text ends */
    return 0;
}

static void answer(struct engine_msg *out, enum engine_tried tried, const char *text)
{
    out->status = tried;
    snprintf(out->text, sizeof(out->text), "%s", text);
    for (char *p = out->text; *p; p++) /* it becomes one line of the log */
        *p = (unsigned char)*p < ' ' || *p == 0x7f ? '?' : *p;
}

static void judge(const struct engine_trial *trial, struct mx_arena *arena,
                  const struct scan_sample *before, const struct scan_sample *after,
                  struct engine_msg *out)
{
    const struct rules_settings *rules = &trial->conf->rules;
    const struct scan_bounds bounds = {rules->trial_new_spam, rules->trial_shift,
                                       rules->trial_mean_shift};
    struct scan_comparison all;
    struct mx_buf text = {.max = ENGINE_TEXT_MAX - 1};
    scan_compare(arena, before, after, trial->conf->required_score, &all);
    bool is_within = scan_compare_judge(&all, &bounds, &text);
    if (is_within)
        mx_buf_printf(&text, "%zu messages, %zu moved, by %.2f at most", all.n,
                      all.n_moved, all.max_shift);
    answer(out, is_within ? ENGINE_TRIED_WELL : ENGINE_TRIED_BEYOND, text.p);
    mx_buf_fini(&text);
}

static int measure(const struct engine_trial *trial, struct scan_sample *out,
                   struct mx_err *err)
{
    struct scan_conf conf;
    if (take_order(trial, &conf, err) < 0)
        return -1;
    setpriority(PRIO_PROCESS, 0, TRIAL_NICE);
    scan_chain_start(trial->chain, trial->temp_dir);
    if (worker_confine(trial->conf, err) < 0)
        return -1;
    return scan_trial_run(trial->chain, &conf, out, err);
}

void engine_trial_run(const struct engine_trial *trial, struct engine_msg *out)
{
    struct mx_err err = {0};
    struct mx_arena *arena = mx_arena_new(ARENA_MAX);
    struct scan_sample ours = {.arena = arena}, theirs = {.arena = arena};
    bool is_measuring = trial->order->word == ENGINE_MEASURE;
    *out = (struct engine_msg){.word = ENGINE_TRIED, .slot = trial->order->slot};
    if (measure(trial, &ours, &err) < 0)
        answer(out, ENGINE_TRIED_NOT, err.text);
    else if (is_measuring && scan_trial_write(&ours, trial->fd, &err) == 0)
        answer(out, ENGINE_TRIED_WELL, "");
    else if (!is_measuring && scan_trial_read(trial->fd, &theirs, &err) == 0)
        judge(trial, arena, &theirs, &ours, out);
    else
        answer(out, ENGINE_TRIED_NOT, err.text);
    mx_arena_free(arena);
}
