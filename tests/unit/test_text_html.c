/* Rendering of HTML parts. */
#include "text_case.h"

#include <math.h>
#include <time.h>

#include "text/text.h"
#include "text/text_html.h"

static struct html_result render(struct mx_arena *arena, const char *source)
{
    struct html_result out;
    text_html_render(arena, mx_str(source), &out);
    return out;
}

static void assert_text(struct mx_arena *arena, const char *source, const char *want)
{
    assert_slice(arena, render(arena, source).text, want);
}

static void test_render_breaks_lines(void **state)
{
    assert_text(*state, "a<br>b<p>c</p>d<td>e", "a\nb\n\nc\n\nd e");
    assert_text(*state, "a<br/>b<br\n/>c", "a\nb\nc");
    assert_text(*state, "<b>a</b> <i>b</i>", "a b");
    assert_text(*state, "<article>a</article>b", "ab");
}

static void test_render_repairs_the_source(void **state)
{
    assert_text(*state, "a&nbsp;b", "a b");
    assert_text(*state, "a&#160;b",
                "a\xc2\xa0"
                "b");
    struct html_result html = render(*state, "<a href=\xe2\x80\x9dx\xe2\x80\x9d>t</a>");
    assert_slice(*state, html.uris.v[0], "x");
}

static void test_render_leaves_code_out(void **state)
{
    struct html_result html = render(
        *state, "a<style>b</style><script>c&amp;</script><!-- d --><title>e</title>");
    assert_slice(*state, html.text, "a\n\ne\n\n");
    assert_int_equal(html.script.n, 1);
    assert_slice(*state, html.script.v[0], "c&amp;");
    assert_slice(*state, html.comment.v[0], "<!-- d -->");
    assert_slice(*state, html.title.v[0], "e");
}

static void test_render_splits_by_sight(void **state)
{
    struct html_result html =
        render(*state, "a<font color=#fff>b</font>c<small><small>d");
    assert_slice(*state, html.text, "abcd");
    assert_slice(*state, html.visible, "ac");
    assert_slice(*state, html.invisible, "bd");
    assert_true(html.has_low_contrast);
    assert_false(html.has_invalid_color);
}

static void test_render_collects_anchors(void **state)
{
    struct html_result html =
        render(*state, "<a href=' x '>one <img src=i> two</a>out<a>three</a>");
    assert_int_equal(html.n_anchors, 2);
    assert_slice(*state, html.anchors[0].href, "x");
    assert_slice(*state, html.anchors[0].text, "one <img>\n two");
    assert_slice(*state, html.anchors[1].href, "");
    assert_slice(*state, html.anchors[1].text, "three");
    assert_ptr_equal(html.anchor.v[1].p, html.anchors[1].text.p);
}

static void test_render_sets_flags(void **state)
{
    struct html_result html =
        render(*state, "<FORM action='MailTo:x'><embed src=x><font face='12'>a</font>");
    assert_true(html.is_html && html.has_mailto_form && html.has_embeds);
    assert_true(html.has_bad_face);
    html = render(*state, "<form action=x><font color=blurb>a</font>");
    assert_false(html.has_mailto_form || html.has_embeds || html.has_bad_face);
    assert_true(html.has_invalid_color);
}

static void test_render_judges_font_names(void **state)
{
    static const struct {
        const char *face;
        bool is_bad;
    } cases[] = {
        {"Arial", false},
        {"Arial, Helvetica,sans-serif;", false},
        {"\"Comic Sans\"", false},
        {"'Montserrat', serif", false},
        {".SFUIDisplay", false},
        {"hirakakupro-w3", false},
        {" x", false},
        {"x", true},
        {"", true},
        {"Arial,", true},
        {"Arial, .x y", true},
        {"Foo_Bar", true},
        {"&#20000;", true},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char quote = strchr(cases[i].face, '\'') != NULL ? '"' : '\'';
        const char *source =
            mx_arena_printf(*state, "<font face=%c%s%c>", quote, cases[i].face, quote);
        assert_int_equal(render(*state, source).has_bad_face, cases[i].is_bad);
    }
}

static void test_render_sums_image_area(void **state)
{
    assert_true(render(*state, "<img width=10 height=20>").image_area == 200);
    assert_true(render(*state, "<img width=10% height=10%>").image_area == 80.0 * 60);
    assert_true(render(*state, "<img width=x height=0>").image_area == 200.0 * 200);
    assert_true(render(*state, "<img width=10>").image_area == 0);
}

static void test_render_counts_tags(void **state)
{
    struct html_result html = render(*state, "<!doctype html><p><foo><o:p></i></p>");
    assert_int_equal(html.tags_count, 6);
    assert_int_equal(html.elements, 5);
    assert_int_equal(html.bad_tags, 1);
    assert_int_equal(html.closed_extra, 1);
    assert_true(fabs(html.bad_tag_ratio - 1.0 / 6) < 1e-9);
    html = render(*state, "<foo>");
    assert_true(isnan(html.bad_tag_ratio)); /* SpamAssassin does not define it */
    assert_true(isnan(render(*state, "text").closed_extra_ratio));
}

static void test_render_knows_wide_strings(void **state)
{
    assert_false(render(*state, "caf&eacute;").is_wide);
    assert_true(render(*state, "caf\xc3\xa9").is_wide);
    assert_true(render(*state, "&#8217;").is_wide);
    assert_int_equal(render(*state, "caf\xc3\xa9<br>").length, 8);
}

/* Every list at its limit, deep nesting, and the time for it. */
static void test_render_is_bounded(void **state)
{
    static const char *const units[] = {
        "<a>",  "<font size=1>",    "<td>",    "<a href=x>x",       "&amp;",
        "<p>x", "<title>x</title>", "<!---->", "<script></script>", "</b>x"};
    enum { SIZE = 1 << 20 };
    char *source = mx_arena_alloc(*state, SIZE);
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        struct mx_arena *arena = mx_arena_new((size_t)32 << 20);
        for (size_t at = 0; at < SIZE; at++)
            source[at] = units[i][at % strlen(units[i])];
        struct html_result out;
        clock_t start = clock();
        text_html_render(arena, mx_str_of(source, SIZE), &out);
        assert_true(clock() - start < 5 * CLOCKS_PER_SEC); /* quadratic: minutes */
        assert_true(out.n_anchors <= 10000 && out.uris.n <= 10000);
        assert_true(out.comment.n <= 10000 && out.script.n <= 10000);
        mx_arena_free(arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_render_breaks_lines),
        cmocka_unit_test(test_render_repairs_the_source),
        cmocka_unit_test(test_render_leaves_code_out),
        cmocka_unit_test(test_render_splits_by_sight),
        cmocka_unit_test(test_render_collects_anchors),
        cmocka_unit_test(test_render_sets_flags),
        cmocka_unit_test(test_render_judges_font_names),
        cmocka_unit_test(test_render_sums_image_area),
        cmocka_unit_test(test_render_counts_tags),
        cmocka_unit_test(test_render_knows_wide_strings),
        cmocka_unit_test(test_render_is_bounded),
    };
    return cmocka_run_group_tests(tests, text_case_setup, text_case_teardown);
}
