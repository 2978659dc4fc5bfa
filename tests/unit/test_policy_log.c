/* policy_log: one line, the module named, nothing from outside unescaped. */
#include "policy_bed.h"

#include "policy_log.h"
#include "policy_outcome.h"

static const char conf[] = "  chain: {rcpt: [fq_rcpt], content: [spam]}\n";

static void test_verdict_levels(void **state)
{
    struct policy_bed bed;
    (void)state;
    policy_bed_init(&bed, conf);
    mx_log_set_level(bed.log, MX_LOG_INFO);
    policy_bed_request(&bed, POLICY_AT_RCPT);
    policy_bed_run(&bed, false);
    policy_log_verdict(bed.log, &bed.check, NULL);
    assert_string_equal(policy_bed_log(&bed), ""); /* it passed: debug */
    policy_bed_rcpt(&bed, 0, "<u>");
    bed.req.id = MX_STR("Q 1\nfake=line");
    policy_bed_run(&bed, false);
    policy_log_verdict(bed.log, &bed.check, NULL);
    const char *line = policy_bed_log(&bed);
    assert_non_null(strstr(line, "policy.verdict id=\"Q 1\\x0afake=line\" stage=rcpt "
                                 "module=fq_rcpt action=reject reason=no-domain ms="));
    assert_ptr_equal(strchr(line, '\n'), strrchr(line, '\n'));
    policy_log_verdict(NULL, &bed.check, NULL);
    policy_bed_fini(&bed);
}

static void test_verdict_content(void **state)
{
    struct policy_bed bed;
    struct policy_outcome outcome;
    (void)state;
    policy_bed_init(&bed, conf);
    policy_bed_request(&bed, POLICY_AT_CONTENT);
    bed.req.scan_fault = MX_STR("down");
    policy_bed_run(&bed, false);
    policy_outcome_fold(&bed.check, &outcome);
    policy_log_verdict(bed.log, &bed.check, &outcome);
    const char *log = policy_bed_log(&bed);
    assert_non_null(strstr(log, "module=- action=continue reason=- ms="));
    assert_non_null(
        strstr(log, " rcpts=1 deliver=1 status=unscanned scan=down degraded=spam"));
    policy_bed_fini(&bed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verdict_levels),
        cmocka_unit_test(test_verdict_content),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
