/* Capitals, base64 lines, far charsets. */
#include "eval_case.h"

#include "rules/eval_mime_text.h"

#define WORDS10 "ABCD ABCD ABCD ABCD ABCD ABCD ABCD ABCD ABCD ABCD\n"
#define LOWER10 "abcd abcd abcd abcd abcd abcd abcd abcd abcd abcd\n"
#define HEAD "Subject: s\n\n"

static void test_check_for_uppercase(void **state)
{
    static const struct eval_case cases[] = {
        {"check_for_uppercase('75','100')", HEAD WORDS10 WORDS10 WORDS10 WORDS10 WORDS10,
         1},
        {"check_for_uppercase('25','50')", HEAD WORDS10 LOWER10 WORDS10 LOWER10 LOWER10,
         1},
        {"check_for_uppercase('50','75')", HEAD WORDS10 LOWER10 WORDS10 LOWER10 LOWER10,
         0},
        {"check_for_uppercase('75','100')", HEAD WORDS10 WORDS10, 0}, /* too short */
        {"check_for_uppercase('75','100')",
         "Content-Type: text/plain; charset=koi8-r\n\n" WORDS10 WORDS10 WORDS10 WORDS10
             WORDS10,
         0},
    };

    (void)state;
    eval_case_run("", EVAL_CASES(cases));
}

#define BASE64(line)                                                                     \
    "MIME-Version: 1.0\nContent-Type: text/plain\n"                                      \
    "Content-Transfer-Encoding: base64\n\n" line "\n"

static void test_check_base64_length(void **state)
{
    static const struct eval_case cases[] = {
        {"check_base64_length('9')", BASE64("YWJjYWJj"), 1}, /* with its newline */
        {"check_base64_length('10')", BASE64("YWJjYWJj"), 0},
        {"check_base64_length('1','8')", BASE64("YWJjYWJj"), 0},
        {"check_base64_length('1','9')", BASE64("YWJjYWJj"), 1},
        {"check_base64_length('1')", HEAD "YWJjYWJj\n", 0},
    };

    (void)state;
    eval_case_run("", EVAL_CASES(cases));
}

static void test_check_for_faraway_charset(void **state)
{
    static const struct eval_case far[] = {
        {"check_for_faraway_charset()",
         "Content-Type: text/plain; charset=\"koi8-r\"\n"
         "Content-Transfer-Encoding: 8bit\n\n\xf0\xf2\xe9\xf7\xe5\xf4\xf0\xf2\xe9\n",
         1},
        {"check_for_faraway_charset()",
         "Content-Type: text/plain; charset=\"koi8-r\"\n\nplain ASCII text\n", 0},
        {"check_for_faraway_charset_in_headers()", "Subject: =?koi8-r?Q?=F0=F2?=\n\na\n",
         1},
        {"check_for_faraway_charset_in_headers()", "Subject: =?utf-8?Q?=C3=A4?=\n\na\n",
         0},
    };

    (void)state;
    eval_case_run("ok_locales en\n", EVAL_CASES(far));
}

static void test_eval_line_next(void **state)
{
    struct mx_str rest = MX_STR("a\n\nb"), line;

    (void)state;
    assert_true(eval_line_next(&rest, &line));
    assert_str(line, "a\n");
    assert_true(eval_line_next(&rest, &line));
    assert_str(line, "\n");
    assert_true(eval_line_next(&rest, &line));
    assert_str(line, "b");
    assert_false(eval_line_next(&rest, &line));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_check_for_uppercase),
        cmocka_unit_test(test_check_base64_length),
        cmocka_unit_test(test_check_for_faraway_charset),
        cmocka_unit_test(test_eval_line_next),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
