/* Who is let in while the scanners are busy, or gone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "mx_err.h"
#include "mx_net.h"
#include "shim_admit.h"
#include "shim_conf.h"

#define DAY_MS (INT64_C(24) * 3600 * 1000)
#define NOW_MS (3 * DAY_MS)

static const struct shim_conf limits = {
    .has_scan = true, .shed_load = 2, .shed_load_all = 5};

static struct mx_net client(const char *text)
{
    struct mx_net net;
    struct mx_err err;
    assert_int_equal(mx_net_parse(mx_str(text), &net, &err), 0);
    return net;
}

static enum shim_admission judge(struct shim_admit *admit, const struct shim_conf *conf,
                                 struct shim_load load, const char *addr, int64_t now_ms)
{
    struct mx_net net = client(addr);
    load.is_known = true;
    return shim_admit_judge(admit, conf, &load, &net, now_ms);
}

static int start(void **state)
{
    *state = calloc(1, sizeof(struct shim_admit));
    return *state == NULL;
}

static int stop(void **state)
{
    free(*state);
    return 0;
}

static void test_judge_quiet(void **state)
{
    struct shim_load load = {.usable = 1, .workers = 4, .in_flight = 8, .busy = 4};
    assert_int_equal(judge(*state, &limits, load, "192.0.2.1", NOW_MS), SHIM_ADMITTED);
}

static void test_judge_busy_strangers_first(void **state)
{
    struct mx_net known = client("192.0.2.1");
    struct shim_load load = {.usable = 1, .workers = 4, .in_flight = 9};
    shim_admit_learn(*state, &known, NOW_MS);
    assert_int_equal(judge(*state, &limits, load, "198.51.100.1", NOW_MS),
                     SHIM_SHED_BUSY);
    assert_int_equal(judge(*state, &limits, load, "192.0.2.77", NOW_MS), SHIM_ADMITTED);
    load.in_flight = 21;
    assert_int_equal(judge(*state, &limits, load, "192.0.2.77", NOW_MS), SHIM_SHED_BUSY);
    assert_int_equal(judge(*state, &limits, load, "127.0.0.1", NOW_MS), SHIM_ADMITTED);
}

static void test_judge_busy_as_announced(void **state)
{
    struct shim_load load = {.usable = 2, .workers = 4, .busy = 9};
    assert_int_equal(judge(*state, &limits, load, "192.0.2.1", NOW_MS), SHIM_SHED_BUSY);
}

static void test_judge_busy_off(void **state)
{
    const struct shim_conf off = {.has_scan = true};
    struct shim_load load = {.usable = 1, .workers = 1, .in_flight = 100000};
    assert_int_equal(judge(*state, &off, load, "192.0.2.1", NOW_MS), SHIM_ADMITTED);
}

static void test_judge_nothing_known_yet(void **state)
{
    const struct shim_conf early = {
        .has_scan = true, .scand_down_early = true, .shed_load = 1};
    struct shim_load load = {.in_flight = 100, .workers = 1};
    struct mx_net net = client("192.0.2.1");
    assert_int_equal(shim_admit_judge(*state, &early, &load, &net, NOW_MS),
                     SHIM_ADMITTED);
}

static void test_judge_down(void **state)
{
    const struct shim_conf early = {.has_scan = true, .scand_down_early = true};
    const struct shim_load gone = {.workers = 4}, back = {.workers = 4, .usable = 1};
    assert_int_equal(judge(*state, &limits, gone, "192.0.2.1", NOW_MS), SHIM_ADMITTED);
    assert_int_equal(judge(*state, &early, gone, "192.0.2.1", NOW_MS), SHIM_ADMITTED);
    assert_int_equal(judge(*state, &early, gone, "192.0.2.1", NOW_MS), SHIM_SHED_DOWN);
    assert_int_equal(judge(*state, &early, gone, "192.0.2.1", NOW_MS + 999),
                     SHIM_SHED_DOWN);
    assert_int_equal(judge(*state, &early, gone, "192.0.2.1", NOW_MS + 1000),
                     SHIM_ADMITTED);
    assert_int_equal(judge(*state, &early, back, "192.0.2.1", NOW_MS + 1001),
                     SHIM_ADMITTED);
}

static void test_judge_without_scans(void **state)
{
    const struct shim_conf conf = {.scand_down_early = true, .shed_load = 1};
    struct shim_load load = {.in_flight = 100, .workers = 1};
    assert_int_equal(judge(*state, &conf, load, "192.0.2.1", NOW_MS), SHIM_ADMITTED);
}

static void test_knows_network_and_time(void **state)
{
    struct mx_net v4 = client("192.0.2.1"), neighbour = client("192.0.2.200"),
                  other = client("192.0.3.1"), v6 = client("2001:db8::1"),
                  neighbour6 = client("2001:db8::ffff:1"),
                  other6 = client("2001:db8:0:1::1"), none = {0};
    assert_false(shim_admit_knows(*state, &v4, NOW_MS));
    shim_admit_learn(*state, &v4, NOW_MS);
    shim_admit_learn(*state, &v6, NOW_MS);
    shim_admit_learn(*state, &none, NOW_MS);
    assert_true(shim_admit_knows(*state, &neighbour, NOW_MS));
    assert_false(shim_admit_knows(*state, &other, NOW_MS));
    assert_true(shim_admit_knows(*state, &neighbour6, NOW_MS));
    assert_false(shim_admit_knows(*state, &other6, NOW_MS));
    assert_false(shim_admit_knows(*state, &none, NOW_MS));
    assert_true(shim_admit_knows(*state, &v4, NOW_MS + 7 * DAY_MS));
    assert_false(shim_admit_knows(*state, &v4, NOW_MS + 7 * DAY_MS + 60000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_judge_quiet, start, stop),
        cmocka_unit_test_setup_teardown(test_judge_busy_strangers_first, start, stop),
        cmocka_unit_test_setup_teardown(test_judge_busy_as_announced, start, stop),
        cmocka_unit_test_setup_teardown(test_judge_busy_off, start, stop),
        cmocka_unit_test_setup_teardown(test_judge_nothing_known_yet, start, stop),
        cmocka_unit_test_setup_teardown(test_judge_down, start, stop),
        cmocka_unit_test_setup_teardown(test_judge_without_scans, start, stop),
        cmocka_unit_test_setup_teardown(test_knows_network_and_time, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
