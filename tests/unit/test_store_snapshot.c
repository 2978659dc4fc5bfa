/* store_snapshot: what stands in for the store while it is down. */
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
#include "store_slots.h"
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
    bed->clock.now_ms += STORE_SNAPSHOT_LIST_AGE_MS;
    expect(bed, "a@s.example", STORE_DENIED, 0);
    bed->clock.now_ms += 1;
    assert_false(match(bed, "u@d", "a@s.example", "s.example").is_known);
}

static void test_ask_is_bounded(void **state)
{
    struct bed *bed = *state;
    char sender[64];
    unsigned kept = 0;
    for (unsigned i = 0; i < 2 * STORE_SLOTS; i++) {
        snprintf(sender, sizeof(sender), "u%u@s.example", i);
        store_mem_list(bed->mem, "u@d", sender, STORE_DENIED);
        expect(bed, sender, STORE_DENIED, 0);
    }
    store_mem_break(bed->mem, "store down");
    for (unsigned i = 0; i < 2 * STORE_SLOTS; i++) {
        snprintf(sender, sizeof(sender), "u%u@s.example", i);
        kept += match(bed, "u@d", sender, "s.example").is_known;
    }
    assert_in_range(kept, STORE_SLOTS / 2, STORE_SLOTS);
}

static void set_quota(struct bed *bed, const char *mailbox, int64_t limit, int64_t used)
{
    struct store_mem_quota quota = {.limit = limit, .used = used};
    store_mem_quota(bed->mem, mailbox, &quota);
}

static struct store_answer quota_of(struct bed *bed, const char *mailbox)
{
    struct store_question question = {.kind = STORE_QUOTA, .mailbox = mx_str(mailbox)};
    return ask(bed, &question);
}

static void test_ask_seen_quota_answers_while_down(void **state)
{
    struct bed *bed = *state;
    set_quota(bed, "full@d", 1000, 1200);
    set_quota(bed, "limit@d", 1000, -1);
    assert_true(quota_of(bed, "full@d").is_known);
    assert_true(quota_of(bed, "limit@d").is_known);
    assert_true(quota_of(bed, "free@d").is_known);
    store_mem_break(bed->mem, "store down");
    struct store_answer full = quota_of(bed, "full@d"), limit = quota_of(bed, "limit@d");
    assert_true(full.is_known && full.quota.has_limit && full.quota.has_used);
    assert_int_equal(full.quota.limit, 1000);
    assert_int_equal(full.quota.used, 1200);
    assert_true(limit.is_known && limit.quota.has_limit && !limit.quota.has_used);
    assert_false(quota_of(bed, "free@d").is_known);
    assert_false(quota_of(bed, "never.seen@d").is_known);
    bed->clock.now_ms += STORE_SNAPSHOT_QUOTA_AGE_MS + 1;
    assert_false(quota_of(bed, "full@d").is_known);
}

/* Full for long is refused for good: not by what was true minutes ago. */
static void test_ask_quota_does_not_say_since_when(void **state)
{
    struct bed *bed = *state;
    struct store_effect over = {.kind = STORE_QUOTA_OVER,
                                .mailbox = MX_STR("full@d"),
                                .now_ms = 1000,
                                .ttl_ms = 86400000};
    set_quota(bed, "full@d", 1000, 1200);
    store_tell(bed->store, &over, 1);
    assert_int_equal(quota_of(bed, "full@d").quota.over_since_ms, 1000);
    store_mem_break(bed->mem, "store down");
    assert_int_equal(quota_of(bed, "full@d").quota.over_since_ms, 0);
}

/* ${units} of a rate of two a minute: how long to wait for one more. */
static int64_t wait_after(struct bed *bed, unsigned units)
{
    struct store_rate_query rate = {.name = MX_STR("client 192.0.2.1"),
                                    .limit = 2,
                                    .period_ms = 60000,
                                    .cost = 1,
                                    .now_ms = bed->clock.now_ms};
    struct store_question question = {.kind = STORE_RATE, .rate = rate};
    struct store_effect hit = {.kind = STORE_RATE_HIT, .rate = rate};
    struct store_answer answer = ask(bed, &question);
    for (unsigned i = 0; i < units; i++) {
        store_tell(bed->store, &hit, 1);
        answer = ask(bed, &question);
    }
    assert_true(answer.is_known);
    return answer.rate.wait_ms;
}

static void test_ask_rates_are_limited_here_while_down(void **state)
{
    struct bed *bed = *state;
    store_mem_break(bed->mem, "store down");
    assert_int_equal(wait_after(bed, 1), 0);
    assert_int_equal(wait_after(bed, 1), 30000);
    bed->clock.now_ms += 30000;
    assert_int_equal(wait_after(bed, 0), 0);
}

static void test_tell_rates_are_the_stores_while_it_is_up(void **state)
{
    struct bed *bed = *state;
    assert_int_equal(wait_after(bed, 2), 30000);
    store_mem_break(bed->mem, "store down");
    assert_int_equal(wait_after(bed, 1), 0);
    store_mem_break(bed->mem, NULL);
    assert_int_equal(wait_after(bed, 0), 30000);
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
        cmocka_unit_test_setup_teardown(test_ask_seen_quota_answers_while_down, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_ask_quota_does_not_say_since_when, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_ask_rates_are_limited_here_while_down, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_tell_rates_are_the_stores_while_it_is_up,
                                        setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
