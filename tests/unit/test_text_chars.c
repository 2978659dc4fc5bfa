/* Character classes, UTF-8 and lists for the units that form texts. */
#include "text_case.h"

#include "text/text.h"
#include "text/text_chars.h"

static void test_space_has_vt_and_no_nbsp_in_bytes(void **state)
{
    (void)state;
    assert_true(text_char_space('\v'));
    assert_true(text_char_space('\r'));
    assert_false(text_char_space(0xa0));
    assert_false(text_char_space('\x1f'));
}

static void test_space_wide_is_unicode(void **state)
{
    (void)state;
    assert_true(text_char_space_wide(0xa0));
    assert_true(text_char_space_wide(0x3000));
    assert_true(text_char_space_wide(0x85));
    assert_false(text_char_space_wide(0x200b));
}

static void test_word_wide_leaves_symbols_out(void **state)
{
    (void)state;
    assert_true(text_char_word_wide(0xe9));
    assert_true(text_char_word_wide(0x4e00));
    assert_true(text_char_word_wide('_'));
    assert_false(text_char_word_wide(0x2019));
    assert_false(text_char_word_wide(0x1f600));
}

static void test_next_takes_broken_bytes_alone(void **state)
{
    (void)state;
    static const char text[] = "\xc3\xa9\xc3(\xe2\x82";
    static const uint32_t want[] = {0xe9, 0xc3, '(', 0xe2, 0x82};
    const char *p = text, *end = text + sizeof(text) - 1;
    for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++)
        assert_int_equal(text_char_next(&p, end), want[i]);
    assert_ptr_equal(p, end);
}

static void test_put_is_what_next_reads(void **state)
{
    (void)state;
    static const uint32_t chars[] = {'a', 0x7f, 0x80, 0x7ff, 0x800, 0xffff, 0x10ffff};
    for (size_t i = 0; i < sizeof(chars) / sizeof(chars[0]); i++) {
        char text[4];
        size_t n = text_char_put(chars[i], text);
        const char *p = text;
        assert_int_equal(text_char_next(&p, text + n), chars[i]);
        assert_ptr_equal(p, text + n);
    }
}

static void test_trim_of_either_kind(void **state)
{
    struct mx_str s = MX_STR("\xc2\xa0 a\xc2\xa0");
    assert_slice(*state, text_trim(s, true), "a");
    assert_slice(*state, text_trim(s, false), "\xc2\xa0 a\xc2\xa0");
    assert_int_equal(text_trim(MX_STR(" \t\n"), false).n, 0);
    assert_int_equal(text_trim(MX_STR("\xe3\x80\x80"), true).n, 0);
}

static void test_latin1_halves_characters(void **state)
{
    assert_slice(*state, text_latin1(*state, MX_STR("caf\xc3\xa9")), "caf\xe9");
    struct mx_str ascii = MX_STR("cafe");
    assert_ptr_equal(text_latin1(*state, ascii).p, ascii.p);
}

static void test_offset_counts_characters(void **state)
{
    (void)state;
    struct mx_str s = MX_STR("a\xc3\xa9z");
    assert_int_equal(text_chars_count(s), 3);
    assert_int_equal(text_chars_offset(s, 2), 3);
    assert_int_equal(text_chars_offset(s, 3), 4);
    assert_int_equal(text_chars_offset(s, 99), 4);
}

static void test_lister_stops_at_its_maximum(void **state)
{
    struct text_lister lister = {.max = 20};
    for (int i = 0; i < 30; i++)
        text_lister_add(*state, &lister, mx_str(mx_arena_printf(*state, "%d", i)));
    struct text_list list = text_lister_list(&lister);
    assert_int_equal(list.n, 20);
    assert_slice(*state, list.v[0], "0");
    assert_slice(*state, list.v[19], "19");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_space_has_vt_and_no_nbsp_in_bytes),
        cmocka_unit_test(test_space_wide_is_unicode),
        cmocka_unit_test(test_word_wide_leaves_symbols_out),
        cmocka_unit_test(test_next_takes_broken_bytes_alone),
        cmocka_unit_test(test_put_is_what_next_reads),
        cmocka_unit_test(test_trim_of_either_kind),
        cmocka_unit_test(test_latin1_halves_characters),
        cmocka_unit_test(test_offset_counts_characters),
        cmocka_unit_test(test_lister_stops_at_its_maximum),
    };
    return cmocka_run_group_tests(tests, text_case_setup, text_case_teardown);
}
