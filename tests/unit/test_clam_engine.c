/* libclamav behind our interface, with the tests' own signatures. det_clamav, which only
   adds the look of mail, is tested here, too, through scan_chain and test_scand.py. */
#include "scan_fixture.h"

#include <stdio.h>
#include <unistd.h>

#include "clam_engine.h"
#include "scan_conf.h"
#include "temp_tree.h"

#define EICAR                                                                            \
    "X5O!P%@AP[4\\PZX54(P^)7CC)7}$"                                                      \
    "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"

#define TIME_LIMIT "Heuristics.Limits.Exceeded.MaxScanTime"

static struct clamav_settings settings_of(const char *directory)
{
    return (struct clamav_settings){.signatures = directory,
                                    .max_scan_size = 1 << 20,
                                    .max_file_size = 1 << 20,
                                    .max_recursion = 5,
                                    .max_files = 50,
                                    .max_html_size = 64 << 10,
                                    .max_scan_time_ms = 8000,
                                    .heuristics = true};
}

static struct clam_engine *engine(void)
{
    struct clamav_settings settings = settings_of(MX_SOURCE_DIR "/tests/signatures");
    struct clam_engine *out = NULL;
    struct mx_err err = {0};
    if (clam_engine_load(&settings, &out, &err) < 0)
        fail_msg("%s", err.text);
    return out;
}

static void test_scan_alerts(void **state)
{
    (void)state;
    struct clam_engine *clam = engine();
    struct clam_report report;
    assert_int_equal(clam_engine_scan(clam, MX_STR(EICAR), 9000, &report, NULL), 0);
    assert_string_equal(report.name[CLAM_VIRUS], "Mxdrop.Test.Eicar.UNOFFICIAL");
    assert_null(report.name[CLAM_LIMIT]);
    static const struct mx_str clean[] = {MX_STR("harmless"), MX_STR("a"), MX_STR("")};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(clam_engine_scan(clam, clean[i], 9000, &report, NULL), 0);
        for (size_t kind = 0; kind < CLAM_KINDS; kind++)
            assert_null(report.name[kind]);
    }
    assert_string_equal(clam_engine_version(clam), "0/2");
    clam_engine_free(clam);
}

static void test_scan_over_limit_is_not_clean(void **state)
{
    (void)state;
    struct clam_engine *clam = engine();
    size_t n = 3 << 20;
    char *big = mx_xalloc(n);
    struct clam_report report;
    assert_int_equal(clam_engine_scan(clam, mx_str_of(big, n), 9000, &report, NULL), 0);
    assert_non_null(report.name[CLAM_LIMIT]);
    assert_null(report.name[CLAM_VIRUS]);
    memcpy(big, EICAR, strlen(EICAR)); /* what lies within the limit is found */
    assert_int_equal(clam_engine_scan(clam, mx_str_of(big, n), 9000, &report, NULL), 0);
    assert_non_null(report.name[CLAM_VIRUS]);
    free(big);
    clam_engine_free(clam);
}

/* A workbook with a macro sheet: a remark, not a virus. */
static void test_scan_macros(void **state)
{
    (void)state;
    struct clam_engine *clam = engine();
    FILE *file = fopen(MX_SOURCE_DIR "/tests/fuzz/corpus/attachments/ole", "rb");
    assert_non_null(file);
    char workbook[8192];
    size_t n = fread(workbook, 1, sizeof(workbook), file);
    fclose(file);
    struct clam_report report;
    assert_int_equal(clam_engine_scan(clam, mx_str_of(workbook, n), 9000, &report, NULL),
                     0);
    assert_string_equal(report.name[CLAM_MACROS], "Heuristics.OLE2.ContainsMacros.XLM");
    assert_null(report.name[CLAM_VIRUS]);
    clam_engine_free(clam);
}

/* Many small files in one mail: libclamav looks at its clock between them. */
static char *slow_mail(size_t *out_n)
{
    static const char head[] = "From: a\r\nMIME-Version: 1.0\r\n"
                               "Content-Type: multipart/mixed; boundary=b\r\n\r\n";
    static const char part[] = "--b\r\n\r\nx\r\n";
    size_t n_parts = 2000, n = sizeof(head) - 1;
    char *mail = mx_xalloc(n + n_parts * (sizeof(part) - 1));
    memcpy(mail, head, n);
    for (size_t i = 0; i < n_parts; i++, n += sizeof(part) - 1)
        memcpy(mail + n, part, sizeof(part) - 1);
    *out_n = n;
    return mail;
}

/* Out of time is the message's fault with all the time there is, else the machine's. */
static void test_scan_out_of_time(void **state)
{
    (void)state;
    struct clamav_settings settings = settings_of(MX_SOURCE_DIR "/tests/signatures");
    settings.max_scan_time_ms = 10;
    settings.max_files = 10000;
    struct clam_engine *clam = NULL;
    assert_int_equal(clam_engine_load(&settings, &clam, NULL), 0);
    size_t n = 0;
    char *mail = slow_mail(&n);
    struct clam_report report;
    struct mx_err err = {0};
    assert_int_equal(clam_engine_scan(clam, mx_str_of(mail, n), 9000, &report, &err), 0);
    assert_string_equal(report.name[CLAM_LIMIT], TIME_LIMIT);
    assert_int_equal(clam_engine_scan(clam, mx_str_of(mail, n), 5, &report, &err), -1);
    assert_int_equal(err.code, MX_ERR_TIMEOUT);
    free(mail);
    clam_engine_free(clam);
}

static void load_fails(const char *directory, const char *complaint)
{
    struct clamav_settings settings = settings_of(directory);
    struct clam_engine *out = NULL;
    struct mx_err err = {0};
    assert_int_equal(clam_engine_load(&settings, &out, &err), -1);
    assert_null(out);
    if (strstr(err.text, complaint) == NULL || strstr(err.text, directory) == NULL)
        fail_msg("\"%s\" has no \"%s\"", err.text, complaint);
}

static void test_load_failures(void **state)
{
    (void)state;
    load_fails("/nonexistent/signatures", "No such file");
    char *directory = temp_tree_make("/tmp", NULL);
    assert_non_null(directory);
    load_fails(directory, ""); /* empty */
    char path[256];
    snprintf(path, sizeof(path), "%s/broken.ndb", directory);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("no signature at all\n", file);
    fclose(file);
    load_fails(directory, "");
    temp_tree_remove(directory);
    assert_int_equal(access(directory, F_OK), -1);
    free(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scan_alerts),
        cmocka_unit_test(test_scan_over_limit_is_not_clean),
        cmocka_unit_test(test_scan_macros),
        cmocka_unit_test(test_scan_out_of_time),
        cmocka_unit_test(test_load_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
