/* Errors: set, errno, wrap, bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "mx_err.h"

static void test_set_gives_code_and_text(void **state)
{
    struct mx_err err;
    (void)state;
    assert_int_equal(mx_err_set(&err, MX_ERR_LIMIT, "%d is over %s", 7, "six"), -1);
    assert_int_equal(err.code, MX_ERR_LIMIT);
    assert_string_equal(err.text, "7 is over six");
}

static void test_null_is_nobody_asks(void **state)
{
    (void)state;
    assert_int_equal(mx_err_set(NULL, MX_ERR_INPUT, "x"), -1);
    assert_int_equal(mx_err_errno(NULL, "x"), -1);
    assert_int_equal(mx_err_wrap(NULL, "x"), -1);
}

static void test_set_may_use_its_own_text(void **state)
{
    struct mx_err err;
    (void)state;
    mx_err_set(&err, MX_ERR_INPUT, "inner");
    mx_err_set(&err, MX_ERR_SYSTEM, "[%s]", err.text);
    assert_string_equal(err.text, "[inner]");
}

static void test_errno_appends_and_keeps_errno(void **state)
{
    struct mx_err err;
    (void)state;
    errno = ENOENT;
    mx_err_errno(&err, "open %s", "x");
    assert_int_equal(err.code, MX_ERR_SYSTEM);
    assert_string_equal(err.text, "open x: No such file or directory");
    assert_int_equal(errno, ENOENT);
}

static void test_wrap_prepends_and_keeps_code(void **state)
{
    struct mx_err err;
    (void)state;
    mx_err_set(&err, MX_ERR_DOWN, "refused");
    assert_int_equal(mx_err_wrap(&err, "redis %d", 1), -1);
    assert_int_equal(err.code, MX_ERR_DOWN);
    assert_string_equal(err.text, "redis 1: refused");
}

static void test_long_texts_are_cut_and_ended(void **state)
{
    struct mx_err err;
    char long_text[2 * MX_ERR_TEXT_MAX];
    (void)state;
    memset(long_text, 'a', sizeof(long_text) - 1);
    long_text[sizeof(long_text) - 1] = '\0';
    mx_err_set(&err, MX_ERR_INPUT, "%s", long_text);
    assert_int_equal(strlen(err.text), MX_ERR_TEXT_MAX - 1);
    mx_err_wrap(&err, "front");
    assert_int_equal(strlen(err.text), MX_ERR_TEXT_MAX - 1);
    assert_memory_equal(err.text, "front: aaa", 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_set_gives_code_and_text),
        cmocka_unit_test(test_null_is_nobody_asks),
        cmocka_unit_test(test_set_may_use_its_own_text),
        cmocka_unit_test(test_errno_appends_and_keeps_errno),
        cmocka_unit_test(test_wrap_prepends_and_keeps_code),
        cmocka_unit_test(test_long_texts_are_cut_and_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
