/* States that show in health once a second. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "mx_str.h"
#include "shim_fake.h"
#include "shim_watch.h"

static bool is_degraded(struct fake *fake, const char *check)
{
    struct mx_buf out = {0};
    mx_health_format(fake->shim.health, &out);
    struct mx_str all = {out.p, out.n};
    bool found = memmem(all.p, all.n, check, strlen(check)) != NULL;
    mx_buf_fini(&out);
    return found;
}

static void test_tick_admission(void **state)
{
    struct fake *fake = fake_new();
    (void)state;
    fake->tuned->shed_load = 2;
    fake->load = (struct shim_load){.is_known = true, .usable = 1, .workers = 2};
    shim_watch_tick(&fake->shim);
    assert_false(is_degraded(fake, "admission"));
    fake->load.in_flight = 5;
    shim_watch_tick(&fake->shim);
    assert_true(is_degraded(fake, "\"admission\""));
    assert_true(is_degraded(fake, "5 scans in flight, 2 workers"));
    assert_int_equal(mx_counter_get(fake->shim.stats.scans), 5);
    fake->load.in_flight = 1;
    shim_watch_tick(&fake->shim);
    assert_false(is_degraded(fake, "admission"));
    fake_free(fake);
}

/* Degraded from the first refusal until a minute after the last one. */
static void test_tick_spool(void **state)
{
    struct fake *fake = fake_new();
    (void)state;
    shim_watch_tick(&fake->shim);
    assert_false(is_degraded(fake, "spool"));
    for (int i = 0; i < 2; i++) {
        mx_counter_add(fake->shim.stats.spool_full, 1);
        shim_watch_tick(&fake->shim);
        assert_true(is_degraded(fake, i ? "2 messages put off" : "1 messages put off"));
        fake->clock.now_ms += 59999;
        shim_watch_tick(&fake->shim);
        assert_true(is_degraded(fake, "\"spool\""));
    }
    fake->clock.now_ms += 1;
    shim_watch_tick(&fake->shim);
    assert_false(is_degraded(fake, "spool"));
    fake_free(fake);
}

static void test_tick_tempfails(void **state)
{
    const struct shim_verdict late = {
        .action = SHIM_TEMPFAIL, .module = "shim", .reason = "scand-down"};
    struct fake *fake = fake_new();
    (void)state;
    fake->tuned->alarm_share = 50;
    fake->tuned->alarm_after_ms = 5000;
    shim_watch_tick(&fake->shim);
    for (int period = 0; period < SHIM_ALARM_PERIODS; period++) {
        assert_false(is_degraded(fake, "tempfail"));
        for (int i = 0; i < 10; i++)
            shim_alarm_note(&fake->shim.alarm, &late);
        fake->clock.now_ms += 1000;
        shim_watch_tick(&fake->shim);
    }
    assert_true(is_degraded(fake, "shim/scand-down: 100 %"));
    assert_int_equal(mx_counter_get(fake->shim.stats.tempfail_alarm), 1);
    fake->clock.now_ms += 1000;
    shim_watch_tick(&fake->shim);
    assert_false(is_degraded(fake, "tempfail"));
    assert_int_equal(mx_counter_get(fake->shim.stats.tempfail_alarm), 0);
    fake_free(fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tick_admission),
        cmocka_unit_test(test_tick_spool),
        cmocka_unit_test(test_tick_tempfails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
