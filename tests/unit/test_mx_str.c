/* Slices: comparing, searching, cutting, numbers, hash. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include "mx_arena.h"
#include "mx_err.h"
#include "mx_str.h"

#define S(literal) MX_STR(literal)

static void assert_str(struct mx_str s, const char *text)
{
    assert_true(mx_str_eq(s, mx_str(text)));
}

static void test_missing_equals_empty(void **state)
{
    (void)state;
    assert_null(mx_str(NULL).p);
    assert_true(mx_str_eq(MX_STR_NONE, S("")));
    assert_true(mx_str_ieq(S(""), MX_STR_NONE));
    assert_int_equal(mx_str_icmp(MX_STR_NONE, S("")), 0);
}

static void test_compare_folds_ascii_only(void **state)
{
    (void)state;
    assert_true(mx_str_ieq(S("ExAmPle"), S("eXaMpLE")));
    assert_false(mx_str_eq(S("A"), S("a")));
    assert_false(mx_str_ieq(S("@"), S("`")));
    assert_false(mx_str_ieq(S("["), S("{")));
    assert_false(mx_str_ieq(S("\xc4"), S("\xe4")));
    assert_true(mx_str_icmp(S("abc"), S("ABD")) < 0);
    assert_true(mx_str_icmp(S("abcd"), S("ABC")) > 0);
    assert_true(mx_str_icmp(S("\xff"), S("a")) > 0);
}

static void test_starts_and_ends(void **state)
{
    (void)state;
    assert_true(mx_str_starts(S("IPv6:1"), S("IPv6:")));
    assert_false(mx_str_starts(S("ipv6:1"), S("IPv6:")));
    assert_true(mx_str_istarts(S("ipv6:1"), S("IPv6:")));
    assert_true(mx_str_iends(S("mail.EXAMPLE.org"), S(".example.ORG")));
    assert_false(mx_str_iends(S("org"), S(".org")));
    assert_true(mx_str_starts(S("x"), S("")));
}

static void test_find(void **state)
{
    (void)state;
    assert_int_equal(mx_str_find(S("hello"), S("ll")), 2);
    assert_int_equal(mx_str_find(S("hello"), S("lx")), -1);
    assert_int_equal(mx_str_find(S("a"), S("aa")), -1);
    assert_int_equal(mx_str_find(MX_STR_NONE, S("")), 0);
    assert_int_equal(mx_str_chr(S("a@b@c"), '@'), 1);
    assert_int_equal(mx_str_rchr(S("a@b@c"), '@'), 3);
    assert_int_equal(mx_str_chr(MX_STR_NONE, '@'), -1);
    assert_int_equal(mx_str_rchr(S("abc"), '@'), -1);
}

static void test_sub_clamps(void **state)
{
    (void)state;
    assert_str(mx_str_sub(S("hello"), 1, 3), "ell");
    assert_str(mx_str_sub(S("hello"), 3, SIZE_MAX), "lo");
    assert_str(mx_str_sub(S("hello"), 9, 1), "");
    assert_null(mx_str_sub(MX_STR_NONE, 3, 3).p);
}

static void test_trim(void **state)
{
    (void)state;
    assert_str(mx_str_trim(S(" \t\r\n a b \n")), "a b");
    assert_str(mx_str_trim(S(" \t ")), "");
    assert_str(mx_str_trim(S("\va\f")), "\va\f");
}

static void test_next_cuts_fields(void **state)
{
    struct mx_str rest = S("a,,b"), field = S("untouched");
    (void)state;
    assert_int_equal(mx_str_next(&rest, ',', &field), 0);
    assert_str(field, "a");
    assert_int_equal(mx_str_next(&rest, ',', &field), 0);
    assert_str(field, "");
    assert_int_equal(mx_str_next(&rest, ',', &field), 0);
    assert_str(field, "b");
    assert_int_equal(mx_str_next(&rest, ',', &field), -1);
    assert_str(field, "b");
}

static void test_next_ends_at_a_trailing_separator(void **state)
{
    struct mx_str rest = S("a,"), field;
    (void)state;
    assert_int_equal(mx_str_next(&rest, ',', &field), 0);
    assert_int_equal(mx_str_next(&rest, ',', &field), -1);
    rest = S(",");
    assert_int_equal(mx_str_next(&rest, ',', &field), 0);
    assert_str(field, "");
    assert_int_equal(mx_str_next(&rest, ',', &field), -1);
}

static void test_copies(void **state)
{
    struct mx_arena *arena = mx_arena_new(1 << 16);
    (void)state;
    struct mx_str lower = mx_str_lower(arena, S("MiXed-\xc4Z"));
    assert_str(lower, "mixed-\xc4z");
    assert_int_equal(lower.p[lower.n], 0);
    assert_string_equal(mx_str_dup(arena, mx_str_of("abc", 2)).p, "ab");
    assert_string_equal(mx_str_cstr(arena, mx_str_of("a\0b", 3)), "a?b");
    struct mx_str parts[] = {S("a"), MX_STR_NONE, mx_str_of("b\0", 2), S("c")};
    struct mx_str joined = mx_str_join(arena, parts, 4);
    assert_true(mx_str_eq(joined, mx_str_of("ab\0c", 4)));
    assert_int_equal(joined.p[joined.n], 0);
    assert_int_equal(mx_str_join(arena, NULL, 0).n, 0);
    mx_arena_free(arena);
}

static void test_to_int(void **state)
{
    static const struct {
        const char *text;
        int64_t min, max;
        int status;
        int64_t value;
    } cases[] = {
        {"0", 0, 10, 0, 0},
        {"-5", -10, 10, 0, -5},
        {"10", 0, 10, 0, 10},
        {"007", 0, 10, 0, 7},
        {"9223372036854775807", INT64_MIN, INT64_MAX, 0, INT64_MAX},
        {"-9223372036854775808", INT64_MIN, INT64_MAX, 0, INT64_MIN},
        {"9223372036854775808", INT64_MIN, INT64_MAX, -1, 0},
        {"-9223372036854775809", INT64_MIN, INT64_MAX, -1, 0},
        {"11", 0, 10, -1, 0},
        {"-1", 0, 10, -1, 0},
        {"", 0, 10, -1, 0},
        {"-", -10, 10, -1, 0},
        {"+1", 0, 10, -1, 0},
        {" 1", 0, 10, -1, 0},
        {"1 ", 0, 10, -1, 0},
        {"0x1", 0, 10, -1, 0},
        {"1e1", 0, 10, -1, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t value = 77;
        struct mx_err err;
        int status = mx_str_to_int(mx_str(cases[i].text), cases[i].min, cases[i].max,
                                   &value, &err);
        assert_int_equal(status, cases[i].status);
        assert_int_equal(value, status == 0 ? cases[i].value : 77);
    }
}

static void test_hash_is_fnv1a(void **state)
{
    (void)state;
    /* http://www.isthe.com/chongo/tech/comp/fnv/ test vectors */
    assert_true(mx_str_hash(S("")) == 0xcbf29ce484222325u);
    assert_true(mx_str_hash(S("a")) == 0xaf63dc4c8601ec8cu);
    assert_true(mx_str_hash(S("foobar")) == 0x85944171f73967e8u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_missing_equals_empty),
        cmocka_unit_test(test_compare_folds_ascii_only),
        cmocka_unit_test(test_starts_and_ends),
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_sub_clamps),
        cmocka_unit_test(test_trim),
        cmocka_unit_test(test_next_cuts_fields),
        cmocka_unit_test(test_next_ends_at_a_trailing_separator),
        cmocka_unit_test(test_copies),
        cmocka_unit_test(test_to_int),
        cmocka_unit_test(test_hash_is_fnv1a),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
