/* Weights and the sum over findings. */
#include "scan_fixture.h"

#include "scan_score.h"

static const struct scan_symbol a = {"A", 1.5, ""}, b = {"B", -2, ""};

static struct scan_weights *two(void)
{
    struct scan_weights *weights = scan_weights_new();
    assert_int_equal(scan_weights_add(weights, &a, false, NULL), 0);
    assert_int_equal(scan_weights_add(weights, &b, false, NULL), 0);
    return weights;
}

static void test_score_sums_weight_by_times(void **state)
{
    (void)state;
    struct scan_weights *weights = two();
    struct scan_finding findings[] = {{.symbol = "A", .times = 3},
                                      {.symbol = "B", .times = 1},
                                      {.symbol = "C", .times = 1}};
    assert_float_equal(scan_score(weights, findings, 3), 2.5, 1e-9);
    assert_float_equal(findings[0].score, 4.5, 1e-9);
    assert_float_equal(findings[2].score, 0, 1e-9);
    assert_float_equal(scan_score(weights, NULL, 0), 0, 1e-9);
    scan_weights_free(weights);
}

/* A finding's own weight, unless the configuration or another detector has one. */
static void test_score_weight_of_a_finding(void **state)
{
    (void)state;
    struct scan_weights *weights = two();
    static const struct scan_symbol c = {"C", 1, ""};
    struct scan_finding findings[] = {
        {.symbol = "A", .times = 2, .weight = 3, .has_weight = true},
        {.symbol = "B", .times = 1, .weight = 3, .has_weight = true},
        {.symbol = "C", .times = 1, .weight = 3, .has_weight = true},
    };
    assert_int_equal(scan_weights_add(weights, &c, false, NULL), 0);
    assert_int_equal(scan_weights_add(weights, &c, true, NULL), 0);
    assert_int_equal(scan_weights_override(weights, "B 0.5", NULL), 0);
    assert_float_equal(scan_score(weights, findings, 3), 6 + 0.5 + 1, 1e-9);
    findings[0].weight = __builtin_nan("");
    assert_float_equal(scan_score(weights, findings, 1), 3, 1e-9);
    scan_weights_free(weights);
}

static void test_weights_add_refuses(void **state)
{
    (void)state;
    struct scan_weights *weights = two();
    const struct scan_symbol bad[] = {{"", 1, ""},
                                      {"A", 1, ""},
                                      {"NAN", __builtin_nan(""), ""},
                                      {"INF", __builtin_inf(), ""},
                                      {"HUGE", 2e6, ""}};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(scan_weights_add(weights, &bad[i], false, NULL), -1);
    scan_weights_free(weights);
}

static void test_weights_add_shared_keeps_the_first(void **state)
{
    (void)state;
    struct scan_weights *weights = two();
    const struct scan_symbol again = {"A", 99, ""};
    double weight = 0;
    assert_int_equal(scan_weights_add(weights, &again, true, NULL), 0);
    assert_int_equal(scan_weights_find(weights, "A", &weight), 0);
    assert_float_equal(weight, 1.5, 1e-9);
    scan_weights_free(weights);
}

static void test_weights_override(void **state)
{
    (void)state;
    struct scan_weights *weights = two();
    double weight = 0;
    assert_int_equal(scan_weights_override(weights, "A 7.25", NULL), 0);
    assert_int_equal(scan_weights_override(weights, "B \t-0.5 ", NULL), 0);
    assert_int_equal(scan_weights_find(weights, "A", &weight), 0);
    assert_float_equal(weight, 7.25, 1e-9);
    static const char *const bad[] = {"A",     "A ",    "",      " 5",
                                      "A x",   "A 1 2", "A nan", "A inf",
                                      "A 1e9", "A 1,5", "NO 1",  "A -inf"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct mx_err err = {0};
        assert_int_equal(scan_weights_override(weights, bad[i], &err), -1);
        assert_int_equal(err.code, MX_ERR_INPUT);
    }
    assert_int_equal(scan_weights_find(weights, "A", &weight), 0);
    assert_float_equal(weight, 7.25, 1e-9);
    scan_weights_free(weights);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_score_sums_weight_by_times),
        cmocka_unit_test(test_score_weight_of_a_finding),
        cmocka_unit_test(test_weights_add_refuses),
        cmocka_unit_test(test_weights_add_shared_keeps_the_first),
        cmocka_unit_test(test_weights_override),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
