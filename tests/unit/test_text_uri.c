/* The addresses of a message. */
#include "text_case.h"

#include "text/text_html.h"
#include "text/text_uri.h"
#include "text_lists.h"

/* Form the addresses of one body element and one HTML part. */
static struct texts form(struct mx_arena *arena, const char *text, const char *html)
{
    static struct text_list store[3];
    struct text_settings settings = {.lists = text_lists_few(store)};
    struct mx_str *element = mx_arena_alloc(arena, sizeof(*element));
    struct html_result *result = mx_arena_alloc(arena, sizeof(*result));
    struct text_part *part = mx_arena_alloc(arena, sizeof(*part));
    *element = mx_str(text);
    text_html_render(arena, mx_str(html), result);
    part->html = result;
    struct texts texts = {.tree = {.parts = part, .n_parts = 1},
                          .body = {.v = element, .n = 1}};
    text_uri_form(arena, &settings, &texts);
    return texts;
}

static void assert_uris(struct mx_arena *arena, const char *text, const char *want)
{
    struct texts texts = form(arena, text, "");
    const char *line = "";
    for (size_t i = 0; i < texts.uris.n; i++)
        line = mx_arena_printf(arena, "%s%s%.*s", line, i > 0 ? " " : "",
                               MX_STR_FMT(texts.uris.v[i]));
    assert_string_equal(line, want);
}

static void test_form_gives_schemes_to_text(void **state)
{
    assert_uris(*state, "www.a.com", "http://www.a.com");
    assert_uris(*state, "ftp.a.com", "ftp://ftp.a.com");
    assert_uris(*state, "a.com/x", "http://a.com/x");
    assert_uris(*state, "x@a.com", "mailto:x@a.com");
    assert_uris(*state, "skype:x@a.com", "mailto:x@a.com");
    assert_uris(*state, "a/b/x@a.com", "http://a/b/x@a.com http://www.a.com/b/x@a.com");
    assert_uris(*state, "mailto:x%41@a.com", "mailto:xA@a.com");
}

static void test_form_drops_what_has_no_host(void **state)
{
    assert_uris(*state, "https://nothing https://www.nope x@y x@y.nope", "");
    assert_uris(*state, "cid:a@b.com http:// Vi@gra", "");
    assert_uris(*state, "_a.com a.b_c.com", "");
}

static void test_form_keeps_each_once(void **state)
{
    assert_uris(*state, "http://a.com http://a.com www.a.com http://www.a.com",
                "http://a.com http://www.a.com");
}

static void test_form_takes_html_as_it_is(void **state)
{
    struct texts texts =
        form(*state, "http://a.com/", "<a href=http://a.com/><a href=x><img src=x>");
    assert_int_equal(texts.n_uri_details, 2);
    assert_int_equal(texts.uri_details[0].kinds, TEXT_URI_PARSED | TEXT_URI_A);
    assert_slice(*state, texts.uri_details[0].host, "a.com");
    assert_slice(*state, texts.uri_details[1].raw, "x");
    assert_int_equal(texts.uri_details[1].kinds, TEXT_URI_A | text_uri_kind("img"));
    assert_int_equal(texts.uri_details[1].host.n, 0);
    texts = form(*state, "", "<a>x</a>");
    assert_int_equal(texts.uris.n, 1); /* an anchor without address is an empty one */
    assert_int_equal(texts.uri_details[0].kinds, TEXT_URI_PARSED);
    assert_int_equal(texts.uris.v[0].n, 0);
}

static void test_form_domain_is_registrable(void **state)
{
    struct texts texts = form(*state, "http://www.a.co.uk:80/", "");
    assert_slice(*state, texts.uri_details[0].domain, "a.co.uk");
    assert_int_equal(texts.uri_details[0].cooked.n, 2);
}

static void test_form_cuts_long_ones(void **state)
{
    const char *html = mx_arena_printf(*state, "<a href='http://a.com/%08179d'>", 0);
    assert_false(form(*state, "", html).uri_truncated);
    html = mx_arena_printf(*state, "<a href='http://a.com/%08193d'>", 0);
    struct texts texts = form(*state, "", html);
    assert_true(texts.uri_truncated);
    assert_int_equal(texts.uris.v[0].n, 8192);
}

static void test_form_stops_before_the_arena_ends(void **state)
{
    const char *text = "";
    for (int i = 0; i < 2000; i++)
        text = i % 100 == 0 ? text : mx_arena_printf(*state, "%s a%d.com", text, i);
    struct mx_arena *small = mx_arena_new(200000);
    static struct text_list store[3];
    struct text_settings settings = {.lists = text_lists_few(store)};
    struct mx_str element = mx_str(text);
    struct texts texts = {.body = {.v = &element, .n = 1}};
    text_uri_form(small, &settings, &texts);
    assert_true(texts.uris.n > 0 && texts.uris.n < 1980);
    mx_arena_free(small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_form_gives_schemes_to_text),
        cmocka_unit_test(test_form_drops_what_has_no_host),
        cmocka_unit_test(test_form_keeps_each_once),
        cmocka_unit_test(test_form_takes_html_as_it_is),
        cmocka_unit_test(test_form_domain_is_registrable),
        cmocka_unit_test(test_form_cuts_long_ones),
        cmocka_unit_test(test_form_stops_before_the_arena_ends),
    };
    return cmocka_run_group_tests(tests, text_case_setup, text_case_teardown);
}
