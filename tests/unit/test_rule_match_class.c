/* Sets of bytes that classes and escapes of patterns stand for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "rules/rule_match_class.h"

static bool parse(const char *text, struct regex_flags flags, struct regex_set *out)
{
    size_t at = 1;
    bool folds = false;
    *out = (struct regex_set){{0}};
    return regex_class_parse(mx_str(text), &at, flags, out, &folds) &&
           at == mx_str(text).n;
}

static void test_class_parse_ranges(void **state)
{
    struct regex_set set;
    (void)state;
    assert_true(parse("[a-c\\x30-]", (struct regex_flags){0}, &set));
    assert_true(regex_set_has(&set, 'b'));
    assert_true(regex_set_has(&set, '0'));
    assert_true(regex_set_has(&set, '-'));
    assert_false(regex_set_has(&set, 'd'));
    assert_true(parse("[]^]", (struct regex_flags){0}, &set));
    assert_true(regex_set_has(&set, ']'));
    assert_true(regex_set_has(&set, '^'));
}

static void test_class_parse_folds_then_negates(void **state)
{
    struct regex_set set;
    (void)state;
    assert_true(parse("[^a\\xe4]", (struct regex_flags){.i = true}, &set));
    assert_false(regex_set_has(&set, 'A'));
    assert_false(regex_set_has(&set, 0xc4));
    assert_true(regex_set_has(&set, 'b'));
    assert_true(parse("[\\xd7]", (struct regex_flags){.i = true}, &set));
    assert_false(regex_set_has(&set, 0xf7));
}

static void test_class_parse_named(void **state)
{
    struct regex_set set;
    (void)state;
    assert_true(parse("[[:^digit:]\\s]", (struct regex_flags){0}, &set));
    assert_false(regex_set_has(&set, '5'));
    assert_true(regex_set_has(&set, 0x0b));
    assert_true(parse("[\\D]", (struct regex_flags){0}, &set));
    assert_false(regex_set_has(&set, '5'));
    assert_true(regex_set_has(&set, 0xff));
    assert_true(
        parse("[5\\s\\D]", (struct regex_flags){0}, &set)); /* what came before stays */
    assert_true(regex_set_has(&set, '5'));
    assert_true(regex_set_has(&set, ' '));
    assert_false(regex_set_has(&set, '6'));
}

static void test_class_parse_refuses(void **state)
{
    struct regex_set set;
    (void)state;
    assert_false(parse("[abc", (struct regex_flags){0}, &set));
    assert_false(parse("[\\p{L}]", (struct regex_flags){0}, &set));
    assert_false(parse("[\\x{100}]", (struct regex_flags){0}, &set));
    assert_false(parse("[z-a]", (struct regex_flags){0}, &set));
    assert_false(parse("[[:nonsense:]]", (struct regex_flags){0}, &set));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_class_parse_ranges),
        cmocka_unit_test(test_class_parse_folds_then_negates),
        cmocka_unit_test(test_class_parse_named),
        cmocka_unit_test(test_class_parse_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
