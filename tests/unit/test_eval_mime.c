/* Counters of MIME structure. */
#include "eval_case.h"

#define TOP(type) "MIME-Version: 1.0\nContent-Type: " type "; boundary=b\n\n"
#define PART(head, body) "--b\n" head "\n" body "\n"
#define TEXT(body) PART("Content-Type: text/plain\n", body)
#define HTML(body) PART("Content-Type: text/html\n", body)
#define ONE(type, encoding, body)                                                        \
    "MIME-Version: 1.0\nContent-Type: " type "\nContent-Transfer-Encoding: " encoding    \
    "\n\n" body

static void test_check_for_mime_encodings(void **state)
{
    static const struct eval_case cases[] = {
        {"check_for_mime('mime_base64_count')", ONE("text/plain", "base64", "YWJj\n"), 1},
        {"check_for_mime('mime_base64_count')", ONE("text/plain", "7bit", "YWJj\n"), 0},
        {"check_for_mime('mime_base64_encoded_text')",
         ONE("text/plain", "base64", "YWJj\n"), 1},
        {"check_for_mime('mime_base64_encoded_text')",
         ONE("text/plain; charset=utf-8", "base64", "YWJj\n"), 0},
        {"check_for_mime('mime_base64_encoded_text')",
         ONE("text/plain", "base64\nContent-Disposition: inline", "YWJj\n"), 0},
        {"check_for_mime('mime_qp_count')",
         ONE("text/plain", "quoted-printable", "=41bc\n"), 1},
        {"check_for_mime('mime_qp_count')",
         ONE("text/plain", "quoted-printable", "abc=3D=E4\n"), 0},
        /* what must be encoded at an end of line does not count */
        {"check_for_mime('mime_qp_count')",
         ONE("text/plain", "quoted-printable", "abc=20=20\n"), 0},
        {"check_for_mime('mime_qp_long_line')",
         ONE("text/plain", "quoted-printable",
             "0123456789012345678901234567890123456789"
             "0123456789012345678901234567890123456789\n"),
         1},
        {"check_for_mime('mime_qp_long_line')",
         ONE("text/plain", "quoted-printable", "0123456789\n"), 0},
        {"check_for_mime('no_such_counter')", ONE("text/plain", "7bit", "a\n"), 0},
        {"check_qp_ratio('0.5')", ONE("text/plain", "quoted-printable", "=41=42=43\n"),
         0},
        {"check_qp_ratio('0.25')", ONE("text/plain", "quoted-printable", "=41=42=43\n"),
         1},
    };

    (void)state;
    eval_case_run("", EVAL_CASES(cases));
}

static void test_check_for_mime_structure(void **state)
{
    static const struct eval_case cases[] = {
        {"check_for_mime('mime_attachment')",
         TOP("multipart/mixed") TEXT("a")
             PART("Content-Disposition: attachment\n", "x") "--b--\n",
         1},
        {"check_for_mime('mime_attachment')", TOP("multipart/mixed") TEXT("a") "--b--\n",
         0},
        {"check_for_mime('mime_missing_boundary')",
         TOP("multipart/mixed") TEXT("a") "--b--\n", 0},
        {"check_for_mime('mime_missing_boundary')", TOP("multipart/mixed") TEXT("a"), 1},
        {"check_for_mime('mime_bad_iso_charset')",
         ONE("text/plain; charset=iso-1234-5", "7bit", "a\n"), 1},
        {"check_for_mime('mime_bad_iso_charset')",
         ONE("text/plain; charset=iso-8859-1", "7bit", "a\n"), 0},
        {"check_for_mime('mime_multipart_alternative')",
         TOP("multipart/alternative") TEXT("a") "--b--\n", 1},
        {"check_ma_non_text()", TOP("multipart/alternative") TEXT("a") "--b--\n", 0},
        {"check_ma_non_text()",
         TOP("multipart/alternative") PART("Content-Type: image/png\n", "a") "--b--\n",
         1},
        {"check_ma_non_text()",
         TOP("multipart/alternative")
             PART("Content-Type: application/rtf\n", "a") "--b--\n",
         0},
        {"check_ma_non_text()",
         TOP("multipart/mixed") PART("Content-Type: image/png\n", "a") "--b--\n", 0},
    };

    (void)state;
    eval_case_run("", EVAL_CASES(cases));
}

static void test_check_for_mime_html(void **state)
{
    static const char html[] = "Content-Type: TEXT/html\n\n<p>a\n";
    static const char both[] =
        TOP("multipart/alternative") TEXT("a") HTML("<p>a") "--b--\n";
    static const char html_part[] = TOP("multipart/mixed") HTML("<p>a") "--b--\n";
    static const char plain[] = "Subject: s\n\na\n";
    static const struct eval_case cases[] = {
        {"check_for_mime_html()", html, 1},
        {"check_for_mime_html()", both, 1},
        {"check_for_mime_html()", plain, 0},
        {"check_for_mime_html_only()", html, 1},
        {"check_for_mime_html_only()", html_part, 1},
        {"check_for_mime_html_only()", both, 0},
        {"check_for_mime_html_only()", plain, 0},
        {"check_mime_multipart_ratio('0.00','0.25')", both, 0},
        {"check_mime_multipart_ratio('0.25','0.26')", both, 1}, /* "a", "<p>a" */
        {"check_mime_multipart_ratio('1.00','1.01')", plain, 1},
    };

    (void)state;
    eval_case_run("", EVAL_CASES(cases));
}

static void test_check_text_bytes(void **state)
{
    static const struct eval_case cases[] = {
        {"check_for_ascii_text_illegal()", ONE("text/plain", "8bit", "a\xe4\n"), 1},
        {"check_for_ascii_text_illegal()",
         ONE("text/plain; charset=us-ascii", "8bit", "a\xe4\n"), 1},
        {"check_for_ascii_text_illegal()",
         ONE("text/plain; charset=utf-8", "8bit", "a\xc3\xa4\n"), 0},
        {"check_for_ascii_text_illegal()", ONE("text/plain", "7bit", "a\n"), 0},
        {"check_abundant_unicode_ratio(0.05)",
         ONE("text/plain", "7bit", "&#x00E4;&#x00F6; abc\n"), 1},
        {"check_abundant_unicode_ratio(0.05)",
         ONE("text/plain", "quoted-printable", "&#x00E4;&#x00F6; abc\n"), 0},
        {"check_abundant_unicode_ratio(0.05)",
         ONE("text/plain", "7bit", "&#x00e4; abc\n"), 0},
    };

    (void)state;
    eval_case_run("", EVAL_CASES(cases));
}

static void test_check_msg_parse_flags(void **state)
{
    static const struct eval_case cases[] = {
        {"check_msg_parse_flags('mime_epilogue_exists')",
         TOP("multipart/mixed") TEXT("a") "--b--\nmore text\n", 1},
        {"check_msg_parse_flags('mime_epilogue_exists')",
         TOP("multipart/mixed") TEXT("a") "--b--\n", 0},
        {"check_msg_parse_flags('missing_mime_headers')",
         TOP("multipart/mixed") "--b\nno header\n--b--\n", 1},
        {"check_msg_parse_flags('no_such_flag')", "Subject: s\n\na\n", 0},
    };

    (void)state;
    eval_case_run("", EVAL_CASES(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_check_for_mime_encodings),
        cmocka_unit_test(test_check_for_mime_structure),
        cmocka_unit_test(test_check_for_mime_html),
        cmocka_unit_test(test_check_text_bytes),
        cmocka_unit_test(test_check_msg_parse_flags),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
