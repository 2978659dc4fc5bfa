/* Colours of attributes and style declarations. */
#include "text_case.h"

#include "text/text_html_color.h"

static void test_parse_names_digits_and_functions(void **state)
{
    (void)state;
    static const struct {
        const char *in;
        uint32_t want;
    } cases[] = {
        {"red", 0xff0000},
        {" Dark Red", HTML_COLOR_INVALID},
        {"\tDarkRed ", 0x8b0000},
        {"#fff", 0xffffff},
        {"#12345678", 0x123456},
        {"#12345", 0x112233},
        {"#1", 0x110000},
        {"#", HTML_COLOR_EMPTY},
        {"ffffff", HTML_COLOR_INVALID},
        {"#ggg", HTML_COLOR_INVALID},
        {"", HTML_COLOR_INVALID},
        {"rgb(1, 2,3)", 0x010203},
        {"rgb(100%,50%,0%)", 0xff7f00},
        {"rgb(1,2)", HTML_COLOR_INVALID},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(html_color_parse(mx_str(cases[i].in)), cases[i].want);
    assert_int_equal(html_color_parse(MX_STR("red\0x")), HTML_COLOR_INVALID);
}

static void test_parse_rgb_takes_three_numbers(void **state)
{
    (void)state;
    assert_int_equal(html_color_parse_rgb(MX_STR("rgba(255, 0, 16, 0.5)")), 0xff0010);
    assert_int_equal(html_color_parse_rgb(MX_STR("rgb(300,1)")), 0xff0100);
    assert_int_equal(html_color_parse_rgb(MX_STR("rgb")), 0);
}

static void test_parse_background_finds_the_last_layer(void **state)
{
    (void)state;
    assert_int_equal(html_color_parse_background(MX_STR("url(a, b) no-repeat #fff")),
                     0xffffff);
    assert_int_equal(html_color_parse_background(MX_STR("red, url('x,y') blue")),
                     0x0000ff);
    assert_int_equal(html_color_parse_background(MX_STR("rgb(1, 2, 3) top")), 0x010203);
    assert_int_equal(html_color_parse_background(MX_STR("none")), HTML_COLOR_INVALID);
    assert_int_equal(html_color_parse_background(MX_STR("")), HTML_COLOR_INVALID);
}

static void test_is_close_weighs_brightness(void **state)
{
    (void)state;
    assert_true(html_color_is_close(0xffffff, 0xfafafa));
    assert_false(html_color_is_close(0xffffff, 0xe0e0e0));
    assert_true(html_color_is_close(0x000000, 0x00007f)); /* blue is dark */
    assert_false(html_color_is_close(0x000000, 0x007f00));
    assert_false(html_color_is_close(HTML_COLOR_INVALID, HTML_COLOR_INVALID));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse_names_digits_and_functions),
        cmocka_unit_test(test_parse_rgb_takes_three_numbers),
        cmocka_unit_test(test_parse_background_finds_the_last_layer),
        cmocka_unit_test(test_is_close_weighs_brightness),
    };
    return cmocka_run_group_tests(tests, text_case_setup, text_case_teardown);
}
