/* Which charsets are far away, by ok_locales. */
#include "rule_files.h"

#include "rules/eval_locale.h"

static bool is_faraway(const char *data, const char *charset)
{
    struct rule_files files;
    struct eval_context context = {0};
    bool is_far;

    context.set = rule_files_one(&files, data);
    is_far = eval_locale_is_faraway(&context, mx_str(charset));
    rule_files_free(&files);
    return is_far;
}

static void test_eval_locale_is_faraway(void **state)
{
    (void)state;
    assert_false(is_faraway("", "koi8-r"));
    assert_false(is_faraway("ok_locales all\n", "koi8-r"));
    assert_true(is_faraway("ok_locales en\n", "KOI8-R"));
    assert_true(is_faraway("ok_locales en ja\n", "koi8-r"));
    assert_false(is_faraway("ok_locales en ru\n", "koi8-r"));
    assert_false(is_faraway("ok_locales zh.gb2312\n", "gb2312"));
    assert_true(is_faraway("ok_locales zh.gb2312\n", "big5"));
    assert_false(is_faraway("ok_locales en\n", "iso-8859-15"));
    assert_false(is_faraway("ok_locales en\n", "utf-8"));
    assert_false(is_faraway("ok_locales en\n", "3D\"us-ascii\""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_eval_locale_is_faraway)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
