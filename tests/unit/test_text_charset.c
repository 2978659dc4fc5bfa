/* text_charset: the order in which charsets are tried, and what each makes of bytes. */
#include "text_case.h"

#include "text/text_charset.h"

static const struct {
    const char *bytes, *charset, *guess, *insist;
} cases[] = {
    {"plain", "utf-8", "plain", "plain"},
    {"plain", "no-such-thing", "plain", "plain"},
    {"\xc3\xa4", "utf-8", "\xc3\xa4", "\xc3\xa4"},
    /* valid UTF-8 wins over what is declared, but not in encoded words */
    {"\xc3\xa4", "iso-8859-1", "\xc3\xa4", "\xc3\x83\xc2\xa4"},
    {"\xe4", "ISO-8859-1", "\xc3\xa4", "\xc3\xa4"},
    {"\x93x\x94", "iso-8859-1", "\xe2\x80\x9cx\xe2\x80\x9d", "\xe2\x80\x9cx\xe2\x80\x9d"},
    {"\xe4", "utf-8", "\xc3\xa4", "\xef\xbf\xbd"},
    {"\xe4", "us-ascii", "\xc3\xa4", "\xef\xbf\xbd"},
    {"\xe4", "x-unknown", "\xc3\xa4", "\xc3\xa4"},
    {"\xc1\xe0", "koi8-r", "\xd0\xb0\xd0\xae", "\xd0\xb0\xd0\xae"},
    {"\xcf\xf0", "windows-1251", "\xd0\x9f\xd1\x80", "\xd0\x9f\xd1\x80"},
    {"\xc4\xe3", "gb2312", "\xe4\xbd\xa0", "\xe4\xbd\xa0"},
    {"\xc4\xe3", "GB18030", "\xe4\xbd\xa0", "\xe4\xbd\xa0"},
    {"\x1b$B$\"\x1b(B", "iso-2022-jp", "\xe3\x81\x82", "\xe3\x81\x82"},
    {"+AOQ-", "utf-7", "\xc3\xa4", "\xc3\xa4"},
    /* no character: the guess goes on, insisting replaces */
    {"\x81", "windows-1252", "\xef\xbf\xbd", "\xef\xbf\xbd"},
    {"\xef\xbf\xbf", "utf-8", "\xc3\xaf\xc2\xbf\xc2\xbf", "\xef\xbf\xbd"},
    {"a\xe2\x82.\x80", "utf-8", "a\xc3\xa2\xe2\x80\x9a.\xe2\x82\xac",
     "a\xef\xbf\xbd.\xef\xbf\xbd"},
    {"\xc4\xe3\xc4", "gb2312", "\xc3\x84\xc3\xa3\xc3\x84", "\xe4\xbd\xa0"},
};

static void test_charset_table(void **state)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct mx_str bytes = mx_str(cases[i].bytes), name = mx_str(cases[i].charset);
        assert_slice(*state, text_charset_guess(*state, bytes, name), cases[i].guess);
        assert_slice(*state, text_charset_insist(*state, bytes, name), cases[i].insist);
    }
}

static void test_charset_utf16_order_is_guessed(void **state)
{
    struct mx_str little = mx_str_of("h\0i\0 \0y\0o\0u\0\xe4\0", 14);
    struct mx_str big = mx_str_of("\0h\0i\0 \0y\0o\0u\0\xe4", 14);
    assert_slice(*state, text_charset_guess(*state, little, MX_STR("utf-16")),
                 "hi you\xc3\xa4");
    assert_slice(*state, text_charset_guess(*state, big, MX_STR("UTF-16")),
                 "hi you\xc3\xa4");
}

static void test_charset_long_text_is_whole(void **state)
{
    char bytes[10000];
    memset(bytes, 0xe4, sizeof(bytes));
    struct mx_str out = text_charset_guess(*state, mx_str_of(bytes, sizeof(bytes)),
                                           MX_STR("iso-8859-15"));
    assert_int_equal(out.n, 2 * sizeof(bytes));
}

static void test_charset_hostile_names(void **state)
{
    static const char *const names[] = {"../../lib/x",
                                        "utf-8//TRANSLIT",
                                        "",
                                        "\xff\xff",
                                        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                                        "iso-8859-",
                                        "iso-8859-99",
                                        "cp1",
                                        "cp "};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        assert_slice(*state, text_charset_guess(*state, MX_STR("\xe4"), mx_str(names[i])),
                     "\xc3\xa4");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_charset_table),
        cmocka_unit_test(test_charset_utf16_order_is_guessed),
        cmocka_unit_test(test_charset_long_text_is_whole),
        cmocka_unit_test(test_charset_hostile_names),
    };
    return cmocka_run_group_tests(tests, text_case_setup, text_case_teardown);
}
