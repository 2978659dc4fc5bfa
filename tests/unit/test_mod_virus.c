/* mod_virus: findings in, one verdict for everybody out. */
#include "module_bed.h"

#include "mod_virus.c"

static void test_decide_table(void **state)
{
    static const struct mx_str names[] = {MX_STR("Eicar\r\nTest"), MX_STR("Second")};
    static const struct policy_scan clean = {.score = 1000};
    static const struct policy_scan infected = {.viruses = names, .n_viruses = 2};
    static const struct policy_scan poison = {.is_poison = true};
    static const struct policy_scan both = {
        .viruses = names, .n_viruses = 1, .is_poison = true};
    static const struct {
        const struct policy_scan *scan;
        enum policy_content_action setting;
        enum policy_step step;
        enum policy_action action;
        const char *reason;
    } cases[] = {
        {&clean, POLICY_CONTENT_REFUSE, POLICY_NEXT, POLICY_CONTINUE, NULL},
        {&infected, POLICY_CONTENT_REFUSE, POLICY_DONE, POLICY_REJECT, "virus"},
        {&infected, POLICY_CONTENT_DISCARD, POLICY_DONE, POLICY_DISCARD, "virus"},
        {&infected, POLICY_CONTENT_HOLD, POLICY_DONE, POLICY_HOLD, "virus"},
        {&infected, POLICY_CONTENT_OFF, POLICY_NEXT, POLICY_CONTINUE, NULL},
        {&poison, POLICY_CONTENT_DISCARD, POLICY_DONE, POLICY_HOLD, "poison"},
        {&both, POLICY_CONTENT_OFF, POLICY_DONE, POLICY_HOLD, "poison"},
        {NULL, POLICY_CONTENT_REFUSE, POLICY_FAIL, POLICY_CONTINUE, "not scanned"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct virus_settings settings = {cases[i].setting};
        struct module_bed bed;
        module_bed_init(&bed, &mod_virus, &settings, NULL);
        module_bed_rcpt(&bed, "<u@example.net>");
        bed.req.scan = cases[i].scan;
        assert_int_equal(module_bed_run(&bed, POLICY_AT_CONTENT, true), cases[i].step);
        assert_int_equal(bed.verdict.action, cases[i].action);
        if (cases[i].reason)
            assert_string_equal(bed.verdict.reason, cases[i].reason);
        assert_int_equal(bed.verdict.is_for_all, cases[i].step == POLICY_DONE);
        if (bed.verdict.action == POLICY_REJECT)
            assert_true(mx_str_find(bed.verdict.text, MX_STR("(Eicar??Test)")) > 0);
        module_bed_fini(&bed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_decide_table)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
