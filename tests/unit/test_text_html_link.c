/* Which addresses an HTML document refers to. */
#include "text_case.h"

#include "text/text.h"
#include "text/text_html.h"

static const struct html_result *render(struct mx_arena *arena, const char *source)
{
    struct html_result *out = mx_arena_alloc(arena, sizeof(*out));
    text_html_render(arena, mx_str(source), out);
    return out;
}

static void assert_uris(struct mx_arena *arena, const char *source, const char *want)
{
    const struct html_result *html = render(arena, source);
    const char *line = "";
    for (size_t i = 0; i < html->uris.n; i++)
        line = mx_arena_printf(arena, "%s[%.*s]", line, MX_STR_FMT(html->uris.v[i]));
    assert_string_equal(line, want);
}

static void test_tag_takes_its_attribute(void **state)
{
    assert_uris(*state, "<a href=' x '><img src=y><body background=z>", "[x][y][z]");
    assert_uris(*state, "<a src=x><img href=y><p href=z>", "");
    assert_uris(*state, "<a href=x data-saferedirecturl=y>", "[x][y]");
    assert_uris(*state, "<a q/href=\"x\" href=y>", "[x]");
    assert_uris(*state, "<form action=x><iframe src=y></iframe>", "[x][y]");
    assert_uris(*state, "<a href=''>", "");
}

static void test_tag_resolves_by_base(void **state)
{
    assert_uris(*state, "<a href=a><base href=http://h/d/><a href=b>",
                "[a][http://h/d/][http://h/d/b]");
    assert_uris(*state, "<base href=http://h/><a href=mailto:x@y><img src=cid:1>",
                "[http://h/][mailto:x@y][cid:1]");
}

static void test_tag_takes_meta_refresh(void **state)
{
    assert_uris(*state, "<meta http-equiv=Refresh content='0;url=http://x/'>",
                "[http://x/]");
    assert_uris(*state, "<meta http-equiv=x content='0;url=http://x/'>", "");
}

static void test_tag_decodes_references(void **state)
{
    assert_uris(*state, "<a href='x?a=1&amp;b=2'>", "[x?a=1&b=2]");
    assert_uris(*state, "<a href='x&eacute;'>", "[x\xe9]");
    assert_uris(*state, "<a href='x&eacute;&#8217;'>", "[x\xc3\xa9\xe2\x80\x99]");
    assert_uris(*state, "<a href='x\xef\xbb\xbfy'>", "[xy]");
}

static void test_result_flags(void **state)
{
    assert_true(render(*state, "<iframe src=x></iframe>")->has_iframe);
    assert_false(render(*state, "<iframe></iframe>")->has_iframe);
    assert_false(render(*state, "<a href=x>")->uri_truncated);
    const char *longer = mx_arena_printf(*state, "<a href=%09000d>", 0);
    assert_true(render(*state, longer)->uri_truncated);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tag_takes_its_attribute),
        cmocka_unit_test(test_tag_resolves_by_base),
        cmocka_unit_test(test_tag_takes_meta_refresh),
        cmocka_unit_test(test_tag_decodes_references),
        cmocka_unit_test(test_result_flags),
    };
    return cmocka_run_group_tests(tests, text_case_setup, text_case_teardown);
}
