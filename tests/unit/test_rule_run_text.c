/* Which texts the rules of a group see: lists as they are, a header, a field of each
 * part.
 */
#include "text_case.h"

#include "mx_err.h"
#include "rules/rule_run_text.h"
#include "text/text.h"

static const char message[] =
    "Subject: =?UTF-8?Q?caf=C3=A9?=\n"
    "Content-Type: multipart/mixed; boundary=b\n"
    "X-Twice: first\nX-Twice: second\n\n"
    "--b\nContent-Type: text/plain\n\nsee http://example.org/x\n"
    "--b\nX-Part:  folded\n line\nX-Part: last\n\nmore\n--b--\n";

/* The texts of ${group} as "[a][b]", "(none)" for a part without the field. */
static const char *texts_of(struct mx_arena *arena, const struct rule_match_group *group)
{
    struct text_settings settings = {0};
    struct text_connection unknown = {.is_known = false};
    struct texts *texts = mx_arena_alloc(arena, sizeof(*texts));
    struct rule_texts out;
    struct mx_err err;
    const char *line = "";
    if (texts_form(arena, &settings, mx_str(message), &unknown, texts, &err) < 0)
        fail_msg("%s", err.text);
    rule_run_texts(arena, texts, group, &out);
    if (out.is_missing) {
        assert_int_equal(out.list.n, 0);
        return "missing";
    }
    for (size_t i = 0; i < out.list.n; i++)
        line = out.list.v[i].p == NULL
                   ? mx_arena_printf(arena, "%s(none)", line)
                   : mx_arena_printf(arena, "%s[%.*s]", line, MX_STR_FMT(out.list.v[i]));
    return line;
}

#define assert_texts(arena, want, ...)                                                   \
    assert_string_equal(texts_of(arena, &(struct rule_match_group){__VA_ARGS__}), want)

static void test_run_texts_of_lists(void **state)
{
    assert_texts(*state, "[caf\xc3\xa9\n][see http://example.org/x more]",
                 .kind = RULE_BODY);
    assert_texts(*state, "[see http://example.org/x][more]", .kind = RULE_RAWBODY);
    assert_texts(*state, mx_arena_printf(*state, "[%s]", message), .kind = RULE_FULL);
    assert_texts(*state, "", .kind = RULE_META);
}

static void test_run_texts_of_a_header(void **state)
{
    assert_texts(*state, "[caf\xc3\xa9\n]", .kind = RULE_HEADER,
                 .selector = MX_STR("Subject"));
    assert_texts(*state, "[first\nsecond\n]", .kind = RULE_HEADER,
                 .selector = MX_STR("x-twice"));
    assert_texts(*state, "missing", .kind = RULE_HEADER, .selector = MX_STR("X-No"));
}

/* The last field of a name counts, raw as it was folded. */
static void test_run_texts_of_parts(void **state)
{
    assert_texts(*state, "(none)(none)[last\n]", .kind = RULE_MIMEHEADER,
                 .selector = MX_STR("x-part"));
    assert_texts(*state, "[second\n](none)(none)", .kind = RULE_MIMEHEADER,
                 .selector = MX_STR("X-Twice"));
    assert_texts(*state, "[text/plain\n]", .kind = RULE_MIMEHEADER,
                 .selector = MX_STR("Content-Type"), .is_raw = true, .part_from = 2,
                 .part_to = 2);
    assert_texts(*state, "[second\n\n\n]", .kind = RULE_MIMEHEADER,
                 .selector = MX_STR("X-Twice"), .is_concat = true);
}

static void test_run_texts_of_all_fields(void **state)
{
    assert_texts(*state, "[X-Part: folded line\nX-Part: last\n]", .kind = RULE_MIMEHEADER,
                 .selector = MX_STR("ALL"), .part_from = 3, .part_to = 9);
}

#define WITH_ARENA(test)                                                                 \
    cmocka_unit_test_setup_teardown(test, text_case_setup, text_case_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_ARENA(test_run_texts_of_lists),
        WITH_ARENA(test_run_texts_of_a_header),
        WITH_ARENA(test_run_texts_of_parts),
        WITH_ARENA(test_run_texts_of_all_fields),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
