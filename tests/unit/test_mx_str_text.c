/* Log values and JSON strings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "mx_arena.h"
#include "mx_str.h"

struct pair {
    struct mx_str in;
    const char *out;
};

static void check(const struct pair *pairs, size_t n,
                  const char *(*fn)(struct mx_arena *, struct mx_str))
{
    struct mx_arena *arena = mx_arena_new(1 << 20);
    for (size_t i = 0; i < n; i++)
        assert_string_equal(fn(arena, pairs[i].in), pairs[i].out);
    mx_arena_free(arena);
}

static void test_esc(void **state)
{
    static const struct pair pairs[] = {
        {MX_STR("plain@example.org"), "plain@example.org"},
        {MX_STR(""), "\"\""},
        {MX_STR_NONE, "\"\""},
        {MX_STR("a b"), "\"a b\""},
        {MX_STR("a=b"), "\"a=b\""},
        {MX_STR("a\"b"), "a\\x22b"},
        {MX_STR("a\\b"), "a\\x5cb"},
        {MX_STR("a\nevent=x"), "\"a\\x0aevent=x\""},
        {MX_STR("\0\x7f\xff"), "\\x00\\x7f\\xff"},
    };
    (void)state;
    check(pairs, sizeof(pairs) / sizeof(pairs[0]), mx_str_esc);
}

static void test_esc_cuts_long_values(void **state)
{
    struct mx_arena *arena = mx_arena_new(1 << 20);
    char text[300];
    (void)state;
    memset(text, 'a', sizeof(text));
    assert_int_equal(strlen(mx_str_esc(arena, mx_str_of(text, 256))), 256);
    const char *cut = mx_str_esc(arena, mx_str_of(text, 257));
    assert_int_equal(strlen(cut), 259);
    assert_string_equal(cut + 256, "...");
    mx_arena_free(arena);
}

#define BAD "\xef\xbf\xbd"

static void test_json(void **state)
{
    static const struct pair pairs[] = {
        {MX_STR(""), "\"\""},
        {MX_STR("a\"\\/"), "\"a\\\"\\\\/\""},
        {MX_STR("\b\f\n\r\t"), "\"\\b\\f\\n\\r\\t\""},
        {MX_STR("\0\x1f"), "\"\\u0000\\u001f\""},
        {MX_STR("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"),
         "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\""},
        {MX_STR("a\xffz"), "\"a" BAD "z\""},
        {MX_STR("\xc0\x80"), "\"" BAD BAD "\""},         /* overlong */
        {MX_STR("\xed\xa0\x80"), "\"" BAD BAD BAD "\""}, /* surrogate */
        {MX_STR("\xf4\x90\x80\x80"), "\"" BAD BAD BAD BAD "\""},
        {MX_STR("\xe2\x82"), "\"" BAD BAD "\""}, /* cut short */
    };
    (void)state;
    check(pairs, sizeof(pairs) / sizeof(pairs[0]), mx_str_json);
}

static void test_is_utf8(void **state)
{
    (void)state;
    assert_true(mx_str_is_utf8(MX_STR("")));
    assert_true(mx_str_is_utf8(MX_STR("j\xc3\xb6rg")));
    assert_false(mx_str_is_utf8(MX_STR("j\xf6rg")));
    assert_false(mx_str_is_utf8(MX_STR("\xe0\x80\x80")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_esc),
        cmocka_unit_test(test_esc_cuts_long_values),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_is_utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
