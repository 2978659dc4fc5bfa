/* Criteria of uri_detail rules. */
#include "rule_files.h"

/* The arguments as "a|b|c", of the only rule; "-" where it was refused. */
static void expect(const char *criteria, const char *wanted)
{
    struct rule_files files;
    struct mx_buf line = {0}, got = {0};
    const struct rule_set *set;
    const struct rule *rule;

    mx_buf_printf(&line, "uri_detail U %s\n", criteria);
    set = rule_files_one(&files, line.p);
    rule = rule_named(set, "U");
    mx_buf_str(&got, rule ? "" : "-");
    for (size_t i = 0; rule && i < rule->n_args; i++)
        mx_buf_printf(&got, "%s%.*s", i ? "|" : "", MX_STR_FMT(rule->args[i]));
    if (strcmp(got.p, wanted) != 0)
        fail_msg("%s: %s, not %s", criteria, got.p, wanted);
    assert_int_equal(rule ? 0 : 1, rule_problems(set, RULE_PROBLEM_SYNTAX));
    mx_buf_fini(&line);
    mx_buf_fini(&got);
    rule_files_free(&files);
}

static void test_rule_read_criteria_forms(void **state)
{
    (void)state;
    expect("text =~ /pay/i domain !~ /pay\\.com$/",
           "text|=~|(?i)pay|domain|!~|pay\\.com$");
    expect("raw=~/^x y$/", "raw|=~|^x y$");
    expect("host =~ m'a/b's", "host|=~|(?s)a/b");
    expect("type =~ /^a$/ and cleaned !~ m,x,", "type|=~|^a$|cleaned|!~|x");
    expect("text =~ /a/ text =~ /b/", "text|=~|b"); /* the last one counts */
}

static void test_rule_read_criteria_refused(void **state)
{
    (void)state;
    expect("nothing here", "-");
    expect("path =~ /x/", "-");
    expect("text =~ /x", "-");
    expect("text =~ x", "-");
    expect("text =~ /x/ domain =~", "-");
    expect("text =~ /(?{ system })/", "-");
    expect("=~ /x/", "-");
}

/* What does not compile is known as a rule, reported, and never hits. */
static void test_rule_read_criteria_broken_pattern(void **state)
{
    struct rule_files files;
    const struct rule_set *set = rule_files_one(&files, "uri_detail U text =~ /(/\n");

    (void)state;
    assert_non_null(rule_named(set, "U"));
    assert_int_equal(rule_problems(set, RULE_PROBLEM_SYNTAX), 1);
    rule_files_free(&files);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rule_read_criteria_forms),
        cmocka_unit_test(test_rule_read_criteria_refused),
        cmocka_unit_test(test_rule_read_criteria_broken_pattern),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
