/* Clocks, durations, sizes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include "mx_arena.h"
#include "mx_err.h"
#include "mx_time.h"

struct pair {
    const char *text;
    int64_t value;
};

typedef int parse_fn(struct mx_str text, int64_t *out, struct mx_err *err);
typedef const char *format_fn(struct mx_arena *arena, int64_t value);

static void check_good(const struct pair *pairs, size_t n, parse_fn *parse)
{
    for (size_t i = 0; i < n; i++) {
        int64_t value = -1;
        struct mx_err err;
        if (parse(mx_str(pairs[i].text), &value, &err) < 0)
            fail_msg("%s", err.text);
        assert_int_equal(value, pairs[i].value);
    }
}

static void check_bad(const char *const *texts, parse_fn *parse)
{
    for (; *texts; texts++) {
        int64_t value = 77;
        struct mx_err err;
        if (parse(mx_str(*texts), &value, &err) == 0)
            fail_msg("'%s' was accepted", *texts);
        assert_int_equal(value, 77);
        assert_int_equal(err.code, MX_ERR_INPUT);
    }
}

static void check_format(const struct pair *pairs, size_t n, format_fn *format,
                         parse_fn *parse)
{
    struct mx_arena *arena = mx_arena_new(1 << 16);
    for (size_t i = 0; i < n; i++) {
        int64_t back = -1;
        const char *text = format(arena, pairs[i].value);
        assert_string_equal(text, pairs[i].text);
        assert_int_equal(parse(mx_str(text), &back, NULL), 0);
        assert_int_equal(back, pairs[i].value);
    }
    mx_arena_free(arena);
}

#define CHECK_GOOD(pairs, parse)                                                         \
    check_good(pairs, sizeof(pairs) / sizeof(pairs[0]), parse)
#define CHECK_FORMAT(pairs, format, parse)                                               \
    check_format(pairs, sizeof(pairs) / sizeof(pairs[0]), format, parse)

static void test_duration_parse(void **state)
{
    static const struct pair good[] = {
        {"0", 0},
        {"0s", 0},
        {"1ms", 1},
        {"90s", 90000},
        {"5m", 300000},
        {"1h30m", 5400000},
        {"1d", 86400000},
        {"2w", 1209600000},
        {"1w1d1h1m1s1ms", 694861001},
        {"3653d", 315619200000},
    };
    static const char *const bad[] = {"",
                                      "5",
                                      "5 m",
                                      "m",
                                      "5x",
                                      "5M",
                                      "-5m",
                                      "1.5h",
                                      "5m1h",
                                      "5m5m",
                                      "1h30",
                                      "3654d",
                                      "99999999999999999999s",
                                      "5m ",
                                      "1hm",
                                      NULL};
    (void)state;
    CHECK_GOOD(good, mx_duration_parse);
    check_bad(bad, mx_duration_parse);
}

static void test_duration_format(void **state)
{
    static const struct pair pairs[] = {
        {"0", 0},           {"1ms", 1},         {"1500ms", 1500}, {"90s", 90000},
        {"36h", 129600000}, {"2w", 1209600000}, {"90m", 5400000},
    };
    (void)state;
    CHECK_FORMAT(pairs, mx_duration_format, mx_duration_parse);
}

static void test_size_parse(void **state)
{
    static const struct pair good[] = {
        {"0", 0},
        {"512B", 512},
        {"64KiB", 65536},
        {"10MiB", 10485760},
        {"1GiB", 1073741824},
        {"1024TiB", 1ll << 50},
    };
    static const char *const bad[] = {"",         "5",      "64MB",  "64K",
                                      "64kib",    "1.5MiB", "-1B",   "1025TiB",
                                      "1MiB1KiB", "MiB",    "1 MiB", NULL};
    (void)state;
    CHECK_GOOD(good, mx_size_parse);
    check_bad(bad, mx_size_parse);
}

static void test_size_format(void **state)
{
    static const struct pair pairs[] = {
        {"0", 0}, {"1B", 1}, {"1536B", 1536}, {"64MiB", 64 << 20}, {"3KiB", 3072}};
    (void)state;
    CHECK_FORMAT(pairs, mx_size_format, mx_size_parse);
}

static void test_fake_clock_stands_still(void **state)
{
    struct mx_clock_fake fake;
    (void)state;
    mx_clock_fake_init(&fake, 5000);
    assert_int_equal(mx_mono_ms(&fake.clock), 5000);
    fake.now_ms += 250;
    assert_int_equal(mx_mono_ms(&fake.clock), 5250);
    assert_int_equal(mx_wall_ms(&fake.clock), 5250);
}

static void test_real_clock_runs(void **state)
{
    int64_t first_us = mx_mono_us(), first_ms = mx_mono_ms(&mx_clock_real);
    (void)state;
    assert_true(mx_mono_us() >= first_us);
    assert_true(mx_mono_ms(&mx_clock_real) >= first_ms);
    assert_true(mx_wall_ms(&mx_clock_real) > 1600000000000ll); /* after 2020, in ms */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_duration_parse),
        cmocka_unit_test(test_duration_format),
        cmocka_unit_test(test_size_parse),
        cmocka_unit_test(test_size_format),
        cmocka_unit_test(test_fake_clock_stands_still),
        cmocka_unit_test(test_real_clock_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
