/* text_form: every text is there, together, and nothing where there is no room. */
#include "text_case.h"

#include <stdlib.h>

#include "mx_err.h"
#include "text/text.h"

static struct mx_str tld_words[] = {{"com", 3}};
static const struct text_list tlds = {tld_words, 1}, none = {NULL, 0};
static const struct text_settings settings = {
    .lists = {.tlds = &tlds, .two_level = &none, .three_level = &none}};

static void test_texts_form_all(void **state)
{
    struct mx_str raw = MX_STR("From me\nSubject: S\nReturn-Path: <a@example.com>\n"
                               "Content-Type: text/html\n\n"
                               "<p>Go to <a href=\"http://example.com/x\">it</a>\n");
    struct texts texts;
    struct mx_err err;
    assert_int_equal(texts_form(*state, &settings, raw, NULL, &texts, &err), 0);
    assert_true(mx_str_starts(texts.full, MX_STR("Subject: S\n")));
    assert_slice(*state, texts.envelope_from, "a@example.com");
    assert_slice(*state, texts.body.v[0], "S\n");
    assert_true(mx_str_find(texts.body.v[texts.body.n - 1], MX_STR("Go to it")) >= 0);
    assert_int_equal(texts.rawbody.n, 1);
    assert_true(texts.uris.n >= 1);
    assert_slice(*state, texts.uris.v[0], "http://example.com/x");
    assert_int_equal(texts.relays.n, 0);
}

static void test_texts_form_no_room(void **state)
{
    struct mx_arena *small = mx_arena_new(3 << 20);
    struct texts texts = {.now_s = 7};
    struct mx_err err;
    char *raw = mx_xalloc(2 << 20);
    (void)state;
    memset(raw, 'x', 2 << 20);
    assert_int_equal(
        texts_form(small, &settings, mx_str_of(raw, 2 << 20), NULL, &texts, &err), -1);
    assert_int_equal(err.code, MX_ERR_LIMIT);
    assert_int_equal(texts.now_s, 7); /* untouched */
    mx_arena_free(small);
    free(raw);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts_form_all),
        cmocka_unit_test(test_texts_form_no_room),
    };
    return cmocka_run_group_tests(tests, text_case_setup, text_case_teardown);
}
