/* One piece of markup: where it ends, and whether it is one. */
#include "text_case.h"

#include "text/text_html_markup.h"

/* Bytes of markup at the start of ${source}; 0 its end is missing, -1 it is none. */
static int length_of(struct mx_arena *arena, const char *source, struct html_markup **out)
{
    size_t n = strlen(source);
    *out = mx_arena_alloc(arena, sizeof(**out));
    const char *behind = html_markup_read(source, source + n, false, *out);
    return behind == NULL ? -1 : (int)(behind - source);
}

static void test_read_ends_behind_the_markup(void **state)
{
    static const struct {
        const char *source;
        int length;
        enum html_markup_kind kind;
    } cases[] = {
        {"<a b='>'>c", 9, HTML_MARKUP_START},
        {"</a '>'>c", 8, HTML_MARKUP_END},
        {"</ a>c", 5, HTML_MARKUP_COMMENT},
        {"<!-- > -- >c", 11, HTML_MARKUP_COMMENT},
        {"<!x>c", 4, HTML_MARKUP_COMMENT},
        {"<!-x>c", 5, HTML_MARKUP_COMMENT},
        {"<!DOCTYPE a \">\" --b>-- >c", 24, HTML_MARKUP_DECLARATION},
        {"<!DOCTYPE -x>c", 13, HTML_MARKUP_COMMENT},
        {"<![ CDATA --x-- [c", 17, HTML_MARKUP_SECTION},
        {"<![if x]>c", 9, HTML_MARKUP_COMMENT},
        {"<?x>c", 4, HTML_MARKUP_PROCESS},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct html_markup *markup;
        assert_int_equal(length_of(*state, cases[i].source, &markup), cases[i].length);
        assert_int_equal(markup->kind, cases[i].kind);
    }
}

static void test_read_tells_missing_ends_from_text(void **state)
{
    static const char *const missing[] = {"<a b",   "<a b='>", "</a '>",
                                          "<!-- >", "<!x",     "<!DOCTYPE \">",
                                          "<![--x", "<?x",     "<!--"};
    static const char *const text[] = {"<1>", "< a>", "<=>", "<>x"};
    struct html_markup *markup;
    for (size_t i = 0; i < sizeof(missing) / sizeof(missing[0]); i++)
        assert_int_equal(length_of(*state, missing[i], &markup), 0);
    for (size_t i = 0; i < sizeof(text) / sizeof(text[0]); i++)
        assert_int_equal(length_of(*state, text[i], &markup), -1);
}

static void test_read_sections(void **state)
{
    struct html_markup *markup;
    length_of(*state, "<![INCLUDE ignore[", &markup);
    assert_int_equal(markup->section, HTML_SECTION_IGNORE);
    length_of(*state, "<![[", &markup);
    assert_int_equal(markup->section, HTML_SECTION_INCLUDE);
    length_of(*state, "<![foo[", &markup);
    assert_int_equal(markup->section, HTML_SECTION_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read_ends_behind_the_markup),
        cmocka_unit_test(test_read_tells_missing_ends_from_text),
        cmocka_unit_test(test_read_sections),
    };
    return cmocka_run_group_tests(tests, text_case_setup, text_case_teardown);
}
