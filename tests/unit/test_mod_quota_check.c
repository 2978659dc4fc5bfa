/* mod_quota_check: temporary or permanent, by how long, how much, how active. */
#include "module_bed.h"

#include "mod_quota_check.c"

#define DAY_MS ((int64_t)86400 * 1000)

static const struct quota_settings defaults = {
    .grace = 0, .temporary_ms = 7 * DAY_MS, .inactive_ms = 0, .remember_ms = 30 * DAY_MS};

static int setup(void **state)
{
    struct module_bed *bed = mx_xalloc(sizeof(*bed));
    module_bed_init(bed, &mod_quota_check, &defaults, NULL);
    module_bed_rcpt(bed, "<u@example.net>");
    *state = bed;
    return 0;
}

static int teardown(void **state)
{
    module_bed_fini(*state);
    free(*state);
    return 0;
}

static void quota(struct module_bed *bed, int64_t limit, int64_t used)
{
    struct store_mem_quota quota = {.limit = limit, .used = used};
    store_mem_quota(bed->store, "u@example.net", &quota);
}

static void expect(struct module_bed *bed, unsigned code)
{
    enum policy_step step = module_bed_run(bed, POLICY_AT_RCPT, true);
    assert_int_equal(step, code ? POLICY_DONE : POLICY_NEXT);
    assert_int_equal(bed->verdict.code, code);
}

static void test_decide_missing_is_not_zero(void **state)
{
    expect(*state, 0); /* nothing is known */
    quota(*state, 100, -1);
    expect(*state, 0); /* no usage */
    quota(*state, -1, 1000);
    expect(*state, 0); /* no limit */
}

static void test_decide_full_for_now_then_for_good(void **state)
{
    struct module_bed *bed = *state;
    quota(bed, 1000, 999);
    expect(bed, 0);
    quota(bed, 1000, 1000);
    expect(bed, 450);
    bed->clock.now_ms += 7 * DAY_MS;
    expect(bed, 450);
    bed->clock.now_ms += DAY_MS;
    expect(bed, 552);
    assert_string_equal(bed->verdict.enhanced, "5.2.2");
}

/* Cleaned up in between: the time starts anew. */
static void test_record_under_forgets(void **state)
{
    struct module_bed *bed = *state;
    quota(bed, 1000, 2000);
    expect(bed, 450);
    quota(bed, 1000, 10);
    expect(bed, 0);
    bed->clock.now_ms += 8 * DAY_MS;
    quota(bed, 1000, 2000);
    expect(bed, 450);
}

static void test_decide_announced_size(void **state)
{
    struct module_bed *bed = *state;
    quota(bed, 1000, 500);
    bed->req.size = 500;
    expect(bed, 0);
    bed->req.size = 501;
    expect(bed, 450);
    bed->req.size = 1001; /* could never fit */
    expect(bed, 552);
    bed->req.size = UINT64_MAX;
    expect(bed, 552);
    bed->req.size = 0;
    expect(bed, 0);
}

static void test_decide_inactive_owner(void **state)
{
    struct quota_settings settings = defaults;
    struct module_bed bed;
    (void)state;
    settings.inactive_ms = 90 * DAY_MS;
    module_bed_init(&bed, &mod_quota_check, &settings, NULL);
    module_bed_rcpt(&bed, "<u@example.net>");
    struct store_mem_quota full = {
        .limit = 10, .used = 10, .active_ms = MODULE_BED_NOW_MS - 91 * DAY_MS};
    store_mem_quota(bed.store, "u@example.net", &full);
    expect(&bed, 552);
    full.active_ms = MODULE_BED_NOW_MS - 89 * DAY_MS;
    store_mem_quota(bed.store, "u@example.net", &full);
    expect(&bed, 450);
    full.active_ms = 0; /* not known */
    store_mem_quota(bed.store, "u@example.net", &full);
    expect(&bed, 450);
    module_bed_fini(&bed);
}

static void test_decide_several_mailboxes(void **state)
{
    struct module_bed *bed = *state;
    struct mx_str mailboxes[] = {MX_STR("a@example.net"), MX_STR("u@example.net")};
    bed->rcpt.mailboxes = mailboxes;
    bed->rcpt.n_mailboxes = 2;
    quota(bed, 1000, 1000);
    expect(bed, 450);
}

static void test_decide_absurd_numbers(void **state)
{
    struct module_bed *bed = *state;
    quota(bed, INT64_MAX, INT64_MAX);
    bed->req.size = UINT64_MAX;
    expect(bed, 450);
    quota(bed, 0, INT64_MAX);
    expect(bed, 552);
}

static void test_decide_store_down_fails(void **state)
{
    struct module_bed *bed = *state;
    quota(bed, 1000, 1000);
    store_mem_break(bed->store, "store down");
    assert_int_equal(module_bed_run(bed, POLICY_AT_RCPT, true), POLICY_FAIL);
}

static void test_start_remember_too_short(void **state)
{
    struct quota_settings settings = defaults;
    struct policy_env env = {.settings = &settings};
    struct quota_check self = {0};
    struct mx_err err = {0};
    (void)state;
    settings.remember_ms = settings.temporary_ms;
    assert_int_equal(mod_quota_check.start(&self, &env, &err), -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_decide_missing_is_not_zero),
        TEST(test_decide_full_for_now_then_for_good),
        TEST(test_record_under_forgets),
        TEST(test_decide_announced_size),
        TEST(test_decide_inactive_owner),
        TEST(test_decide_several_mailboxes),
        TEST(test_decide_absurd_numbers),
        TEST(test_decide_store_down_fails),
        TEST(test_start_remember_too_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
