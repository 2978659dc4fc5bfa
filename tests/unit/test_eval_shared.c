/* What is prepared for a rule set: lists, numbers, pattern arguments. */
#include "rule_files.h"

#include "rules/eval_shared.h"

static const char data[] = "freemail_domains free.org\nfreemail_max_body_emails 7\n"
                           "freemail_max_body_emails 9\n"
                           "enlist_uri_host (A) a.org !b.a.org\n"
                           "header GOOD eval:check_freemail_from('[0-9]@')\n"
                           "header BAD eval:check_freemail_from('[0-9')\n"
                           "header NONE eval:check_freemail_from()\n";

static void test_eval_shared_words_and_numbers(void **state)
{
    struct rule_files files;
    struct eval_shared *shared;

    (void)state;
    rule_files_one(&files, data);
    shared = eval_shared_new(files.set);
    assert_int_equal(
        eval_words_has(eval_shared_words(shared, "freemail_domains", MX_STR("")),
                       MX_STR("free.org")),
        1);
    assert_int_equal(
        eval_words_has(eval_shared_words(shared, "enlist_uri_host", MX_STR("A")),
                       MX_STR("b.a.org")),
        0);
    assert_null(eval_shared_words(shared, "enlist_uri_host", MX_STR("B")));
    assert_true(eval_shared_number(shared, "freemail_max_body_emails", 5) == 9);
    assert_true(eval_shared_number(shared, "freemail_max_body_freemails", 3) == 3);
    eval_shared_free(shared);
    rule_files_free(&files);
}

static void test_eval_shared_argument(void **state)
{
    struct rule_files files;
    struct eval_context context = {0};
    struct eval_shared *shared;

    (void)state;
    context.set = rule_files_one(&files, data);
    context.shared = shared = eval_shared_new(context.set);
    context.rule = rule_named(context.set, "GOOD");
    assert_true(eval_regex_hit(eval_shared_argument(&context), MX_STR("a7@free.org")));
    context.rule = rule_named(context.set, "NONE");
    assert_null(eval_shared_argument(&context));
    context.rule = rule_named(context.set, "BAD");
    if (context.rule) { /* the reader may have left it out already */
        assert_null(eval_shared_argument(&context));
    }
    eval_shared_free(shared);
    rule_files_free(&files);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_eval_shared_words_and_numbers),
        cmocka_unit_test(test_eval_shared_argument),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
