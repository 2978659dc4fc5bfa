/* mod_findings: the site's list of symbols and actions, and what is no such list. */
#include "module_bed.h"

#include "mod_findings.c"

static struct findings_settings settings_of(const char **actions, size_t n)
{
    return (struct findings_settings){.actions = {actions, n}, .text = "Not here"};
}

static void expect(const char *symbol, enum policy_step step, enum policy_action action)
{
    const char *actions[] = {"MX_DOC_MACROS hold", "MX_CLAMAV_LIMITS   discard ",
                             "MX_MIME_NO_END refuse"};
    struct findings_settings settings = settings_of(actions, 3);
    struct policy_finding finding = {.symbol = mx_str(symbol), .detail = MX_STR("a.doc")};
    struct policy_scan scan = {.findings = &finding, .n_findings = 1};
    struct module_bed bed;
    module_bed_init(&bed, &mod_findings, &settings, NULL);
    bed.req.scan = &scan;
    assert_int_equal(module_bed_run(&bed, POLICY_AT_CONTENT, true), step);
    assert_int_equal(bed.verdict.action, action);
    assert_int_equal(bed.verdict.is_for_all, step == POLICY_DONE);
    if (action == POLICY_REJECT)
        assert_true(mx_str_eq(bed.verdict.text, MX_STR("Not here (a.doc)")));
    module_bed_fini(&bed);
}

static void test_decide_table(void **state)
{
    (void)state;
    expect("MX_DOC_MACROS", POLICY_DONE, POLICY_HOLD);
    expect("MX_CLAMAV_LIMITS", POLICY_DONE, POLICY_DISCARD);
    expect("MX_MIME_NO_END", POLICY_DONE, POLICY_REJECT);
    expect("MX_DOC_MACRO", POLICY_NEXT, POLICY_CONTINUE);
    expect("", POLICY_NEXT, POLICY_CONTINUE);
}

/* Findings come in any order: the site's order decides. */
static void test_decide_first_of_the_list(void **state)
{
    const char *actions[] = {"B hold", "A refuse"};
    struct findings_settings settings = settings_of(actions, 2);
    struct policy_finding found[] = {{.symbol = MX_STR("A")}, {.symbol = MX_STR("B")}};
    struct policy_scan scan = {.findings = found, .n_findings = 2};
    struct module_bed bed;
    (void)state;
    module_bed_init(&bed, &mod_findings, &settings, NULL);
    bed.req.scan = &scan;
    assert_int_equal(module_bed_run(&bed, POLICY_AT_CONTENT, true), POLICY_DONE);
    assert_int_equal(bed.verdict.action, POLICY_HOLD);
    bed.req.scan = NULL;
    assert_int_equal(module_bed_run(&bed, POLICY_AT_CONTENT, true), POLICY_FAIL);
    module_bed_fini(&bed);
}

static void test_start_what_is_no_action(void **state)
{
    const char *wrong[] = {"", " ", "A", "A off", "A Hold", "A hold B", "hold"};
    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct findings_settings settings = settings_of(&wrong[i], 1);
        struct policy_env env = {.settings = &settings};
        struct findings self = {0};
        struct mx_err err = {0};
        assert_int_equal(mod_findings.start(&self, &env, &err), -1);
        assert_int_equal(err.code, MX_ERR_INPUT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decide_table),
        cmocka_unit_test(test_decide_first_of_the_list),
        cmocka_unit_test(test_start_what_is_no_action),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
