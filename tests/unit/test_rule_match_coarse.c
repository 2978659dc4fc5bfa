/* Coarse patterns: small, and never blind to what the original matches. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "rules/rule_match_coarse.h"
#include "rules/rule_match_judge.h"

static bool matches(struct mx_str pattern, struct mx_str text)
{
    struct rule_judge_factory *factory = rule_judge_factory_new();
    struct rule_judge_scratch *scratch = rule_judge_scratch_new();
    struct rule_judge *judge = NULL;
    struct rule_found found = {0};
    assert_int_equal(rule_judge_compile(factory, pattern, &judge, NULL), 0);
    rule_judge_text(scratch, text, 0);
    bool is_match = rule_judge_next(scratch, judge, &found) == RULE_JUDGED_YES;
    rule_judge_free(judge);
    rule_judge_scratch_free(scratch);
    rule_judge_factory_free(factory);
    return is_match;
}

/* pattern, a text it matches, one it does not (nor should its exact spelling) */
static const struct {
    const char *pattern, *yes, *no;
} rows[] = {
    {"(?i)h\xe4user", "H\xc4USER", "hauser"},
    {"(?i)(?:free|cheap)\\s{1,20}(?:pills|watches)", "cheap   watches", "cheap x"},
    {"a(?:[b\xe4]|\xc3[\xa4\xa5]|&auml;)c{2,90}d",
     "a\xc3\xa4"
     "ccccccccd",
     "accd"},
    {"(?x) a b # comment\n c", "abc", "a b c"},
    {"(?:ab?){3,5}(?#note)x", "abaabx", "abx"},
};

static void test_coarse_make_is_superset(void **state)
{
    static const size_t budgets[] = {0, 6, 12, 48};
    (void)state;
    struct mx_arena *arena = mx_arena_new(RULE_COARSE_ARENA);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_true(matches(mx_str(rows[i].pattern), mx_str(rows[i].yes)));
        for (size_t k = 0; k < sizeof(budgets) / sizeof(budgets[0]); k++) {
            struct rule_coarse coarse;
            mx_arena_reset(arena);
            assert_int_equal(rule_coarse_make(arena, mx_str(rows[i].pattern), budgets[k],
                                              &coarse, NULL),
                             0);
            assert_true(matches(coarse.pattern, mx_str(rows[i].yes)));
            if (coarse.is_exact)
                assert_false(matches(coarse.pattern, mx_str(rows[i].no)));
            if (budgets[k] > 0)
                assert_true(coarse.cost <= 4 * budgets[k]);
        }
    }
    mx_arena_free(arena);
}

static void test_coarse_make_refuses(void **state)
{
    static const char *const patterns[] = {
        "(?R)", "(*UTF)a", "(?(1)a|b)", "\\p{L}",
        "a)",   "(a",      "\\Qa\\E",   "[[:alpha:]]+\\d\\x41\\Q"};
    (void)state;
    struct mx_arena *arena = mx_arena_new(RULE_COARSE_ARENA);
    for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        struct rule_coarse coarse;
        struct mx_err err = {0};
        assert_int_equal(rule_coarse_make(arena, mx_str(patterns[i]), 0, &coarse, &err),
                         -1);
        assert_int_equal(err.code, MX_ERR_INPUT);
    }
    mx_arena_free(arena);
}

static void test_coarse_make_tells_rarity(void **state)
{
    struct rule_coarse rare, common;
    (void)state;
    struct mx_arena *arena = mx_arena_new(RULE_COARSE_ARENA);
    assert_int_equal(rule_coarse_make(arena, MX_STR("viagra"), 48, &rare, NULL), 0);
    assert_int_equal(rule_coarse_make(arena, MX_STR("\\s|viagra"), 48, &common, NULL), 0);
    assert_true(rare.bits > 20 && common.bits < 4);
    mx_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_coarse_make_is_superset),
        cmocka_unit_test(test_coarse_make_refuses),
        cmocka_unit_test(test_coarse_make_tells_rarity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
