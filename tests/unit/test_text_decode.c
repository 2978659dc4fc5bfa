/* text_decode: broken base64 and quoted-printable, encoded words as they come. */
#include "text_case.h"

#include "text/text_decode.h"

static const struct {
    const char *encoding, *raw, *decoded;
} transfers[] = {
    {"base64", "SGVsbG8=", "Hello"},
    {"base64", "SGVs\r\nbG8=\n", "Hello"},
    {"base64", "SGVsbG8", "Hello"}, /* no padding */
    {"base64", "SGVsbG8=\n--junk--", "Hello?\216\351\344"},
    {"base64", "SGV*sbG8=", "Hello"},  /* junk inside */
    {"base64", "SGVsbG8hI", "Hello!"}, /* one byte too many */
    {"base64", "====", ""},
    {"base64", "", ""},
    {"quoted-printable", "a=3Db=\n c", "a=b c"},
    {"quoted-printable", "a  \t\nb ", "a\nb "},
    {"quoted-printable", "a =  \nb", "a b"},
    {"quoted-printable", "a=\r\nb\r\nc", "ab\nc"},
    {"quoted-printable", "=e4=E4=", "\xe4\xe4="},
    {"quoted-printable", "=G1=4", "=G1=4"},
    {"quoted-printable", "==\n41", "A"}, /* a soft line break between "=" and digits */
    {"7bit", "=41", "=41"},
    {"", "=41", "=41"},
};

static void test_transfer_decode_table(void **state)
{
    for (size_t i = 0; i < sizeof(transfers) / sizeof(transfers[0]); i++)
        assert_slice(*state,
                     text_transfer_decode(*state, mx_str(transfers[i].encoding),
                                          mx_str(transfers[i].raw)),
                     transfers[i].decoded);
}

/* A stray "=" is zero bits in clean text, ones where a second decoder takes over. */
static void test_transfer_decode_stray_padding(void **state)
{
    struct mx_str clean =
        text_transfer_decode(*state, MX_STR("base64"), MX_STR("QU=CQUJD"));
    struct mx_str dirty =
        text_transfer_decode(*state, MX_STR("base64"), MX_STR("QU=C*QUJD"));
    assert_int_equal(clean.n, 6);
    assert_memory_equal(clean.p, "A@\2ABC", 6);
    assert_memory_equal(dirty.p, "AO\302ABC", 6);
}

static const struct {
    const char *value, *decoded;
} words[] = {
    {"plain", "plain"},
    {"=?utf-8?Q?a=C3=A4_b?=", "a\xc3\xa4 b"},
    {"=?utf-8?q?a?= =?utf-8?b?Yg==?=", "ab"},
    {"=?utf-8?q?a?=  x =?utf-8?q?b?=", "a  x b"},
    {"x=?utf-8?q?a?=y", "xay"},
    /* a character split over two words */
    {"=?utf-8?Q?=C3?= =?UTF-8?Q?=A4?=", "\xc3\xa4"},
    {"=?utf-8?B?w6?= =?utf-8?B?Q=?=", "\xef\xbf\xbd"}, /* half a character */
    {"=?iso-8859-1*de?Q?=E4?=", "\xc3\xa4"},
    {"=?iso-8859-1?Q?=E4?= =?utf-8?Q?=C3=A4?=", "\xc3\xa4\xc3\xa4"},
    {"=?utf-8?X?a?=", "=?utf-8?X?a?="},
    {"=?utf-8?Q?a", "=?utf-8?Q?a"},
    {"=?utf-8?Q?a?", "=?utf-8?Q?a?"},
    {"=?utf-8?Q?"
     "?=",
     ""},
    {"=??Q?a?=", "=??Q?a?="},
    {"a\n\tb\r\n c", "a b c"},
    {"\xe4", "\xc3\xa4"}, /* raw 8-bit */
};

static void test_words_decode_table(void **state)
{
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        assert_slice(*state, text_words_decode(*state, mx_str(words[i].value)),
                     words[i].decoded);
}

static void test_words_decode_long_run_is_linear(void **state)
{
    struct mx_buf buf = {.p = NULL};
    for (int i = 0; i < 20000; i++)
        mx_buf_str(&buf, "=?utf-8?q?");
    struct mx_str out = text_words_decode(*state, mx_str_of(buf.p, buf.n));
    assert_int_equal(out.n, buf.n);
    mx_buf_fini(&buf);
}

static void test_line_decode_leaves_words(void **state)
{
    assert_slice(*state, text_line_decode(*state, MX_STR("=?utf-8?q?a?=\n b")),
                 "=?utf-8?q?a?= b");
}

static void test_crlf_to_lf(void **state)
{
    assert_slice(*state, text_crlf_to_lf(*state, MX_STR("a\r\nb\rc\r\r\n\r")),
                 "a\nb\rc\r\n\r");
    assert_slice(*state, text_crlf_to_lf(*state, MX_STR("")), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_transfer_decode_table),
        cmocka_unit_test(test_transfer_decode_stray_padding),
        cmocka_unit_test(test_words_decode_table),
        cmocka_unit_test(test_words_decode_long_run_is_linear),
        cmocka_unit_test(test_line_decode_leaves_words),
        cmocka_unit_test(test_crlf_to_lf),
    };
    return cmocka_run_group_tests(tests, text_case_setup, text_case_teardown);
}
