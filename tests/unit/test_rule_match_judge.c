/* The judge: Perl's meaning of bytes, /g, limits, the 32-bit library. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "rules/rule_match_judge.h"

struct fixture {
    struct rule_judge_factory *factory;
    struct rule_judge_scratch *scratch;
    struct rule_judge *judge;
};

static int setup(void **state)
{
    struct fixture *f = mx_xalloc(sizeof(*f));
    f->factory = rule_judge_factory_new();
    f->scratch = rule_judge_scratch_new();
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    rule_judge_free(f->judge);
    rule_judge_scratch_free(f->scratch);
    rule_judge_factory_free(f->factory);
    free(f);
    return 0;
}

/* How often ${pattern} matches; -1: a limit. */
static int count(struct fixture *f, const char *pattern, struct mx_str text)
{
    struct rule_found found = {0};
    enum rule_judged judged;
    int n = 0;
    rule_judge_free(f->judge);
    f->judge = NULL;
    assert_int_equal(rule_judge_compile(f->factory, mx_str(pattern), &f->judge, NULL), 0);
    rule_judge_text(f->scratch, text, 0);
    while ((judged = rule_judge_next(f->scratch, f->judge, &found)) == RULE_JUDGED_YES)
        n++;
    return judged == RULE_JUDGED_NO ? n : -1;
}

static void test_judge_next_classes_are_ascii_case_is_latin(void **state)
{
    assert_int_equal(count(*state, "\\w", MX_STR("\xe4 \xff")), 0);
    assert_int_equal(count(*state, "(?i)\xe4", MX_STR("\xc4\xe4")), 2);
    assert_int_equal(count(*state, "(?i)[\xc0-\xc2]", MX_STR("\xe1")), 1);
    assert_int_equal(count(*state, "(?i)\xd7", MX_STR("\xf7")), 0);
    assert_int_equal(count(*state, "a\\sb",
                           MX_STR("a\x0b"
                                  "b")),
                     1);
}

static void test_judge_next_counts_as_g(void **state)
{
    assert_int_equal(count(*state, "x*", MX_STR("axxb")), 4);
    assert_int_equal(count(*state, "^", MX_STR("a\nb")), 1);
    assert_int_equal(count(*state, "a$", MX_STR("a\n")), 1);
    assert_int_equal(count(*state, "^$", MX_STR("")), 1);
}

static void test_judge_next_long_text(void **state)
{
    static char text[100000];
    memset(text, 'a', sizeof(text));
    text[9000] = text[99999] = 'b';
    assert_int_equal(count(*state, "ab", mx_str_of(text, sizeof(text))), 2);
    assert_int_equal(count(*state, "^b", mx_str_of(text, sizeof(text))), 0);
    assert_int_equal(count(*state, "b$", mx_str_of(text, sizeof(text))), 1);
}

static void test_judge_next_catastrophe_meets_limit(void **state)
{
    assert_int_equal(
        count(*state, "^(?:a+)+$", MX_STR("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab")),
        -1);
}

static void test_judge_compile_too_large_is_wide(void **state)
{
    struct fixture *f = *state;
    struct mx_buf pattern = {0};
    mx_buf_str(&pattern, "(?i)(?:x");
    for (int i = 0; i < 20000; i++)
        mx_buf_printf(&pattern, "|w%da", i);
    mx_buf_str(&pattern, ")\xe4");
    assert_int_equal(count(f, pattern.p, MX_STR("..W777A\xc4..")), 1);
    assert_true(rule_judge_is_wide(f->judge));
    assert_int_equal(count(f, pattern.p, MX_STR("..W777A..")), 0);
    mx_buf_fini(&pattern);
}

static void test_judge_compile_refuses(void **state)
{
    struct fixture *f = *state;
    struct mx_err err = {0};
    assert_int_equal(rule_judge_compile(f->factory, MX_STR("a(b"), &f->judge, &err), -1);
    assert_non_null(strstr(err.text, "at byte 3"));
    assert_null(f->judge);
}

static void test_judge_group_names(void **state)
{
    struct fixture *f = *state;
    struct rule_found found = {0};
    struct mx_str name, value;
    assert_int_equal(count(f, "(?<WHO>b+)(?<NOT>z)?", MX_STR("abba")), 1);
    rule_judge_text(f->scratch, MX_STR("abba"), 0);
    assert_int_equal(rule_judge_next(f->scratch, f->judge, &found), RULE_JUDGED_YES);
    size_t n = 0;
    for (; rule_judge_group(f->scratch, f->judge, n, &name, &value); n++)
        assert_true(
            mx_str_eq(value, mx_str_eq(name, MX_STR("WHO")) ? MX_STR("bb") : MX_STR("")));
    assert_int_equal(n, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_judge_next_classes_are_ascii_case_is_latin,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_judge_next_counts_as_g, setup, teardown),
        cmocka_unit_test_setup_teardown(test_judge_next_long_text, setup, teardown),
        cmocka_unit_test_setup_teardown(test_judge_next_catastrophe_meets_limit, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_judge_compile_too_large_is_wide, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_judge_compile_refuses, setup, teardown),
        cmocka_unit_test_setup_teardown(test_judge_group_names, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
