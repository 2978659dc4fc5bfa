/* The cache of databases: whole, ours, for this key, or not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "mx_err.h"
#include "rules/rule_match_cache.h"

#define KEY UINT64_C(0x1234)

struct place {
    char dir[64], path[128];
};

static int setup(void **state)
{
    struct place *place = calloc(1, sizeof(*place));
    strcpy(place->dir, "/tmp/mxdrop-test-XXXXXX");
    if (mkdtemp(place->dir) == NULL)
        return -1;
    snprintf(place->path, sizeof(place->path), "%s/rules-%016llx.db", place->dir,
             (unsigned long long)KEY);
    *state = place;
    return rule_cache_write(place->dir, KEY, MX_STR("payload"), NULL);
}

static int teardown(void **state)
{
    struct place *place = *state;
    unlink(place->path);
    int rc = rmdir(place->dir);
    free(place);
    return rc;
}

static int try_open(const struct place *place, uint64_t key, struct mx_err *err)
{
    struct rule_cache_file file = {0};
    int rc = rule_cache_open(place->dir, key, &file, err);
    if (rc == 0)
        assert_true(mx_str_eq(file.payload, MX_STR("payload")));
    rule_cache_close(&file);
    return rc;
}

static void test_cache_open_what_was_written(void **state)
{
    struct mx_err err = {0};
    assert_int_equal(try_open(*state, KEY, &err), 0);
    assert_int_equal(try_open(*state, KEY + 1, &err), -1);
    assert_int_equal(err.code, MX_ERR_DOWN);
}

static void test_cache_open_mistrusts_writable(void **state)
{
    const struct place *place = *state;
    struct mx_err err = {0};
    assert_int_equal(chmod(place->path, 0666), 0);
    assert_int_equal(try_open(place, KEY, &err), -1);
    assert_non_null(strstr(err.text, "others could have written"));
}

static void test_cache_open_mistrusts_damage(void **state)
{
    const struct place *place = *state;
    struct mx_err err = {0};
    FILE *file = fopen(place->path, "r+");
    assert_non_null(file);
    fseek(file, -1, SEEK_END);
    fputc('X', file);
    fclose(file);
    assert_int_equal(try_open(place, KEY, &err), -1);
    assert_non_null(strstr(err.text, "damaged"));
    assert_int_equal(truncate(place->path, 20), 0);
    assert_int_equal(try_open(place, KEY, &err), -1);
    assert_non_null(strstr(err.text, "size"));
}

static void test_cache_open_mistrusts_link(void **state)
{
    const struct place *place = *state;
    struct mx_err err = {0};
    assert_int_equal(unlink(place->path), 0);
    assert_int_equal(symlink("/etc/passwd", place->path), 0);
    assert_int_equal(try_open(place, KEY, &err), -1);
    assert_int_equal(err.code, MX_ERR_SYSTEM);
}

static void test_cache_write_no_directory(void **state)
{
    struct mx_err err = {0};
    (void)state;
    assert_int_equal(rule_cache_write("/nonexistent", KEY, MX_STR("x"), &err), -1);
    assert_int_equal(err.code, MX_ERR_SYSTEM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_cache_open_what_was_written, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_cache_open_mistrusts_writable, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_cache_open_mistrusts_damage, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_cache_open_mistrusts_link, setup, teardown),
        cmocka_unit_test(test_cache_write_no_directory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
