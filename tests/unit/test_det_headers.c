/* Detector "headers": (message) -> (symbols). */
#include "scan_fixture.h"

static void test_run_good(void **state)
{
    (void)state;
    EXPECT(&det_headers, GOOD_HEAD "\r\nHello.\r\n", "");
    EXPECT(&det_headers, "From: a\nDate: b\nMessage-ID: c\nSubject: d\n\nHello.\n", "");
}

static void test_run_missing_fields(void **state)
{
    (void)state;
    EXPECT(&det_headers, "To: x\r\n\r\nbody",
           "MX_MISSING_FROM MX_MISSING_DATE MX_MISSING_MESSAGE_ID MX_MISSING_SUBJECT");
    EXPECT(&det_headers, "",
           "MX_MISSING_FROM MX_MISSING_DATE MX_MISSING_MESSAGE_ID MX_MISSING_SUBJECT "
           "MX_NO_BODY");
}

static void test_run_double_fields(void **state)
{
    (void)state;
    EXPECT(&det_headers, GOOD_HEAD "from: b\r\n\r\n", "MX_DOUBLE_FROM");
    EXPECT(&det_headers, GOOD_HEAD "SUBJECT: b\r\nTo: a\r\nTo: b\r\n\r\n",
           "MX_DOUBLE_HEADER");
    EXPECT(&det_headers, GOOD_HEAD "Received: a\r\nReceived: b\r\n\r\n", "");
}

static void test_run_characters(void **state)
{
    (void)state;
    EXPECT(&det_headers, GOOD_HEAD "X-A: a\0b\r\n\r\n", "MX_SUSPICIOUS_CHARS");
    EXPECT(&det_headers, GOOD_HEAD "X-A: a\rb\r\n\r\n", "MX_SUSPICIOUS_CHARS MX_BARE_CR");
    EXPECT(&det_headers, GOOD_HEAD "X-A: a\x1b[0m\r\n\r\n", "MX_HEADER_CONTROL");
    EXPECT(&det_headers, GOOD_HEAD "X-A: \xe4\xf6\r\n\r\n", "MX_HEADER_8BIT");
    EXPECT(&det_headers, GOOD_HEAD "X-A: \xc3\xa4\r\n\r\n", ""); /* RFC 6532 */
    EXPECT(&det_headers, GOOD_HEAD "\r\na\0b\r\n", "MX_BODY_NUL");
}

static void test_run_line_ends(void **state)
{
    (void)state;
    EXPECT(&det_headers, GOOD_HEAD "\r\na\nb\r\n", "MX_BARE_LF");
    EXPECT(&det_headers, GOOD_HEAD "\r\na\rb\r\n", "MX_BARE_CR");
    EXPECT(&det_headers, GOOD_HEAD, "MX_NO_BODY");
}

static void test_run_truncated_between_cr_and_lf(void **state)
{
    (void)state;
    struct scan_fixture f;
    static const char raw[] = GOOD_HEAD "\r\nbody\r";
    fixture_parse(&f, raw, sizeof(raw) - 1);
    f.msg.is_truncated = true;
    assert_int_equal(det_headers.run(NULL, &f.msg, &f.result, NULL), 0);
    assert_string_equal(fixture_symbols(&f), "");
    fixture_free(&f);
}

static void test_run_bad_lines(void **state)
{
    (void)state;
    EXPECT(&det_headers, GOOD_HEAD "no colon here\r\n\r\n", "MX_HEADER_BAD_LINE");
    EXPECT(&det_headers, GOOD_HEAD "two words: x\r\n\r\n", "MX_HEADER_BAD_LINE");
    EXPECT(&det_headers, GOOD_HEAD "X-A : old style\r\n\r\n", "");
}

static void test_run_too_much(void **state)
{
    (void)state;
    struct mx_buf text = {0};
    mx_buf_str(&text, GOOD_HEAD "X-Long: ");
    for (int i = 0; i < 999; i++)
        mx_buf_str(&text, "a");
    mx_buf_str(&text, "\r\n");
    expect_symbols(&det_headers, text.p, text.n, "MX_HEADER_LONG MX_NO_BODY");
    for (int i = 0; i < 1100; i++)
        mx_buf_str(&text, "X: y\r\n");
    mx_buf_str(&text, "\r\n");
    expect_symbols(&det_headers, text.p, text.n, "MX_HEADER_LONG MX_HEADERS_MANY");
    mx_buf_fini(&text);
}

static void test_run_hops(void **state)
{
    (void)state;
    struct mx_buf text = {0};
    for (size_t i = 0; i < 100; i++)
        mx_buf_str(&text, "received: x\r\n");
    mx_buf_str(&text, GOOD_HEAD "\r\nx\r\n");
    expect_symbols(&det_headers, text.p, text.n, "");
    char *more = mx_xalloc(text.n + 13);
    memcpy(more, "Received: y\r\n", 13);
    memcpy(more + 13, text.p, text.n);
    expect_symbols(&det_headers, more, text.n + 13, "MX_HOPS_MANY");
    free(more);
    mx_buf_fini(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_run_hops),
        cmocka_unit_test(test_run_good),
        cmocka_unit_test(test_run_missing_fields),
        cmocka_unit_test(test_run_double_fields),
        cmocka_unit_test(test_run_characters),
        cmocka_unit_test(test_run_line_ends),
        cmocka_unit_test(test_run_truncated_between_cr_and_lf),
        cmocka_unit_test(test_run_bad_lines),
        cmocka_unit_test(test_run_too_much),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
