/* Patterns of a small set: how each is matched, and the same again from the cache. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "mx_arena.h"
#include "rules/rule_match.h"
#include "rules/rule_match_db.h"

enum { PLAIN, BOUNDARY, COMMON, FILLED, BROKEN, OFF, LARGE, MISSING, N_RULES };

struct fixture {
    struct rule rules[N_RULES];
    struct rule_set set;
    char dir[64];
    struct rule_match *match;
    struct rule_match_scratch *scratch;
};

/* Phrases of twelve words, each one of twenty: over a thousand positions. */
static struct mx_str large_pattern(void)
{
    static char text[8192];
    size_t n = 0;
    for (size_t i = 0; i < 12; i++) {
        n += (size_t)snprintf(text + n, sizeof(text) - n, "(?:");
        for (size_t k = 0; k < 20; k++)
            n += (size_t)snprintf(text + n, sizeof(text) - n, "%sw%zux%zu",
                                  k > 0 ? "|" : "", i, k);
        n += (size_t)snprintf(text + n, sizeof(text) - n, ")\\b\\s?");
    }
    return mx_str(text);
}

static void make_rules(struct fixture *f)
{
    static const char *const patterns[N_RULES] = {
        [PLAIN] = "cheap watches", [BOUNDARY] = "(?<=x)pills", [COMMON] = "(?>.+)$",
        [FILLED] = "%{WHO}",       [BROKEN] = "(unclosed",     [OFF] = "off",
        [MISSING] = "^$",
    };
    for (size_t i = 0; i < N_RULES; i++) {
        f->rules[i] = (struct rule){.kind = RULE_BODY, .scores = {1, 1, 1, 1}};
        f->rules[i].pattern = i == LARGE ? large_pattern() : mx_str(patterns[i]);
    }
    f->rules[FILLED].flags = RULE_NEEDS_CAPTURE;
    f->rules[MISSING].kind = RULE_HEADER;
    f->rules[MISSING].selector = MX_STR("X-Absent");
    memset(f->rules[OFF].scores, 0, sizeof(f->rules[OFF].scores));
    f->set = (struct rule_set){.rules = f->rules, .n_rules = N_RULES};
}

static void open_match(struct fixture *f, bool has_prefilter, bool has_cache)
{
    struct rule_match_options options = {.has_prefilter = has_prefilter,
                                         .cache_dir = has_cache ? f->dir : NULL};
    assert_int_equal(rule_match_new(&f->set, &options, &f->match, NULL), 0);
    assert_int_equal(rule_match_scratch_new(f->match, &f->scratch, NULL), 0);
}

static void close_match(struct fixture *f)
{
    rule_match_scratch_free(f->scratch);
    rule_match_free(f->match);
}

static int setup(void **state)
{
    struct fixture *f = mx_xalloc(sizeof(*f));
    make_rules(f);
    strcpy(f->dir, "/tmp/mxdrop-test-XXXXXX");
    *state = f;
    return mkdtemp(f->dir) == NULL ? -1 : 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    DIR *list = opendir(f->dir);
    for (struct dirent *entry; (entry = readdir(list)) != NULL;)
        unlinkat(dirfd(list), entry->d_name, 0);
    closedir(list);
    int rc = rmdir(f->dir);
    free(f);
    return rc;
}

/* The body group is the first. Is ${rule} a candidate for ${text}? */
static bool is_candidate(const struct fixture *f, uint32_t rule, const char *text)
{
    size_t n;
    const struct rule_candidate *found =
        rule_match_scan(f->match, f->scratch, 0, mx_str(text), &n);
    for (size_t i = 0; i < n; i++)
        if (found[i].rule == rule)
            return true;
    return false;
}

static const char phrase[] = "w0x3 w1x0 w2x19 w3x1 w4x2 w5x5 w6x7 w7x8 w8x9 w9x10 w10x11 "
                             "w11x12";

