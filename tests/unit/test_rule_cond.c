/* Conditions: what they ask, what they leave of a file. */
#include "rule_files.h"

#include "rules/rule_cond.h"

#define PLUGIN "Mail::SpamAssassin::Plugin::"
#define CONF "Mail::SpamAssassin::Conf::"

struct bed {
    struct mx_arena *arena;
    struct rule_cond cond;
};

static void bed_open(struct bed *bed)
{
    bed->arena = mx_arena_new(1 << 20);
    rule_cond_init(&bed->cond, bed->arena, false);
    assert_true(rule_cond_load(&bed->cond, MX_STR(PLUGIN "BodyEval")));
    rule_cond_enable(&bed->cond, MX_STR("welcomelist_blocklist"));
}

static void bed_close(struct bed *bed)
{
    rule_cond_fini(&bed->cond);
    mx_arena_free(bed->arena);
}

static void test_value_answers(void **state)
{
    static const struct {
        const char *text;
        bool answer;
    } cases[] = {
        {"(version >= 4.000000)", true},
        {"version > 4.000001", false},
        {"version == 4.000001 && perl_version >= 5.010000", true},
        {"plugin(" PLUGIN "BodyEval)", true},
        {"plugin (" PLUGIN "BodyEval)", true},
        {"plugin(" PLUGIN "TxRep)", false},
        {"!plugin(" PLUGIN "TxRep)", true},
        {"!(!plugin(" PLUGIN "BodyEval))", true},
        {"can(" CONF "feature_bug6558_free)", true},
        {"can(" CONF "feature_of_tomorrow)", false},
        {"has(" CONF "has_tflags_nosubject)", true},
        {"can(" CONF "compat_welcomelist_blocklist)", true},
        {"can(" CONF "compat_other)", false},
        {"can(" PLUGIN "BodyEval::has_check_body_length)", true},
        {"can(" PLUGIN "DKIM::has_arc)", false}, /* not loaded */
        {"local_tests_only", true},
        {"(version < 3) || (1 > -1)", true},
    };
    struct bed bed;

    (void)state;
    bed_open(&bed);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct mx_err err = {0};
        bool answer = !cases[i].answer;

        if (rule_cond_value(&bed.cond, mx_str(cases[i].text), &answer, &err))
            fail_msg("%s: %s", cases[i].text, err.text);
        if (answer != cases[i].answer)
            fail_msg("%s: %d", cases[i].text, answer);
    }
    bed_close(&bed);
}

static void test_value_refuses(void **state)
{
    static const char *const cases[] = {"", "version >=", "can(nothing)", "foo",
                                        "plugin"};
    struct bed bed;
    bool answer = true;

    (void)state;
    bed_open(&bed);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        assert_int_equal(rule_cond_value(&bed.cond, mx_str(cases[i]), &answer, NULL), -1);
    assert_true(answer);
    bed_close(&bed);
}

static void test_load_only_known_plugins(void **state)
{
    struct bed bed;
    bool answer = true;

    (void)state;
    bed_open(&bed);
    assert_false(rule_cond_load(&bed.cond, MX_STR("My::Plugin")));
    assert_false(rule_cond_load(&bed.cond, MX_STR(PLUGIN)));
    assert_int_equal(
        rule_cond_value(&bed.cond, MX_STR("plugin(My::Plugin)"), &answer, NULL), 0);
    assert_false(answer);
    assert_true(rule_cond_load(&bed.cond, MX_STR(PLUGIN "Dmarc"))); /* its old name */
    assert_int_equal(
        rule_cond_value(&bed.cond, MX_STR("plugin(" PLUGIN "DMARC)"), &answer, NULL), 0);
    assert_true(answer);
    bed_close(&bed);
}

static void test_stack_else_inside_skipped(void **state)
{
    struct rule_cond_stack stack = {0};

    (void)state;
    assert_int_equal(rule_cond_push(&stack, false, 1, NULL), 0);
    assert_int_equal(rule_cond_push(&stack, true, 2, NULL), 0);
    assert_true(stack.is_skipping);
    assert_int_equal(rule_cond_else(&stack, NULL), 0);
    assert_true(stack.is_skipping); /* the outer one decides */
    assert_int_equal(rule_cond_pop(&stack, NULL), 0);
    assert_int_equal(rule_cond_else(&stack, NULL), 0);
    assert_false(stack.is_skipping);
    assert_int_equal(rule_cond_pop(&stack, NULL), 0);
    assert_false(stack.is_skipping);
}

static void test_stack_bounds(void **state)
{
    struct rule_cond_stack stack = {0};

    (void)state;
    assert_int_equal(rule_cond_pop(&stack, NULL), -1);
    assert_int_equal(rule_cond_else(&stack, NULL), -1);
    for (unsigned i = 0; i < RULE_CONDITION_DEPTH_MAX; i++)
        assert_int_equal(rule_cond_push(&stack, true, i, NULL), 0);
    assert_int_equal(rule_cond_push(&stack, true, 0, NULL), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_value_answers),
        cmocka_unit_test(test_value_refuses),
        cmocka_unit_test(test_load_only_known_plugins),
        cmocka_unit_test(test_stack_else_inside_skipped),
        cmocka_unit_test(test_stack_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
