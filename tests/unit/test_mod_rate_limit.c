/* mod_rate_limit: what is counted where, for whom, and what the configuration may say. */
#include "module_bed.h"

#include <string.h>

#include "mod_rate_limit.c"

static struct rate_settings settings_of(const char **limits, size_t n)
{
    return (struct rate_settings){
        .action = RATE_DEFER, .limits = {limits, n}, .bits4 = 24, .bits6 = 64};
}

static void test_decide_messages_of_a_client(void **state)
{
    const char *limits[] = {"client messages 2/1h"};
    struct rate_settings settings = settings_of(limits, 1);
    struct module_bed bed;
    (void)state;
    module_bed_init(&bed, &mod_rate_limit, &settings, NULL);
    module_bed_client(&bed, "192.0.2.1");
    assert_int_equal(module_bed_run(&bed, POLICY_AT_MAIL, true), POLICY_NEXT);
    assert_int_equal(module_bed_run(&bed, POLICY_AT_MAIL, true), POLICY_NEXT);
    assert_int_equal(module_bed_run(&bed, POLICY_AT_MAIL, true), POLICY_DONE);
    assert_int_equal(bed.verdict.code, 450);
    module_bed_client(&bed, "192.0.2.2");
    assert_int_equal(module_bed_run(&bed, POLICY_AT_MAIL, true), POLICY_NEXT);
    module_bed_client(&bed, "192.0.2.1");
    bed.clock.now_ms += 1800 * 1000;
    assert_int_equal(module_bed_run(&bed, POLICY_AT_MAIL, true), POLICY_NEXT);
    assert_int_equal(module_bed_run(&bed, POLICY_AT_MAIL, true), POLICY_DONE);
    module_bed_fini(&bed);
}

/* Who keeps knocking is not locked out for longer: refusals do not count. */
static void test_record_refused_does_not_count(void **state)
{
    const char *limits[] = {"client messages 1/1h"};
    struct rate_settings settings = settings_of(limits, 1);
    struct module_bed bed;
    (void)state;
    module_bed_init(&bed, &mod_rate_limit, &settings, NULL);
    module_bed_client(&bed, "2001:db8::1");
    assert_int_equal(module_bed_run(&bed, POLICY_AT_MAIL, true), POLICY_NEXT);
    for (int i = 0; i < 50; i++)
        assert_int_equal(module_bed_run(&bed, POLICY_AT_MAIL, true), POLICY_DONE);
    bed.clock.now_ms += 3600 * 1000;
    assert_int_equal(module_bed_run(&bed, POLICY_AT_MAIL, true), POLICY_NEXT);
    module_bed_fini(&bed);
}

static void test_decide_network_shares_a_bucket(void **state)
{
    const char *limits[] = {"network messages 1/1h"};
    struct rate_settings settings = settings_of(limits, 1);
    struct module_bed bed;
    (void)state;
    module_bed_init(&bed, &mod_rate_limit, &settings, NULL);
    module_bed_client(&bed, "192.0.2.1");
    assert_int_equal(module_bed_run(&bed, POLICY_AT_MAIL, true), POLICY_NEXT);
    module_bed_client(&bed, "192.0.2.200");
    assert_int_equal(module_bed_run(&bed, POLICY_AT_MAIL, true), POLICY_DONE);
    module_bed_client(&bed, "192.0.3.1");
    assert_int_equal(module_bed_run(&bed, POLICY_AT_MAIL, true), POLICY_NEXT);
    module_bed_fini(&bed);
}

static void test_decide_recipients_at_rcpt_only(void **state)
{
    const char *limits[] = {"recipient recipients 1/1m"};
    struct rate_settings settings = settings_of(limits, 1);
    struct module_bed bed;
    (void)state;
    module_bed_init(&bed, &mod_rate_limit, &settings, NULL);
    for (int i = 0; i < 3; i++)
        assert_int_equal(module_bed_run(&bed, POLICY_AT_MAIL, true), POLICY_NEXT);
    module_bed_rcpt(&bed, "<u@example.net>");
    assert_int_equal(module_bed_run(&bed, POLICY_AT_RCPT, true), POLICY_NEXT);
    assert_int_equal(module_bed_run(&bed, POLICY_AT_RCPT, true), POLICY_DONE);
    module_bed_rcpt(&bed, "<v@example.net>");
    assert_int_equal(module_bed_run(&bed, POLICY_AT_RCPT, true), POLICY_NEXT);
    module_bed_fini(&bed);
}

/* Bytes: the announced size is asked about, the real one is taken at the end. */
static void test_decide_bytes(void **state)
{
    const char *limits[] = {"user bytes 1MiB/1d"};
    struct rate_settings settings = settings_of(limits, 1);
    struct module_bed bed;
    (void)state;
    module_bed_init(&bed, &mod_rate_limit, &settings, NULL);
    bed.req.auth_user = MX_STR("alice");
    bed.req.size = 600 << 10;
    assert_int_equal(module_bed_run(&bed, POLICY_AT_MAIL, true), POLICY_NEXT);
    assert_int_equal(module_bed_run(&bed, POLICY_AT_MAIL, true), POLICY_NEXT);
    assert_int_equal(module_bed_run(&bed, POLICY_AT_CONTENT, true), POLICY_NEXT);
    assert_int_equal(module_bed_run(&bed, POLICY_AT_MAIL, true), POLICY_DONE);
    bed.req.auth_user = MX_STR("");
    assert_int_equal(module_bed_run(&bed, POLICY_AT_MAIL, true), POLICY_NEXT);
    module_bed_fini(&bed);
}

static void test_decide_store_down_fails(void **state)
{
    const char *limits[] = {"client messages 1/1h"};
    struct rate_settings settings = settings_of(limits, 1);
    struct module_bed bed;
    (void)state;
    module_bed_init(&bed, &mod_rate_limit, &settings, NULL);
    module_bed_client(&bed, "192.0.2.1");
    store_mem_break(bed.store, "store down");
    assert_int_equal(module_bed_run(&bed, POLICY_AT_MAIL, true), POLICY_FAIL);
    module_bed_fini(&bed);
}

static void test_start_bad_limits(void **state)
{
    static const char *const bad[] = {"",
                                      "client",
                                      "client messages",
                                      "client messages 10",
                                      "client messages 10/",
                                      "client messages 0/1h",
                                      "client messages 10/1ms",
                                      "client messages 10/1h more",
                                      "klient messages 10/1h",
                                      "client letters 10/1h",
                                      "client bytes 10/1h",
                                      "recipient messages 10/1h",
                                      "client messages -1/1h"};
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const char *limits[] = {bad[i]};
        struct rate_settings settings = settings_of(limits, 1);
        struct policy_env env = {.settings = &settings};
        struct rate_limit self = {0};
        struct mx_err err = {0};
        assert_int_equal(mod_rate_limit.start(&self, &env, &err), -1);
        assert_non_null(strstr(err.text, "limits"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decide_messages_of_a_client),
        cmocka_unit_test(test_record_refused_does_not_count),
        cmocka_unit_test(test_decide_network_shares_a_bucket),
        cmocka_unit_test(test_decide_recipients_at_rcpt_only),
        cmocka_unit_test(test_decide_bytes),
        cmocka_unit_test(test_decide_store_down_fails),
        cmocka_unit_test(test_start_bad_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
