/* Lengths, blank lines, wide words, stock tips, signatures. */
#include "eval_case.h"

#define HEAD "Subject: s\n\n"

static void test_check_body_length(void **state)
{
    static const struct eval_case cases[] = {
        {"check_body_length('5')", HEAD "1234\n", 1},
        {"check_body_length('4')", HEAD "1234\n", 0},
        {"check_body_length('0')", HEAD, 1},
    };

    (void)state;
    eval_case_run("", EVAL_CASES(cases));
}

static void test_check_blank_line_ratio(void **state)
{
    static const struct eval_case cases[] = {
        {"check_blank_line_ratio('40','50','4')", HEAD "a\n\nb\n \n", 1},
        {"check_blank_line_ratio('50','60','4')", HEAD "a\n\nb\n \n", 0},
        {"check_blank_line_ratio('40','50','5')", HEAD "a\n\nb\n \n", 0},
        {"check_blank_line_ratio('0','10')", HEAD "a\nb\n", 1},
    };

    (void)state;
    eval_case_run("", EVAL_CASES(cases));
}

static void test_tvd_vertical_words(void **state)
{
    static const struct eval_case cases[] = {
        {"tvd_vertical_words('0','10')", HEAD "abcdefghijklmnop\n", 1},
        {"tvd_vertical_words('0','10')", HEAD "a b c d e f g h i\n", 0},
        {"tvd_vertical_words('80','90')", HEAD "ab c d e f g h i\n", 1}, /* 8 to 9 */
        {"tvd_vertical_words('-1','0')", HEAD "a\n", 1},
    };

    (void)state;
    eval_case_run("", EVAL_CASES(cases));
}

static void test_check_stock_info(void **state)
{
    static const struct eval_case cases[] = {
        {"check_stock_info('2')", HEAD "Ticker: ABCD\nPrice Target: 5\n", 1},
        {"check_stock_info('2')", HEAD "Ticker: ABCD\nTICKER: EFGH\n", 0},
        {"check_stock_info('2')", HEAD "Name: Joe\nPlace: here\n", 0},
    };

    (void)state;
    eval_case_run("", EVAL_CASES(cases));
}

static void test_plaintext_signature(void **state)
{
    static const char mail[] = HEAD "body text\n-- \nJoe the user\n";
    static const struct eval_case cases[] = {
        {"plaintext_body_length('10','10')", mail, 1},
        {"plaintext_sig_length('14','14')", mail, 1},
        {"plaintext_sig_length('15')", mail, 0},
        {"plaintext_body_sig_ratio('0.7','0.8')", mail, 1},
        {"plaintext_body_sig_ratio('1000000')", HEAD "no signature\n", 1},
        {"plaintext_sig_length('1')", HEAD "decoy\n-- \nx\n", 0},
        {"plaintext_body_length('0')", "Content-Type: text/html\n\n<p>a\n", 0},
    };

    (void)state;
    eval_case_run("", EVAL_CASES(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_check_body_length),
        cmocka_unit_test(test_check_blank_line_ratio),
        cmocka_unit_test(test_tvd_vertical_words),
        cmocka_unit_test(test_check_stock_info),
        cmocka_unit_test(test_plaintext_signature),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
