/*
 * One check through the chain: policy_chain.c has the tour. All of it runs on the
 * worker's thread; the only waiting is for the store, between ask_all and on_answers.
 */
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "mx_arena.h"
#include "mx_health.h"
#include "mx_log.h"
#include "mx_metric.h"
#include "mx_time.h"
#include "policy_answers.h"
#include "policy_link.h"

#define MARKS_MAX 8 /* of one walk */

/* One walk down the chain. */
struct walk {
    size_t at; /* the next link */
    bool is_decided;
    const struct policy_link *by; /* that decided */
    struct policy_slots *slots;   /* one per link; NULL: nothing was asked */
    struct mx_str marks[MARKS_MAX];
};

struct policy_run {
    struct policy_chain *chain; /* our reference */
    struct policy_check *check;
    const struct policy_stage_links *links;
    struct walk *walks; /* one per result */
    struct policy_questions questions;
    struct store_batch batch;
    struct policy_answers answers; /* ->slots is set before each use */
    bool has_answers;
    bool is_degraded[POLICY_TABLE_MAX]; /* by position in ->links */
    size_t trace_room;
};

static struct mx_arena *arena_of(const struct policy_run *run)
{
    return run->check->req->arena;
}

/* ---- trace ----------------------------------------------------------------------------
 */

static struct policy_trace *add_trace(struct policy_run *run, size_t walk, size_t at,
                                      const char *step)
{
    struct policy_check *check = run->check;
    const struct policy_link *link = run->links->v[at];
    assert(check->n_trace < run->trace_room);
    struct policy_trace *trace = &check->trace[check->n_trace++];
    *trace = (struct policy_trace){.module = link->module->name,
                                   .step = step,
                                   .mode = policyd_conf_mode_name(link->mode),
                                   .verdict = "",
                                   .rcpt = check->results[walk].rcpt};
    return trace;
}

static void trace_step(struct policy_run *run, size_t walk, size_t at,
                       enum policy_step step, const struct policy_verdict *verdict,
                       uint64_t us)
{
    static const char *const names[] = {
        [POLICY_NEXT] = "next", [POLICY_DONE] = "done", [POLICY_FAIL] = "fail"};
    const char *words[POLICY_SLOTS_MAX];
    struct mx_arena *arena = arena_of(run);
    if (!run->check->is_explain)
        return;
    struct policy_trace *trace = add_trace(run, walk, at, names[step]);
    trace->us = us;
    if (step == POLICY_DONE)
        trace->verdict = policy_verdict_format(arena, verdict);
    trace->n_answers =
        policy_answers_words(arena, &run->answers, run->check->req->now_ms, words);
    const char **copy = mx_arena_array(arena, trace->n_answers, sizeof(*copy));
    memcpy(copy, words, trace->n_answers * sizeof(*copy));
    trace->answers = copy;
}

static void trace_rest(struct policy_run *run, size_t walk)
{
    if (!run->check->is_explain)
        return;
    for (size_t at = run->walks[walk].at; at < run->links->n; at++)
        add_trace(run, walk, at,
                  run->links->v[at]->mode == POLICYD_OFF ? "off" : "not reached");
}

/* ---- one step -------------------------------------------------------------------------
 */

static void note_mark(struct policy_run *run, size_t walk, const char *mark,
                      const struct policy_link *link)
{
    struct policy_result *result = &run->check->results[walk];
    if (mark == NULL || result->n_marks == MARKS_MAX)
        return;
    run->walks[walk].marks[result->n_marks++] =
        mx_str(mx_arena_printf(arena_of(run), "%s=%s", mark, link->module->name));
}

/* This module could not tell: marks, metrics, and a line where that is news. */
static void note_fail(struct policy_run *run, size_t at, const char *reason,
                      const char *instead)
{
    struct policy_link *link = run->links->v[at];
    const struct policy_chain_env *env = &run->chain->env;
    bool is_new = !link->is_degraded;
    mx_counter_add(link->fail, 1);
    run->is_degraded[at] = true;
    link->is_degraded = true;
    if (env->health)
        is_new = mx_health_degraded(env->health, link->module->name, reason);
    if (is_new)
        mx_log(env->log, MX_LOG_WARN, "policy.degraded",
               "module=%s reason=\"%s\" instead=%s", link->module->name, reason, instead);
}

