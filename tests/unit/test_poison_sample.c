/* Samples of poison messages on disk. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "mx_err.h"
#include "poison_sample.h"
#include "temp_tree.h"

static void test_write_until_full(void **state)
{
    (void)state;
    char *dir = temp_tree_make("/tmp", NULL), names[3][POISON_NAME_MAX], path[256];
    struct mx_err err = {0};
    assert_int_equal(poison_sample_write(dir, 2, 1234, MX_STR("a\0b"), names[0], &err),
                     0);
    assert_int_equal(poison_sample_write(dir, 2, 1234, MX_STR("c"), names[1], &err), 0);
    assert_string_not_equal(names[0], names[1]);
    assert_int_equal(poison_sample_write(dir, 2, 1234, MX_STR("d"), names[2], &err), -1);
    assert_int_equal(err.code, MX_ERR_LIMIT);
    char text[8];
    snprintf(path, sizeof(path), "%s/%s", dir, names[0]);
    int fd = open(path, O_RDONLY);
    assert_int_equal(read(fd, text, sizeof(text)), 3);
    assert_memory_equal(text, "a\0b", 3);
    close(fd);
    temp_tree_remove(dir);
    free(dir);
}

static void test_write_does_not_follow_links(void **state)
{
    (void)state;
    char *dir = temp_tree_make("/tmp", NULL), name[POISON_NAME_MAX], path[256], to[256];
    snprintf(path, sizeof(path), "%s/poison-99-%ld-0.eml", dir, (long)getpid());
    snprintf(to, sizeof(to), "%s/target", dir);
    assert_int_equal(symlink(to, path), 0);
    assert_int_equal(poison_sample_write(dir, 9, 99, MX_STR("x"), name, NULL), 0);
    assert_int_equal(access(to, F_OK), -1);
    assert_null(strstr(path, name));
    temp_tree_remove(dir);
    free(dir);
}

static void test_write_without_directory(void **state)
{
    (void)state;
    char name[POISON_NAME_MAX];
    struct mx_err err = {0};
    assert_int_equal(poison_sample_write("/nonexistent", 9, 9, MX_STR("x"), name, &err),
                     -1);
    assert_non_null(strstr(err.text, "/nonexistent"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_write_until_full),
        cmocka_unit_test(test_write_does_not_follow_links),
        cmocka_unit_test(test_write_without_directory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
