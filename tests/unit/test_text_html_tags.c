/* Counts of tags. */
#include "text_case.h"

#include "text/text.h"
#include "text/text_html_tags.h"

static void test_count_of_open_and_extra(void **state)
{
    struct html_tags *tags = html_tags_new(*state);
    html_tags_count(tags, MX_STR("a"), true, true);
    html_tags_count(tags, MX_STR("a"), true, true);
    html_tags_count(tags, MX_STR("a"), false, true);
    html_tags_count(tags, MX_STR("x"), false, false);
    html_tags_doctype(tags);
    assert_int_equal(html_tags_depth(tags, MX_STR("a")), 1);
    assert_int_equal(html_tags_depth(tags, MX_STR("x")), 0);
    assert_int_equal(html_tags_depth(tags, MX_STR("none")), 0);
    struct html_result result = {0};
    html_tags_result(tags, &result);
    assert_int_equal(result.n_tags, 3);
    assert_int_equal(result.tags_count, 5);
    assert_int_equal(result.tags_seen, 2); /* a document type is not seen */
    assert_int_equal(result.elements, 4);
    assert_int_equal(result.elements_seen, 1);
    assert_int_equal(result.closed_extra, 1);
    assert_int_equal(result.tags[0].seen, 2);
}

static void test_count_caps_names(void **state)
{
    struct html_tags *tags = html_tags_new(*state);
    for (int i = 0; i < 3 * HTML_TAGS_MAX; i++)
        html_tags_count(tags, mx_str(mx_arena_printf(*state, "t%d", i)), true, false);
    html_tags_doctype(tags);
    struct html_result result = {0};
    html_tags_result(tags, &result);
    assert_int_equal(result.n_tags, HTML_TAGS_MAX);
    assert_int_equal(result.tags_count, 3 * HTML_TAGS_MAX + 1);
    assert_int_equal(html_tags_depth(tags, MX_STR("t5")), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_count_of_open_and_extra),
        cmocka_unit_test(test_count_caps_names),
    };
    return cmocka_run_group_tests(tests, text_case_setup, text_case_teardown);
}
