/* The automaton of one pattern: it misses nothing that the judge finds, and stays small.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "mx_arena.h"
#include "rules/rule_match_coarse.h"
#include "rules/rule_match_judge.h"
#include "rules/rule_match_lazy.h"
#include "rules/rule_match_nfa.h"

static bool judge_matches(const char *pattern, struct mx_str text)
{
    struct rule_judge_factory *factory = rule_judge_factory_new();
    struct rule_judge_scratch *scratch = rule_judge_scratch_new();
    struct rule_judge *judge = NULL;
    struct rule_found found = {0};
    assert_int_equal(rule_judge_compile(factory, mx_str(pattern), &judge, NULL), 0);
    rule_judge_text(scratch, text, 0);
    bool is_match = rule_judge_next(scratch, judge, &found) == RULE_JUDGED_YES;
    rule_judge_free(judge);
    rule_judge_scratch_free(scratch);
    rule_judge_factory_free(factory);
    return is_match;
}

static struct rule_nfa *automaton(const char *pattern)
{
    struct mx_arena *arena = mx_arena_new(RULE_COARSE_ARENA);
    struct rule_coarse loose;
    assert_int_equal(rule_coarse_loosen(arena, mx_str(pattern), &loose, NULL), 0);
    struct rule_nfa *nfa = rule_nfa_new(loose.root);
    mx_arena_free(arena);
    return nfa;
}

/* Patterns that are not changed by being loosened. */
static const char *const patterns[] = {
    "abc",      "a(?:b|cd|)e",    "(?:ab?){2,3}x", "(?i)ca+t", "[^a]b[a-c]{2}",
    "a.*b.*cd", "(?s)(?:.a|bb)c", "x?(?:a|ab)+cc", "dd|a{3}",  "[bc](?:a|d)*b",
    "a*"};

static void next_text(unsigned *seed, char text[static 24])
{
    for (size_t i = 0; i < 23; i++) {
        *seed = *seed * 1103515245u + 12345u;
        text[i] = "abcdeAx\n"[*seed >> 16 & 7];
    }
    text[23] = '\0';
}

static void test_lazy_may_match_as_judge(void **state)
{
    unsigned seed = 1;
    size_t n_matches = 0;
    (void)state;
    for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        struct rule_nfa *nfa = automaton(patterns[i]);
        struct rule_lazy *lazy = rule_lazy_new(nfa);
        for (size_t k = 0; k < 300; k++) {
            char text[24];
            next_text(&seed, text);
            bool is_match = judge_matches(patterns[i], mx_str(text));
            assert_int_equal(rule_lazy_may_match(lazy, mx_str(text)), is_match);
            n_matches += is_match;
        }
        rule_lazy_free(lazy);
        rule_nfa_free(nfa);
    }
    assert_in_range(n_matches, 600, 3000);
}

static void test_lazy_may_match_remembers(void **state)
{
    (void)state;
    struct rule_nfa *nfa = automaton("(?:one|two|three)\\s+four");
    struct rule_lazy *lazy = rule_lazy_new(nfa);
    struct mx_str text = MX_STR("there were two  for one and three fours");
    assert_true(rule_lazy_may_match(lazy, text));
    size_t n = rule_lazy_states(lazy);
    assert_in_range(n, 8, text.n);
    assert_true(rule_lazy_may_match(lazy, text));
    assert_int_equal(rule_lazy_states(lazy), n);
    assert_false(rule_lazy_may_match(lazy, MX_STR("")));
    rule_lazy_free(lazy);
    rule_nfa_free(nfa);
}

/* 2^20 states, were they all made: which of the last bytes were an "a". */
static void test_lazy_may_match_bounds_states(void **state)
{
    char pattern[200] = "a", text[4000];
    unsigned seed = 7;
    (void)state;
    for (size_t i = 0; i < 20; i++)
        strcat(pattern, "[ab]");
    strcat(pattern, "c");
    struct rule_nfa *nfa = automaton(pattern);
    struct rule_lazy *lazy = rule_lazy_new(nfa);
    for (size_t k = 0; k < 100; k++) {
        for (size_t i = 0; i < sizeof(text); i++) {
            seed = seed * 1103515245u + 12345u;
            text[i] = seed >> 16 & 1 ? 'a' : 'b';
        }
        size_t before = rule_lazy_states(lazy);
        /* No match, but too many new states to say so. */
        assert_true(rule_lazy_may_match(lazy, mx_str_of(text, sizeof(text))));
        size_t after = rule_lazy_states(lazy);
        assert_true(after <= before + RULE_LAZY_BUILT_MAX);
        assert_true(after <= RULE_LAZY_STATES_MAX);
    }
    assert_false(rule_lazy_may_match(lazy, MX_STR("cccc")));
    assert_true(rule_lazy_may_match(lazy, MX_STR("aababababababababababc")));
    rule_lazy_free(lazy);
    rule_nfa_free(nfa);
}

static void test_nfa_new_bounds_nodes(void **state)
{
    (void)state;
    assert_null(automaton("(?:(?:(?:abcdefgh){8}ij){8}kl){8}(?:(?:(?:mnop){8}){8}){8}"
                          "(?:(?:(?:(?:(?:(?:q{4}){4}){8}){8}){8}){8}){8}"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lazy_may_match_as_judge),
        cmocka_unit_test(test_lazy_may_match_remembers),
        cmocka_unit_test(test_lazy_may_match_bounds_states),
        cmocka_unit_test(test_nfa_new_bounds_nodes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
