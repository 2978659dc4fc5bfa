/* mod_block_partial: what is not in the message, or can be read in two ways. */
#include "module_bed.h"

#include "mod_block_partial.c"

static void expect(const char *symbol, const struct block_settings *settings,
                   enum policy_step step, enum policy_action action)
{
    struct policy_finding finding = {.symbol = mx_str(symbol)};
    struct policy_scan scan = {.findings = &finding, .n_findings = 1};
    struct module_bed bed;
    module_bed_init(&bed, &mod_block_partial, settings, NULL);
    bed.req.scan = &scan;
    assert_int_equal(module_bed_run(&bed, POLICY_AT_CONTENT, true), step);
    assert_int_equal(bed.verdict.action, action);
    assert_int_equal(bed.verdict.is_for_all, step == POLICY_DONE);
    module_bed_fini(&bed);
}

static void test_decide_table(void **state)
{
    const struct block_settings defaults = {POLICY_CONTENT_REFUSE, POLICY_CONTENT_REFUSE,
                                            POLICY_CONTENT_OFF};
    const struct block_settings other = {POLICY_CONTENT_OFF, POLICY_CONTENT_HOLD,
                                         POLICY_CONTENT_DISCARD};
    (void)state;
    expect("MX_MIME_PARTIAL", &defaults, POLICY_DONE, POLICY_REJECT);
    expect("MX_MIME_EXTERNAL", &defaults, POLICY_DONE, POLICY_REJECT);
    expect("MX_MIME_AMBIGUOUS", &defaults, POLICY_NEXT, POLICY_CONTINUE);
    expect("MX_MIME_NO_END", &defaults, POLICY_NEXT, POLICY_CONTINUE);
    expect("MX_MIME_PARTIAL", &other, POLICY_NEXT, POLICY_CONTINUE);
    expect("MX_MIME_EXTERNAL", &other, POLICY_DONE, POLICY_HOLD);
    expect("MX_MIME_AMBIGUOUS", &other, POLICY_DONE, POLICY_DISCARD);
}

static void test_decide_not_scanned_fails(void **state)
{
    const struct block_settings settings = {POLICY_CONTENT_REFUSE, POLICY_CONTENT_REFUSE,
                                            POLICY_CONTENT_OFF};
    struct module_bed bed;
    (void)state;
    module_bed_init(&bed, &mod_block_partial, &settings, NULL);
    assert_int_equal(module_bed_run(&bed, POLICY_AT_CONTENT, true), POLICY_FAIL);
    module_bed_fini(&bed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decide_table),
        cmocka_unit_test(test_decide_not_scanned_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
