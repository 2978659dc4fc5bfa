/* Word lists: plain, taken out, with wildcards. */
#include "rule_files.h"

#include "rules/eval_words.h"

static struct mx_str entries[] = {MX_STR("example.org"), MX_STR("!www.example.org"),
                                  MX_STR("*@shop.*"), MX_STR("yahoo.*"),
                                  MX_STR("mail.co.??")};
static const struct rule_list list = {.entries = {entries, 5}};

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

static void test_eval_words_has(void **state)
{
    struct eval_words *words = eval_words_new(*state, &list);

    assert_int_equal(eval_words_has(words, MX_STR("example.org")), 1);
    assert_int_equal(eval_words_has(words, MX_STR("www.example.org")), 0);
    assert_int_equal(eval_words_has(words, MX_STR("example.com")), -1);
    assert_int_equal(eval_words_has(NULL, MX_STR("example.org")), -1);
    eval_words_free(words);
}

static void test_eval_words_match(void **state)
{
    struct eval_words *words = eval_words_new(*state, &list);

    assert_true(eval_words_match(words, MX_STR("a@shop.co.uk")));
    assert_true(eval_words_match(words, MX_STR("yahoo.co.uk")));
    assert_false(eval_words_match(words, MX_STR("www.example.org")));
    assert_false(eval_words_match(NULL, MX_STR("example.org")));
    eval_words_free(words);
}

static void test_eval_words_match_labels(void **state)
{
    struct eval_words *words = eval_words_new(*state, &list);

    assert_true(eval_words_match_labels(words, MX_STR("yahoo.fr")));
    assert_false(eval_words_match_labels(words, MX_STR("yahoo.co.uk")));
    assert_false(eval_words_match_labels(words, MX_STR("yahoo")));
    assert_true(eval_words_match_labels(words, MX_STR("mail.co.uk")));
    assert_false(eval_words_match_labels(words, MX_STR("mail.co.uk.com")));
    assert_false(eval_words_match_labels(NULL, MX_STR("yahoo.fr")));
    eval_words_free(words);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_eval_words_has, setup, teardown),
        cmocka_unit_test_setup_teardown(test_eval_words_match, setup, teardown),
        cmocka_unit_test_setup_teardown(test_eval_words_match_labels, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
