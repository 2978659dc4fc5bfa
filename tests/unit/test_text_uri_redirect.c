/* Redirector patterns. */
#include "text_case.h"

#include "mx_err.h"
#include "text/text.h"
#include "text/text_uri_redirect.h"

static struct text_redirectors *compile(const char *a, const char *b)
{
    struct mx_str lines[] = {mx_str(a), mx_str(b)};
    struct text_list patterns = {.v = lines, .n = b != NULL ? 2 : 1};
    struct text_redirectors *out = NULL;
    struct mx_err err;
    assert_int_equal(text_redirectors_new(&patterns, &out, &err), 0);
    return out;
}

static void test_match_takes_the_first_with_a_dot(void **state)
{
    struct text_redirectors *r =
        compile("/^http:\\/\\/r\\.x\\/(\\w+)/", "m'^http://R\\.x/(.*?)(?:$|&)'i");
    struct mx_str out;
    assert_true(text_redirectors_match(r, MX_STR("http://r.x/a.b&c"), &out));
    assert_slice(*state, out, "a.b");
    assert_false(text_redirectors_match(r, MX_STR("http://r.x/abc"), &out));
    assert_false(text_redirectors_match(NULL, MX_STR("http://r.x/a.b"), &out));
    text_redirectors_free(r);
}

static void test_match_gives_up_on_backtracking(void **state)
{
    struct text_redirectors *r = compile("/^(?:a+)+(b\\.)$/", NULL);
    char *text = mx_arena_alloc(*state, 101);
    memset(text, 'a', 100);
    struct mx_str out;
    assert_false(text_redirectors_match(r, mx_str_of(text, 100), &out));
    text_redirectors_free(r);
}

static void test_new_refuses_what_is_no_pattern(void **state)
{
    (void)state;
    static const char *const lines[] = {"", "m", "/x", "/(/", "/x/q", "m{x/"};
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        struct mx_str line = mx_str(lines[i]);
        struct text_list patterns = {.v = &line, .n = 1};
        struct text_redirectors *out = NULL;
        struct mx_err err = {0};
        assert_int_equal(text_redirectors_new(&patterns, &out, &err), -1);
        assert_null(out);
        assert_int_equal(err.code, MX_ERR_INPUT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_match_takes_the_first_with_a_dot),
        cmocka_unit_test(test_match_gives_up_on_backtracking),
        cmocka_unit_test(test_new_refuses_what_is_no_pattern),
    };
    return cmocka_run_group_tests(tests, text_case_setup, text_case_teardown);
}
