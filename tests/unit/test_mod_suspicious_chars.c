/* mod_suspicious_chars: NUL and bare CR in the header, and in the body where a site says
 * so. */
#include "module_bed.h"

#include "mod_suspicious_chars.c"

static void expect(const char *symbol, int header, int body, enum policy_step step)
{
    const struct chars_settings settings = {header, body};
    struct policy_finding finding = {.symbol = mx_str(symbol)};
    struct policy_scan scan = {.findings = &finding, .n_findings = 1};
    struct module_bed bed;
    module_bed_init(&bed, &mod_suspicious_chars, &settings, NULL);
    bed.req.scan = &scan;
    assert_int_equal(module_bed_run(&bed, POLICY_AT_CONTENT, true), step);
    module_bed_fini(&bed);
}

static void test_decide_table(void **state)
{
    const int off = POLICY_CONTENT_OFF, refuse = POLICY_CONTENT_REFUSE;
    (void)state;
    expect("MX_SUSPICIOUS_CHARS", refuse, off, POLICY_DONE);
    expect("MX_SUSPICIOUS_CHARS", off, off, POLICY_NEXT);
    expect("MX_BODY_NUL", refuse, off, POLICY_NEXT);
    expect("MX_BODY_NUL", off, refuse, POLICY_DONE);
    expect("MX_BARE_CR", off, refuse, POLICY_DONE);
    expect("MX_BARE_LF", refuse, refuse, POLICY_NEXT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decide_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
