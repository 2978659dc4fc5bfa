/* Choice of endpoints and circuit breaker, on invented time and chance. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mxp_peer.h"

static const struct mxp_breaker BREAKER = {
    .failures_max = 3, .probe_min_ms = 100, .probe_max_ms = 400};

static struct mxp_peer connected(unsigned in_flight)
{
    return (struct mxp_peer){.is_connected = true, .in_flight = in_flight};
}

static void open_breaker(struct mxp_peer *peer, struct mxp_random *random, int64_t now_ms)
{
    assert_false(mxp_peer_failed(peer, &BREAKER, random, now_ms));
    assert_false(mxp_peer_failed(peer, &BREAKER, random, now_ms));
    assert_true(mxp_peer_failed(peer, &BREAKER, random, now_ms));
}

static void test_random_below_stays_below_and_spreads(void **state)
{
    (void)state;
    struct mxp_random random = {1};
    unsigned seen[10] = {0};
    for (int i = 0; i < 10000; i++) {
        uint32_t x = mxp_random_below(&random, 10);
        assert_in_range(x, 0, 9);
        seen[x]++;
    }
    for (int i = 0; i < 10; i++)
        assert_in_range(seen[i], 800, 1200);
    assert_int_equal(mxp_random_below(&random, 0), 0);
}

static void test_failed_opens_after_three_in_a_row(void **state)
{
    (void)state;
    struct mxp_random random = {1};
    struct mxp_peer peer = connected(0);
    mxp_peer_failed(&peer, &BREAKER, &random, 0);
    mxp_peer_failed(&peer, &BREAKER, &random, 0);
    assert_false(mxp_peer_succeeded(&peer)); /* the row is broken */
    open_breaker(&peer, &random, 0);
    assert_false(mxp_peer_usable(&peer));
    assert_false(mxp_peer_hopeful(&peer, 0));
    assert_false(mxp_peer_failed(&peer, &BREAKER, &random, 0)); /* open already */
    assert_int_equal(peer.failures_all, 6);
    assert_true(mxp_peer_succeeded(&peer));
    assert_true(mxp_peer_usable(&peer));
}

static void test_failed_probe_gaps_grow_with_jitter_up_to_the_bound(void **state)
{
    (void)state;
    struct mxp_random random = {99};
    struct mxp_peer peer = connected(0);
    int64_t now_ms = 1000;
    const unsigned gaps[] = {100, 200, 400, 400, 400};
    open_breaker(&peer, &random, now_ms);
    for (int i = 0; i < 5; i++) {
        assert_in_range(peer.probe_at_ms - now_ms, gaps[i] / 2, gaps[i] * 3 / 2);
        now_ms = peer.probe_at_ms;
        mxp_peer_asked(&peer);
        mxp_peer_failed(&peer, &BREAKER, &random, now_ms);
        mxp_peer_ended(&peer);
    }
    mxp_peer_succeeded(&peer);
    open_breaker(&peer, &random, now_ms);
    assert_in_range(peer.probe_at_ms - now_ms, 50, 150); /* small again */
}

static void test_failed_jitter_differs_between_clients(void **state)
{
    (void)state;
    int64_t first = 0;
    unsigned differ = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct mxp_random random = {seed * 0x9e3779b97f4a7c15ULL};
        struct mxp_peer peer = connected(0);
        open_breaker(&peer, &random, 0);
        differ += seed > 1 && peer.probe_at_ms != first;
        first = seed == 1 ? peer.probe_at_ms : first;
    }
    assert_true(differ > 10);
}

static void test_failed_old_calls_do_not_push_the_probe_away(void **state)
{
    (void)state;
    struct mxp_random random = {5};
    struct mxp_peer peer = connected(10);
    open_breaker(&peer, &random, 0);
    int64_t probe_at_ms = peer.probe_at_ms;
    for (int i = 0; i < 10; i++)
        mxp_peer_failed(&peer, &BREAKER, &random, 40);
    assert_int_equal(peer.probe_at_ms, probe_at_ms);
}

static void test_choose_prefers_less_in_flight(void **state)
{
    (void)state;
    struct mxp_random random = {7};
    struct mxp_peer a = connected(5), b = connected(4);
    struct mxp_peer *peers[] = {&a, &b};
    struct mxp_choice choice = {.peers = peers, .n = 2};
    for (int i = 0; i < 100; i++)
        assert_ptr_equal(mxp_peer_choose(&choice, &random), &b);
}

static void test_choose_never_takes_the_worst_of_many(void **state)
{
    (void)state;
    struct mxp_random random = {7};
    struct mxp_peer peer[8], *peers[8];
    unsigned taken[8] = {0};
    for (unsigned i = 0; i < 8; i++) {
        peer[i] = connected(i);
        peers[i] = &peer[i];
    }
    struct mxp_choice choice = {.peers = peers, .n = 8};
    for (int i = 0; i < 8000; i++)
        taken[mxp_peer_choose(&choice, &random) - peer]++;
    assert_int_equal(taken[7], 0);
    /* Rank k wins against 7 - k others: 14, 12, ... of 56. */
    for (unsigned i = 0; i < 7; i++)
        assert_in_range(taken[i], 8000 * (14 - 2 * i) / 56 * 8 / 10,
                        8000 * (14 - 2 * i) / 56 * 12 / 10);
}

