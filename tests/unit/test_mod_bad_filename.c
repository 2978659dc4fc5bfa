/* mod_bad_filename: by name, by type, in archives, tricks, encrypted archives. */
#include "module_bed.h"

#include <string.h>

#include "mod_bad_filename.c"

static const char *names[] = {"*.exe", "invoice*.zip"};
static const char *types[] = {"application/x-dosexec"};
static const struct bad_settings defaults = {.action = POLICY_CONTENT_REFUSE,
                                             .tricks = POLICY_CONTENT_REFUSE,
                                             .encrypted = POLICY_CONTENT_OFF,
                                             .names = {names, 2},
                                             .types = {types, 1},
                                             .in_archives = true,
                                             .text = "Not here"};

static enum policy_step run(struct module_bed *bed, const struct bad_settings *settings,
                            const struct policy_file *file,
                            const struct policy_finding *finding)
{
    struct policy_scan scan = {.files = file,
                               .n_files = file != NULL,
                               .findings = finding,
                               .n_findings = finding != NULL};
    module_bed_init(bed, &mod_bad_filename, settings, NULL);
    bed->req.scan = &scan;
    return module_bed_run(bed, POLICY_AT_CONTENT, true);
}

static void expect_file(const struct bad_settings *settings, struct policy_file file,
                        enum policy_step step)
{
    struct module_bed bed;
    assert_int_equal(run(&bed, settings, &file, NULL), step);
    module_bed_fini(&bed);
}

static void test_decide_names(void **state)
{
    struct bad_settings no_archives = defaults;
    (void)state;
    no_archives.in_archives = false;
    expect_file(&defaults, (struct policy_file){.name = MX_STR("run.exe")}, POLICY_DONE);
    expect_file(&defaults, (struct policy_file){.name = MX_STR("run.exe.txt")},
                POLICY_NEXT);
    expect_file(&defaults, (struct policy_file){.name = MX_STR("invoice-7.zip")},
                POLICY_DONE);
    expect_file(&defaults,
                (struct policy_file){.name = MX_STR("a.exe"), .archive_depth = 3},
                POLICY_DONE);
    expect_file(&no_archives,
                (struct policy_file){.name = MX_STR("a.exe"), .archive_depth = 1},
                POLICY_NEXT);
    expect_file(&no_archives, (struct policy_file){.name = MX_STR("a.exe")}, POLICY_DONE);
    expect_file(
        &defaults,
        (struct policy_file){MX_STR("cat.png"), MX_STR("application/x-dosexec"), 0},
        POLICY_DONE);
    expect_file(&defaults, (struct policy_file){MX_STR(""), MX_STR("image/png"), 0},
                POLICY_NEXT);
}

/* The reply names the file, and nothing of the name can break the reply. */
static void test_decide_reply_is_clean(void **state)
{
    struct policy_file file = {.name = MX_STR("a\r\n250 ok\0%s.exe")};
    struct module_bed bed;
    (void)state;
    assert_int_equal(run(&bed, &defaults, &file, NULL), POLICY_DONE);
    assert_int_equal(bed.verdict.code, 550);
    assert_true(mx_str_chr(bed.verdict.text, '\r') < 0);
    assert_true(mx_str_chr(bed.verdict.text, '\0') < 0);
    assert_true(mx_str_chr(bed.verdict.text, '\n') < 0);
    assert_true(mx_str_starts(bed.verdict.text, MX_STR("Not here (a")));
    module_bed_fini(&bed);
}

static void test_decide_tricks_and_encrypted(void **state)
{
    struct bad_settings settings = defaults;
    struct policy_finding trick = {.symbol = MX_STR("MX_ATTACH_DIRECTION")};
    struct policy_finding locked = {.symbol = MX_STR("MX_ARCHIVE_ENCRYPTED")};
    struct module_bed bed;
    (void)state;
    assert_int_equal(run(&bed, &defaults, NULL, &trick), POLICY_DONE);
    assert_string_equal(bed.verdict.reason, "trick");
    module_bed_fini(&bed);
    assert_int_equal(run(&bed, &defaults, NULL, &locked), POLICY_NEXT);
    module_bed_fini(&bed);
    settings.tricks = POLICY_CONTENT_OFF;
    settings.encrypted = POLICY_CONTENT_HOLD;
    assert_int_equal(run(&bed, &settings, NULL, &trick), POLICY_NEXT);
    module_bed_fini(&bed);
    assert_int_equal(run(&bed, &settings, NULL, &locked), POLICY_DONE);
    assert_int_equal(bed.verdict.action, POLICY_HOLD);
    module_bed_fini(&bed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decide_names),
        cmocka_unit_test(test_decide_reply_is_clean),
        cmocka_unit_test(test_decide_tricks_and_encrypted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