static void note_sound(struct policy_run *run, struct policy_link *link)
{
    const struct policy_chain_env *env = &run->chain->env;
    bool is_news = true;
    if (!link->is_degraded)
        return;
    link->is_degraded = false;
    if (env->health)
        is_news = mx_health_degraded(env->health, link->module->name, NULL);
    if (is_news)
        mx_log(env->log, MX_LOG_INFO, "policy.recovered", "module=%s",
               link->module->name);
}

/* Unlike a fault it hurts no message: no mark on the request. */
static void note_notice(struct policy_run *run, struct policy_link *link,
                        const char *notice)
{
    const struct policy_chain_env *env = &run->chain->env;
    const char *now = notice && *notice ? notice : NULL;
    if (notice == NULL || notice == link->notice)
        return;
    link->notice = notice;
    const char *check = mx_arena_printf(arena_of(run), "%s-state", link->module->name);
    if (env->health && mx_health_degraded(env->health, check, now))
        mx_log(env->log, now ? MX_LOG_WARN : MX_LOG_INFO, "policy.notice",
               "module=%s state=\"%s\"", link->module->name, now ? now : "normal");
}

static void decided(struct policy_run *run, size_t walk, const struct policy_link *link,
                    const struct policy_verdict *verdict)
{
    struct policy_result *result = &run->check->results[walk];
    result->verdict = *verdict;
    result->module = link->module->name;
    run->walks[walk].is_decided = true;
    run->walks[walk].by = link;
}

static void log_warned(const struct policy_run *run, const struct policy_link *link,
                       const struct policy_verdict *verdict)
{
    const struct policy_req *req = run->check->req;
    mx_log(run->chain->env.log, MX_LOG_INFO, "policy.warn",
           "id=%s stage=%s module=%s action=%s reason=%s",
           mx_str_esc(req->arena, req->id), policy_stage_name(req->stage),
           link->module->name, policy_action_name(verdict->action),
           verdict->reason ? verdict->reason : "-");
}

static void step_done(struct policy_run *run, size_t walk, struct policy_link *link,
                      const struct policy_verdict *verdict)
{
    assert(policy_verdict_is_sound(verdict));
    if (link->mode == POLICYD_WARN) {
        mx_counter_add(link->would, 1);
        if (!run->check->is_explain)
            log_warned(run, link, verdict);
        return;
    }
    mx_counter_add(link->done[verdict->action], 1);
    note_mark(run, walk, verdict->mark, link);
    decided(run, walk, link, verdict);
}

/* ${verdict}: what the module named as the weaker way, CONTINUE where it did not. */
static void step_fail(struct policy_run *run, size_t walk, size_t at,
                      struct policy_verdict *verdict)
{
    struct policy_link *link = run->links->v[at];
    bool goes_on = link->on_fail == POLICYD_FAIL_NEXT;
    bool is_weaker = goes_on && verdict->action != POLICY_CONTINUE;
    if (verdict->reason == NULL)
        verdict->reason = run->answers.fault ? run->answers.fault : "no answer";
    note_fail(run, at, verdict->reason,
              is_weaker ? policy_action_name(verdict->action)
              : goes_on ? "next"
                        : "tempfail");
    if (is_weaker)
        step_done(run, walk, link, verdict);
    if (goes_on || link->mode == POLICYD_WARN)
        return;
    decided(run, walk, link,
            &(struct policy_verdict){
                .action = POLICY_TEMPFAIL,
                .code = 451,
                .enhanced = "4.3.0",
                .text = MX_STR("Temporary local problem, please try again later"),
                .reason = "degraded"});
}

