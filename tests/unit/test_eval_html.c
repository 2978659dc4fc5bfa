/* Flags, numbers, tags and texts of rendered HTML. */
#include "eval_case.h"

#define HTML(source)                                                                     \
    "Subject: short\nMIME-Version: 1.0\nContent-Type: text/html; "                       \
    "charset=utf-8\n\n" source

static void test_html_test(void **state)
{
    static const struct eval_case cases[] = {
        {"html_test('html')", HTML("<p>a</p>\n"), 1},
        {"html_test('html')", "Subject: s\n\nplain\n", 0},
        {"html_test('form_action_mailto')",
         HTML("<form action=\"mailto:a@b.org\">x</form>\n"), 1},
        {"html_test('embeds')", HTML("<embed src=\"http://b.org/a\">x\n"), 1},
        {"html_test('embeds')", HTML("<p>x\n"), 0},
        {"html_test('no_such_flag')", HTML("<p>x\n"), 0},
    };

    (void)state;
    eval_case_run("", EVAL_CASES(cases));
}

static void test_html_numbers(void **state)
{
    static const struct eval_case cases[] = {
        {"html_range('length','0','100')", HTML("<p>abc</p>\n"), 1},
        {"html_range('length','100','inf')", HTML("<p>abc</p>\n"), 0},
        {"html_range('length','5')", HTML("<p>abc</p>\n"), 1},
        {"html_range('max_size','6','inf')", HTML("<font size=7>a</font>\n"), 1},
        {"html_range('max_size','6','inf')", HTML("<font size=4>a</font>\n"), 0},
        {"html_range('no_such_number','-1','inf')", HTML("<p>abc</p>\n"), 0},
        {"html_range('length','0','inf')", "Subject: s\n\nplain\n", 0},
        {"html_eval('length','< 100')", HTML("<p>abc</p>\n"), 1},
        {"html_eval('length','> 100')", HTML("<p>abc</p>\n"), 0},
    };

    (void)state;
    eval_case_run("", EVAL_CASES(cases));
}

static void test_html_tags(void **state)
{
    static const struct eval_case cases[] = {
        {"html_tag_exists('center')", HTML("<CENTER>a</center>\n"), 1},
        {"html_tag_exists('center')", HTML("<p>a</p>\n"), 0},
        {"html_tag_balance('center','!= 0')", HTML("<center>a</center>\n"), 0},
        {"html_tag_balance('center','!= 0')", HTML("<center>a\n"), 1},
        {"html_tag_balance('center','> 1')", HTML("<center><center>a\n"), 1},
        {"html_tag_balance('center','== 0')", HTML("<p>a\n"), 0},
    };

    (void)state;
    eval_case_run("", EVAL_CASES(cases));
}

static void test_html_images(void **state)
{
    static const struct eval_case cases[] = {
        {"html_image_only('0','400')", HTML("<img src=\"http://b.org/a.gif\">\n"), 1},
        {"html_image_only('400','800')", HTML("<img src=\"http://b.org/a.gif\">\n"), 0},
        {"html_image_only('0','400')", HTML("<p>a</p>\n"), 0},
        {"html_image_ratio('0.000','0.002')",
         HTML("<img src=\"http://b.org/a.gif\" width=100 height=100>0123456789\n"), 1},
        {"html_image_ratio('0.002','0.004')",
         HTML("<img src=\"http://b.org/a.gif\" width=100 height=100>0123456789\n"), 0},
        {"html_image_ratio('0.000','0.002')", HTML("<p>0123456789\n"), 0},
    };

    (void)state;
    eval_case_run("", EVAL_CASES(cases));
}

static void test_html_texts(void **state)
{
    static const struct eval_case cases[] = {
        {"html_text_match('title','^.{4}$')",
         HTML("<title>\xc3\xa4\xc3\xb6\xc3\xbcx"
              "</title>a\n"),
         1},
        {"html_text_match('title','foo')", HTML("<title>bar</title>a\n"), 0},
        {"html_text_match('comment','secret')", HTML("<!-- secret -->a\n"), 1},
        {"html_text_match('anchor','<img>')",
         HTML("<a href=\"http://b.org/\"><img src=\"http://b.org/a.gif\"></a>\n"), 1},
        {"html_text_match('anchor','<img>')", HTML("<a href=\"http://b.org/\">a</a>\n"),
         0},
        {"html_text_not_match('title','foo')", HTML("<title>bar</title>a\n"), 1},
        {"html_text_not_match('title','bar')", HTML("<title>bar</title>a\n"), 0},
        {"html_text_match('elements','.')", HTML("<title>bar</title>a\n"), 0},
        {"html_title_subject_ratio('3.5')",
         HTML("<title>a title much longer than that subject</title>a\n"), 1},
        {"html_title_subject_ratio('3.5')", HTML("<title>short too</title>a\n"), 0},
    };

    (void)state;
    eval_case_run("", EVAL_CASES(cases));
}

static void test_check_iframe_src(void **state)
{
    static const struct eval_case cases[] = {
        {"check_iframe_src()", HTML("<iframe src=\"http://b.org/\"></iframe>\n"), 1},
        {"check_iframe_src()", HTML("<iframe></iframe>\n"), 0},
    };

    (void)state;
    eval_case_run("", EVAL_CASES(cases));
}

static void test_html_charset_faraway(void **state)
{
    static const char message[] = "Content-Type: text/html; charset=koi8-r\n\n<p>a\n";
    static const struct eval_case cases[] = {{"html_charset_faraway()", message, 1}};
    static const struct eval_case near[] = {{"html_charset_faraway()", message, 0}};

    (void)state;
    eval_case_run("ok_locales ja\n", EVAL_CASES(cases));
    eval_case_run("ok_locales ja ru\n", EVAL_CASES(near));
    eval_case_run("", EVAL_CASES(near));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_html_test),
        cmocka_unit_test(test_html_numbers),
        cmocka_unit_test(test_html_tags),
        cmocka_unit_test(test_html_images),
        cmocka_unit_test(test_html_texts),
        cmocka_unit_test(test_check_iframe_src),
        cmocka_unit_test(test_html_charset_faraway),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
