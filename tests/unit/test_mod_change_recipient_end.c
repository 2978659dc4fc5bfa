/* mod_change_recipient_end: what RCPT said becomes the envelope, and nothing else does.
 */
#include "module_bed.h"

#include "mod_change_recipient_end.c"

static void test_decide_rewritten(void **state)
{
    struct module_bed bed;
    (void)state;
    module_bed_init(&bed, &mod_change_recipient_end, NULL, NULL);
    module_bed_rcpt(&bed, "<team@a.example>");
    assert_int_equal(module_bed_run(&bed, POLICY_AT_CONTENT, true), POLICY_NEXT);
    assert_null(bed.verdict.rewrite);
    bed.rcpt.rewritten = MX_STR("<one@a.example>");
    assert_int_equal(module_bed_run(&bed, POLICY_AT_CONTENT, true), POLICY_NEXT);
    assert_true(mx_str_eq(bed.verdict.rewrite->paths, MX_STR("<one@a.example>")));
    module_bed_fini(&bed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decide_rewritten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
