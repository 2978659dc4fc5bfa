/* The texts of body and rawbody rules. */
#include "text_case.h"

#include "mx_err.h"
#include "text/text_body.h"
#include "text/text_tree.h"

static struct texts form(struct mx_arena *arena, const char *message)
{
    struct texts texts = {0};
    struct mx_err err;
    assert_int_equal(text_tree_parse(arena, mx_str(message), &texts.tree, &err), 0);
    text_body_form(arena, &texts);
    text_rawbody_form(arena, &texts);
    return texts;
}

static void assert_list(struct mx_arena *arena, struct text_list list, const char *want)
{
    const char *line = "";
    for (size_t i = 0; i < list.n; i++)
        line = mx_arena_printf(arena, "%s[%.*s]", line, MX_STR_FMT(list.v[i]));
    assert_string_equal(line, want);
}

static void assert_body(struct mx_arena *arena, const char *message, const char *want)
{
    assert_list(arena, form(arena, message).body, want);
}

static void test_body_is_paragraphs_behind_the_subject(void **state)
{
    assert_body(*state, "Subject: s\n\na\n b\t\tc\n\n \n d \n", "[s\n][a b c\n][ d ]");
    assert_body(*state, "X: y\n\na", "[\n][a]");
    assert_body(*state, "Subject: s\nSubject: t\n\na", "[t\n][a]");
}

static void test_body_takes_the_leaves_that_are_text(void **state)
{
    assert_body(*state,
                "Content-Type: multipart/mixed; boundary=b\n\n"
                "--b\nContent-Type: text/plain\n\none\n"
                "--b\nContent-Type: text/html\n\n<p>two</p>\n"
                "--b\nContent-Type: text/calendar\n\nthree\n"
                "--b\nContent-Type: application/x; name=a.htm\n\nfour<br>\n--b--\n",
                "[\n][one\n][two\n][four ]");
}

static void test_body_of_bytes_or_characters(void **state)
{
    static const char head[] = "Content-Type: text/html\n\n";
    /* No character above U+00FF: ISO 8859-1, and a no-break space is no space. */
    assert_body(*state, mx_arena_printf(*state, "%sa&eacute;&#160;b", head),
                "[\n][a\xe9\xa0"
                "b]");
    assert_body(*state, mx_arena_printf(*state, "%sa&eacute;&#160;&#8217;", head),
                "[\n][a\xc3\xa9 \xe2\x80\x99]");
    assert_body(*state, "\n\xc3\xa9\xe3\x80\x80x", "[\n][\xc3\xa9 x]");
}

static void test_body_cuts_lines(void **state)
{
    char *message = mx_arena_alloc(*state, 6000);
    memset(message, 'x', 5000);
    memcpy(message, "\n", 1);
    message[1 + 1000] = ' ';
    struct texts texts = form(*state, message);
    assert_int_equal(texts.body.n, 4);
    assert_int_equal(texts.body.v[1].n, 1001);
    assert_int_equal(texts.body.v[2].n, TEXT_LINE_MAX);
}

static void test_body_cuts_parts(void **state)
{
    char *message = mx_arena_alloc(*state, 70000);
    memset(message, 'x', 60000);
    memcpy(message, "\n", 1);
    message[1 + 50100] = ' ';
    struct texts texts = form(*state, message);
    size_t size = 0;
    for (size_t i = 1; i < texts.body.n; i++)
        size += texts.body.v[i].n;
    assert_int_equal(size, 50101);
}

static void test_body_fills_in_the_parts(void **state)
{
    struct texts texts = form(*state, "Content-Type: text/html\n\n<b>abcd</b>");
    const struct text_part *part = &texts.tree.parts[0];
    assert_slice(*state, part->rendered, "abcd");
    assert_non_null(part->html);
    assert_true(part->html->ratio > 0.6363 && part->html->ratio < 0.6364); /* 7 of 11 */
}

static void test_rawbody_is_decoded_but_not_rendered(void **state)
{
    struct texts texts = form(*state, "Content-Type: text/html\n"
                                      "Content-Transfer-Encoding: base64\n\nPGI+6Q==\n");
    assert_list(*state, texts.rawbody, "[<b>\xe9]");
    texts = form(*state, "Content-Type: text/calendar\n\nx");
    assert_int_equal(texts.rawbody.n, 0);
    texts = form(*state, "Content-Type: texture/x\n\nx");
    assert_int_equal(texts.rawbody.n, 0);
}

static void test_rawbody_pieces(void **state)
{
    char *message = mx_arena_alloc(*state, 20000);
    memset(message, 'x', 10001);
    message[0] = '\n';
    message[1 + 3000] = '>';
    message[1 + 3500] = '\n';
    message[1 + 6000] = ' ';
    struct text_list pieces = form(*state, message).rawbody;
    assert_int_equal(pieces.n, 3);
    assert_int_equal(pieces.v[0].n, 3501); /* a line end is better than ">" */
    assert_int_equal(pieces.v[1].n, 2500); /* behind the space */
    assert_int_equal(pieces.v[2].n, 3999);
}

static void test_rawbody_cuts_parts(void **state)
{
    char *message = mx_arena_alloc(*state, 700000);
    memset(message, 'x', 600000);
    for (size_t i = 79; i < 600000; i += 80)
        message[i] = '\n';
    message[0] = '\n';
    struct text_list pieces = form(*state, message).rawbody;
    size_t size = 0;
    for (size_t i = 0; i < pieces.n; i++)
        size += pieces.v[i].n;
    assert_true(size >= TEXT_RAWBODY_PART_MAX && size <= TEXT_RAWBODY_PART_MAX + 80);
}

/* As rule files say how much of a part is looked at. */
static void test_body_and_rawbody_part_sizes(void **state)
{
    struct text_settings settings = {.body_part_max = 10, .rawbody_part_max = 20};
    struct texts texts;
    struct mx_err err;
    char *message = mx_arena_alloc(*state, 4000);
    memset(message, 'x', 3000);
    message[0] = '\n';
    assert_int_equal(texts_form(*state, &settings, mx_str(message), NULL, &texts, &err),
                     0);
    assert_int_equal(texts.body.v[1].n, 10);
    assert_int_equal(texts.rawbody.v[0].n, 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_body_is_paragraphs_behind_the_subject),
        cmocka_unit_test(test_body_takes_the_leaves_that_are_text),
        cmocka_unit_test(test_body_of_bytes_or_characters),
        cmocka_unit_test(test_body_cuts_lines),
        cmocka_unit_test(test_body_cuts_parts),
        cmocka_unit_test(test_body_and_rawbody_part_sizes),
        cmocka_unit_test(test_body_fills_in_the_parts),
        cmocka_unit_test(test_rawbody_is_decoded_but_not_rendered),
        cmocka_unit_test(test_rawbody_pieces),
        cmocka_unit_test(test_rawbody_cuts_parts),
    };
    return cmocka_run_group_tests(tests, text_case_setup, text_case_teardown);
}
