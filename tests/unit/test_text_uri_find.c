/* Addresses in running text. */
#include "text_case.h"

#include <time.h>

#include "text/text_uri_find.h"
#include "text_lists.h"

static const char *found_in(struct mx_arena *arena, struct mx_str text)
{
    struct text_list store[3];
    struct text_lists lists = text_lists_few(store);
    struct text_finder finder = {.text = text, .lists = &lists};
    const char *line = "";
    for (struct text_found found; text_find_next(&finder, &found);)
        line = mx_arena_printf(arena, "%s%c[%.*s]", line, "SMH"[found.kind],
                               MX_STR_FMT(found.uri));
    return line;
}

static void test_next_finds_what_mailers_link(void **state)
{
    static const char *const cases[][2] = {
        {"see http://a.b/c, ok", "S[http://a.b/c]"},
        {"(http://a.b/c)d", "S[http://a.b/c]"},
        {"(http://a.b/c(d))", "S[http://a.b/c(d]"},
        {"http://a.b/c(d)e", "S[http://a.b/c(d)e]"},
        {"WWW.x ftp.y www123.z", "S[WWW.x]S[ftp.y]"},
        {"<x@a.com>, y@b.com; mailto:z", "M[x@a.com]M[y@b.com]M[mailto:z]"},
        {"a.com b.org/x?y c.nope d.com:80/", "H[a.com]H[b.org/x?y]"},
        {"a.com. b.com: c.com:8080", "H[a.com]H[c.com:8080]"},
        {"a.com, b.com_c d.com-", ""},
        {"a.com..", ""},
        {"x.a.com/%20", "H[x.a.com/%20]"},
        {"http:// https://", ""},
        {"http://x\xc2\xa0y", "S[http://x\xc2]"},
        {"_.com %a.com -b.com", ""},
        {"\x1b(Bhttp://x", "S[http://x]"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_string_equal(found_in(*state, mx_str(cases[i][0])), cases[i][1]);
}

static void test_next_gives_the_bare_host(void **state)
{
    struct text_list store[3];
    struct text_lists lists = text_lists_few(store);
    struct text_finder finder = {.text = MX_STR("!x.a.com.:80/y!"), .lists = &lists};
    struct text_found found;
    assert_true(text_find_next(&finder, &found));
    assert_slice(*state, found.host, "x.a.com");
    assert_slice(*state, found.uri, "x.a.com.:80/y");
    assert_false(text_find_next(&finder, &found));
}

static void test_next_bounds_lengths(void **state)
{
    char *text = mx_arena_alloc(*state, 4096);
    memset(text, 'a', 3000);
    memcpy(text, "http://", 7);
    text[7 + 2048] = '\0';
    assert_int_equal(strlen(found_in(*state, mx_str(text))), 7 + 2048 + 3);
    text[7 + 2048] = 'a';
    assert_string_equal(found_in(*state, mx_str_of(text, 7 + 2049)), "");
    memset(text, 'a', 300);
    memcpy(text + 251, "@b.com", 7);
    assert_int_equal(found_in(*state, mx_str(text))[0], 'M');
    memcpy(text + 252, "@b.com", 7);
    text[251] = 'a';
    assert_string_equal(found_in(*state, mx_str(text)), "H[b.com]");
}

static void test_next_is_linear(void **state)
{
    static const char *const units[] = {"a",    "a.", "a-",    "a/",     "(",
                                        "www.", "a@", ".com/", "http:/", ":80"};
    enum { SIZE = 1 << 20 };
    char *text = mx_arena_alloc(*state, SIZE);
    struct text_list store[3];
    struct text_lists lists = text_lists_few(store);
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        for (size_t at = 0; at < SIZE; at++)
            text[at] = units[i][at % strlen(units[i])];
        struct text_finder finder = {.text = mx_str_of(text, SIZE), .lists = &lists};
        struct text_found found;
        clock_t start = clock();
        while (text_find_next(&finder, &found))
            assert_true(found.uri.n <= SIZE);
        assert_true(clock() - start < 5 * CLOCKS_PER_SEC); /* quadratic: minutes */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_next_finds_what_mailers_link),
        cmocka_unit_test(test_next_gives_the_bare_host),
        cmocka_unit_test(test_next_bounds_lengths),
        cmocka_unit_test(test_next_is_linear),
    };
    return cmocka_run_group_tests(tests, text_case_setup, text_case_teardown);
}
