/* policy_verdict: soundness, replies in words, and that no text weakens an action. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "policy_verdict.h"

static void test_is_sound(void **state)
{
    static const struct {
        enum policy_action action;
        unsigned code;
        const char *enhanced;
        bool is_sound;
    } cases[] = {
        {POLICY_REJECT, 550, "5.7.1", true},    {POLICY_REJECT, 450, "5.7.1", false},
        {POLICY_REJECT, 550, "4.7.1", false},   {POLICY_REJECT, 550, NULL, false},
        {POLICY_REJECT, 0, NULL, false},        {POLICY_TEMPFAIL, 451, "4.3.0", true},
        {POLICY_TEMPFAIL, 550, "4.3.0", false}, {POLICY_CONTINUE, 0, NULL, true},
        {POLICY_CONTINUE, 250, "2.0.0", false}, {POLICY_DISCARD, 0, NULL, true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct policy_verdict v = {.action = cases[i].action,
                                   .code = cases[i].code,
                                   .enhanced = cases[i].enhanced};
        assert_int_equal(policy_verdict_is_sound(&v), cases[i].is_sound);
    }
}

static void test_reply_parse(void **state)
{
    static const struct {
        const char *text;
        int result;
        unsigned code;
        const char *enhanced, *said;
    } cases[] = {
        {"", 0, 550, "5.7.1", "default"},
        {"go away", 0, 550, "5.7.1", "go away"},
        {"5.1.1 go", 0, 550, "5.1.1", "go"},
        {"554 5.7.0  no thanks ", 0, 554, "5.7.0", "no thanks"},
        {"554", 0, 554, "5.7.1", "default"},
        {"554 text", 0, 554, "5.7.1", "text"},
        {"5.7 text", 0, 550, "5.7.1", "5.7 text"},
        {"450 4.7.1 no", -1, 0, NULL, NULL},
        {"550 4.7.1 no", -1, 0, NULL, NULL},
        {"250 2.0.0 fine", -1, 0, NULL, NULL},
    };
    struct mx_arena *arena = mx_arena_new(1 << 16);
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct policy_verdict v;
        struct mx_err err;
        policy_verdict_reject(&v, "5.7.1", MX_STR("default"), "r");
        assert_int_equal(
            policy_verdict_reply_parse(arena, mx_str(cases[i].text), &v, &err),
            cases[i].result);
        /* Whatever was said, it stays what it was. */
        assert_int_equal(v.action, POLICY_REJECT);
        assert_true(policy_verdict_is_sound(&v));
        if (cases[i].result < 0)
            continue;
        assert_int_equal(v.code, cases[i].code);
        assert_string_equal(v.enhanced, cases[i].enhanced);
        assert_true(mx_str_eq(v.text, mx_str(cases[i].said)));
    }
    mx_arena_free(arena);
}

static void test_format_is_safe_and_bounded(void **state)
{
    struct mx_arena *arena = mx_arena_new(1 << 16);
    struct policy_verdict v;
    char text[2000];
    (void)state;
    memset(text, 'x', sizeof(text));
    memcpy(text, "a\r\n250 ok\0\xff", 11);
    policy_verdict_tempfail(&v, "4.7.1", mx_str_of(text, sizeof(text)), "r");
    const char *line = policy_verdict_format(arena, &v);
    assert_int_equal(strlen(line), POLICY_REPLY_MAX);
    assert_memory_equal(line, "450 4.7.1 a??250 ok??xx", 23);
    v = (struct policy_verdict){.action = POLICY_HOLD};
    assert_string_equal(policy_verdict_format(arena, &v), "hold");
    mx_arena_free(arena);
}

static void test_names(void **state)
{
    (void)state;
    for (int i = 0; i < POLICY_ACTIONS; i++)
        assert_string_not_equal(policy_action_name((enum policy_action)i), "unknown");
    assert_string_equal(policy_action_name((enum policy_action)99), "unknown");
    assert_string_equal(policy_stage_name(POLICY_AT_CONTENT), "content");
    assert_string_equal(policy_stage_name((enum policy_stage)3), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_is_sound),
        cmocka_unit_test(test_reply_parse),
        cmocka_unit_test(test_format_is_safe_and_bounded),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
