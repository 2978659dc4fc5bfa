/* How text looks where tags nest as loosely as browsers let them. */
#include "text_case.h"

#include "text/text_html_style.h"
#include "text/text_html_token.h"

/* Apply the tags of ${source}; the styles behind the last. */
static struct html_styles *styles_of(struct mx_arena *arena, const char *source)
{
    struct html_styles *styles = html_styles_new(arena);
    struct html_tokens *tokens = html_tokens_new(arena, source, strlen(source));
    for (struct html_token t; html_tokens_next(tokens, &t);) {
        const struct html_known *known = html_tag_find(t.name);
        assert_non_null(known);
        if (t.kind == HTML_TOKEN_START)
            html_styles_open(styles, known->id, &t);
        else
            html_styles_close(styles, known->id);
    }
    return styles;
}

static void assert_sight(struct mx_arena *arena, const char *source, enum html_sight want)
{
    assert_int_equal(html_styles_sight(styles_of(arena, source)), want);
}

static void test_sight_of_colors(void **state)
{
    assert_sight(*state, "", HTML_SIGHT_VISIBLE);
    assert_sight(*state, "<font color=white>", HTML_SIGHT_LOW_CONTRAST);
    assert_sight(*state, "<font color=white></font>", HTML_SIGHT_VISIBLE);
    assert_sight(*state, "<font color=nonsense>", HTML_SIGHT_INVALID_COLOR);
    assert_sight(*state, "<body bgcolor=black>", HTML_SIGHT_VISIBLE);
    assert_sight(*state, "<body text=white></body>", HTML_SIGHT_LOW_CONTRAST);
}

static void test_sight_of_style_attributes(void **state)
{
    assert_sight(*state, "<span style='display: none'>", HTML_SIGHT_HIDDEN);
    assert_sight(*state, "<span style='DISPLAY: none'>", HTML_SIGHT_VISIBLE);
    assert_sight(*state, "<div style='visibility:hidden'>", HTML_SIGHT_HIDDEN);
    assert_sight(*state, "<p style='color:#fff !important'>", HTML_SIGHT_LOW_CONTRAST);
    assert_sight(*state, "<p style='color: '>", HTML_SIGHT_INVALID_COLOR);
    assert_sight(*state, "<p style='color:'>", HTML_SIGHT_VISIBLE);
    assert_sight(*state, "<p style='color: inherit'>", HTML_SIGHT_VISIBLE);
    assert_sight(*state, "<p style='color: transparent'>", HTML_SIGHT_LOW_CONTRAST);
    assert_sight(*state, "<p style='background: url(x) black'>", HTML_SIGHT_LOW_CONTRAST);
    assert_sight(*state, "<a style='background-color:rgb(0,0,0)'>",
                 HTML_SIGHT_LOW_CONTRAST);
}

static void test_close_pops_up_to_its_tag(void **state)
{
    assert_sight(*state, "<div><font color=white></div>", HTML_SIGHT_VISIBLE);
    assert_sight(*state, "<font color=white></span>", HTML_SIGHT_LOW_CONTRAST);
    assert_sight(*state, "<td><font color=white><td>", HTML_SIGHT_VISIBLE);
    assert_sight(*state, "<tr><td><font color=white><tr>", HTML_SIGHT_VISIBLE);
    assert_sight(*state, "<font color=white><td>", HTML_SIGHT_LOW_CONTRAST);
}

static void test_sizes_relative_to_base(void **state)
{
    struct html_styles *styles = styles_of(*state, "<font size=7></font><font size=-2>");
    assert_int_equal(html_styles_max(styles), 7);
    assert_int_equal(html_styles_min(styles), 1);
    assert_int_equal(html_styles_sight(styles), HTML_SIGHT_HIDDEN);
    styles = styles_of(*state, "<basefont size=5><font size=+1>");
    assert_int_equal(html_styles_max(styles), 6);
    styles = styles_of(*state, "<small><small>");
    assert_int_equal(html_styles_min(styles), 3); /* not looked at */
    assert_int_equal(html_styles_sight(styles), HTML_SIGHT_HIDDEN);
}

static void test_open_is_bounded_in_depth(void **state)
{
    struct html_styles *styles = html_styles_new(*state);
    struct html_token token = {.kind = HTML_TOKEN_START};
    size_t before = mx_arena_left(*state);
    for (int i = 0; i < 500000; i++)
        html_styles_open(styles, HTML_TAG_SPAN, &token);
    assert_true(before - mx_arena_left(*state) < (8u << 20));
    for (int i = 0; i < 500000; i++)
        html_styles_close(styles, HTML_TAG_SPAN);
    assert_int_equal(html_styles_sight(styles), HTML_SIGHT_VISIBLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sight_of_colors),
        cmocka_unit_test(test_sight_of_style_attributes),
        cmocka_unit_test(test_close_pops_up_to_its_tag),
        cmocka_unit_test(test_sizes_relative_to_base),
        cmocka_unit_test(test_open_is_bounded_in_depth),
    };
    return cmocka_run_group_tests(tests, text_case_setup, text_case_teardown);
}