/* Later modules, and those asked about it, see what the address means. */
static void take_rewrite(struct policy_run *run, size_t walk,
                         const struct policy_rewrite *rewrite)
{
    struct policy_req *req = run->check->req;
    run->check->results[walk].rewrite = rewrite;
    if (req->stage != POLICY_AT_RCPT || rewrite->n_mailboxes == 0)
        return;
    struct policy_rcpt *rcpt = mx_arena_alloc(arena_of(run), sizeof(*rcpt));
    *rcpt = *req->rcpt;
    rcpt->mailboxes = rewrite->mailboxes;
    rcpt->n_mailboxes = rewrite->n_mailboxes;
    rcpt->mailbox = rewrite->mailboxes[0];
    req->rcpt = rcpt;
}

static void take_step(struct policy_run *run, size_t walk, size_t at)
{
    struct policy_link *link = run->links->v[at];
    struct walk *w = &run->walks[walk];
    struct policy_verdict verdict = {.action = POLICY_CONTINUE};
    run->answers.slots = w->slots ? &w->slots[at] : NULL;
    int64_t began_us = mx_mono_us();
    enum policy_step step =
        link->module->decide(link->state, run->check->req, &run->answers, &verdict);
    int64_t us = mx_mono_us() - began_us;
    mx_histogram_add_us(link->cost, us);
    trace_step(run, walk, at, step, &verdict, (uint64_t)us);
    if (step == POLICY_FAIL) {
        step_fail(run, walk, at, &verdict);
        return;
    }
    if (!policy_answers_unknown(&run->answers))
        note_sound(run, link);
    note_notice(run, link, verdict.notice);
    if (step == POLICY_DONE) {
        step_done(run, walk, link, &verdict);
    } else {
        mx_counter_add(link->next, 1);
        note_mark(run, walk, verdict.mark, link);
        if (verdict.rewrite)
            take_rewrite(run, walk, verdict.rewrite);
    }
}

/* ---- walking --------------------------------------------------------------------------
 */

/* Modules see the recipient whose walk it is. */
static void turn_to(struct policy_run *run, size_t walk)
{
    struct policy_check *check = run->check;
    if (check->req->stage == POLICY_AT_CONTENT)
        check->req->rcpt = check->results[walk].rcpt;
}

static bool needs_answers(const struct policy_link *link)
{
    return link->module->ask != NULL && link->mode != POLICYD_OFF;
}

/* On until decided, at the end, or in need of answers. */
static void walk_on(struct policy_run *run, size_t walk)
{
    struct walk *w = &run->walks[walk];
    turn_to(run, walk);
    while (w->at < run->links->n && !w->is_decided) {
        struct policy_link *link = run->links->v[w->at];
        if (needs_answers(link) && !run->has_answers)
            return;
        if (link->mode != POLICYD_OFF)
            take_step(run, walk, w->at);
        else if (run->check->is_explain)
            add_trace(run, walk, w->at, "off");
        w->at++;
    }
}

static bool is_waiting(const struct policy_run *run, size_t walk)
{
    return !run->walks[walk].is_decided && run->walks[walk].at < run->links->n;
}

static void ask_walk(struct policy_run *run, size_t walk)
{
    struct walk *w = &run->walks[walk];
    turn_to(run, walk);
    w->slots = mx_arena_array(arena_of(run), run->links->n, sizeof(*w->slots));
    for (size_t at = w->at; at < run->links->n; at++) {
        const struct policy_link *link = run->links->v[at];
        run->questions.slots = &w->slots[at];
        if (needs_answers(link))
            link->module->ask(link->state, run->check->req, &run->questions);
    }
}

/* ---- the end --------------------------------------------------------------------------
 */

static void record_all(struct policy_run *run)
{
    struct policy_check *check = run->check;
    struct policy_effects effects = {.arena = arena_of(run)};
    for (size_t walk = 0; walk < check->n_results; walk++) {
        struct walk *w = &run->walks[walk];
        turn_to(run, walk);
        for (size_t at = 0; at < w->at; at++) {
            const struct policy_link *link = run->links->v[at];
            run->answers.slots = w->slots ? &w->slots[at] : NULL;
            if (link->module->record && link->mode != POLICYD_OFF)
                link->module->record(link->state, check->req, &run->answers,
                                     &check->results[walk].verdict, &effects);
        }
    }
    if (effects.n)
        store_tell(check->store, effects.v, effects.n);
}

