/* What HTML says that its text does not. */
#include "eval_case.h"

#define MAIL(text, html)                                                                 \
    "MIME-Version: 1.0\nContent-Type: multipart/alternative; boundary=b\n\n"             \
    "--b\nContent-Type: text/plain; charset=utf-8\n\n" text "\n"                         \
    "--b\nContent-Type: text/html; charset=utf-8\n\n" html "\n--b--\n"

static void test_multipart_alternative_difference(void **state)
{
    static const struct eval_case cases[] = {
        {"multipart_alternative_difference('99','100')", MAIL("one two", "<p>three four"),
         1},
        {"multipart_alternative_difference('99','100')", MAIL("one two", "<p>one four"),
         0},
        {"multipart_alternative_difference('49','50')", MAIL("one two", "<p>one four"),
         1},
        /* fewer times in the text */
        {"multipart_alternative_difference('99','100')", MAIL("one", "<p>one one"), 1},
        {"multipart_alternative_difference('0','0')", MAIL("one two", "<p>one <b>two"),
         1},
        /* what holds no letter is no word */
        {"multipart_alternative_difference('0','0')", MAIL("one", "<p>one --- ***"), 1},
        {"multipart_alternative_difference('0','0')",
         MAIL("one", "<p>one \xe2\x80\xa2 \xf0\x9f\x98\x80"), 1},
        {"multipart_alternative_difference('49','50')", MAIL("one", "<p>one \xc3\xa4"),
         1},
        /* an image alone counts as a word */
        {"multipart_alternative_difference('99','100')",
         MAIL("one", "<img src=\"http://b.org/a.gif\">"), 1},
        {"multipart_alternative_difference('0','0')", MAIL("one", ""), 1},
        {"multipart_alternative_difference('0','undef')", MAIL("one", "<p>two"), 1},
        {"multipart_alternative_difference('99','100')",
         "Content-Type: text/html\n\n<p>a\n", 0},
    };

    (void)state;
    eval_case_run("", EVAL_CASES(cases));
}

static void test_multipart_alternative_difference_invitation(void **state)
{
    static const struct eval_case cases[] = {
        {"multipart_alternative_difference('99','100')",
         "MIME-Version: 1.0\nContent-Type: multipart/alternative; boundary=b\n\n"
         "--b\nContent-Type: text/html\n\n<p>one\n"
         "--b\nContent-Type: text/calendar\n\nBEGIN:VCALENDAR\n--b--\n",
         0},
    };

    (void)state;
    eval_case_run("", EVAL_CASES(cases));
}

static void test_multipart_alternative_difference_count(void **state)
{
    static const struct eval_case cases[] = {
        {"multipart_alternative_difference_count('3','1')",
         MAIL("a b c d e f g", "<p>x y"), 1},
        {"multipart_alternative_difference_count('3','1')", MAIL("a b c d e f g", "<p>x"),
         0},
        {"multipart_alternative_difference_count('3','1')", MAIL("a b c", "<p>x y"), 0},
    };

    (void)state;
    eval_case_run("", EVAL_CASES(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_multipart_alternative_difference),
        cmocka_unit_test(test_multipart_alternative_difference_invitation),
        cmocka_unit_test(test_multipart_alternative_difference_count),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
