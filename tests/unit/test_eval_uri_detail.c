/* uri_detail: each criterion, any of several texts, one address for all of them. */
#include "eval_case.h"

#include "rules/eval_uri_detail.h"

#define TEXT(body) "Subject: s\n\n" body "\n"
#define HTML(source) "Subject: s\nContent-Type: text/html\n\n" source "\n"
#define LINK "<a href=\"http://www.Evil.example.com/x%41\">Your bank</a>"

static const struct {
    const char *criteria, *message;
    int hits;
} cases[] = {
    {"raw =~ /x%41/", HTML(LINK), 1},
    {"raw =~ /xA/", HTML(LINK), 0},
    {"cleaned =~ /xA$/", HTML(LINK), 1},
    {"type =~ /^a$/", HTML(LINK), 1},
    {"type =~ /^img$/", HTML(LINK), 0},
    {"type =~ /^img$/", HTML("<img src=\"http://example.com/\">"), 1},
    {"type =~ /^parsed$/", HTML(LINK), 0},
    {"type =~ /^parsed$/", TEXT("http://example.com/"), 1},
    {"text =~ /bank/", HTML(LINK), 1},
    {"text =~ /other/", HTML(LINK), 0},
    {"text !~ /other/", HTML(LINK), 1},
    {"text !~ /other/", TEXT("http://example.com/"), 0}, /* there is no text */
    {"domain =~ /^example\\.com$/", HTML(LINK), 1},
    {"domain =~ /evil/", HTML(LINK), 0},
    {"host =~ /^www\\.evil\\./", HTML(LINK), 1},
    {"host !~ /evil/", HTML(LINK), 0},
    {"text =~ /bank/ domain !~ /bank/", HTML(LINK), 1},
    {"text =~ /bank/ domain =~ /example\\.org/", HTML(LINK " http://example.org/"), 0},
    {"text =~ /bank/ raw =~ /^http/", TEXT("nothing"), 0},
};

#define CASES (sizeof(cases) / sizeof(*cases))

static void test_check_uri_detail(void **state)
{
    struct mx_buf rules = {0};
    struct rule_files files;

    (void)state;
    mx_buf_str(&rules, EVAL_CASE_WORLD);
    for (size_t i = 0; i < CASES; i++)
        mx_buf_printf(&rules, "uri_detail T%zu %s\n", i, cases[i].criteria);
    rule_files_one(&files, rules.p);
    struct eval_shared *shared = eval_shared_new(files.set);
    struct mx_arena *arena = mx_arena_new(64u << 20);
    for (size_t i = 0; i < CASES; i++) {
        struct eval_case one = {cases[i].criteria, cases[i].message, cases[i].hits};

        mx_arena_reset(arena);
        if (eval_case_one(arena, files.set, shared, i, &one) != one.hits)
            fail_msg("%s on %s", one.call, one.message);
    }
    mx_arena_free(arena);
    eval_shared_free(shared);
    rule_files_free(&files);
    mx_buf_fini(&rules);
}

/* Memory is that of a message's addresses, not of addresses times rules. */
static void test_check_uri_detail_makes_texts_once(void **state)
{
    struct rule_files files;
    struct texts texts;
    struct text_connection unknown = {0};
    const struct eval_function *function = rule_eval_find(MX_STR("check_uri_detail"));

    (void)state;
    rule_files_one(&files, EVAL_CASE_WORLD
                   "uri_detail T0 raw =~ /x/ type =~ /a/ cleaned =~ /x/ text =~ /bank/ "
                   "domain =~ /example/ host =~ /none/\n");
    struct eval_shared *shared = eval_shared_new(files.set);
    struct mx_arena *arena = mx_arena_new(64u << 20);
    struct eval_context context = {.arena = arena,
                                   .set = files.set,
                                   .shared = shared,
                                   .texts = &texts,
                                   .rule = rule_named(files.set, "T0")};
    assert_int_equal(
        texts_form(arena, &files.set->text, mx_str(HTML(LINK)), &unknown, &texts, NULL),
        0);
    assert_int_equal(texts.n_uri_details, 1);
    assert_int_equal(function->run(&context, NULL, 0), 0);
    size_t left = mx_arena_left(arena);
    assert_int_equal(function->run(&context, NULL, 0), 0);
    assert_int_equal(mx_arena_left(arena), left);
    mx_arena_free(arena);
    eval_shared_free(shared);
    rule_files_free(&files);
}

/* Called by its name it has no criteria. */
static void test_eval_uri_detail_new_needs_criteria(void **state)
{
    const struct mx_str two[] = {MX_STR("raw"), MX_STR("=~")};
    const struct mx_str odd[] = {MX_STR("path"), MX_STR("=~"), MX_STR("x")};
    struct rule rule = {.function = MX_STR("check_uri_detail")};
    struct eval_uri_detail *detail = NULL;

    (void)state;
    assert_true(eval_is_uri_detail(&rule));
    assert_int_equal(eval_uri_detail_new(&rule, &detail, NULL), -1);
    rule.args = two;
    rule.n_args = 2;
    assert_int_equal(eval_uri_detail_new(&rule, &detail, NULL), -1);
    rule.args = odd;
    rule.n_args = 3;
    assert_int_equal(eval_uri_detail_new(&rule, &detail, NULL), -1);
    eval_uri_detail_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_check_uri_detail),
        cmocka_unit_test(test_check_uri_detail_makes_texts_once),
        cmocka_unit_test(test_eval_uri_detail_new_needs_criteria),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
