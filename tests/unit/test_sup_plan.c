/* Deadlines of attempts and back-off. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sup_plan.h"

static void test_attempt_plan_leaves_time_for_a_second(void **state)
{
    (void)state;
    for (int64_t left = 0; left < 200000; left += 37) {
        struct sup_attempt first = sup_attempt_plan(left, 20000, 0);
        struct sup_attempt second = sup_attempt_plan(left - first.hard_ms, 20000, 1);
        assert_true(first.soft_ms <= first.hard_ms && first.hard_ms <= 20000);
        assert_true(second.hard_ms * 2 >= first.hard_ms);
        assert_true(first.hard_ms + second.hard_ms <= left);
        assert_true(left < 100 || first.hard_ms + second.hard_ms < left);
    }
}

static void test_attempt_plan_fair(void **state)
{
    (void)state;
    assert_true(sup_attempt_plan(60000, 20000, 0).is_fair);
    assert_true(sup_attempt_plan(10000, 20000, 0).is_fair);
    assert_false(sup_attempt_plan(9000, 20000, 0).is_fair);
    assert_true(sup_attempt_plan(9000, 1000, 0).is_fair);
    assert_false(sup_attempt_plan(-5, 1000, 1).is_fair);
}

static void test_backoff(void **state)
{
    (void)state;
    assert_int_equal(sup_backoff_ms(0), 0);
    assert_int_equal(sup_backoff_ms(2), 0);
    assert_int_equal(sup_backoff_ms(3), 200);
    assert_int_equal(sup_backoff_ms(4), 400);
    for (unsigned n = 3; n < 100; n++)
        assert_true(sup_backoff_ms(n + 1) >= sup_backoff_ms(n));
    assert_int_equal(sup_backoff_ms(~0u), 30000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_attempt_plan_leaves_time_for_a_second),
        cmocka_unit_test(test_attempt_plan_fair),
        cmocka_unit_test(test_backoff),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
