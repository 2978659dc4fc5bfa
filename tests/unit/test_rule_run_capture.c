/* Captured values become parts of patterns: quoted, bounded, each once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "mx_arena.h"
#include "rules/rule_run_capture.h"

struct fixture {
    struct mx_arena *arena;
    struct rule_judge_factory *factory;
    struct rule_judge_scratch *scratch;
    struct rule_captures captures;
};

static int setup(void **state)
{
    struct fixture *f = mx_xalloc(sizeof(*f));
    f->arena = mx_arena_new(8u << 20);
    f->factory = rule_judge_factory_new();
    f->scratch = rule_judge_scratch_new();
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    rule_judge_scratch_free(f->scratch);
    rule_judge_factory_free(f->factory);
    mx_arena_free(f->arena);
    free(f);
    return 0;
}

/* Take what the first match of ${pattern} in ${text} captures. */
static void take(struct fixture *f, const char *pattern, struct mx_str text)
{
    struct rule_judge *judge = NULL;
    struct rule_found found = {0};
    assert_int_equal(rule_judge_compile(f->factory, mx_str(pattern), &judge, NULL), 0);
    rule_judge_text(f->scratch, text, 0);
    assert_int_equal(rule_judge_next(f->scratch, judge, &found), RULE_JUDGED_YES);
    rule_captures_take(&f->captures, f->arena, f->scratch, judge);
    rule_judge_free(judge);
}

static void assert_filled(struct fixture *f, const char *pattern, const char *expected)
{
    struct mx_str out = MX_STR("");
    assert_true(rule_captures_fill(&f->captures, f->arena, mx_str(pattern), &out));
    assert_true(mx_str_eq(out, mx_str(expected)));
}

static void test_captures_take_each_once(void **state)
{
    struct fixture *f = *state;
    take(f, "(?<WHO>\\w+)@(?<WHERE>\\w+)", MX_STR("me@here"));
    take(f, "(?<WHO>\\w+)@(?<WHERE>\\w+)", MX_STR("you@here"));
    assert_int_equal(f->captures.n, 3);
    assert_filled(f, "^%{WHO} at %{WHERE}$", "^(?:me|you) at (?:here)$");
    assert_filled(f, "nothing", "nothing");
    assert_filled(f, "open %{WHO", "open %{WHO");
}

static void test_captures_take_no_empty_ones(void **state)
{
    struct fixture *f = *state;
    struct mx_str out;
    take(f, "x(?<WHO>\\d*)(?<WHERE>a)?", MX_STR("x"));
    assert_int_equal(f->captures.n, 0);
    assert_false(rule_captures_fill(&f->captures, f->arena, MX_STR("%{WHO}"), &out));
}

static void test_captures_fill_quotes(void **state)
{
    struct fixture *f = *state;
    struct rule_judge *judge = NULL;
    struct rule_found found = {0};
    struct mx_str pattern;
    take(f, "(?s)(?<WHO>.+)", MX_STR("a.b)|(?:\\E\n+_9"));
    assert_true(rule_captures_fill(&f->captures, f->arena, MX_STR("^%{WHO}$"), &pattern));
    assert_int_equal(rule_judge_compile(f->factory, pattern, &judge, NULL), 0);
    rule_judge_text(f->scratch, MX_STR("a.b)|(?:\\E\n+_9"), 0);
    assert_int_equal(rule_judge_next(f->scratch, judge, &found), RULE_JUDGED_YES);
    rule_judge_text(f->scratch, MX_STR("axb"), 0);
    found = (struct rule_found){0};
    assert_int_equal(rule_judge_next(f->scratch, judge, &found), RULE_JUDGED_NO);
    rule_judge_free(judge);
}

static void test_captures_take_bounds(void **state)
{
    struct fixture *f = *state;
    char value[RULE_CAPTURE_BYTES_MAX + 2];
    memset(value, 'a', sizeof(value));
    take(f, "(?<WHO>a+)", mx_str_of(value, RULE_CAPTURE_BYTES_MAX + 1));
    assert_int_equal(f->captures.n, 0);
    take(f, "(?<WHO>a+)", mx_str_of(value, RULE_CAPTURE_BYTES_MAX));
    assert_int_equal(f->captures.n, 1);
    for (size_t i = 1; i < RULE_CAPTURES_MAX + 10; i++)
        take(f, "(?<WHO>a+)", mx_str_of(value, i));
    assert_int_equal(f->captures.n, RULE_CAPTURES_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_captures_take_each_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_captures_take_no_empty_ones, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_captures_fill_quotes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_captures_take_bounds, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
