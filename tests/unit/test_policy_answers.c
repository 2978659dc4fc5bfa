/* policy_answers: slots, bounds, and answers in words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "mx_arena.h"
#include "policy_answers.h"

static void test_ask_and_answer_by_slot(void **state)
{
    struct mx_arena *arena = mx_arena_new(1 << 20);
    struct policy_slots one = {{0}}, two = {{0}};
    struct policy_questions questions = {.arena = arena, .slots = &one};
    (void)state;
    policy_ask(&questions, 3, &(struct store_question){.kind = STORE_EPOCH});
    questions.slots = &two;
    policy_ask(&questions, 3, &(struct store_question){.kind = STORE_GREY_SEEN});
    policy_ask(&questions, 0, &(struct store_question){.kind = STORE_EPOCH});
    assert_int_equal(questions.n, 3);
    struct store_answer v[3] = {{.is_known = true, .epoch.since_ms = 7},
                                {.is_known = false},
                                {.is_known = true, .epoch.since_ms = 9}};
    struct policy_answers answers = {questions.v, v, 3, &one, NULL};
    assert_int_equal(policy_answer(&answers, 3)->epoch.since_ms, 7);
    assert_false(policy_answer(&answers, 0)->is_known);
    assert_false(policy_answers_unknown(&answers));
    answers.slots = &two;
    assert_int_equal(policy_answer(&answers, 0)->epoch.since_ms, 9);
    assert_false(policy_answer(&answers, 3)->is_known);
    assert_true(policy_answers_unknown(&answers));
    answers.slots = NULL;
    assert_false(policy_answer(&answers, 3)->is_known);
    mx_arena_free(arena);
}

static void test_ask_bounded(void **state)
{
    struct mx_arena *arena = mx_arena_new(64 << 20);
    struct policy_questions questions = {.arena = arena};
    (void)state;
    for (int i = 0; i < POLICY_QUESTIONS_MAX + 10; i++) {
        struct policy_slots slots = {{0}};
        questions.slots = &slots;
        policy_ask(&questions, 0, &(struct store_question){.kind = STORE_EPOCH});
        assert_int_equal(slots.at[0] != 0, i < POLICY_QUESTIONS_MAX);
    }
    assert_int_equal(questions.n, POLICY_QUESTIONS_MAX);
    mx_arena_free(arena);
}

static void test_words(void **state)
{
    static const struct mx_str patterns[] = {MX_STR("b.example"), MX_STR(".example")};
    static const struct store_question q[] = {
        {.kind = STORE_LIST_MATCH,
         .list = {.scope = MX_STR("system"), .patterns = patterns, .n_patterns = 2}},
        {.kind = STORE_LIST_MATCH, .list = {.scope = MX_STR("u@d")}},
        {.kind = STORE_GREY_SEEN, .grey = {.pool = MX_STR("192.0.2.0/24")}},
        {.kind = STORE_EPOCH},
        {.kind = STORE_QUOTA, .mailbox = MX_STR("u@d")},
        {.kind = STORE_RATE, .rate = {.name = MX_STR("x")}},
    };
    static const struct store_answer known[] = {
        {.is_known = true, .list = {STORE_DENIED, 1}},
        {.is_known = true, .list = {STORE_NOT_LISTED, 0}},
        {.is_known = true, .grey = {.first_ms = 1000, .passes = 2, .pool_passes = 5}},
        {.is_known = true, .epoch = {.since_ms = 1000}},
        {.is_known = true, .quota = {.has_used = true, .used = 1024}},
        {.is_known = true, .rate = {.wait_ms = 30}},
    };
    static const char *const wanted[] = {
        "list system: denied by .example",
        "list u@d: not listed",
        "greylist 192.0.2.0/24: first seen 12 s ago, passed 2 times, the pool 5",
        "store: keeps state for 12 s",
        "quota u@d: uses 1KiB of ?",
        "rate x: full for 30 ms",
    };
    struct mx_arena *arena = mx_arena_new(1 << 20);
    const struct policy_slots slots = {{1, 2, 3, 4, 5, 6}};
    struct policy_answers answers = {q, known, 6, &slots, NULL};
    const char *out[POLICY_SLOTS_MAX];
    (void)state;
    assert_int_equal(policy_answers_words(arena, &answers, 13000, out), 6);
    for (int i = 0; i < 6; i++)
        assert_string_equal(out[i], wanted[i]);
    const struct store_answer unknown[6] = {{.is_known = false}};
    answers.v = unknown;
    answers.fault = "store late";
    assert_int_equal(policy_answers_words(arena, &answers, 13000, out), 6);
    assert_string_equal(out[3], "store: unknown: store late");
    answers.v = NULL;
    assert_int_equal(policy_answers_words(arena, &answers, 13000, out), 0);
    mx_arena_free(arena);
}

static void test_tell_bounded(void **state)
{
    struct mx_arena *arena = mx_arena_new(64 << 20);
    struct policy_effects effects = {.arena = arena};
    (void)state;
    for (int i = 0; i < POLICY_EFFECTS_MAX + 1; i++)
        policy_tell(&effects,
                    &(struct store_effect){.kind = STORE_EPOCH_SET, .now_ms = i});
    assert_int_equal(effects.n, POLICY_EFFECTS_MAX);
    assert_int_equal(effects.v[777].now_ms, 777);
    mx_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ask_and_answer_by_slot),
        cmocka_unit_test(test_ask_bounded),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_tell_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
