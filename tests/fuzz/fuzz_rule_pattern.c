/*
 * From a pattern as rule files write it to what matches: "/re/mods" on the first line, a
 * text behind it. Whatever the pattern, each way of matching must agree on that text:
 * where the judge finds a match, every coarse pattern and the lazy automaton find one,
 * and the prefilter names the rule; where a form claims to be exact, it finds no more
 * than the judge.
 */
#include <assert.h>
#include <stdint.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "rules/rule_match.h"
#include "rules/rule_match_coarse.h"
#include "rules/rule_match_judge.h"
#include "rules/rule_match_lazy.h"
#include "rules/rule_match_nfa.h"
#include "rules/rule_read.h"

#define INPUT_MAX 4096
#define WHOLE_BYTES_MAX                                                                  \
    200         /* of patterns that are tried with databases, which take time */
#define RULES 3 /* fewer have no database */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum rule_judged search(const struct rule_judge *judge, struct mx_str text)
{
    struct rule_judge_scratch *scratch = rule_judge_scratch_new();
    struct rule_found found = {0};
    rule_judge_text(scratch, text, 0);
    enum rule_judged judged = rule_judge_next(scratch, judge, &found);
    assert(judged != RULE_JUDGED_LATE);
    assert(judged != RULE_JUDGED_YES || (found.from <= found.to && found.to <= text.n));
    rule_judge_scratch_free(scratch);
    return judged;
}

static void check_coarse(const struct rule_judge_factory *factory, struct mx_str pattern,
                         struct mx_str text, bool is_match)
{
    static const size_t budgets[] = {0, 8, 48, 300};
    struct mx_arena *arena = mx_arena_new(RULE_COARSE_ARENA);
    for (size_t i = 0; i < sizeof(budgets) / sizeof(budgets[0]); i++) {
        struct rule_coarse coarse;
        struct rule_judge *judge;
        mx_arena_reset(arena);
        if (rule_coarse_make(arena, pattern, budgets[i], &coarse, NULL) < 0 ||
            rule_judge_compile(factory, coarse.pattern, &judge, NULL) < 0)
            continue; /* no prefilter can be made: it is judged everywhere */
        enum rule_judged judged = search(judge, text);
        assert(!is_match || judged != RULE_JUDGED_NO);
        assert(is_match || !coarse.is_exact || judged != RULE_JUDGED_YES);
        rule_judge_free(judge);
    }
    mx_arena_free(arena);
}

static void check_lazy(struct mx_str pattern, struct mx_str text, bool is_match)
{
    struct mx_arena *arena = mx_arena_new(RULE_COARSE_ARENA);
    struct rule_coarse loose;
    struct rule_nfa *nfa = NULL;
    if (rule_coarse_loosen(arena, pattern, &loose, NULL) == 0 && loose.min > 0)
        nfa = rule_nfa_new(loose.root);
    if (nfa != NULL) {
        struct rule_lazy *lazy = rule_lazy_new(nfa);
        for (size_t i = 0; i < 2; i++) /* with states to be made, then made */
            assert(rule_lazy_may_match(lazy, text) || !is_match);
        rule_lazy_free(lazy);
    }
    rule_nfa_free(nfa);
    mx_arena_free(arena);
}

static void check_prefilter(struct mx_str pattern, struct mx_str text, bool is_match)
{
    struct rule rules[RULES];
    struct rule_set set = {.rules = rules, .n_rules = RULES};
    struct rule_match_options options = {.has_prefilter = true};
    struct rule_match *match;
    struct rule_match_scratch *scratch;
    size_t n, n_named = 0;
    for (size_t i = 0; i < RULES; i++)
        rules[i] =
            (struct rule){.kind = RULE_BODY, .pattern = pattern, .scores = {1, 1, 1, 1}};
    assert(rule_match_new(&set, &options, &match, NULL) == 0);
    assert(rule_match_n_groups(match) == 1);
    assert(rule_match_scratch_new(match, &scratch, NULL) == 0);
    const struct rule_candidate *named = rule_match_scan(match, scratch, 0, text, &n);
    for (size_t i = 0; i < n; i++) {
        n_named += named[i].rule == 0;
        assert(named[i].rule < RULES && (is_match || !named[i].is_sure));
    }
    assert(n_named <= 1 && (n_named == 1 || !is_match));
    rule_match_scratch_free(scratch);
    rule_match_free(match);
}

static void check(struct mx_str pattern, struct mx_str text)
{
    struct rule_judge_factory *factory = rule_judge_factory_new();
    struct rule_judge *judge = NULL;
    if (rule_judge_compile(factory, pattern, &judge, NULL) == 0) {
        enum rule_judged judged = search(judge, text);
        bool is_match = judged == RULE_JUDGED_YES;
        if (judged != RULE_JUDGED_LIMIT)
            check_coarse(factory, pattern, text, is_match);
        if (judged != RULE_JUDGED_LIMIT)
            check_lazy(pattern, text, is_match);
        if (judged != RULE_JUDGED_LIMIT && pattern.n <= WHOLE_BYTES_MAX)
            check_prefilter(pattern, text, is_match);
    }
    rule_judge_free(judge);
    rule_judge_factory_free(factory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mx_str rest = mx_str_of(data, size), line, pattern;
    if (size > INPUT_MAX || mx_str_next(&rest, '\n', &line) < 0)
        return 0;
    struct mx_arena *arena = mx_arena_new(16u << 20);
    if (rule_read_pattern(arena, line, &pattern, NULL) == 0 &&
        !(rule_read_captures(pattern) & RULE_NEEDS_CAPTURE))
        check(pattern, rest);
    mx_arena_free(arena);
    return 0;
}