static void check_candidates(const struct fixture *f)
{
    assert_true(is_candidate(f, PLAIN, "buy cheap watches"));
    assert_true(is_candidate(f, BOUNDARY, "xpills"));
    assert_true(is_candidate(f, COMMON, "x"));
    assert_true(is_candidate(f, LARGE, phrase));
    assert_false(is_candidate(f, OFF, "off"));
}

static void test_match_modes(void **state)
{
    struct fixture *f = *state;
    bool has_db = rule_db_library() != NULL;
    open_match(f, true, false);
    check_candidates(f);
    assert_int_equal(rule_match_mode(f->match, PLAIN),
                     has_db ? RULE_MATCH_SURE : RULE_MATCH_JUDGED);
    assert_int_equal(rule_match_mode(f->match, BOUNDARY),
                     has_db ? RULE_MATCH_FILTERED : RULE_MATCH_JUDGED);
    assert_int_equal(rule_match_mode(f->match, FILLED), RULE_MATCH_LATER);
    assert_int_equal(rule_match_mode(f->match, BROKEN), RULE_MATCH_NONE);
    assert_int_equal(rule_match_mode(f->match, OFF), RULE_MATCH_NONE);
    assert_int_equal(rule_match_mode(f->match, LARGE), RULE_MATCH_LAZY);
    assert_false(is_candidate(f, LARGE, "w0x3 w1x0 w2x19 w3x1 w4x2 w5x5 w6x7 w7x8"));
    assert_true(rule_match_misses(f->match, MISSING));
    assert_false(rule_match_misses(f->match, PLAIN));
    close_match(f);
}

static void test_match_without_prefilter(void **state)
{
    struct fixture *f = *state;
    open_match(f, false, true);
    check_candidates(f);
    assert_true(is_candidate(f, PLAIN, "nothing of it"));
    assert_int_equal(rule_match_mode(f->match, LARGE), RULE_MATCH_JUDGED);
    close_match(f);
}

static void test_match_fault(void **state)
{
    struct fixture *f = *state;
    struct mx_str text;
    size_t rule;
    open_match(f, true, false);
    assert_true(rule_match_fault(f->match, 0, &rule, &text));
    assert_int_equal(rule, BROKEN);
    assert_true(text.n > 0);
    assert_false(rule_match_fault(f->match, 1, &rule, &text));
    close_match(f);
}

static void test_match_cache_round_trip(void **state)
{
    struct fixture *f = *state;
    struct rule_match_summary first, second;
    if (rule_db_library() == NULL)
        skip();
    open_match(f, true, true);
    rule_match_summarise(f->match, &first);
    close_match(f);
    assert_false(first.is_cached);
    open_match(f, true, true);
    rule_match_summarise(f->match, &second);
    assert_true(second.is_cached && second.db_bytes == first.db_bytes);
    assert_memory_equal(first.n_modes, second.n_modes, sizeof(first.n_modes));
    check_candidates(f);
    assert_false(is_candidate(f, LARGE, "w0x3 w1x0"));
    close_match(f);
    /* Another pattern is another key. */
    f->rules[PLAIN].pattern = MX_STR("cheap clocks");
    open_match(f, true, true);
    rule_match_summarise(f->match, &second);
    assert_false(second.is_cached);
    assert_true(is_candidate(f, PLAIN, "cheap clocks"));
    close_match(f);
}

static void test_match_mode_text_of_all(void **state)
{
    (void)state;
    for (int i = RULE_MATCH_NONE; i <= RULE_MATCH_LATER; i++)
        assert_true(strlen(rule_match_mode_text((enum rule_match_mode)i)) > 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_match_modes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_match_without_prefilter, setup, teardown),
        cmocka_unit_test_setup_teardown(test_match_fault, setup, teardown),
        cmocka_unit_test_setup_teardown(test_match_cache_round_trip, setup, teardown),
        cmocka_unit_test(test_match_mode_text_of_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
