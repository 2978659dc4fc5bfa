/* Patterns of eval functions: flags, captures, limits. */
#include "rule_files.h"

#include "rules/eval_regex.h"

static bool hits(const char *pattern, unsigned flags, struct mx_str subject)
{
    struct eval_regex *regex = NULL;
    struct mx_err err;
    bool is_hit;

    assert_int_equal(eval_regex_new(mx_str(pattern), flags, &regex, &err), 0);
    is_hit = eval_regex_hit(regex, subject);
    eval_regex_free(regex);
    return is_hit;
}

static void test_eval_regex_hit_flags(void **state)
{
    (void)state;
    assert_false(hits("abc", 0, MX_STR("xABCx")));
    assert_true(hits("abc", EVAL_REGEX_CASELESS, MX_STR("xABCx")));
    assert_false(hits("^b$", 0, MX_STR("a\nb\nc")));
    assert_true(hits("^b$", EVAL_REGEX_LINES, MX_STR("a\nb\nc")));
    assert_true(hits("^..$", 0, MX_STR("\xc3\xa4")));
    assert_true(hits("^.$", EVAL_REGEX_WIDE, MX_STR("\xc3\xa4")));
    assert_false(hits("a", EVAL_REGEX_WIDE, MX_STR("\xff\xfe")));
    assert_true(hits("^$", 0, MX_STR_NONE));
}

static void test_eval_regex_find_captures(void **state)
{
    struct mx_str groups[EVAL_REGEX_CAPTURES], s = MX_STR("k=v; k=w");
    struct eval_regex *regex = NULL;
    struct mx_err err;

    (void)state;
    assert_int_equal(eval_regex_new(MX_STR("(k)=(\\w)(z)?"), 0, &regex, &err), 0);
    assert_true(eval_regex_find(regex, s, 1, groups));
    assert_ptr_equal(groups[0].p, s.p + 5);
    assert_str(groups[2], "w");
    assert_null(groups[3].p);
    assert_false(eval_regex_find(regex, s, 6, groups));
    assert_false(eval_regex_find(regex, s, 100, groups));
    assert_false(eval_regex_find(NULL, s, 0, groups));
    eval_regex_free(regex);
}

static void test_eval_regex_new_refuses(void **state)
{
    struct eval_regex *regex = NULL;
    struct mx_err err = {0};
    static char large[70000];

    (void)state;
    assert_int_equal(eval_regex_new(MX_STR("a(b"), 0, &regex, &err), -1);
    assert_non_null(strstr(err.text, "byte 3"));
    assert_int_equal(eval_regex_new(MX_STR("\\C"), 0, &regex, &err), -1);
    memset(large, 'a', sizeof(large));
    assert_int_equal(eval_regex_new(mx_str_of(large, sizeof(large)), 0, &regex, &err),
                     -1);
    assert_null(regex);
}

/* Would need 2^30 steps. */
static void test_eval_regex_hit_is_bounded(void **state)
{
    (void)state;
    assert_false(hits("^(a|a)*$", 0, MX_STR("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab")));
}

static void test_eval_regex_try_tells_limits(void **state)
{
    struct eval_regex *regex = NULL;
    bool is_limited = false;

    (void)state;
    assert_int_equal(eval_regex_new(MX_STR("^(a|a)*$"), 0, &regex, NULL), 0);
    assert_true(eval_regex_try(regex, MX_STR("aaa"), &is_limited));
    assert_false(eval_regex_try(regex, MX_STR("aab"), &is_limited));
    assert_false(is_limited);
    assert_false(
        eval_regex_try(regex, MX_STR("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"), &is_limited));
    assert_true(is_limited);
    eval_regex_free(regex);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_eval_regex_hit_flags),
        cmocka_unit_test(test_eval_regex_find_captures),
        cmocka_unit_test(test_eval_regex_new_refuses),
        cmocka_unit_test(test_eval_regex_hit_is_bounded),
        cmocka_unit_test(test_eval_regex_try_tells_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