static void test_choose_skips_what_cannot_be_asked(void **state)
{
    (void)state;
    struct mxp_random random = {7};
    struct mxp_peer good = connected(1000), away = {0}, draining = connected(0),
                    leaving = connected(0), tripped = connected(0);
    draining.is_draining = leaving.is_leaving = true;
    mxp_peer_trip(&tripped, &BREAKER, &random, 0);
    struct mxp_peer *peers[] = {&away, &draining, &good, &leaving, &tripped};
    struct mxp_choice choice = {.peers = peers, .n = 5};
    for (int i = 0; i < 50; i++)
        assert_ptr_equal(mxp_peer_choose(&choice, &random), &good);
    choice.except = &good;
    assert_null(mxp_peer_choose(&choice, &random));
    choice.n = 0;
    assert_null(mxp_peer_choose(&choice, &random));
}

static void test_choose_probes_once_when_due(void **state)
{
    (void)state;
    struct mxp_random random = {7};
    struct mxp_peer good = connected(0), bad = connected(0);
    open_breaker(&bad, &random, 0);
    struct mxp_peer *peers[] = {&good, &bad};
    struct mxp_choice choice = {.peers = peers, .n = 2};
    choice.now_ms = bad.probe_at_ms - 1;
    assert_ptr_equal(mxp_peer_choose(&choice, &random), &good);
    choice.now_ms = bad.probe_at_ms;
    choice.is_retry = true; /* has paid already */
    assert_ptr_equal(mxp_peer_choose(&choice, &random), &good);
    choice.is_retry = false;
    assert_ptr_equal(mxp_peer_choose(&choice, &random), &bad);
    mxp_peer_asked(&bad);
    assert_ptr_equal(mxp_peer_choose(&choice, &random), &good); /* one at a time */
    mxp_peer_succeeded(&bad);
    mxp_peer_ended(&bad);
    assert_true(mxp_peer_usable(&bad));
}

static void test_choose_retry_probes_as_last_resort(void **state)
{
    (void)state;
    struct mxp_random random = {7};
    struct mxp_peer bad = connected(0);
    open_breaker(&bad, &random, 0);
    struct mxp_peer *peers[] = {&bad};
    struct mxp_choice choice = {
        .peers = peers, .n = 1, .is_retry = true, .now_ms = bad.probe_at_ms};
    assert_ptr_equal(mxp_peer_choose(&choice, &random), &bad);
}

static void test_connected_probes_at_once(void **state)
{
    (void)state;
    struct mxp_random random = {7};
    struct mxp_peer peer = connected(0);
    open_breaker(&peer, &random, 1000);
    mxp_peer_disconnected(&peer, 1000);
    struct mxp_peer *peers[] = {&peer};
    struct mxp_choice choice = {.peers = peers, .n = 1, .now_ms = 1001};
    assert_null(mxp_peer_choose(&choice, &random));
    mxp_peer_connected(&peer, 1001);
    assert_ptr_equal(mxp_peer_choose(&choice, &random), &peer);
}

static void test_disconnected_ends_draining_with_the_process(void **state)
{
    (void)state;
    struct mxp_peer peer = connected(0);
    peer.is_draining = true;
    mxp_peer_disconnected(&peer, 5000);
    assert_false(mxp_peer_usable(&peer));
    mxp_peer_connected(&peer, 0);
    assert_true(mxp_peer_usable(&peer));
}

static void test_hopeful_ends_ten_seconds_after_the_connection(void **state)
{
    (void)state;
    struct mxp_peer peer = connected(0);
    assert_true(mxp_peer_hopeful(&peer, 1000000));
    mxp_peer_disconnected(&peer, 5000);
    assert_true(mxp_peer_hopeful(&peer, 14999));
    assert_false(mxp_peer_hopeful(&peer, 15000));
    mxp_peer_connected(&peer, 99000);
    assert_true(mxp_peer_hopeful(&peer, 99000));
    peer.is_leaving = true;
    assert_false(mxp_peer_hopeful(&peer, 99000));
}

static void test_rest_prefers_others_but_does_not_exclude(void **state)
{
    (void)state;
    struct mxp_random random = {7};
    struct mxp_peer idle = connected(0), busy = connected(50);
    mxp_peer_rest(&idle, &random, 1000);
    assert_in_range(idle.rest_until_ms, 1050, 1100);
    struct mxp_peer *peers[] = {&idle, &busy};
    struct mxp_choice choice = {.peers = peers, .n = 2, .now_ms = 1001};
    assert_ptr_equal(mxp_peer_choose(&choice, &random), &busy);
    choice.now_ms = idle.rest_until_ms;
    assert_ptr_equal(mxp_peer_choose(&choice, &random), &idle);
    choice.now_ms = 1001;
    choice.n = 1; /* nobody else */
    assert_ptr_equal(mxp_peer_choose(&choice, &random), &idle);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_below_stays_below_and_spreads),
        cmocka_unit_test(test_failed_opens_after_three_in_a_row),
        cmocka_unit_test(test_failed_probe_gaps_grow_with_jitter_up_to_the_bound),
        cmocka_unit_test(test_failed_jitter_differs_between_clients),
        cmocka_unit_test(test_failed_old_calls_do_not_push_the_probe_away),
        cmocka_unit_test(test_choose_prefers_less_in_flight),
        cmocka_unit_test(test_choose_never_takes_the_worst_of_many),
        cmocka_unit_test(test_choose_skips_what_cannot_be_asked),
        cmocka_unit_test(test_choose_probes_once_when_due),
        cmocka_unit_test(test_choose_retry_probes_as_last_resort),
        cmocka_unit_test(test_connected_probes_at_once),
        cmocka_unit_test(test_disconnected_ends_draining_with_the_process),
        cmocka_unit_test(test_hopeful_ends_ten_seconds_after_the_connection),
        cmocka_unit_test(test_rest_prefers_others_but_does_not_exclude),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
