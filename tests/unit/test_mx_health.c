/* Health: changes of state, bounds, JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "mx_health.h"
#include "mx_str.h"

static void assert_json(struct mx_health *health, const char *expected)
{
    struct mx_buf out = {.max = 0};
    mx_health_format(health, &out);
    assert_string_equal(out.p, expected);
    mx_buf_fini(&out);
}

static void test_degraded_reports_changes_only(void **state)
{
    struct mx_health *health = mx_health_new();
    (void)state;
    assert_false(mx_health_degraded(health, "store", NULL));
    assert_true(mx_health_degraded(health, "store", "refused"));
    assert_false(mx_health_degraded(health, "store", "timeout"));
    assert_json(health,
                "{\"live\":true,\"ready\":false,\"degraded\":{\"store\":\"timeout\"}}");
    assert_true(mx_health_degraded(health, "store", NULL));
    assert_false(mx_health_degraded(health, "store", NULL));
    mx_health_free(health);
    mx_health_free(NULL);
}

static void test_format_is_sorted_json(void **state)
{
    struct mx_health *health = mx_health_new();
    (void)state;
    mx_health_ready(health, true);
    assert_true(mx_health_is_ready(health));
    mx_health_degraded(health, "spf", "a \"quoted\"\nreason");
    mx_health_degraded(health, "dnsbl", "late");
    assert_json(health, "{\"live\":true,\"ready\":true,\"degraded\":{\"dnsbl\":\"late\","
                        "\"spf\":\"a \\\"quoted\\\"\\nreason\"}}");
    mx_health_free(health);
}

static void count(void *user, const char *check, const char *reason)
{
    size_t *counts = user;
    counts[0]++;
    counts[1] += strcmp(check, "more") == 0;
    assert_true(strlen(check) <= 32);
    assert_true(strlen(reason) <= 200);
}

static void test_bounds(void **state)
{
    struct mx_health *health = mx_health_new();
    char check[100], reason[1000];
    size_t counts[2] = {0, 0};
    (void)state;
    memset(reason, 'r', sizeof(reason) - 1);
    reason[sizeof(reason) - 1] = '\0';
    for (int i = 0; i < 40; i++) {
        snprintf(check, sizeof(check), "%02d-a-name-that-is-longer-than-its-bound", i);
        assert_int_equal(mx_health_degraded(health, check, reason), i <= 32);
    }
    mx_health_each(health, count, counts);
    assert_int_equal(counts[0], 33);
    assert_int_equal(counts[1], 1);
    snprintf(check, sizeof(check), "%02d-a-name-that-is-longer-than-its-bound", 3);
    assert_true(mx_health_degraded(health, check, NULL));
    counts[0] = counts[1] = 0;
    mx_health_each(health, count, counts);
    assert_int_equal(counts[0], 31);
    assert_int_equal(counts[1], 0);
    mx_health_free(health);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_degraded_reports_changes_only),
        cmocka_unit_test(test_format_is_sorted_json),
        cmocka_unit_test(test_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
