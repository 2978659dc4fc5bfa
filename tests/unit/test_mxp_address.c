/* Which addresses are taken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mx_err.h"
#include "mxp_address.h"

static void test_check_good(void **state)
{
    (void)state;
    static const char *const good[] = {
        "ipc:///run/mxdrop/policyd.sock", "tcp://127.0.0.1:9610", "tcp://127.9.9.9:1",
        "tcp://localhost:9610",           "tcp://[::1]:9610",
    };
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_int_equal(mxp_address_check(good[i], false, NULL), 0);
}

static void test_check_remote_needs_keys(void **state)
{
    (void)state;
    static const char *const remote[] = {
        "tcp://192.0.2.1:9610", "tcp://mx1.example.org:9610",
        "tcp://*:9610",         "tcp://0.0.0.0:9610",
        "tcp://[::]:9610",      "tcp://127.0.0.1.example.org:9610",
    };
    for (size_t i = 0; i < sizeof(remote) / sizeof(remote[0]); i++) {
        struct mx_err err = {0};
        assert_int_equal(mxp_address_check(remote[i], false, &err), -1);
        assert_non_null(strstr(err.text, "mxdropctl keygen"));
        assert_int_equal(mxp_address_check(remote[i], true, NULL), 0);
    }
}

static void test_check_bad(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "ipc://",
        "ipc://relative",
        "ipc://@abstract",
        "inproc://x",
        "tcp://host",
        "tcp://:1",
        "tcp://127.0.0.1:",
        "http://127.0.0.1:80",
        "pgm://127.0.0.1:1",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(mxp_address_check(bad[i], true, NULL), -1);
    char longest[200];
    memset(longest, 'a', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    memcpy(longest, "ipc:///", 7);
    assert_int_equal(mxp_address_check(longest, false, NULL), -1);
    longest[6 + 107] = '\0'; /* the longest path of a socket */
    assert_int_equal(mxp_address_check(longest, false, NULL), 0);
}

static void test_path(void **state)
{
    (void)state;
    assert_string_equal(mxp_address_path("ipc:///run/x"), "/run/x");
    assert_null(mxp_address_path("tcp://127.0.0.1:1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_check_good),
        cmocka_unit_test(test_check_remote_needs_keys),
        cmocka_unit_test(test_check_bad),
        cmocka_unit_test(test_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
