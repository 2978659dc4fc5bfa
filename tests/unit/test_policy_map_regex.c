/* policy_map_regex: flags, order, limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "mx_err.h"
#include "policy_map_regex.h"

static void add(struct policy_map_regex *list, const char *line, const char *value)
{
    struct mx_str got;
    struct mx_err err;
    if (policy_map_regex_add(list, mx_str(line), &got, &err) < 0)
        fail_msg("%s", err.text);
    assert_true(mx_str_eq(got, mx_str(value)));
}

static void test_find_first_and_flags(void **state)
{
    (void)state;
    struct policy_map_regex *list = policy_map_regex_new(4);
    size_t at = 99;
    add(list, "/^case$/i exact", "exact");
    add(list, "/^CASE/ folded", "folded");
    add(list, "/a\\/b c/x  spaced text ", "spaced text");
    assert_int_equal(policy_map_regex_find(list, MX_STR("case"), &at), POLICY_MAP_HIT);
    assert_int_equal(at, 0);
    assert_int_equal(policy_map_regex_find(list, MX_STR("Case"), &at), POLICY_MAP_HIT);
    assert_int_equal(at, 1);
    assert_int_equal(policy_map_regex_find(list, MX_STR("xa/bc"), &at), POLICY_MAP_HIT);
    assert_int_equal(at, 2);
    assert_int_equal(policy_map_regex_find(list, MX_STR(""), &at), POLICY_MAP_MISS);
    assert_int_equal(policy_map_regex_find(list, MX_STR_NONE, &at), POLICY_MAP_MISS);
    policy_map_regex_free(list);
}

static void test_add_full(void **state)
{
    (void)state;
    struct policy_map_regex *list = policy_map_regex_new(1);
    struct mx_str value;
    struct mx_err err;
    add(list, "/a/ x", "x");
    assert_int_equal(policy_map_regex_add(list, MX_STR("/b/ y"), &value, &err), -1);
    policy_map_regex_free(list);
    policy_map_regex_free(NULL);
}

/* A pattern that a stranger's text makes explode: no answer, in bounded time. */
static void test_find_limit(void **state)
{
    (void)state;
    struct policy_map_regex *list = policy_map_regex_new(1);
    char text[201];
    size_t at;
    memset(text, 'a', 200);
    text[200] = '\0';
    add(list, "/^(a|a)*(a|a)*(a|a)*$(?<=b)/ x", "x");
    assert_int_equal(policy_map_regex_find(list, mx_str(text), &at), POLICY_MAP_BROKEN);
    policy_map_regex_free(list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find_first_and_flags),
        cmocka_unit_test(test_add_full),
        cmocka_unit_test(test_find_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
