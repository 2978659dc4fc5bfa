/* HTML tokens of markup that is and is not well formed. */
#include "text_case.h"

#include <time.h>

#include "text/text_html_token.h"

/* All tokens in one line: T[text] S[name a=b] E[name] C[comment] D[declaration]. */
static const char *tokens_of(struct mx_arena *arena, const char *source)
{
    struct html_tokens *tokens = html_tokens_new(arena, source, strlen(source));
    const char *line = "";
    for (struct html_token t; html_tokens_next(tokens, &t);) {
        bool is_tag = t.kind == HTML_TOKEN_START || t.kind == HTML_TOKEN_END;
        line = mx_arena_printf(arena, "%s%c[%.*s", line, "TSECD"[t.kind],
                               MX_STR_FMT(is_tag ? t.name : t.text));
        for (size_t i = 0; i < t.n_attrs; i++)
            line =
                mx_arena_printf(arena, "%s %.*s=%.*s", line, MX_STR_FMT(t.attrs[i].name),
                                MX_STR_FMT(t.attrs[i].value));
        line = mx_arena_printf(arena, "%s]", line);
    }
    return line;
}

static void assert_tokens(struct mx_arena *arena, const char *source, const char *want)
{
    assert_string_equal(tokens_of(arena, source), want);
}

static void test_next_plain_markup(void **state)
{
    assert_tokens(*state, "<p>a</p>", "S[p]T[a]E[p]");
    assert_tokens(*state, "<A HREF='x y' b=c checked>t</A >",
                  "S[A HREF=x y b=c checked=checked]T[t]E[A]");
    assert_tokens(*state, "<!DOCTYPE html \"x>y\"><!-- a --  ><!>",
                  "D[<!DOCTYPE html \"x>y\">]C[<!-- a --  >]C[<!>]");
}

static void test_next_text_at_the_end_loses_its_last_word(void **state)
{
    assert_tokens(*state, "one two three", "T[one two]T[ three]");
    assert_tokens(*state, "one ", "T[one]T[ ]");
    assert_tokens(*state, "one", "T[one]");
}

static void test_next_odd_attributes(void **state)
{
    assert_tokens(*state, "<a =b>", "S[a =b==b]");
    assert_tokens(*state, "<a b= >", "S[a b=]");
    assert_tokens(*state, "<a x/href=y>", "S[a x/href=y]");
    assert_tokens(*state, "<a\vb>", "S[a b=b]");
}

static void test_next_what_is_no_tag(void **state)
{
    assert_tokens(*state, "1 < 2 <3>", "T[1 ]T[< 2 ]T[<3>]");
    assert_tokens(*state, "</ a><!foo><?pi?>", "C[</ a>]C[<!foo>]");
    assert_tokens(*state, "</a '>'>", "E[a]");
}

static void test_next_literals_until_their_end(void **state)
{
    assert_tokens(*state, "<script>a<b></scrip></SCRIPT >c",
                  "S[script]T[a<b></scrip>]E[SCRIPT]T[c]");
    assert_tokens(*state, "<title>a<b></title>", "S[title]T[a<b>]E[title]");
}

static void test_next_literals_without_end(void **state)
{
    assert_tokens(*state, "<style>a<b>", "S[style]T[a<b>]E[style]");
    assert_tokens(*state, "<title>a<b>c", "S[title]T[a]E[title]S[b]T[c]");
    assert_tokens(*state, "<textarea>a<b>", "S[textarea]T[a<b>]");
    assert_tokens(*state, "<plaintext>a</plaintext>", "S[plaintext]T[a</plaintext>]");
    assert_tokens(*state, "x<title>", "T[x]S[title]");
    assert_tokens(*state, "x<script>", "T[x]S[script]E[script]");
}

static void test_next_markup_without_end(void **state)
{
    assert_tokens(*state, "a<!-- b > c<i>", "T[a]C[<!-- b >]T[ c]S[i]");
    assert_tokens(*state, "a <b c=\"d>", "T[a ]C[<b c=\"d>]");
    assert_tokens(*state, "a <", "T[a ]C[<]");
}

static void test_next_marked_sections(void **state)
{
    assert_tokens(*state, "<![CDATA[a<b>]]>c", "T[a<b>]T[c]");
    assert_tokens(*state, "<![IGNORE[a<b>]]>c", "T[c]");
    assert_tokens(*state, "<![if x]>a<![endif]>", "C[<![if x]>]T[a]C[<![endif]>]");
}

static void test_next_caps_attributes(void **state)
{
    char source[HTML_ATTRS_MAX * 4 + 16] = "<a";
    for (size_t i = 0; i < HTML_ATTRS_MAX + 10; i++)
        memcpy(source + 2 + i * 3, " bc", 3);
    size_t n = 2 + (HTML_ATTRS_MAX + 10) * 3;
    memcpy(source + n, ">", 2);
    struct html_tokens *tokens = html_tokens_new(*state, source, n + 1);
    struct html_token token;
    assert_true(html_tokens_next(tokens, &token));
    assert_int_equal(token.n_attrs, HTML_ATTRS_MAX);
    assert_false(html_tokens_next(tokens, &token));
}

/* Markup that makes a careless reader search to the end again and again. */
static void test_next_is_linear(void **state)
{
    static const char *const units[] = {"<title>", "<!--",          "<a '",   "<![CDATA[",
                                        "<style",  "<!DOCTYPE '\"", "</a =\""};
    enum { SIZE = 1 << 20 };
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        size_t n = strlen(units[i]), n_tokens = 0;
        char *source = mx_arena_alloc(*state, SIZE + 1);
        for (size_t at = 0; at + n <= SIZE; at += n)
            memcpy(source + at, units[i], n);
        struct html_tokens *tokens = html_tokens_new(*state, source, SIZE / n * n);
        clock_t start = clock();
        for (struct html_token t; html_tokens_next(tokens, &t);)
            n_tokens++;
        assert_true(n_tokens > 0);
        assert_true(clock() - start < 5 * CLOCKS_PER_SEC); /* quadratic: minutes */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_next_plain_markup),
        cmocka_unit_test(test_next_text_at_the_end_loses_its_last_word),
        cmocka_unit_test(test_next_odd_attributes),
        cmocka_unit_test(test_next_what_is_no_tag),
        cmocka_unit_test(test_next_literals_until_their_end),
        cmocka_unit_test(test_next_literals_without_end),
        cmocka_unit_test(test_next_markup_without_end),
        cmocka_unit_test(test_next_marked_sections),
        cmocka_unit_test(test_next_caps_attributes),
        cmocka_unit_test(test_next_is_linear),
    };
    return cmocka_run_group_tests(tests, text_case_setup, text_case_teardown);
}
