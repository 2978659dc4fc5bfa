/* The table from names to numbers. */
#include "rule_files.h"

#include "rules/rule_names.h"

static void test_set_replaces(void **state)
{
    struct mx_arena *arena = mx_arena_new(1 << 20);
    struct rule_names *names = rule_names_new(arena);

    (void)state;
    assert_int_equal(rule_names_find(names, MX_STR("a")), -1);
    rule_names_set(names, MX_STR("a"), 3);
    rule_names_set(names, MX_STR("ab"), 4);
    rule_names_set(names, MX_STR("a"), 5);
    assert_int_equal(rule_names_find(names, MX_STR("a")), 5);
    assert_int_equal(rule_names_find(names, MX_STR("ab")), 4);
    assert_int_equal(rule_names_find(names, MX_STR("A")), -1);
    rule_names_free(names);
    mx_arena_free(arena);
}

static void test_set_empty_name_is_none(void **state)
{
    struct mx_arena *arena = mx_arena_new(1 << 20);
    struct rule_names *names = rule_names_new(arena);

    (void)state;
    rule_names_set(names, MX_STR(""), 1);
    assert_int_equal(rule_names_find(names, MX_STR("")), -1);
    assert_int_equal(rule_names_find(names, MX_STR_NONE), -1);
    rule_names_free(names);
    mx_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_set_replaces),
        cmocka_unit_test(test_set_empty_name_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
