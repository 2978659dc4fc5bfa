/* The in-memory store by itself: expiry, faults, loss. What it answers is compared with
   Redis in test_store_agree.c. */
#include "store_mem.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "mx_time.h"

static void on_done(struct store_batch *batch)
{
    (*(int *)batch->user)++;
}

/* Ask one question; ->done must have come exactly once. */
static struct store_answer ask(struct store *store, const struct store_question *question,
                               const char **out_fault)
{
    struct store_answer answer = {0};
    int done = 0;
    struct store_batch batch = {.questions = question,
                                .answers = &answer,
                                .n = 1,
                                .timeout_ms = 50,
                                .done = on_done,
                                .user = &done};
    store_ask(store, &batch);
    assert_int_equal(done, 1);
    if (out_fault)
        *out_fault = batch.fault;
    return answer;
}

static const struct store_question grey = {.kind = STORE_GREY_SEEN,
                                           .grey = {{"pool", 4}, {"tuple", 5}}};
static const struct store_question epoch = {.kind = STORE_EPOCH};

static void tell(struct store *store, enum store_effect_kind kind, int64_t now_ms,
                 int64_t ttl_ms)
{
    struct store_effect effect = {
        .kind = kind, .grey = grey.grey, .now_ms = now_ms, .ttl_ms = ttl_ms};
    store_tell(store, &effect, 1);
}

static void test_store_mem_entries_expire_by_the_clock(void **state)
{
    struct mx_clock_fake clock;
    (void)state;
    mx_clock_fake_init(&clock, 1000);
    struct store *store = store_mem_new(&clock.clock);
    tell(store, STORE_GREY_FIRST, 1000, 500);
    clock.now_ms = 1499;
    assert_int_equal(ask(store, &grey, NULL).grey.first_ms, 1000);
    clock.now_ms = 1500;
    struct store_answer answer = ask(store, &grey, NULL);
    assert_true(answer.is_known);
    assert_int_equal(answer.grey.first_ms, 0);
    store_free(store);
}

static void test_store_mem_pass_renews_tuple_and_pool(void **state)
{
    struct mx_clock_fake clock;
    (void)state;
    mx_clock_fake_init(&clock, 1000);
    struct store *store = store_mem_new(&clock.clock);
    tell(store, STORE_GREY_FIRST, 1000, 500);
    clock.now_ms = 1400;
    tell(store, STORE_GREY_PASS, 1400, 500);
    clock.now_ms = 1800;
    struct store_answer answer = ask(store, &grey, NULL);
    assert_int_equal(answer.grey.first_ms, 1000);
    assert_int_equal(answer.grey.last_ms, 1400);
    assert_int_equal(answer.grey.passes, 1);
    assert_int_equal(answer.grey.pool_passes, 1);
    clock.now_ms = 1900;
    assert_int_equal(ask(store, &grey, NULL).grey.pool_passes, 0);
    store_free(store);
}

static void test_store_mem_break_makes_answers_unknown(void **state)
{
    const char *fault = NULL;
    struct store_stats stats;
    (void)state;
    struct store *store = store_mem_new(&mx_clock_real);
    assert_true(store_is_up(store));
    store_mem_break(store, "store down");
    assert_false(store_is_up(store));
    assert_false(ask(store, &grey, &fault).is_known);
    assert_string_equal(fault, "store down");
    tell(store, STORE_EPOCH_SET, 5, 0);
    store_mem_break(store, NULL);
    assert_true(store_is_up(store));
    struct store_answer answer = ask(store, &epoch, &fault);
    assert_true(answer.is_known);
    assert_null(fault);
    assert_int_equal(answer.epoch.since_ms, 0);
    store_stats(store, &stats);
    assert_int_equal(stats.unknown, 1);
    assert_int_equal(stats.lost, 1);
    assert_int_equal(stats.round_trips, 1);
    store_free(store);
}

static void test_store_mem_flush_loses_everything(void **state)
{
    (void)state;
    struct store *store = store_mem_new(&mx_clock_real);
    tell(store, STORE_EPOCH_SET, 5, 0);
    tell(store, STORE_GREY_PASS, 5, 1000);
    assert_int_equal(ask(store, &epoch, NULL).epoch.since_ms, 5);
    store_mem_flush(store);
    assert_int_equal(ask(store, &epoch, NULL).epoch.since_ms, 0);
    assert_int_equal(ask(store, &grey, NULL).grey.pool_passes, 0);
    store_free(store);
}

static void test_store_mem_list_set_change_remove(void **state)
{
    static const struct mx_str patterns[] = {{"a@b", 3}, {"b", 1}};
    const struct store_question question = {.kind = STORE_LIST_MATCH,
                                            .list = {{"system", 6}, patterns, 2}};
    (void)state;
    struct store *store = store_mem_new(&mx_clock_real);
    assert_int_equal(ask(store, &question, NULL).list.listing, STORE_NOT_LISTED);
    store_mem_list(store, "system", "b", STORE_DENIED);
    struct store_answer answer = ask(store, &question, NULL);
    assert_int_equal(answer.list.listing, STORE_DENIED);
    assert_int_equal(answer.list.pattern, 1);
    store_mem_list(store, "system", "a@b", STORE_ALLOWED);
    answer = ask(store, &question, NULL);
    assert_int_equal(answer.list.listing, STORE_ALLOWED);
    assert_int_equal(answer.list.pattern, 0);
    store_mem_list(store, "system", "a@b", STORE_NOT_LISTED);
    store_mem_list(store, "system", "never", STORE_NOT_LISTED);
    assert_int_equal(ask(store, &question, NULL).list.listing, STORE_DENIED);
    store_free(store);
}

/* Full: new entries are lost, until old ones have expired. */
static void test_store_mem_is_bounded(void **state)
{
    enum { MANY = 1000000 };
    struct mx_clock_fake clock;
    struct store_stats stats;
    char tuple[16];
    (void)state;
    mx_clock_fake_init(&clock, 1000);
    struct store *store = store_mem_new(&clock.clock);
    struct store_effect effect = {.kind = STORE_GREY_FIRST, .now_ms = 1, .ttl_ms = 5000};
    effect.grey.pool = MX_STR("flood");
    for (int i = 0; i < MANY + 10; i++) {
        int n = snprintf(tuple, sizeof(tuple), "%d", i);
        effect.grey.tuple = mx_str_of(tuple, (size_t)n);
        store_tell(store, &effect, 1);
    }
    store_stats(store, &stats);
    assert_int_equal(stats.effects, MANY);
    assert_int_equal(stats.lost, 10);
    clock.now_ms += 5000;
    tell(store, STORE_GREY_FIRST, 7, 500);
    assert_int_equal(ask(store, &grey, NULL).grey.first_ms, 7);
    store_free(store);
}

static void test_store_free_null(void **state)
{
    (void)state;
    store_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_store_mem_entries_expire_by_the_clock),
        cmocka_unit_test(test_store_mem_pass_renews_tuple_and_pool),
        cmocka_unit_test(test_store_mem_break_makes_answers_unknown),
        cmocka_unit_test(test_store_mem_flush_loses_everything),
        cmocka_unit_test(test_store_mem_list_set_change_remove),
        cmocka_unit_test(test_store_mem_is_bounded),
        cmocka_unit_test(test_store_free_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
