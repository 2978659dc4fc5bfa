/* Regex literals and calls of eval functions. */
#include "rule_files.h"

#include "rules/rule_read.h"
#include "rules/rule_read_eval.h"

static void expect(const char *literal, const char *wanted)
{
    struct mx_arena *arena = mx_arena_new(1 << 20);
    struct mx_str out;
    struct mx_err err = {0};

    if (rule_read_pattern(arena, mx_str(literal), &out, &err))
        fail_msg("%s: %s", literal, err.text);
    assert_str(out, wanted);
    mx_arena_free(arena);
}

static void refuse(const char *literal)
{
    struct mx_arena *arena = mx_arena_new(1 << 20);
    struct mx_str out;

    if (rule_read_pattern(arena, mx_str(literal), &out, NULL) == 0)
        fail_msg("%s gave \"%.*s\"", literal, MX_STR_FMT(out));
    mx_arena_free(arena);
}

static void test_pattern_delimiters(void **state)
{
    (void)state;
    expect("/a\\/b/", "a\\/b");
    expect("m{a{2}}i", "(?i)a{2}");
    expect("m(a(b)c)", "a(b)c");
    expect("m[[a]]", "[a]");
    expect("m<a>x", "(?x)a");
    expect("m!a/b!", "a/b");
    expect("qr,a,", "a");
    expect("m'a'", "a");
}

static void test_pattern_modifiers(void **state)
{
    (void)state;
    expect("/a/imsx", "(?imsx)a");
    expect("/a/a", "a"); /* what we do anyway */
    refuse("/a/e");
    refuse("/a/g");
    refuse("/a/q");
}

/* A NUL ends nothing. */
static void test_pattern_with_nul(void **state)
{
    struct mx_arena *arena = mx_arena_new(1 << 20);
    struct mx_str literal = mx_str_of("/a\0b/i", 6), out;

    (void)state;
    assert_int_equal(rule_read_pattern(arena, literal, &out, NULL), 0);
    assert_true(mx_str_eq(out, mx_str_of("(?i)a\0b", 7)));
    mx_arena_free(arena);
}

static void test_pattern_refuses(void **state)
{
    (void)state;
    refuse("");
    refuse("a");
    refuse("/a");
    refuse("/a/b/i");
    refuse("m");
    refuse("mxax");
    refuse("m\\a\\");
    refuse("/(?{ system() })/");
    refuse("/(??{ system() })/");
    expect("/a\\\\/", "a\\\\"); /* an escaped backslash, then the end */
    refuse("/a\\\\/b/");
}

static void test_pattern_too_long(void **state)
{
    size_t n = RULE_PATTERN_BYTES_MAX + 3;
    char *text = mx_xalloc(n + 1);

    (void)state;
    memset(text, 'a', n);
    text[0] = text[n - 1] = '/';
    refuse(text);
    free(text);
}

static void test_captures(void **state)
{
    (void)state;
    assert_int_equal(rule_read_captures(MX_STR("(?<ABC>x)")), RULE_HAS_CAPTURE);
    assert_int_equal(rule_read_captures(MX_STR("(?P<ABC>x)")), RULE_HAS_CAPTURE);
    assert_int_equal(rule_read_captures(MX_STR("(?'ABC'x)")), RULE_HAS_CAPTURE);
    assert_int_equal(rule_read_captures(MX_STR("a%{ABC}b")), RULE_NEEDS_CAPTURE);
    assert_int_equal(rule_read_captures(MX_STR("(?<!ABC)(?<abc>x)\\%{ABC}%{a}")), 0);
}

static void expect_args(const char *call, enum rule_kind kind, const char *wanted)
{
    struct mx_arena *arena = mx_arena_new(1 << 20);
    struct rule rule = {.kind = RULE_HEADER_EVAL};
    struct mx_err err = {0};
    struct mx_buf buf = {0};

    if (rule_read_eval(arena, mx_str(call), &rule, &err))
        fail_msg("%s: %s", call, err.text);
    mx_buf_add(&buf, rule.function.p, rule.function.n);
    for (size_t i = 0; i < rule.n_args; i++)
        mx_buf_printf(&buf, "|%.*s", MX_STR_FMT(rule.args[i]));
    assert_string_equal(buf.p, wanted);
    assert_int_equal(rule.kind, kind);
    mx_buf_fini(&buf);
    mx_arena_free(arena);
}

static void test_eval_args(void **state)
{
    (void)state;
    expect_args("f()", RULE_HEADER_EVAL, "f");
    expect_args("f( )", RULE_HEADER_EVAL, "f");
    expect_args("f('a', \"b,c\" ,2.5)", RULE_HEADER_EVAL, "f|a|b,c|2.5");
    expect_args("f('it's', '')", RULE_HEADER_EVAL, "f|it's|");
    expect_args("f(::1, a-b.example)", RULE_HEADER_EVAL, "f|::1|a-b.example");
    expect_args("check_rbl('x', 'y.')", RULE_RBL_EVAL, "check_rbl|x|y.");
    expect_args("check_rbl_sub('x', '2')", RULE_RBL_EVAL, "check_rbl_sub|x|2");
}

static void test_eval_refuses(void **state)
{
    static const char *const calls[] = {"f",     "f(",     "f)",   "(a)",  "f(a b)",
                                        "f('a)", "f(a;b)", "f(,)", "f-g()"};
    struct mx_arena *arena = mx_arena_new(1 << 20);

    (void)state;
    for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
        struct rule rule = {.kind = RULE_BODY_EVAL};

        if (rule_read_eval(arena, mx_str(calls[i]), &rule, NULL) == 0)
            fail_msg("%s was taken", calls[i]);
    }
    mx_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pattern_delimiters),
        cmocka_unit_test(test_pattern_modifiers),
        cmocka_unit_test(test_pattern_with_nul),
        cmocka_unit_test(test_pattern_refuses),
        cmocka_unit_test(test_pattern_too_long),
        cmocka_unit_test(test_captures),
        cmocka_unit_test(test_eval_args),
        cmocka_unit_test(test_eval_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
