/* ctl.c: text for terminals, and which configuration file counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ctl.h"
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

#define TEXT(literal) ctl_text(*state, MX_STR(literal))

static void test_ctl_text_keeps_what_is_harmless(void **state)
{
    assert_string_equal(TEXT("Ann <a@b.example> 100%"), "Ann <a@b.example> 100%");
    assert_string_equal(TEXT("Gr\xc3\xbc\xc3\x9f"
                             "e \xe2\x82\xac \xf0\x9f\x93\xa7"),
                        "Gr\xc3\xbc\xc3\x9f"
                        "e \xe2\x82\xac \xf0\x9f\x93\xa7");
    assert_string_equal(ctl_text(*state, MX_STR_NONE), "");
}

static void test_ctl_text_escapes_terminal_controls(void **state)
{
    assert_string_equal(TEXT("\x1b[31mred\r\n\t\x7f"),
                        "\\x1b[31mred\\x0d\\x0a\\x09\\x7f");
    assert_string_equal(TEXT("a\0b"), "a\\x00b");
    assert_string_equal(TEXT("\xc2\x9b"
                             "2J"),
                        "\\xc2\\x9b"
                        "2J"); /* C1: CSI */
}

static void test_ctl_text_escapes_turned_direction(void **state)
{
    assert_string_equal(TEXT("a\xe2\x80\xae"
                             "b"),
                        "a\\xe2\\x80\\xae"
                        "b");
    assert_string_equal(TEXT("\xe2\x81\xa6"), "\\xe2\\x81\\xa6");
    assert_string_equal(TEXT("\xe2\x80\x94"), "\xe2\x80\x94"); /* a dash stays */
}

static void test_ctl_text_escapes_broken_utf8(void **state)
{
    assert_string_equal(TEXT("\xff\xc3"), "\\xff\\xc3");
    assert_string_equal(TEXT("\xe2\x82"), "\\xe2\\x82");
    assert_string_equal(TEXT("\xc3(x"), "\\xc3(x");
}

static void test_ctl_text_is_cut(void **state)
{
    char long_text[CTL_TEXT_MAX + 10];
    const char *out;

    memset(long_text, 'a', sizeof(long_text));
    out = ctl_text(*state, mx_str_of(long_text, sizeof(long_text)));
    assert_int_equal(strlen(out), CTL_TEXT_MAX + 3);
    assert_string_equal(out + CTL_TEXT_MAX, "...");
    out = ctl_text(*state, mx_str_of(long_text, CTL_TEXT_MAX));
    assert_int_equal(strlen(out), CTL_TEXT_MAX);
}

static void test_ctl_conf_path_by_option_environment_default(void **state)
{
    struct ctl ctl = {0};
    char path[] = "/etc/one.yaml";

    (void)state;
    unsetenv("MXDROP_CONFIG");
    assert_string_equal(ctl_conf_path(&ctl), CTL_CONF_DEFAULT);
    setenv("MXDROP_CONFIG", "", 1);
    assert_string_equal(ctl_conf_path(&ctl), CTL_CONF_DEFAULT);
    setenv("MXDROP_CONFIG", "/etc/two.yaml", 1);
    assert_string_equal(ctl_conf_path(&ctl), "/etc/two.yaml");
    assert_int_equal(ctl_option(&ctl, 'c', path), 0);
    assert_string_equal(ctl_conf_path(&ctl), "/etc/one.yaml");
    assert_int_equal(ctl_option(&ctl, 'x', path), ARGP_ERR_UNKNOWN);
}

static void test_ctl_commands_are_complete(void **state)
{
    (void)state;
    for (const struct ctl_command *c = ctl_commands; c->name; c++) {
        assert_non_null(c->run);
        assert_true(c->doc && *c->doc && c->synopsis);
        for (const struct ctl_command *d = c + 1; d->name; d++)
            assert_string_not_equal(c->name, d->name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ctl_text_keeps_what_is_harmless),
        cmocka_unit_test(test_ctl_text_escapes_terminal_controls),
        cmocka_unit_test(test_ctl_text_escapes_turned_direction),
        cmocka_unit_test(test_ctl_text_escapes_broken_utf8),
        cmocka_unit_test(test_ctl_text_is_cut),
        cmocka_unit_test(test_ctl_conf_path_by_option_environment_default),
        cmocka_unit_test(test_ctl_commands_are_complete),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
