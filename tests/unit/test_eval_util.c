/* Numbers as Perl reads them, comparisons, addresses. */
#include "rule_files.h"

#include <math.h>

#include "rules/eval_util.h"

static void test_eval_number(void **state)
{
    (void)state;
    assert_true(eval_number(MX_STR("0400")) == 400);
    assert_true(eval_number(MX_STR(".05")) == 0.05);
    assert_true(eval_number(MX_STR("-6")) == -6);
    assert_true(eval_number(MX_STR("1e3x")) == 1000);
    assert_true(eval_number(MX_STR("0x10")) == 0);
    assert_true(eval_number(MX_STR("nan")) == 0);
    assert_true(eval_number(MX_STR("undef")) == 0);
    assert_true(eval_number(MX_STR_NONE) == 0);
    assert_true(isinf(eval_number(MX_STR("inf"))));
}

static void test_eval_compare(void **state)
{
    (void)state;
    assert_true(eval_compare(1, MX_STR("!= 0")));
    assert_false(eval_compare(0, MX_STR("!= 0")));
    assert_true(eval_compare(-1, MX_STR("< 0")));
    assert_true(eval_compare(2, MX_STR(" >=2 ")));
    assert_true(eval_compare(2, MX_STR("<= 2")));
    assert_false(eval_compare(2, MX_STR("> 2")));
    assert_true(eval_compare(-3, MX_STR("== -3")));
    assert_false(eval_compare(0, MX_STR("")));
    assert_false(eval_compare(0, MX_STR("=~ 0")));
}

static void test_eval_above(void **state)
{
    (void)state;
    assert_true(eval_above(2, MX_STR("1"), MX_STR("2")));
    assert_false(eval_above(1, MX_STR("1"), MX_STR("2")));
    assert_true(eval_above(1e9, MX_STR("1"), MX_STR("inf")));
    assert_false(eval_above(NAN, MX_STR("0"), MX_STR("inf")));
}

static void test_eval_is_ipv4(void **state)
{
    (void)state;
    assert_true(eval_is_ipv4(MX_STR("192.0.2.255")));
    assert_true(eval_is_ipv4(MX_STR("0.0.0.0")));
    assert_false(eval_is_ipv4(MX_STR("192.0.2.256")));
    assert_false(eval_is_ipv4(MX_STR("192.0.02.1")));
    assert_false(eval_is_ipv4(MX_STR("192.0.2")));
    assert_false(eval_is_ipv4(MX_STR("192.0.2.1.5")));
    assert_false(eval_is_ipv4(MX_STR("192.0.2.-1")));
    assert_false(eval_is_ipv4(MX_STR("")));
}

static void test_eval_squeeze(void **state)
{
    struct mx_arena *arena = mx_arena_new(1 << 16);

    (void)state;
    assert_str(eval_squeeze(arena, MX_STR(" a \n\t b\v")), " a b ");
    assert_str(eval_squeeze(arena, MX_STR("")), "");
    mx_arena_free(arena);
}

static void test_eval_is_undef(void **state)
{
    struct mx_str args[] = {MX_STR("undef"), MX_STR("0")};

    (void)state;
    assert_true(eval_is_undef(args, 2, 0));
    assert_false(eval_is_undef(args, 2, 1));
    assert_true(eval_is_undef(args, 2, 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_eval_number),  cmocka_unit_test(test_eval_compare),
        cmocka_unit_test(test_eval_above),   cmocka_unit_test(test_eval_is_ipv4),
        cmocka_unit_test(test_eval_squeeze), cmocka_unit_test(test_eval_is_undef),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
