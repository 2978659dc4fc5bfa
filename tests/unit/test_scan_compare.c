/* scan_compare.c: which messages moved, by which symbols, and whether that is too far. */
#include "scan_fixture.h"

#include <stdio.h>

#include "scan_compare.h"

struct bed {
    struct mx_arena *arena;
    struct scan_sample before, after;
    struct scan_comparison all;
};

static int setup(void **state)
{
    struct bed *bed = mx_xalloc(sizeof(*bed));
    bed->arena = mx_arena_new(4u << 20);
    bed->before.arena = bed->after.arena = bed->arena;
    *state = bed;
    return 0;
}

static int teardown(void **state)
{
    struct bed *bed = *state;
    mx_arena_free(bed->arena);
    free(bed);
    return 0;
}

/* "A 1 B 2.5": a message with these symbols and their sum. */
static void add(struct scan_sample *sample, const char *name, const char *hits)
{
    Mxp__ScanReply reply = MXP__SCAN_REPLY__INIT;
    Mxp__Finding findings[8], *list[8];
    char symbols[8][32];
    double score;
    int used = 0;
    while (sscanf(hits, "%31s %lf%n", symbols[reply.n_findings], &score, &used) == 2) {
        size_t i = reply.n_findings++;
        assert_true(i < 7);
        mxp__finding__init(&findings[i]);
        findings[i].symbol = symbols[i];
        findings[i].score = score;
        list[i] = &findings[i];
        reply.score += score;
        hits += used;
    }
    reply.findings = list;
    scan_sample_add(sample, name, &reply);
}

static void compare(struct bed *bed)
{
    scan_compare(bed->arena, &bed->before, &bed->after, 5, &bed->all);
}

static void test_compare_same_is_no_shift(void **state)
{
    struct bed *bed = *state;
    add(&bed->before, "a", "X 1 Y 2");
    add(&bed->after, "a", "Y 2 X 1"); /* order is nothing */
    compare(bed);
    assert_int_equal(bed->all.n, 1);
    assert_int_equal(bed->all.n_moved, 0);
    assert_int_equal(bed->all.n_symbols, 0);
    assert_true(bed->all.max_shift < 1e-9);
}

static void test_compare_names_what_moved(void **state)
{
    struct bed *bed = *state;
    add(&bed->before, "1", "X 1");
    add(&bed->before, "2", "X 1 Y 2");
    add(&bed->before, "3", "Z 0.5");
    add(&bed->after, "3", "Z 0.5");
    add(&bed->after, "2", "X 1 Y 4.5 NEW 0.25"); /* in any order */
    add(&bed->after, "1", "");
    compare(bed);
    assert_int_equal(bed->all.n, 3);
    assert_int_equal(bed->all.n_moved, 2);
    assert_string_equal(bed->all.moved[0].name, "2"); /* crosses: first */
    assert_true(bed->all.moved[0].is_new_spam);
    assert_int_equal(bed->all.moved[0].n_hits, 2);
    assert_string_equal(bed->all.moved[0].hits[0].symbol, "NEW");
    assert_float_equal(bed->all.moved[0].hits[0].before, 0, 1e-9);
    assert_float_equal(bed->all.moved[0].hits[1].before, 2, 1e-9);
    assert_float_equal(bed->all.moved[0].hits[1].after, 4.5, 1e-9);
    assert_string_equal(bed->all.moved[1].name, "1");
    assert_float_equal(bed->all.moved[1].before, 1, 1e-9);
    assert_int_equal(bed->all.n_new_spam, 1);
    assert_int_equal(bed->all.n_new_ham, 0);
    assert_float_equal(bed->all.max_shift, 2.75, 1e-9);
    assert_float_equal(bed->all.mean_shift, 3.75 / 3, 1e-9);
}

/* What moves most stands first; shifts up and down do not cancel there. */
static void test_compare_sums_symbols(void **state)
{
    struct bed *bed = *state;
    add(&bed->before, "1", "UP 1 BOTH 1");
    add(&bed->before, "2", "BOTH 4");
    add(&bed->after, "1", "UP 2 BOTH 4");
    add(&bed->after, "2", "BOTH 1");
    compare(bed);
    assert_int_equal(bed->all.n_symbols, 2);
    assert_string_equal(bed->all.symbols[0].symbol, "BOTH");
    assert_int_equal(bed->all.symbols[0].n, 2);
    assert_float_equal(bed->all.symbols[0].sum, 0, 1e-9);
    assert_float_equal(bed->all.symbols[0].all, 6, 1e-9);
    assert_int_equal(bed->all.symbols[1].n, 1);
}

static void test_compare_counts_what_is_alone(void **state)
{
    struct bed *bed = *state;
    add(&bed->before, "a", "X 1");
    add(&bed->before, "b", "X 1");
    add(&bed->after, "b", "X 9");
    add(&bed->after, "c", "X 9");
    compare(bed);
    assert_int_equal(bed->all.n, 1);
    assert_int_equal(bed->all.n_alone, 2);
    assert_int_equal(bed->all.n_new_spam, 1);
}

static void test_compare_new_ham(void **state)
{
    struct bed *bed = *state;
    add(&bed->before, "a", "X 5"); /* the required score itself is spam */
    add(&bed->after, "a", "X 4.99");
    compare(bed);
    assert_true(bed->all.moved[0].is_new_ham);
    assert_int_equal(bed->all.n_new_ham, 1);
}

static void test_compare_of_nothing(void **state)
{
    struct bed *bed = *state;
    compare(bed);
    assert_int_equal(bed->all.n, 0);
    assert_true(bed->all.mean_shift < 1e-9);
}

/* Each bound by itself, and what is said when it is passed. */
static void test_judge_bounds(void **state)
{
    struct bed *bed = *state;
    static const struct {
        struct scan_bounds bounds;
        const char *why; /* NULL: within */
    } cases[] = {
        {{1, 4, 2}, NULL},
        {{0, 4, 2},
         "1 of 2 messages newly reach 5 (bound 0); by X +4.00 on 1; "
         "messages b 2.0 to 6.0"},
        {{1, 3.9, 2}, "a score moves by 4.00 (bound 3.9); by"},
        {{1, 4, 1.9}, "scores move by 2.00 on average (bound 1.9); by"},
        {{0, 3, 1}, "(bound 0), a score moves by 4.00 (bound 3), scores move by"},
    };
    add(&bed->before, "a", "X 1");
    add(&bed->before, "b", "X 2");
    add(&bed->after, "a", "X 1");
    add(&bed->after, "b", "X 6");
    compare(bed);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct mx_buf why = {0};
        bool is_within = scan_compare_judge(&bed->all, &cases[i].bounds, &why);
        assert_int_equal(is_within, cases[i].why == NULL);
        if (!is_within && strstr(why.p, cases[i].why) == NULL)
            fail_msg("%zu: %s", i, why.p);
        assert_int_equal(is_within, why.n == 0);
        mx_buf_fini(&why);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_compare_same_is_no_shift),
        TEST(test_compare_names_what_moved),
        TEST(test_compare_sums_symbols),
        TEST(test_compare_counts_what_is_alone),
        TEST(test_compare_new_ham),
        TEST(test_compare_of_nothing),
        TEST(test_judge_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
