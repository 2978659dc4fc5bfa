/* Addresses of servers, and the steps of the greeting. */
#include "redis_address.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "mx_err.h"
#include "redis_reply.h"
#include "store_keys.h"
#include "store_redis.h"

static void test_redis_address_parse_forms(void **state)
{
    static const struct {
        const char *text, *path, *host;
        int port;
    } forms[] = {
        {"unix:/run/redis/s.sock", "/run/redis/s.sock", "", 0},
        {"/run/redis/s.sock", "/run/redis/s.sock", "", 0},
        {"redis.example", "", "redis.example", 6379},
        {"redis.example:7000", "", "redis.example", 7000},
        {"192.0.2.1:1", "", "192.0.2.1", 1},
        {"2001:db8::1", "", "2001:db8::1", 6379},
        {"[2001:db8::1]", "", "2001:db8::1", 6379},
        {"[2001:db8::1]:65535", "", "2001:db8::1", 65535},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        struct redis_address out;
        struct mx_err err = {0};
        if (redis_address_parse(forms[i].text, &out, &err) != 0)
            fail_msg("%s", err.text);
        assert_string_equal(out.path, forms[i].path);
        assert_string_equal(out.host, forms[i].host);
        assert_int_equal(out.port, forms[i].port);
    }
}

static void test_redis_address_parse_refuses(void **state)
{
    static const char *const bad[] = {
        "",           "unix:",   ":6379",   "host:",   "host:0",
        "host:65536", "host:-1", "host:6x", "[::1",    "[]:1",
        "[::1]6379",  "[::1]:",  "[",       "host:1 ", "host: 1",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct redis_address out = {.port = 77};
        struct mx_err err = {0};
        if (redis_address_parse(bad[i], &out, &err) == 0)
            fail_msg("'%s' was taken", bad[i]);
        assert_int_equal(err.code, MX_ERR_INPUT);
        assert_int_equal(out.port, 77);
    }
}

static void test_redis_address_parse_lengths(void **state)
{
    char text[600];
    struct redis_address out;
    (void)state;
    memset(text, 'h', sizeof(text));
    text[REDIS_HOST_MAX - 1] = '\0';
    assert_int_equal(redis_address_parse(text, &out, NULL), 0);
    text[REDIS_HOST_MAX - 1] = 'h';
    text[REDIS_HOST_MAX] = '\0';
    assert_int_equal(redis_address_parse(text, &out, NULL), -1);
    memcpy(text, "unix:/", 6);
    text[5 + REDIS_PATH_MAX] = '\0';
    assert_int_equal(redis_address_parse(text, &out, NULL), -1);
    text[5 + REDIS_PATH_MAX - 1] = '\0';
    assert_int_equal(redis_address_parse(text, &out, NULL), 0);
    assert_int_equal(strlen(out.path), REDIS_PATH_MAX - 1);
}

static void assert_words(const struct redis_args *args, const char *const *words)
{
    size_t n = 0;
    for (; words[n]; n++) {
        assert_true(n < args->n);
        assert_true(mx_str_eq(args->v[n], mx_str(words[n])));
    }
    assert_int_equal(args->n, n);
}

static void test_redis_hello_step_by_settings(void **state)
{
    struct store_redis_settings settings = {.username = "", .password = ""};
    struct redis_args args;
    (void)state;
    assert_int_equal(redis_hello_step(&settings, REDIS_HELLO_AUTH, &args), -1);
    assert_int_equal(redis_hello_step(&settings, REDIS_HELLO_SELECT, &args), -1);
    assert_int_equal(redis_hello_step(&settings, REDIS_HELLO_PROBE, &args), 0);
    assert_words(&args,
                 (const char *const[]){"SET", "mx:{probe}", "1", "PX", "60000", NULL});
    settings.password = "secret";
    settings.db = 4;
    assert_int_equal(redis_hello_step(&settings, REDIS_HELLO_AUTH, &args), 0);
    assert_words(&args, (const char *const[]){"AUTH", "secret", NULL});
    assert_int_equal(redis_hello_step(&settings, REDIS_HELLO_SELECT, &args), 0);
    assert_words(&args, (const char *const[]){"SELECT", "4", NULL});
    settings.username = "mx";
    assert_int_equal(redis_hello_step(&settings, REDIS_HELLO_AUTH, &args), 0);
    assert_words(&args, (const char *const[]){"AUTH", "mx", "secret", NULL});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_redis_address_parse_forms),
        cmocka_unit_test(test_redis_address_parse_refuses),
        cmocka_unit_test(test_redis_address_parse_lengths),
        cmocka_unit_test(test_redis_hello_step_by_settings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
