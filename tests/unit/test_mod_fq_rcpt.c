/* mod_fq_rcpt: a table of recipients. */
#include "module_bed.h"

#include "mod_fq_rcpt.c"

static void test_decide_table(void **state)
{
    static const struct {
        const char *path;
        bool allow_literals;
        const char *reason; /* NULL: NEXT */
    } cases[] = {
        {"<u@example.org>", true, NULL},
        {"<u@sub.example.org>", true, NULL},
        {"<u>", true, "no-domain"},
        {"<postmaster>", true, NULL},
        {"<POSTMASTER>", true, NULL},
        {"<u@localhost>", true, "not-qualified"},
        {"<u@1.2.3.4>", true, "not-qualified"},
        {"<u@[192.0.2.1]>", true, NULL},
        {"<u@[192.0.2.1]>", false, "not-qualified"},
        {"<u@@x.org>", true, "bad-syntax"},
        {"<u@-x.org>", true, "not-qualified"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fq_rcpt_settings settings = {cases[i].allow_literals};
        struct module_bed bed;
        module_bed_init(&bed, &mod_fq_rcpt, &settings, NULL);
        module_bed_rcpt(&bed, cases[i].path);
        enum policy_step step = module_bed_run(&bed, POLICY_AT_RCPT, true);
        if ((step == POLICY_DONE) != (cases[i].reason != NULL))
            fail_msg("%s: step %d", cases[i].path, step);
        if (cases[i].reason) {
            assert_string_equal(bed.verdict.reason, cases[i].reason);
            assert_true(policy_verdict_is_sound(&bed.verdict));
        }
        module_bed_fini(&bed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_decide_table)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
