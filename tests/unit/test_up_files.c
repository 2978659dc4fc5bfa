/* up_files.c: templates, setting single keys, replacing files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "up_files.h"

static int setup(void **state)
{
    *state = mx_arena_new(16 << 20);
    return 0;
}

static int teardown(void **state)
{
    mx_arena_free(*state);
    return 0;
}

static const char *render(struct mx_arena *arena, const char *template, const char *dir,
                          enum up_quoting quoting)
{
    const struct up_var vars[] = {{"DIR", dir}, {"PORT", "25"}, {0}};
    const char *out = NULL;
    struct mx_err err;

    if (up_files_render(arena, template, vars, quoting, &out, &err) != 0)
        return NULL;
    return out;
}

static void test_up_files_render_fills_in(void **state)
{
    assert_string_equal(render(*state, "a: \"@DIR@/x\" @PORT@\n", "/d", UP_QUOTED),
                        "a: \"/d/x\" 25\n");
    assert_string_equal(render(*state, "", "/d", UP_QUOTED), "");
}

static void test_up_files_render_leaves_other_ats(void **state)
{
    assert_string_equal(render(*state, "a@b @ @@ @lower@ @DIR", "/d", UP_QUOTED),
                        "a@b @ @@ @lower@ @DIR");
}

static void test_up_files_render_quotes(void **state)
{
    assert_string_equal(render(*state, "\"@DIR@\"", "/a\"b\\c", UP_QUOTED),
                        "\"/a\\\"b\\\\c\"");
    assert_string_equal(render(*state, "x = @DIR@", "/a$b", UP_POSTFIX), "x = /a$$b");
}

static void test_up_files_render_refuses(void **state)
{
    assert_null(render(*state, "@UNKNOWN@", "/d", UP_QUOTED));
    assert_null(render(*state, "@DIR@", "/a\nb: c", UP_QUOTED));
}

#define SET(text, key, value) up_files_override(*state, text, key, value)

static void test_up_files_override_replaces(void **state)
{
    assert_string_equal(SET("a:\n  k: 1\n  l: 2\nb:\n  k: 3\n", "b.k", "9"),
                        "a:\n  k: 1\n  l: 2\nb:\n  k: 9\n");
    assert_string_equal(SET("a:\n    k: 1 # old\n", "a.k", "9"), "a:\n    k: 9\n");
}

static void test_up_files_override_takes_lists_along(void **state)
{
    assert_string_equal(SET("m:\n  p:\n    - x\n    - y\n  q: 1\n", "m.p", "[z]"),
                        "m:\n  p: [z]\n  q: 1\n");
    assert_string_equal(SET("m:\n  p:\n  - x\n  - y\n  q: 1\n", "m.p", "[z]"),
                        "m:\n  p: [z]\n  q: 1\n");
}

static void test_up_files_override_adds_key(void **state)
{
    assert_string_equal(SET("a:\n   l: 2\nb:\n  k: 3\n", "a.k", "9"),
                        "a:\n   l: 2\n   k: 9\nb:\n  k: 3\n");
    assert_string_equal(SET("b:\n  l: 3\n", "b.k", "9"), "b:\n  l: 3\n  k: 9\n");
    assert_string_equal(SET("b:\n", "b.k", "9"), "b:\n  k: 9\n");
}

static void test_up_files_override_adds_section(void **state)
{
    assert_string_equal(SET("a:\n  l: 2\n", "b.k", "9"), "a:\n  l: 2\nb:\n  k: 9\n");
    assert_string_equal(SET("", "b.k", "9"), "b:\n  k: 9\n");
}

static void test_up_files_override_knows_levels(void **state)
{
    /* The key of a deeper group, a longer name, a comment: none of them is it. */
    const char *text = "a:\n  g:\n    k: 1\n  kk: 2\n  # k: 3\n";

    assert_string_equal(SET(text, "a.k", "9"), "a:\n  g:\n    k: 1\n  kk: 2\n  # k: 3\n"
                                               "  k: 9\n");
    assert_string_equal(SET("aa:\n  k: 1\na:\n  k: 2\n", "a.k", "9"),
                        "aa:\n  k: 1\na:\n  k: 9\n");
}

static void test_up_files_override_keeps_comments(void **state)
{
    assert_string_equal(
        SET("# head\na:\n  # why\n  k: 1\n\n# tail\nb:\n  k: 2\n", "a.k", "9"),
        "# head\na:\n  # why\n  k: 9\n\n# tail\nb:\n  k: 2\n");
}

static void test_up_files_quote_escapes(void **state)
{
    assert_string_equal(up_files_quote(*state, "ipc:///a\"b\\"), "\"ipc:///a\\\"b\\\\\"");
}

static void test_up_files_keep_does_not_touch(void **state)
{
    char dir[] = "/tmp/mxdrop-test-XXXXXX";
    const char *path, *text;
    struct mx_err err;
    struct stat st;
    bool is_kept = true;

    assert_non_null(mkdtemp(dir));
    path = mx_arena_printf(*state, "%s/f", dir);
    assert_int_equal(up_files_keep(*state, path, "one", &is_kept, &err), 0);
    assert_false(is_kept);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
    assert_int_equal(up_files_keep(*state, path, "two", &is_kept, &err), 0);
    assert_true(is_kept);
    assert_int_equal(up_files_read(*state, path, &text, &err), 0);
    assert_string_equal(text, "one");
    assert_int_equal(up_files_write(*state, path, "three", 0600, &err), 0);
    assert_int_equal(up_files_read(*state, path, &text, &err), 0);
    assert_string_equal(text, "three");
    unlink(path);
    assert_int_equal(rmdir(dir), 0); /* no temporary file is left either */
}

static void test_up_files_read_names_what_is_missing(void **state)
{
    struct mx_err err;
    const char *text;

    assert_int_equal(up_files_read(*state, "/no/such/file", &text, &err), -1);
    assert_non_null(strstr(err.text, "/no/such/file"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_up_files_render_fills_in),
        cmocka_unit_test(test_up_files_render_leaves_other_ats),
        cmocka_unit_test(test_up_files_render_quotes),
        cmocka_unit_test(test_up_files_render_refuses),
        cmocka_unit_test(test_up_files_override_replaces),
        cmocka_unit_test(test_up_files_override_takes_lists_along),
        cmocka_unit_test(test_up_files_override_adds_key),
        cmocka_unit_test(test_up_files_override_adds_section),
        cmocka_unit_test(test_up_files_override_knows_levels),
        cmocka_unit_test(test_up_files_override_keeps_comments),
        cmocka_unit_test(test_up_files_quote_escapes),
        cmocka_unit_test(test_up_files_keep_does_not_touch),
        cmocka_unit_test(test_up_files_read_names_what_is_missing),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
