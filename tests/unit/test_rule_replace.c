/* ReplaceTags. */
#include "rule_files.h"

#include "rules/rule_replace.h"

struct bed {
    struct mx_arena *arena;
    struct rule_replace replace;
};

static void bed_open(struct bed *bed)
{
    bed->arena = mx_arena_new(64u << 20);
    rule_replace_init(&bed->replace, bed->arena);
    rule_replace_define(&bed->replace, RULE_TAG, MX_STR("A"), MX_STR("[aA4]"));
    rule_replace_define(&bed->replace, RULE_TAG, MX_STR("B"), MX_STR("[bB]"));
    rule_replace_define(&bed->replace, RULE_TAG, MX_STR("AB"), MX_STR("<A><B>"));
    rule_replace_define(&bed->replace, RULE_TAG_PRE, MX_STR("P"), MX_STR("(?:"));
    rule_replace_define(&bed->replace, RULE_TAG_POST, MX_STR("Q"), MX_STR("{1,3}"));
    rule_replace_define(&bed->replace, RULE_TAG_INTER, MX_STR("I"), MX_STR("\\W?"));
}

static void bed_close(struct bed *bed)
{
    rule_replace_fini(&bed->replace);
    mx_arena_free(bed->arena);
}

static void expect(const char *pattern, const char *wanted)
{
    struct bed bed;
    struct mx_str out;

    bed_open(&bed);
    assert_int_equal(rule_replace_apply(&bed.replace, mx_str(pattern), &out, NULL), 0);
    assert_str(out, wanted);
    bed_close(&bed);
}

static void test_apply_plain(void **state)
{
    (void)state;
    expect("x<A>y<B>", "x[aA4]y[bB]");
    expect("no tags", "no tags");
    expect("", "");
}

static void test_apply_leaves_other_brackets(void **state)
{
    (void)state;
    expect("(?<NAME>x)<A>", "(?<NAME>x)[aA4]");
    expect("(?<!x)<A><Z>", "(?<!x)[aA4]<Z>");
    expect("<<A>>", "<[aA4]>");
    expect("a < b <", "a < b <");
}

static void test_apply_again(void **state)
{
    (void)state;
    expect("<AB>!", "[aA4][bB]!");
}

static void test_apply_modifiers(void **state)
{
    (void)state;
    expect("<inter I>x<A><B><A>y", "x[aA4]\\W?[bB]\\W?[aA4]y");
    expect("<inter I><A><B>", "[aA4]\\W?[bB]"); /* none in front: so does the original */
    expect("<post Q>x<A><B>", "x[aA4]{1,3}[bB]{1,3}");
    expect("<pre P>x<A>)", "x(?:[aA4])");
    expect("<inter NONE><A><B>", "[aA4][bB]");
}

static void test_define_later_wins(void **state)
{
    struct bed bed;
    struct mx_str out;

    (void)state;
    bed_open(&bed);
    rule_replace_define(&bed.replace, RULE_TAG, MX_STR("A"), MX_STR("new"));
    assert_int_equal(rule_replace_apply(&bed.replace, MX_STR("<A>"), &out, NULL), 0);
    assert_str(out, "new");
    bed_close(&bed);
}

/* A tag of itself twice over would double with every pass. */
static void test_apply_bound(void **state)
{
    static char text[4096];
    struct bed bed;
    struct mx_str out = MX_STR("untouched");
    struct mx_err err = {0};

    (void)state;
    for (size_t i = 0; i + 4 < sizeof(text); i += 3)
        strcpy(text + i, "<X>");
    bed_open(&bed);
    rule_replace_define(&bed.replace, RULE_TAG, MX_STR("X"), mx_str(text));
    assert_int_equal(rule_replace_apply(&bed.replace, MX_STR("<X>"), &out, &err), -1);
    assert_int_equal(err.code, MX_ERR_LIMIT);
    assert_str(out, "untouched");
    rule_replace_define(&bed.replace, RULE_TAG, MX_STR("X"), MX_STR("<X>"));
    assert_int_equal(rule_replace_apply(&bed.replace, MX_STR("<X>"), &out, &err), 0);
    assert_str(out, "<X>");
    bed_close(&bed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_apply_plain),
        cmocka_unit_test(test_apply_leaves_other_brackets),
        cmocka_unit_test(test_apply_again),
        cmocka_unit_test(test_apply_modifiers),
        cmocka_unit_test(test_define_later_wins),
        cmocka_unit_test(test_apply_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
