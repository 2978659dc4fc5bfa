/* attach_name: every plausible reading of a name, and the tricks that names play. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "attach_name.h"
#include "mx_arena.h"

static int setup(void **state)
{
    *state = mx_arena_new(1 << 20);
    return 0;
}

static int teardown(void **state)
{
    mx_arena_free(*state);
    return 0;
}

static const struct {
    const char *raw, *clean;
    unsigned flags;
} names[] = {
    {"invoice.pdf", "invoice.pdf", 0},
    {"Invoice.PDF", "invoice.pdf", 0},
    {"run.exe...", "run.exe", ATTACH_NAME_TRAILING},
    {"run.exe . ", "run.exe", ATTACH_NAME_TRAILING},
    {"ann\xe2\x80\xae"
     "fdp.exe",
     "annfdp.exe", ATTACH_NAME_DIRECTION},
    {"a\xef\xbc\x8e\xef\xbd\x85xe", "a.exe", 0}, /* full-width ".e" */
    {"photo.jpg.exe", "photo.jpg.exe", ATTACH_NAME_DOUBLE},
    {"archive.tar.gz", "archive.tar.gz", 0},
    {"bill.pdf                 .exe", "bill.pdf .exe",
     ATTACH_NAME_PADDED | ATTACH_NAME_DOUBLE},
    {"x\xe2\x80\x8b.exe", "x.exe", ATTACH_NAME_CONTROL},
    {"..\\..\\boot.ini", "boot.ini", ATTACH_NAME_PATH},
    {"/etc/passwd", "passwd", ATTACH_NAME_PATH},
    {"\xfc"
     "bung.exe",
     "\xc3\xbc"
     "bung.exe",
     0}, /* raw Latin-1 */
    {"", "", 0},
};

static void test_clean_table(void **state)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        unsigned flags = 0;
        struct mx_str out = attach_name_clean(*state, mx_str(names[i].raw), &flags);
        assert_string_equal(out.p, names[i].clean);
        assert_int_equal(flags, names[i].flags);
    }
}

static void test_clean_long_name_keeps_its_end(void **state)
{
    static char raw[20000];
    unsigned flags = 0;
    memset(raw, 'a', sizeof(raw));
    memcpy(raw + sizeof(raw) - 4, ".exe", 4);
    struct mx_str out = attach_name_clean(*state, mx_str_of(raw, sizeof(raw)), &flags);
    assert_int_equal(out.n, ATTACH_NAME_MAX);
    assert_true(mx_str_eq(attach_name_extension(out), MX_STR("exe")));
}

static size_t readings(struct mx_arena *arena, const char *disposition, const char *type,
                       const char *parsed, struct mx_str out[static ATTACH_READINGS_MAX])
{
    struct message_header headers[] = {
        {MX_STR("Content-Disposition"), mx_str(disposition)},
        {MX_STR("Content-Type"), mx_str(type)},
    };
    struct message_part part = {
        .name = mx_str(parsed), .headers = headers, .n_headers = 2};
    return attach_name_readings(arena, &part, out);
}

static bool has(const struct mx_str *v, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (mx_str_eq(v[i], mx_str(name)))
            return true;
    return false;
}

static void test_readings_two_names(void **state)
{
    struct mx_str v[ATTACH_READINGS_MAX];
    size_t n = readings(*state, " attachment; filename=\"a.txt\"; filename=b.exe",
                        " text/plain; name=\"c.scr\"", "a.txt", v);
    assert_int_equal(n, 3);
    assert_true(has(v, n, "a.txt") && has(v, n, "b.exe") && has(v, n, "c.scr"));
}

static void test_readings_2231_out_of_order(void **state)
{
    struct mx_str v[ATTACH_READINGS_MAX];
    size_t n = readings(*state,
                        " attachment; filename*1=\".ex\"; filename*0*=us-ascii''ru%6e;"
                        " filename*2=e",
                        "", "", v);
    assert_true(has(v, n, "run.exe"));
}

static void test_readings_encoded_word_in_quotes(void **state)
{
    struct mx_str v[ATTACH_READINGS_MAX];
    size_t n =
        readings(*state, " attachment; filename=\"=?utf-8?B?cnVuLmV4ZQ==?=\"", "", "", v);
    assert_true(has(v, n, "run.exe"));
}

static void test_readings_quoted_semicolon_and_escape(void **state)
{
    struct mx_str v[ATTACH_READINGS_MAX];
    size_t n = readings(*state, " attachment; filename=\"a;b\\\".exe\"", "", "", v);
    assert_true(has(v, n, "a;b\".exe"));
}

static void test_readings_are_bounded(void **state)
{
    struct mx_buf text = {0};
    for (int i = 0; i < 500; i++)
        mx_buf_printf(&text, "; filename=n%d.exe", i);
    struct mx_str v[ATTACH_READINGS_MAX];
    assert_int_equal(readings(*state, text.p, "", "", v), ATTACH_READINGS_MAX);
    mx_buf_fini(&text);
}

static void test_readings_unended_quote(void **state)
{
    struct mx_str v[ATTACH_READINGS_MAX];
    size_t n = readings(*state, " attachment; filename=\"run.exe", "", "", v);
    assert_true(has(v, n, "run.exe"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_clean_table, setup, teardown),
        cmocka_unit_test_setup_teardown(test_clean_long_name_keeps_its_end, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_readings_two_names, setup, teardown),
        cmocka_unit_test_setup_teardown(test_readings_2231_out_of_order, setup, teardown),
        cmocka_unit_test_setup_teardown(test_readings_encoded_word_in_quotes, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_readings_quoted_semicolon_and_escape, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_readings_are_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(test_readings_unended_quote, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
