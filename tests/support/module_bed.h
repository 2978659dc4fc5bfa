/*
 * One policy module, alone, between a request and the store in memory: ask, decide,
 * record, as the chain does it, without the chain. For module tests that want answers of
 * a store with state rather than hand-made ones.
 */
#ifndef MODULE_BED_H
#define MODULE_BED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "mx_time.h"
#include "policy.h"
#include "policy_answers.h"
#include "store_mem.h"

#define MODULE_BED_NOW_MS 1700000000000

struct module_bed {
    const struct policy_module *module;
    struct mx_clock_fake clock;
    struct mx_arena *arena;
    struct store *store;
    void *state;
    struct policy_req req;
    struct policy_rcpt rcpt;
    struct policy_verdict verdict; /* of the last decide */
};

static inline void module_bed_init(struct module_bed *bed,
                                   const struct policy_module *module,
                                   const void *settings, struct policy_maps *maps)
{
    struct mx_err err = {0};
    *bed = (struct module_bed){.module = module, .arena = mx_arena_new(16 << 20)};
    mx_clock_fake_init(&bed->clock, MODULE_BED_NOW_MS);
    bed->store = store_mem_new(&bed->clock.clock);
    bed->state = mx_xalloc(module->state_size + 1);
    bed->req.arena = bed->arena;
    struct policy_env env = {&bed->clock.clock, settings, maps};
    if (module->start && module->start(bed->state, &env, &err) < 0)
        fail_msg("%s: %s", module->name, err.text);
}

static inline void module_bed_fini(struct module_bed *bed)
{
    if (bed->module->stop)
        bed->module->stop(bed->state);
    free(bed->state);
    store_free(bed->store);
    mx_arena_free(bed->arena);
}

static inline void module_bed_client(struct module_bed *bed, const char *text)
{
    assert_int_equal(mx_net_parse(mx_str(text), &bed->req.client, NULL), 0);
}

static inline void module_bed_rcpt(struct module_bed *bed, const char *path)
{
    bed->rcpt = (struct policy_rcpt){.path = mx_str(path)};
    bed->rcpt.is_bad = mx_addr_parse(bed->arena, mx_str(path), &bed->rcpt.addr, NULL) < 0;
    bed->rcpt.mailbox = bed->rcpt.addr.text;
    bed->rcpt.mailboxes = &bed->rcpt.mailbox;
    bed->rcpt.n_mailboxes = 1;
    bed->req.rcpt = &bed->rcpt;
}

static inline void module_bed_done(struct store_batch *batch)
{
    (void)batch;
}

/* Ask the store and decide; record as well where ${is_recorded}. */
static inline enum policy_step module_bed_run(struct module_bed *bed,
                                              enum policy_stage stage, bool is_recorded)
{
    const struct policy_module *module = bed->module;
    struct policy_slots slots = {{0}};
    struct policy_questions questions = {.arena = bed->arena, .slots = &slots};
    bed->req.stage = stage;
    bed->req.now_ms = bed->clock.now_ms;
    if (module->ask)
        module->ask(bed->state, &bed->req, &questions);
    struct store_batch batch = {
        .questions = questions.v,
        .answers = mx_arena_array(bed->arena, questions.n, sizeof(struct store_answer)),
        .n = questions.n,
        .arena = bed->arena,
        .done = module_bed_done};
    store_ask(bed->store, &batch);
    struct policy_answers answers = {batch.questions, batch.answers, batch.n, &slots,
                                     batch.fault};
    bed->verdict = (struct policy_verdict){.action = POLICY_CONTINUE};
    enum policy_step step =
        module->decide(bed->state, &bed->req, &answers, &bed->verdict);
    struct policy_verdict next = {.action = POLICY_CONTINUE};
    struct policy_effects effects = {.arena = bed->arena};
    if (is_recorded && module->record)
        module->record(bed->state, &bed->req, &answers,
                       step == POLICY_DONE ? &bed->verdict : &next, &effects);
    store_tell(bed->store, effects.v, effects.n);
    return step;
}

#endif
