/* Counters, histograms, export. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "mx_metric.h"
#include "mx_str.h"

static void test_same_name_and_labels_is_one(void **state)
{
    struct mx_metrics *metrics = mx_metrics_new();
    (void)state;
    struct mx_counter *a = mx_metrics_counter(metrics, "a_total", "m=\"x\"", "A.");
    struct mx_counter *b = mx_metrics_counter(metrics, "a_total", "m=\"y\"", "A.");
    assert_ptr_equal(mx_metrics_counter(metrics, "a_total", "m=\"x\"", "A."), a);
    assert_ptr_not_equal(a, b);
    assert_ptr_equal(mx_metrics_counter(metrics, "n_total", NULL, "N."),
                     mx_metrics_counter(metrics, "n_total", "", "N."));
    mx_counter_add(a, 2);
    mx_counter_add(a, 3);
    assert_int_equal(mx_counter_get(a), 5);
    assert_int_equal(mx_counter_get(b), 0);
    mx_metrics_free(metrics);
}

static void test_null_registry_is_ignored(void **state)
{
    (void)state;
    assert_null(mx_metrics_counter(NULL, "a", NULL, ""));
    assert_null(mx_metrics_gauge(NULL, "a", NULL, ""));
    assert_null(mx_metrics_histogram(NULL, "a", NULL, ""));
    mx_counter_add(NULL, 1);
    mx_counter_set(NULL, 1);
    mx_histogram_add_us(NULL, 1);
    assert_int_equal(mx_counter_get(NULL), 0);
    mx_metrics_free(NULL);
}

static void test_export_is_sorted_with_one_head_a_name(void **state)
{
    struct mx_metrics *metrics = mx_metrics_new();
    struct mx_buf out = {.max = 0};
    (void)state;
    mx_counter_set(mx_metrics_gauge(metrics, "b_gauge", NULL, "Bees."), -4);
    mx_counter_add(mx_metrics_counter(metrics, "a_total", "m=\"y\"", "As."), 1);
    mx_counter_add(mx_metrics_counter(metrics, "a_total", "m=\"x\"", "As."), 2);
    mx_metrics_export(metrics, &out);
    assert_string_equal(out.p, "# HELP a_total As.\n"
                               "# TYPE a_total counter\n"
                               "a_total{m=\"x\"} 2\n"
                               "a_total{m=\"y\"} 1\n"
                               "# HELP b_gauge Bees.\n"
                               "# TYPE b_gauge gauge\n"
                               "b_gauge -4\n");
    mx_buf_fini(&out);
    mx_metrics_free(metrics);
}

static void test_histogram_buckets_are_cumulative(void **state)
{
    struct mx_metrics *metrics = mx_metrics_new();
    struct mx_buf out = {.max = 0};
    (void)state;
    struct mx_histogram *h = mx_metrics_histogram(metrics, "t_seconds", "s=\"r\"", "T.");
    mx_histogram_add_us(h, 50);       /* on the first bound */
    mx_histogram_add_us(h, 51);       /* just above it */
    mx_histogram_add_us(h, -1);       /* a clock that went back */
    mx_histogram_add_us(h, 61000000); /* above all */
    mx_metrics_export(metrics, &out);
    assert_non_null(strstr(out.p, "# TYPE t_seconds histogram\n"));
    assert_non_null(strstr(out.p, "t_seconds_bucket{s=\"r\",le=\"5e-05\"} 2\n"));
    assert_non_null(strstr(out.p, "t_seconds_bucket{s=\"r\",le=\"0.0001\"} 3\n"));
    assert_non_null(strstr(out.p, "t_seconds_bucket{s=\"r\",le=\"60\"} 3\n"));
    assert_non_null(strstr(out.p, "t_seconds_bucket{s=\"r\",le=\"+Inf\"} 4\n"));
    assert_non_null(strstr(out.p, "t_seconds_sum{s=\"r\"} 61.000101\n"));
    assert_non_null(strstr(out.p, "t_seconds_count{s=\"r\"} 4\n"));
    mx_buf_fini(&out);
    mx_metrics_free(metrics);
}

static void *add_many(void *user)
{
    struct mx_metrics *metrics = user;
    for (int i = 0; i < 2000; i++) {
        char labels[32];
        snprintf(labels, sizeof(labels), "n=\"%d\"", i % 50);
        mx_counter_add(mx_metrics_counter(metrics, "x_total", labels, "X."), 1);
    }
    return NULL;
}

static void sum_up(void *user, const char *name, const char *labels, int64_t value)
{
    int64_t *sums = user;
    assert_string_equal(name, "x_total");
    assert_memory_equal(labels, "n=\"", 3);
    sums[0] += value;
    sums[1]++;
}

static void test_threads_lose_nothing(void **state)
{
    struct mx_metrics *metrics = mx_metrics_new();
    pthread_t threads[4];
    int64_t sums[2] = {0, 0};
    (void)state;
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, add_many, metrics), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    mx_metrics_each(metrics, sum_up, sums);
    assert_int_equal(sums[0], 8000);
    assert_int_equal(sums[1], 50);
    mx_metrics_free(metrics);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_name_and_labels_is_one),
        cmocka_unit_test(test_null_registry_is_ignored),
        cmocka_unit_test(test_export_is_sorted_with_one_head_a_name),
        cmocka_unit_test(test_histogram_buckets_are_cumulative),
        cmocka_unit_test(test_threads_lose_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
