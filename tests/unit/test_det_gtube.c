/* Detector "gtube". The string is built here in pieces, so that this file is not spam. */
#include "scan_fixture.h"

#define GTUBE                                                                            \
    "XJS*C4JDBQADN1.NSBN3*2IDNEN*"                                                       \
    "GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"

static void test_run_plain(void **state)
{
    (void)state;
    EXPECT(&det_gtube, GOOD_HEAD "\r\nx\r\n" GTUBE "\r\n", "GTUBE");
    EXPECT(&det_gtube, GOOD_HEAD "\r\nXJS*C4JDBQADN1.NSBN3*2IDNEN\r\n", "");
}

static void test_run_not_in_header(void **state)
{
    (void)state;
    EXPECT(&det_gtube, GOOD_HEAD "X-A: " GTUBE "\r\n\r\nx\r\n", "");
}

static void test_run_encoded(void **state)
{
    (void)state;
    EXPECT(&det_gtube,
           GOOD_HEAD
           "Content-Transfer-Encoding: base64\r\n\r\n"
           "WEpTKkM0SkRCUUFETjEuTlNCTjMqMklETkVOKkdUVUJFLVNUQU5EQVJELUFOVEktVUJFLVRF\r\n"
           "U1QtRU1BSUwqQy4zNFg=\r\n",
           "GTUBE");
}

#define HTML GOOD_HEAD "Content-Type: text/html\r\n\r\n"

static void test_run_what_html_shows(void **state)
{
    (void)state;
    EXPECT(&det_gtube,
           HTML
           "<p>XJS*C4JDBQADN1.<b>NSBN3*2IDNEN*</b><i>GTUBE-STANDARD-ANTI-UBE-<!-- -->"
           "TEST-EMAIL</i>*C.34X</p>\r\n",
           "GTUBE");
    EXPECT(&det_gtube,
           HTML "<p title='XJS*C4JDBQADN1.NSBN3*2IDNEN*'>GTUBE-STANDARD-ANTI-UBE-"
                "TEST-EMAIL*C.34X</p>\r\n",
           "");
    EXPECT(&det_gtube, HTML "<p>XJS*C4JDBQADN1.<br>\r\n", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_run_plain),
        cmocka_unit_test(test_run_not_in_header),
        cmocka_unit_test(test_run_encoded),
        cmocka_unit_test(test_run_what_html_shows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
