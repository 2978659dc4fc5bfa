/* When temporary refusals are too many for too long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "shim_alarm.h"
#include "shim_reply.h"

#define AFTER_MS 5000 /* five periods of a second */

struct bed {
    struct shim_alarm alarm;
    struct shim_alarm_reason worst;
    int64_t now_ms;
};

static void begin(struct bed *bed)
{
    memset(bed, 0, sizeof(*bed));
    shim_alarm_init(&bed->alarm);
    bed->now_ms = 1000;
    shim_alarm_tick(&bed->alarm, 50, AFTER_MS, bed->now_ms, &bed->worst);
}

static void answers(struct bed *bed, int n, enum shim_action action, const char *reason)
{
    struct shim_verdict verdict = {.action = action, .module = "m", .reason = reason};
    for (int i = 0; i < n; i++)
        shim_alarm_note(&bed->alarm, &verdict);
}

static enum shim_alarm_news next_period(struct bed *bed)
{
    bed->now_ms += 1000;
    return shim_alarm_tick(&bed->alarm, 50, AFTER_MS, bed->now_ms, &bed->worst);
}

/* ${n} periods of this mix; what the last one changed. */
static enum shim_alarm_news periods(struct bed *bed, int n, int refused, int accepted)
{
    enum shim_alarm_news news = SHIM_ALARM_SAME;
    for (int i = 0; i < n; i++) {
        assert_int_equal(news, SHIM_ALARM_SAME);
        answers(bed, refused, SHIM_TEMPFAIL, "late");
        answers(bed, accepted, SHIM_CONTINUE, NULL);
        news = next_period(bed);
    }
    return news;
}

static void test_tick_raised_once_and_over(void **state)
{
    struct bed bed;
    (void)state;
    begin(&bed);
    assert_int_equal(periods(&bed, 4, 11, 9), SHIM_ALARM_SAME);
    assert_int_equal(periods(&bed, 1, 11, 9), SHIM_ALARM_RAISED);
    assert_string_equal(bed.worst.text, "m/late");
    assert_int_equal(bed.worst.per_cent, 55);
    assert_int_equal(periods(&bed, 3, 11, 9), SHIM_ALARM_SAME);
    assert_int_equal(periods(&bed, 1, 9, 11), SHIM_ALARM_OVER);
    shim_alarm_end(&bed.alarm);
}

static void test_tick_share_not_exceeded(void **state)
{
    struct bed bed;
    (void)state;
    begin(&bed);
    assert_int_equal(periods(&bed, 12, 10, 10), SHIM_ALARM_SAME);
    assert_false(bed.alarm.is_raised);
    shim_alarm_end(&bed.alarm);
}

static void test_tick_a_pause_starts_over(void **state)
{
    struct bed bed;
    (void)state;
    begin(&bed);
    assert_int_equal(periods(&bed, 4, 20, 0), SHIM_ALARM_SAME);
    assert_int_equal(next_period(&bed), SHIM_ALARM_SAME);
    assert_int_equal(periods(&bed, 4, 20, 0), SHIM_ALARM_SAME);
    assert_int_equal(periods(&bed, 1, 20, 0), SHIM_ALARM_RAISED);
    assert_int_equal(next_period(&bed), SHIM_ALARM_OVER);
    shim_alarm_end(&bed.alarm);
}

static void test_tick_few_answers_say_nothing(void **state)
{
    struct bed bed;
    (void)state;
    begin(&bed);
    assert_int_equal(periods(&bed, 20, 9, 0), SHIM_ALARM_SAME);
    assert_int_equal(periods(&bed, 4, 20, 0), SHIM_ALARM_SAME);
    assert_int_equal(periods(&bed, 3, 9, 0), SHIM_ALARM_SAME);
    assert_int_equal(periods(&bed, 1, 20, 0), SHIM_ALARM_RAISED);
    shim_alarm_end(&bed.alarm);
}

static void test_tick_off(void **state)
{
    struct bed bed;
    (void)state;
    begin(&bed);
    for (int i = 0; i < 10; i++) {
        answers(&bed, 20, SHIM_TEMPFAIL, "late");
        bed.now_ms += 1000;
        assert_int_equal(shim_alarm_tick(&bed.alarm, 0, AFTER_MS, bed.now_ms, &bed.worst),
                         SHIM_ALARM_SAME);
    }
    shim_alarm_end(&bed.alarm);
}

static void test_note_many_and_odd_reasons(void **state)
{
    struct bed bed;
    char name[16];
    (void)state;
    begin(&bed);
    answers(&bed, 1, SHIM_TEMPFAIL, "two\nlines \xff");
    assert_string_equal(bed.alarm.reasons[0].text, "m/two?lines??");
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof(name), "r%d", i);
        answers(&bed, 1, SHIM_TEMPFAIL, name);
    }
    assert_int_equal(bed.alarm.n, SHIM_ALARM_REASONS);
    assert_int_equal(bed.alarm.answers, 101);
    next_period(&bed);
    next_period(&bed);
    assert_int_equal(bed.alarm.n, 0);
    shim_alarm_end(&bed.alarm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tick_raised_once_and_over),
        cmocka_unit_test(test_tick_share_not_exceeded),
        cmocka_unit_test(test_tick_a_pause_starts_over),
        cmocka_unit_test(test_tick_few_answers_say_nothing),
        cmocka_unit_test(test_tick_off),
        cmocka_unit_test(test_note_many_and_odd_reasons),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
