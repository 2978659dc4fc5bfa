/* Findings of one message: merged, bounded. */
#include "scan_fixture.h"

static void test_add_merges_and_bounds_detail(void **state)
{
    (void)state;
    struct scan_fixture f;
    fixture_parse(&f, "", 0);
    scan_add(&f.result, "A", "%s", "one");
    scan_add(&f.result, "A", "%s", "");
    for (int i = 0; i < 200; i++)
        scan_add(&f.result, "A", "number %d", i);
    assert_int_equal(f.result.n_findings, 1);
    assert_int_equal(f.result.findings[0].times, 1);
    assert_true(mx_str_starts(f.result.findings[0].detail, MX_STR("one; number 0; n")));
    assert_true(f.result.findings[0].detail.n <= SCAN_DETAIL_MAX);
    assert_true(scan_has(&f.result, "A") && !scan_has(&f.result, "B"));
    fixture_free(&f);
}

static void test_add_times_keeps_the_most(void **state)
{
    (void)state;
    struct scan_fixture f;
    fixture_parse(&f, "", 0);
    scan_add_times(&f.result, "A", 4, 1.5);
    scan_add_times(&f.result, "A", 2, 9);
    assert_int_equal(f.result.findings[0].times, 4);
    fixture_free(&f);
}

static void test_add_is_bounded(void **state)
{
    (void)state;
    struct scan_fixture f;
    fixture_parse(&f, "", 0);
    for (int i = 0; i < SCAN_FINDINGS_MAX + 50; i++)
        scan_add(&f.result, mx_arena_printf(f.arena, "S%d", i), "%s", "");
    for (int i = 0; i < SCAN_VIRUSES_MAX + 5; i++)
        scan_virus(&f.result, MX_STR("v"));
    for (int i = 0; i < SCAN_DETECTORS_MAX + 5; i++)
        scan_result_fault(&f.result, mx_arena_printf(f.arena, "d%d", i), "why");
    scan_result_fault(&f.result, "d0", "again");
    assert_int_equal(f.result.n_findings, SCAN_FINDINGS_MAX);
    assert_int_equal(f.result.n_viruses, SCAN_VIRUSES_MAX);
    assert_int_equal(f.result.n_faults, SCAN_DETECTORS_MAX);
    assert_string_equal(f.result.faults[0].reason, "why");
    fixture_free(&f);
}

static void test_spent_is_bounded(void **state)
{
    (void)state;
    struct mx_arena *arena = mx_arena_new(8u << 20);
    struct scan_result result;
    scan_result_init(&result, arena);
    result.detector = "x";
    assert_false(scan_is_profiled(&result));
    scan_spent(&result, "stage", "", 0); /* nothing is none */
    assert_int_equal(result.n_spent, 0);
    for (int i = 0; i < SCAN_SPENT_MAX + 10; i++)
        scan_spent(&result, "stage", "item", i + 1);
    assert_int_equal(result.n_spent, SCAN_SPENT_MAX);
    assert_string_equal(result.spent[0].detector, "x");
    assert_int_equal(result.spent[SCAN_SPENT_MAX - 1].ns, SCAN_SPENT_MAX);
    mx_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spent_is_bounded),
        cmocka_unit_test(test_add_merges_and_bounds_detail),
        cmocka_unit_test(test_add_times_keeps_the_most),
        cmocka_unit_test(test_add_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
