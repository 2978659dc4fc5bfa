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

static struct clamav_settings settings_of(const char *directory)
{
    return (struct clamav_settings){.signatures = directory,
                                    .max_scan_size = 1 << 20,
                                    .max_file_size = 1 << 20,
                                    .max_recursion = 5,
                                    .max_files = 50,
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

static void test_scan_verdicts(void **state)
{
    (void)state;
    struct clam_engine *clam = engine();
    const char *name = NULL;
    enum clam_verdict verdict = CLAM_LIMIT;
    assert_int_equal(clam_engine_scan(clam, MX_STR(EICAR), 5000, &name, &verdict, NULL),
                     0);
    assert_int_equal(verdict, CLAM_VIRUS);
    assert_string_equal(name, "Mxdrop.Test.Eicar.UNOFFICIAL");
    assert_int_equal(
        clam_engine_scan(clam, MX_STR("harmless"), 5000, &name, &verdict, NULL), 0);
    assert_int_equal(verdict, CLAM_CLEAN);
    assert_int_equal(clam_engine_scan(clam, MX_STR(""), 5000, &name, &verdict, NULL), 0);
    assert_int_equal(verdict, CLAM_CLEAN);
    assert_string_equal(clam_engine_version(clam), "0/2");
    clam_engine_free(clam);
}

static void test_scan_over_limit_is_not_clean(void **state)
{
    (void)state;
    struct clam_engine *clam = engine();
    size_t n = 3 << 20;
    char *big = mx_xalloc(n);
    const char *name = NULL;
    enum clam_verdict verdict = CLAM_CLEAN;
    assert_int_equal(
        clam_engine_scan(clam, mx_str_of(big, n), 5000, &name, &verdict, NULL), 0);
    assert_int_equal(verdict, CLAM_LIMIT);
    memcpy(big, EICAR, strlen(EICAR)); /* what lies within the limit is found */
    assert_int_equal(
        clam_engine_scan(clam, mx_str_of(big, n), 5000, &name, &verdict, NULL), 0);
    assert_int_equal(verdict, CLAM_VIRUS);
    free(big);
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
        cmocka_unit_test(test_scan_verdicts),
        cmocka_unit_test(test_scan_over_limit_is_not_clean),
        cmocka_unit_test(test_load_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