static void list_degraded(struct policy_run *run)
{
    struct policy_check *check = run->check;
    check->degraded = mx_arena_array(arena_of(run), run->links->n, sizeof(char *));
    for (size_t at = 0; at < run->links->n; at++)
        if (run->is_degraded[at])
            check->degraded[check->n_degraded++] = run->links->v[at]->module->name;
}

static void finish(struct policy_run *run)
{
    struct policy_check *check = run->check;
    struct policy_chain *chain = run->chain;
    for (size_t walk = 0; walk < check->n_results; walk++) {
        trace_rest(run, walk);
        check->results[walk].marks = run->walks[walk].marks;
    }
    list_degraded(run);
    check->is_late = mx_mono_ms(chain->env.clock) > check->deadline_ms;
    if (!check->is_late && !check->is_explain)
        record_all(run);
    check->done(check); /* may free the request with all its memory */
    policy_chain_unref(chain);
}

static void walk_all(struct policy_run *run)
{
    for (size_t walk = 0; walk < run->check->n_results; walk++)
        walk_on(run, walk);
}

static void on_answers(struct store_batch *batch)
{
    struct policy_run *run = batch->user;
    run->has_answers = true;
    run->answers.questions = batch->questions;
    run->answers.v = batch->answers;
    run->answers.n = batch->n;
    run->answers.fault = batch->fault;
    walk_all(run);
    finish(run);
}

static unsigned store_patience(const struct policy_run *run)
{
    int64_t left = run->check->deadline_ms - mx_mono_ms(run->chain->env.clock);
    int64_t most = run->chain->env.store_timeout_ms;
    return (unsigned)(left < 1 ? 1 : left < most ? left : most);
}

static void ask_all(struct policy_run *run)
{
    struct mx_arena *arena = arena_of(run);
    run->questions.arena = arena;
    for (size_t walk = 0; walk < run->check->n_results; walk++)
        if (is_waiting(run, walk))
            ask_walk(run, walk);
    size_t n = run->questions.n;
    run->batch = (struct store_batch){
        .questions = run->questions.v,
        .answers = mx_arena_array(arena, n, sizeof(struct store_answer)),
        .n = n,
        .timeout_ms = store_patience(run),
        .arena = arena,
        .done = on_answers,
        .user = run};
    if (n == 0)
        on_answers(&run->batch);
    else
        store_ask(run->check->store, &run->batch);
}

static bool is_any_waiting(const struct policy_run *run)
{
    for (size_t walk = 0; walk < run->check->n_results; walk++)
        if (is_waiting(run, walk))
            return true;
    return false;
}

void policy_chain_run(struct policy_chain *chain, struct policy_check *check)
{
    struct policy_req *req = check->req;
    struct policy_run *run = mx_arena_alloc(req->arena, sizeof(*run));
    bool is_content = req->stage == POLICY_AT_CONTENT;
    run->chain = policy_chain_ref(chain);
    run->check = check;
    run->links = &chain->stages[policyd_conf_stage_index(req->stage)];
    check->run = run;
    check->n_results = is_content ? req->n_rcpts : 1;
    check->results =
        mx_arena_array(req->arena, check->n_results, sizeof(*check->results));
    run->walks = mx_arena_array(req->arena, check->n_results, sizeof(*run->walks));
    for (size_t i = 0; is_content && i < check->n_results; i++)
        check->results[i].rcpt = &req->rcpts[i];
    if (check->is_explain) {
        run->trace_room = check->n_results * run->links->n;
        check->trace = mx_arena_array(req->arena, run->trace_room, sizeof(*check->trace));
    }
    walk_all(run);
    if (is_any_waiting(run))
        ask_all(run);
    else
        finish(run);
}
