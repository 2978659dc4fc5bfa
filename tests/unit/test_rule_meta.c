/* Meta rules: what they read, their order, cycles, evaluation. */
#include "rule_files.h"

/* Counts after the metas of ${set} have run, with A = 1, B = 2 and the rest 0. */
static double *run(const struct rule_set *set, unsigned score_set)
{
    double *counts = mx_xalloc((set->n_rules + 1) * sizeof(*counts));

    counts[rule_set_find(set, MX_STR("A"))] = 1;
    counts[rule_set_find(set, MX_STR("B"))] = 2;
    rule_meta_run(set, score_set, counts);
    return counts;
}

#define PLAIN "body A /a/\nbody B /b/\ntflags B multiple\nbody __C /c/\n"

static void expect(const char *text, const char *name, double wanted)
{
    struct rule_files files;
    const struct rule_set *set = rule_files_one(&files, text);
    double *counts = run(set, 0);
    ptrdiff_t i = rule_set_find(set, mx_str(name));

    assert_true(i >= 0);
    if (counts[i] != wanted)
        fail_msg("%s: %s is %g, not %g", text, name, counts[i], wanted);
    free(counts);
    rule_files_free(&files);
}

static void test_run_counts(void **state)
{
    (void)state;
    expect(PLAIN "meta M A && B\n", "M", 2);
    expect(PLAIN "meta M A && __C\n", "M", 0);
    expect(PLAIN "meta M A + B > 2\n", "M", 1);
    expect(PLAIN "meta M A - B\n", "M", 1); /* below 0 is a hit like any */
    expect(PLAIN "meta M UNKNOWN || !UNKNOWN\n", "M", 1);
    expect(PLAIN "meta M local_tests_only\n", "M", 1);
    expect(PLAIN "meta M ()\n", "M", 0);
}

/* Used before they are defined, in any order. */
static void test_run_in_order_of_need(void **state)
{
    (void)state;
    expect(PLAIN "meta X Y + 1\nmeta Y Z + 1\nmeta Z A\n", "X", 3);
}

static void test_run_score_0_is_not_run(void **state)
{
    (void)state;
    expect(PLAIN "meta X Y || __C\nmeta Y A\nscore Y 0\n", "X", 0);
    expect(PLAIN "meta X A\nscore X 0 1 1 1\n", "X", 0);
}

static void test_rules_matching(void **state)
{
    (void)state;
    expect(PLAIN "meta M rules_matching(?) > 2\n", "M", 1); /* not of itself */
    expect(PLAIN "meta M rules_matching(__*)\n", "M", 0);
    expect(PLAIN "meta XM rules_matching( X* ) + 4\n", "XM", 4);
}

static void test_cycle_never_hits(void **state)
{
    struct rule_files files;
    const struct rule_set *set =
        rule_files_one(&files, PLAIN "meta X Y || A\nmeta Y Z || A\nmeta Z X || A\n"
                                     "meta READER X || A\nmeta SELF SELF || A\n"
                                     "meta FINE A\n");
    double *counts = run(set, 0);

    (void)state;
    assert_int_equal(rule_problems(set, RULE_PROBLEM_META), 5);
    assert_true(counts[rule_set_find(set, MX_STR("X"))] == 0);
    assert_true(counts[rule_set_find(set, MX_STR("READER"))] == 0);
    assert_true(counts[rule_set_find(set, MX_STR("SELF"))] == 0);
    assert_true(counts[rule_set_find(set, MX_STR("FINE"))] == 1);
    assert_int_equal(set->n_meta_order, 1);
    free(counts);
    rule_files_free(&files);
}

static void test_compile_refuses(void **state)
{
    static const char *const bad[] = {"A ** B",
                                      "A * * B",
                                      "A;B",
                                      "$A",
                                      "A->B",
                                      "A::B",
                                      "A B",
                                      "A && ",
                                      "A + -1",
                                      "A / B",
                                      "A:B",
                                      "%{A}",
                                      "rules_matching(A"};
    char text[200];

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        struct rule_files files;
        const struct rule_set *set;

        snprintf(text, sizeof(text), PLAIN "meta M %s\nmeta READER M || A\n", bad[i]);
        set = rule_files_one(&files, text);
        if (rule_problems(set, RULE_PROBLEM_META) != 1)
            fail_msg("%s: %zu problems", bad[i], set->n_problems);
        assert_int_equal(rule_named(set, "M")->kind, RULE_EMPTY);
        assert_int_equal(set->n_meta_order, 1); /* READER holds on */
        rule_files_free(&files);
    }
}

static void test_needs_each_once(void **state)
{
    struct rule_files files;
    const struct rule_set *set =
        rule_files_one(&files, PLAIN "meta M A && B && A && NONE\n");
    const struct rule_meta *meta = rule_named(set, "M")->meta;

    (void)state;
    assert_int_equal(meta->n_needs, 2);
    assert_str(set->rules[meta->needs[0]].name, "A");
    assert_str(set->rules[meta->needs[1]].name, "B");
    rule_files_free(&files);
}

/* A ring of many: linear, and every one of them is told. */
static void test_cycle_of_many(void **state)
{
    struct rule_files files = rule_files_new();
    struct mx_buf buf = {0};
    const struct rule_set *set;
    const size_t n = 20000;

    (void)state;
    for (size_t i = 0; i < n; i++)
        mx_buf_printf(&buf, "meta R%zu R%zu\n", i, (i + 1) % n);
    rule_files_add_bytes(&files, "a.cf", buf.p, buf.n);
    mx_buf_fini(&buf);
    set = rule_files_read(&files);
    assert_int_equal(set->n_meta_order, 0);
    assert_int_equal(set->n_problems_all, n);
    assert_int_equal(set->n_problems, RULE_PROBLEMS_MAX);
    rule_files_free(&files);
}

/* Every one of many reads all of them: the shared bound ends that. */
static void test_globs_share_a_bound(void **state)
{
    struct rule_files files = rule_files_new();
    struct mx_buf buf = {0};
    const struct rule_set *set;

    (void)state;
    for (size_t i = 0; i < 5000; i++)
        mx_buf_printf(&buf, "meta M%zu rules_matching(M*)\n", i);
    rule_files_add_bytes(&files, "a.cf", buf.p, buf.n);
    mx_buf_fini(&buf);
    set = rule_files_read(&files);
    assert_true(rule_problems(set, RULE_PROBLEM_LIMIT) > 0);
    rule_files_free(&files);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_run_counts),
        cmocka_unit_test(test_run_in_order_of_need),
        cmocka_unit_test(test_run_score_0_is_not_run),
        cmocka_unit_test(test_rules_matching),
        cmocka_unit_test(test_cycle_never_hits),
        cmocka_unit_test(test_compile_refuses),
        cmocka_unit_test(test_needs_each_once),
        cmocka_unit_test(test_cycle_of_many),
        cmocka_unit_test(test_globs_share_a_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
