/*
 * The questions of one check and their answers. Modules see policy_ask and policy_answer
 * of policy.h only; the walk uses the rest. All questions of a check are one array, so
 * that the store sends them as one batch; each module of each walk has its slots, which
 * say where its own are.
 */
#ifndef POLICY_ANSWERS_H
#define POLICY_ANSWERS_H

#include "policy.h"

#define POLICY_QUESTIONS_MAX 65536 /* of one check; what is beyond stays unanswered */
#define POLICY_EFFECTS_MAX 65536   /* of one check */

struct mx_arena;

/* Of one module in one walk: index + 1 into the questions; 0: not asked. */
struct policy_slots {
    uint32_t at[POLICY_SLOTS_MAX];
};

struct policy_questions {
    struct mx_arena *arena;
    struct store_question *v;
    size_t n, room;
    struct policy_slots *slots; /* of the module that is asking now */
};

struct policy_answers {
    const struct store_question *questions;
    const struct store_answer *v; /* NULL: nothing was asked yet */
    size_t n;
    const struct policy_slots *slots; /* of the module that is deciding now */
    const char *fault;                /* of the batch */
};

struct policy_effects {
    struct mx_arena *arena;
    struct store_effect *v;
    size_t n, room;
};

/** policy_answers_unknown(answers): some answer of the current slots is not known. */
bool policy_answers_unknown(const struct policy_answers *answers);

/**
 * policy_answers_words(arena, answers, now_ms, out):
 * The answers of the current slots in words, for explain: "list system: denied by .b".
 * Returns how many texts ${out} has; they live in ${arena}.
 */
size_t policy_answers_words(struct mx_arena *arena, const struct policy_answers *answers,
                            int64_t now_ms, const char *out[static POLICY_SLOTS_MAX]);

#endif
