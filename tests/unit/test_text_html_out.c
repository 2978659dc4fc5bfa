/* Runs of rendered text and the space between them. */
#include "text_case.h"

#include "text/text.h"
#include "text/text_html_out.h"

static struct html_result result_of(const struct html_out *out)
{
    struct html_result result = {0};
    html_out_result(out, &result);
    return result;
}

static void test_text_collapses_space(void **state)
{
    struct html_out *out = html_out_new(*state, 100);
    html_out_text(out, MX_STR(" a \n\tb"), false, true);
    html_out_text(out, MX_STR("c "), false, true);
    html_out_text(out,
                  MX_STR(" d\xc2\xa0"
                         "e"),
                  true, true);
    assert_slice(*state, result_of(out).text,
                 " a bc  d\xc2\xa0"
                 "e");
}

static void test_space_takes_what_is_around_it(void **state)
{
    struct html_out *out = html_out_new(*state, 100);
    html_out_text(out, MX_STR("a "), false, true);
    html_out_space(out, HTML_SPACE_LINE);
    html_out_text(out, MX_STR(" b "), false, true);
    html_out_space(out, HTML_SPACE_BREAK);
    html_out_space(out, HTML_SPACE_BLANK);
    assert_slice(*state, result_of(out).text, "a\nb\n\n ");
}

static void test_invisible_text_keeps_its_space(void **state)
{
    struct html_out *out = html_out_new(*state, 100);
    html_out_space(out, HTML_SPACE_LINE);
    html_out_text(out, MX_STR(" a "), false, false);
    html_out_space(out, HTML_SPACE_LINE);
    struct html_result result = result_of(out);
    assert_slice(*state, result.text, "\n a \n");
    assert_slice(*state, result.visible, "\n\n");
    assert_slice(*state, result.invisible, " a ");
}

static void test_text_counts_cut_words(void **state)
{
    struct html_out *out = html_out_new(*state, 100);
    html_out_text(out, MX_STR("Vi"), false, true);
    html_out_text(out, MX_STR("ag"), false, true);
    html_out_text(out, MX_STR("ra"), false, true); /* 2_2 again */
    html_out_text(out, MX_STR("now"), false, true);
    html_out_text(out, MX_STR(", "), false, true);
    html_out_text(out, MX_STR("then"), false, true);
    assert_int_equal(result_of(out).obfuscation, 3);
    assert_int_equal(result_of(out).backhair, 2);
}

static void test_result_counts_characters(void **state)
{
    struct html_out *out = html_out_new(*state, 100);
    html_out_text(out, MX_STR("\xc3\xa9 \xc2\xa0x"), true, true);
    struct html_result result = result_of(out);
    assert_true(result.is_wide);
    assert_int_equal(result.text_length, 4);
    assert_int_equal(result.non_space, 2);
    out = html_out_new(*state, 100);
    html_out_text(out, MX_STR("\xc3\xa9 \xc2\xa0x"), false, true);
    assert_int_equal(result_of(out).non_space, 3); /* no-break space is none of bytes */
}

static void test_is_blank(void **state)
{
    (void)state;
    assert_true(html_out_is_blank(MX_STR(" \n\xc3\x82\xc2\xa0")));
    assert_false(html_out_is_blank(MX_STR("\xc2\xa0")));
    assert_true(html_out_is_blank(MX_STR("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_collapses_space),
        cmocka_unit_test(test_space_takes_what_is_around_it),
        cmocka_unit_test(test_invisible_text_keeps_its_space),
        cmocka_unit_test(test_text_counts_cut_words),
        cmocka_unit_test(test_result_counts_characters),
        cmocka_unit_test(test_is_blank),
    };
    return cmocka_run_group_tests(tests, text_case_setup, text_case_teardown);
}
