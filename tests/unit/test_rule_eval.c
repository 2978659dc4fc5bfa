/* Eval functions by name, and whether a rule calls one rightly. */
#include "rule_files.h"

#include "rules/eval_family.h"
#include "rules/rule_eval.h"

static void test_rule_eval_find(void **state)
{
    (void)state;
    assert_string_equal(rule_eval_find(MX_STR("html_test"))->name, "html_test");
    assert_non_null(rule_eval_find(MX_STR("check_body_length")));
    assert_null(rule_eval_find(MX_STR("check_body_lengt")));
    assert_null(rule_eval_find(MX_STR("")));
}

/* No name twice: the second would never run. */
static void test_rule_eval_find_unique(void **state)
{
    static const struct eval_function *const some[] = {
        eval_header_functions, eval_mime_functions, eval_html_functions,
        eval_wlbl_functions,   eval_uri_functions,  eval_network_functions,
    };

    (void)state;
    for (size_t i = 0; i < sizeof(some) / sizeof(*some); i++) {
        for (const struct eval_function *row = some[i]; row->name; row++) {
            assert_ptr_equal(rule_eval_find(mx_str(row->name)), row);
        }
    }
}

static void test_rule_eval_find_network(void **state)
{
    static const char *const names[] = {"check_rbl",          "check_uridnsbl",
                                        "check_for_spf_pass", "check_dkim_valid",
                                        "check_dmarc_reject", "check_pyzor"};

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        const struct eval_function *function = rule_eval_find(mx_str(names[i]));

        assert_non_null(function);
        assert_true(function->needs_network);
        assert_int_equal(function->run(NULL, NULL, 0), 0);
    }
    assert_false(rule_eval_find(MX_STR("check_bayes"))->needs_network);
}

static int check(const char *function, const char *first, struct mx_err *err)
{
    struct mx_str args[] = {mx_str("title"), mx_str(first)};
    struct rule rule = {
        .function = mx_str(function), .args = args, .n_args = first ? 2 : 1};

    return rule_eval_check(&rule, err);
}

static void test_rule_eval_check(void **state)
{
    struct mx_err err = {0};

    (void)state;
    assert_int_equal(check("html_text_match", "a.c", &err), 0);
    assert_int_equal(check("html_text_match", "a(c", &err), -1);
    assert_non_null(strstr(err.text, "pattern"));
    assert_int_equal(check("html_text_match", NULL, &err), -1);
    assert_non_null(strstr(err.text, "2 arguments"));
    assert_int_equal(check("no_such_function", "a", &err), -1);
    assert_non_null(strstr(err.text, "no_such_function"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rule_eval_find),
        cmocka_unit_test(test_rule_eval_find_unique),
        cmocka_unit_test(test_rule_eval_find_network),
        cmocka_unit_test(test_rule_eval_check),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
