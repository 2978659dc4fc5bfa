/* Detector "mime": (message) -> (symbols). */
#include "scan_fixture.h"

#define TYPE(value) GOOD_HEAD "MIME-Version: 1.0\r\nContent-Type: " value "\r\n"
#define ONE_PART "\r\n--b\r\nContent-Type: text/plain\r\n\r\nx\r\n--b--\r\n"

static void test_run_good(void **state)
{
    (void)state;
    EXPECT(&det_mime, GOOD_HEAD "\r\nHello.\r\n", "");
    EXPECT(&det_mime, TYPE("multipart/mixed; boundary=b") ONE_PART, "");
    EXPECT(&det_mime, TYPE("multipart/mixed; x=\"; boundary=c\"; boundary=b") ONE_PART,
           "");
    EXPECT(&det_mime, TYPE("multipart/mixed; (; boundary=c) boundary=b") ONE_PART, "");
}

static void test_run_ambiguous(void **state)
{
    (void)state;
    EXPECT(&det_mime, TYPE("multipart/mixed; boundary=b; boundary=c") ONE_PART,
           "MX_MIME_AMBIGUOUS");
    EXPECT(&det_mime, TYPE("multipart/mixed;\r\n boundary=b;\r\n BOUNDARY*=''c") ONE_PART,
           "MX_MIME_AMBIGUOUS");
    EXPECT(&det_mime, TYPE("text/plain\r\nContent-Type: text/html") "\r\nx\r\n",
           "MX_MIME_AMBIGUOUS");
    EXPECT(&det_mime,
           TYPE("multipart/mixed; boundary=b") "\r\n--b\r\nContent-Transfer-Encoding: "
                                               "base64\r\nContent-Transfer-Encoding: "
                                               "7bit\r\n\r\nx\r\n--b--\r\n",
           "MX_MIME_AMBIGUOUS");
}

static void test_run_other_content(void **state)
{
    (void)state;
    EXPECT(&det_mime, TYPE("message/partial; id=a; number=1; total=2") "\r\nx\r\n",
           "MX_MIME_PARTIAL");
    EXPECT(&det_mime,
           TYPE("message/external-body; access-type=ANON-FTP") "\r\nA: b\r\n\r\n",
           "MX_MIME_EXTERNAL");
}

/* Base64 that goes on behind its padding: some readers stop there, some do not. */
static void test_run_hidden(void **state)
{
    (void)state;
    EXPECT(&det_mime,
           TYPE("image/png\r\nContent-Transfer-Encoding: base64") "\r\nQQ==\r\nQkM=\r\n",
           "MX_MIME_HIDDEN");
    EXPECT(&det_mime,
           TYPE("image/png\r\nContent-Transfer-Encoding: base64") "\r\nQUI=\r\n", "");
}

static void test_run_broken_structure(void **state)
{
    (void)state;
    EXPECT(&det_mime, TYPE("multipart/mixed; boundary=b") "\r\n--b\r\n\r\nx\r\n",
           "MX_MIME_NO_END");
    EXPECT(&det_mime, TYPE("multipart/mixed; boundary=b") "\r\npreamble\r\n--b--\r\n",
           "MX_MIME_NO_PARTS");
    EXPECT(&det_mime, TYPE("multipart/mixed") "\r\n--b\r\n\r\nx\r\n--b--\r\n",
           "MX_MIME_NO_BOUNDARY");
}

static void test_run_truncated_has_no_end(void **state)
{
    (void)state;
    struct scan_fixture f;
    static const char raw[] = TYPE("multipart/mixed; boundary=b") "\r\n--b\r\n\r\nx";
    fixture_parse(&f, raw, sizeof(raw) - 1);
    f.msg.is_truncated = true;
    assert_int_equal(det_mime.run(NULL, &f.msg, &f.result, NULL), 0);
    assert_string_equal(fixture_symbols(&f), "");
    fixture_free(&f);
}

static void test_run_too_deep(void **state)
{
    (void)state;
    struct mx_buf text = {0};
    for (int i = 0; i < 40; i++)
        mx_buf_str(&text, "Content-Type: message/rfc822\r\n\r\n");
    mx_buf_str(&text, GOOD_HEAD "\r\nx\r\n");
    expect_symbols(&det_mime, text.p, text.n, "MX_MIME_TOO_DEEP");
    mx_buf_fini(&text);
}

static void test_run_too_many(void **state)
{
    (void)state;
    struct mx_buf text = {0};
    mx_buf_str(&text, TYPE("multipart/mixed; boundary=b") "\r\n");
    for (int i = 0; i < 1200; i++)
        mx_buf_str(&text, "--b\r\nContent-Type: text/plain\r\n\r\nx\r\n");
    mx_buf_str(&text, "--b--\r\n");
    expect_symbols(&det_mime, text.p, text.n, "MX_MIME_TOO_MANY");
    mx_buf_fini(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_run_hidden),
        cmocka_unit_test(test_run_good),
        cmocka_unit_test(test_run_ambiguous),
        cmocka_unit_test(test_run_other_content),
        cmocka_unit_test(test_run_broken_structure),
        cmocka_unit_test(test_run_truncated_has_no_end),
        cmocka_unit_test(test_run_too_deep),
        cmocka_unit_test(test_run_too_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
