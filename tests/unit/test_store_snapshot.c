/* store_snapshot: lists that were seen answer while the store is down. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "mx_arena.h"
#include "mx_net.h"
#include "mx_time.h"
#include "store_mem.h"
#include "store_snapshot.h"

struct bed {
    struct mx_clock_fake clock;
    struct store *mem, *store;
    struct mx_arena *arena;
    const char *fault;
};

static int setup(void **state)
{
    struct bed *bed = mx_xalloc(sizeof(*bed));
    mx_clock_fake_init(&bed->clock, 1000000);
    bed->mem = store_mem_new(&bed->clock.clock);
    bed->store = store_snapshot_new(bed->mem, &bed->clock.clock);
    bed->arena = mx_arena_new(16 << 20);
    *state = bed;
    return 0;
}

static int teardown(void **state)
{
    struct bed *bed = *state;
    store_free(bed->store);
    mx_arena_free(bed->arena);
    free(bed);
    return 0;
}

static void on_done(struct store_batch *batch)
{
    (*(int *)batch->user)++;
}

static struct store_answer ask(struct bed *bed, const struct store_question *question)
{
    struct store_answer answer = {0};
    int done = 0;
    struct store_batch batch = {.questions = question,
                                .answers = &answer,
                                .n = 1,
                                .timeout_ms = 50,
                                .arena = bed->arena,
                                .done = on_done,
                                .user = &done};
    store_ask(bed->store, &batch);
    assert_int_equal(done, 1);
    bed->fault = batch.fault;
    return answer;
}

static struct store_answer match(struct bed *bed, const char *scope, const char *first,
                                 const char *second)
{
    struct mx_str patterns[] = {mx_str(first), mx_str(second)};
    struct store_question question = {
        .kind = STORE_LIST_MATCH,
        .list = {.scope = mx_str(scope), .patterns = patterns, .n_patterns = 2}};
    return ask(bed, &question);
}

static void expect(struct bed *bed, const char *first, enum store_listing listing,
                   size_t pattern)
{
    struct store_answer answer = match(bed, "u@d", first, "s.example");
    assert_true(answer.is_known);
    assert_int_equal(answer.list.listing, listing);
    assert_int_equal(answer.list.pattern, pattern);
}

static void test_ask_seen_lists_answer_while_down(void **state)
{
    struct bed *bed = *state;
    store_mem_list(bed->mem, "u@d", "a@s.example", STORE_ALLOWED);
    store_mem_list(bed->mem, "u@d", "s.example", STORE_DENIED);
    expect(bed, "a@s.example", STORE_ALLOWED, 0);
    expect(bed, "b@s.example", STORE_DENIED, 1);
    store_mem_break(bed->mem, "store down");
    expect(bed, "a@s.example", STORE_ALLOWED, 0);
    expect(bed, "b@s.example", STORE_DENIED, 1);
    expect(bed, "c@s.example", STORE_DENIED, 1);
    assert_string_equal(bed->fault, "store down");
}

static void test_ask_unseen_stays_unknown(void **state)
{
    struct bed *bed = *state;
    store_mem_list(bed->mem, "u@d", "a@s.example", STORE_DENIED);
    expect(bed, "x@s.example", STORE_NOT_LISTED, 0);
    store_mem_break(bed->mem, "store down");
    assert_false(match(bed, "u@d", "a@s.example", "s.example").is_known);
    assert_false(match(bed, "u@d", "x@s.example", "s.example").is_known);
    assert_string_equal(bed->fault, "store down");
}

static void test_ask_scopes_are_apart(void **state)
{
    struct bed *bed = *state;
    store_mem_list(bed->mem, "u@d", "a@s.example", STORE_DENIED);
    expect(bed, "a@s.example", STORE_DENIED, 0);
    store_mem_break(bed->mem, "store down");
    assert_false(match(bed, "v@d", "a@s.example", "s.example").is_known);
}

static void test_ask_removed_is_forgotten(void **state)
{
    struct bed *bed = *state;
    store_mem_list(bed->mem, "u@d", "a@s.example", STORE_DENIED);
    expect(bed, "a@s.example", STORE_DENIED, 0);
    store_mem_list(bed->mem, "u@d", "a@s.example", STORE_NOT_LISTED);
    expect(bed, "a@s.example", STORE_NOT_LISTED, 0);
    store_mem_break(bed->mem, "store down");
    assert_false(match(bed, "u@d", "a@s.example", "s.example").is_known);
}

/* Networks are written out only where the table may have them. */
static void test_ask_networks_are_remembered(void **state)
{
    struct bed *bed = *state;
    struct mx_net net;
    struct store_question question = {
        .kind = STORE_LIST_MATCH, .list = {.scope = MX_STR("system"), .client = &net}};
    assert_int_equal(mx_net_parse(MX_STR("192.0.2.9"), &net, NULL), 0);
    store_mem_list(bed->mem, "system", "192.0.2.0/24", STORE_DENIED);
    assert_int_equal(ask(bed, &question).list.listing, STORE_DENIED);
    store_mem_break(bed->mem, "store down");
    struct store_answer answer = ask(bed, &question);
    assert_true(answer.is_known);
    assert_int_equal(answer.list.listing, STORE_DENIED);
    assert_int_equal(answer.list.pattern, 8);
    store_mem_break(bed->mem, NULL);
    store_mem_list(bed->mem, "system", "192.0.2.0/24", STORE_NOT_LISTED);
    assert_int_equal(ask(bed, &question).list.listing, STORE_NOT_LISTED);
    store_mem_break(bed->mem, "store down");
    assert_false(ask(bed, &question).is_known);
}

static void test_ask_old_is_not_used(void **state)
{
    struct bed *bed = *state;
    store_mem_list(bed->mem, "u@d", "a@s.example", STORE_DENIED);
    expect(bed, "a@s.example", STORE_DENIED, 0);
    store_mem_break(bed->mem, "store down");
    bed->clock.now_ms += STORE_SNAPSHOT_AGE_MS;
    expect(bed, "a@s.example", STORE_DENIED, 0);
    bed->clock.now_ms += 1;
    assert_false(match(bed, "u@d", "a@s.example", "s.example").is_known);
}

static void test_ask_is_bounded(void **state)
{
    struct bed *bed = *state;
    char sender[64];
    unsigned kept = 0;
    for (unsigned i = 0; i < 2 * STORE_SNAPSHOT_SLOTS; i++) {
        snprintf(sender, sizeof(sender), "u%u@s.example", i);
        store_mem_list(bed->mem, "u@d", sender, STORE_DENIED);
        expect(bed, sender, STORE_DENIED, 0);
    }
    store_mem_break(bed->mem, "store down");
    for (unsigned i = 0; i < 2 * STORE_SNAPSHOT_SLOTS; i++) {
        snprintf(sender, sizeof(sender), "u%u@s.example", i);
        kept += match(bed, "u@d", sender, "s.example").is_known;
    }
    assert_in_range(kept, STORE_SNAPSHOT_SLOTS / 2, STORE_SNAPSHOT_SLOTS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_ask_seen_lists_answer_while_down, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_ask_unseen_stays_unknown, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ask_scopes_are_apart, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ask_removed_is_forgotten, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ask_networks_are_remembered, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_ask_old_is_not_used, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ask_is_bounded, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
