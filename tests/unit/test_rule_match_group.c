/* A group in bytes: what comes out of the cache is this group's, or nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "rules/rule_match_coarse.h"
#include "rules/rule_match_db.h"
#include "rules/rule_match_group.h"

#define RULES 6

static struct rule rules[RULES];
static const struct rule_set set = {.rules = rules, .n_rules = RULES};

static void make_group(struct match_group *group, size_t n)
{
    *group = (struct match_group){.view = {.kind = RULE_BODY, .n = n}};
    group->view.rules = group->rules = mx_xalloc(n * sizeof(*group->rules));
    group->in_db = mx_xalloc(n * sizeof(*group->in_db));
    group->judged = mx_xalloc(n * sizeof(*group->judged));
    group->modes = mx_xalloc(n);
    for (size_t i = 0; i < n; i++)
        group->rules[i] = (uint32_t)i;
}

static int make_rules(void **state)
{
    static const char *const patterns[RULES] = {"one",  "t(?=wo)", "(?i)th\xe4ree",
                                                "(?R)", "five",    "six|seven"};
    (void)state;
    for (size_t i = 0; i < RULES; i++)
        rules[i] = (struct rule){.kind = RULE_BODY, .pattern = mx_str(patterns[i])};
    return 0;
}

static void compile_until(struct match_group *group, size_t n, int64_t until_cpu_ms)
{
    struct mx_arena *arena = mx_arena_new(RULE_COARSE_ARENA);
    make_group(group, n);
    match_group_compile(group, &set, arena, until_cpu_ms);
    mx_arena_free(arena);
}

static void compile(struct match_group *group, size_t n)
{
    compile_until(group, n, INT64_MAX);
}

static void test_group_compile_chooses(void **state)
{
    struct match_group group;
    (void)state;
    if (rule_db_library() == NULL)
        skip();
    compile(&group, RULES);
    assert_int_equal(group.n_in_db, RULES - 1);
    assert_int_equal(group.n_judged, 1);
    assert_int_equal(group.judged[0], 3);
    assert_int_equal(group.modes[0], RULE_MATCH_SURE);
    assert_int_equal(group.modes[1], RULE_MATCH_FILTERED);
    assert_int_equal(group.modes[2], RULE_MATCH_SURE);
    assert_int_equal(group.n_dbs, 1);
    match_group_fini(&group);
}

/* Of two rules, a call of a database costs more than their judges. */
static void test_group_compile_judges_few(void **state)
{
    struct match_group group;
    (void)state;
    compile(&group, 2);
    assert_int_equal(group.n_judged, 2);
    assert_int_equal(group.n_dbs, 0);
    match_group_fini(&group);
}

static void test_group_compile_without_time(void **state)
{
    struct match_group group;
    (void)state;
    compile_until(&group, RULES, 0);
    assert_int_equal(group.n_judged, RULES);
    assert_int_equal(group.n_dbs, 0);
    match_group_fini(&group);
}

static void test_group_hash_of_patterns(void **state)
{
    struct match_group group;
    (void)state;
    make_group(&group, RULES);
    uint64_t hash = match_group_hash(&group, &set);
    rules[5].pattern = MX_STR("six|eight");
    assert_true(match_group_hash(&group, &set) != hash);
    match_group_fini(&group);
}

static void test_group_unpack_what_was_packed(void **state)
{
    struct match_group group, again;
    struct mx_buf bytes = {0};
    (void)state;
    if (rule_db_library() == NULL)
        skip();
    compile(&group, RULES);
    assert_int_equal(match_group_pack(&group, &bytes, NULL), 0);
    mx_buf_str(&bytes, "rest");
    struct mx_str rest = mx_str_of(bytes.p, bytes.n);
    make_group(&again, RULES);
    assert_int_equal(match_group_unpack(&again, &rest, NULL), 0);
    assert_true(mx_str_eq(rest, MX_STR("rest")));
    assert_memory_equal(again.modes, group.modes, RULES);
    assert_int_equal(again.n_dbs, group.n_dbs);
    mx_buf_fini(&bytes);
    match_group_fini(&again);
    match_group_fini(&group);
}

static void test_group_unpack_refuses(void **state)
{
    struct match_group group, again;
    struct mx_buf bytes = {0};
    (void)state;
    if (rule_db_library() == NULL)
        skip();
    compile(&group, RULES);
    assert_int_equal(match_group_pack(&group, &bytes, NULL), 0);
    for (size_t n = 0; n < bytes.n; n += n < 64 ? 1 : 509) { /* cut short */
        struct mx_str rest = mx_str_of(bytes.p, n);
        make_group(&again, RULES);
        assert_int_equal(match_group_unpack(&again, &rest, NULL), -1);
        match_group_fini(&again);
    }
    struct mx_str all = mx_str_of(bytes.p, bytes.n);
    make_group(&again, RULES - 1); /* of another group */
    assert_int_equal(match_group_unpack(&again, &all, NULL), -1);
    match_group_fini(&again);
    bytes.p[sizeof(uint64_t)] = RULE_MATCH_LATER; /* not a mode of a group */
    all = mx_str_of(bytes.p, bytes.n);
    make_group(&again, RULES);
    assert_int_equal(match_group_unpack(&again, &all, NULL), -1);
    match_group_fini(&again);
    mx_buf_fini(&bytes);
    match_group_fini(&group);
}

/* 300 words in a row, each one of two: a pattern so large that it gets an automaton. */
static void test_group_make_automata_bounds_them(void **state)
{
    struct rule large[3];
    const struct rule_set large_set = {.rules = large, .n_rules = 3};
    struct mx_arena *arena = mx_arena_new(RULE_COARSE_ARENA);
    struct match_group group;
    struct mx_buf text = {0};
    (void)state;
    for (size_t i = 0; i < 300; i++)
        mx_buf_printf(&text, "(?:x%zuy|z%zu)", i, i);
    for (size_t i = 0; i < 3; i++)
        large[i] = (struct rule){.kind = RULE_BODY, .pattern = mx_str_of(text.p, text.n)};
    make_group(&group, 3);
    match_group_compile(&group, &large_set, arena, 0);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(group.modes[i], RULE_MATCH_LAZY);
    match_group_make_automata(&group, &large_set, arena, 2);
    assert_int_equal(group.n_large, 2);
    assert_int_equal(group.modes[1], RULE_MATCH_LAZY);
    assert_int_equal(group.modes[2], RULE_MATCH_JUDGED);
    assert_true(group.n_judged == 1 && group.judged[0] == 2);
    match_group_fini(&group);
    mx_buf_fini(&text);
    mx_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_group_make_automata_bounds_them),
        cmocka_unit_test_setup(test_group_compile_chooses, make_rules),
        cmocka_unit_test_setup(test_group_compile_judges_few, make_rules),
        cmocka_unit_test_setup(test_group_compile_without_time, make_rules),
        cmocka_unit_test_setup(test_group_hash_of_patterns, make_rules),
        cmocka_unit_test_setup(test_group_unpack_what_was_packed, make_rules),
        cmocka_unit_test_setup(test_group_unpack_refuses, make_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
