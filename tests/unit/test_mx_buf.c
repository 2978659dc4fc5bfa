/* The growing text: growth, cap, formatting. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "mx_str.h"

static void test_grows_and_stays_ended(void **state)
{
    struct mx_buf buf = {.max = 0};
    (void)state;
    for (int i = 0; i < 5000; i++)
        mx_buf_printf(&buf, "%04d", i);
    assert_int_equal(buf.n, 20000);
    assert_int_equal(strlen(buf.p), 20000);
    assert_memory_equal(buf.p + 4 * 4321, "4321", 4);
    mx_buf_fini(&buf);
    assert_null(buf.p);
}

static void test_cap_leaves_out_whole_pieces(void **state)
{
    struct mx_buf buf = {.max = 10};
    (void)state;
    mx_buf_str(&buf, "12345678");
    mx_buf_str(&buf, "abc");
    assert_true(buf.is_overflown);
    mx_buf_str(&buf, "x"); /* would fit, but nothing follows a gap */
    assert_string_equal(buf.p, "12345678");
    mx_buf_fini(&buf);
    assert_false(buf.is_overflown);
    assert_int_equal(buf.max, 10);
}

static void test_cap_can_be_filled(void **state)
{
    struct mx_buf buf = {.max = 4};
    (void)state;
    mx_buf_add(&buf, "a\0b", 3);
    mx_buf_printf(&buf, "%c", 'c');
    assert_false(buf.is_overflown);
    assert_int_equal(buf.n, 4);
    assert_memory_equal(buf.p, "a\0bc", 5);
    mx_buf_fini(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grows_and_stays_ended),
        cmocka_unit_test(test_cap_leaves_out_whole_pieces),
        cmocka_unit_test(test_cap_can_be_filled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
