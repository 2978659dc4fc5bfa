/* When a change of the signature directory counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "mx_err.h"
#include "sup_watch.h"
#include "temp_tree.h"

static void test_changed_waits_until_it_is_stable(void **state)
{
    (void)state;
    struct sup_watch watch;
    sup_watch_loaded(&watch, 1);
    assert_false(sup_watch_changed(&watch, 1));
    assert_false(sup_watch_changed(&watch, 2)); /* being written */
    assert_false(sup_watch_changed(&watch, 3));
    assert_true(sup_watch_changed(&watch, 3));
    sup_watch_loaded(&watch, 3);
    assert_false(sup_watch_changed(&watch, 3));
    assert_false(sup_watch_changed(&watch, 4));
    assert_false(sup_watch_changed(&watch, 3)); /* and back again */
    assert_false(sup_watch_changed(&watch, 3));
}

static void put(const char *dir, const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void test_read_sees_names_and_sizes(void **state)
{
    (void)state;
    char *dir = temp_tree_make("/tmp", NULL);
    uint64_t empty = 1, one = 1, more = 1, two = 1, again = 1;
    assert_int_equal(sup_watch_read(dir, &empty, NULL), 0);
    put(dir, "a.ndb", "x");
    assert_int_equal(sup_watch_read(dir, &one, NULL), 0);
    put(dir, "a.ndb", "xy");
    assert_int_equal(sup_watch_read(dir, &more, NULL), 0);
    put(dir, "b.ndb", "");
    assert_int_equal(sup_watch_read(dir, &two, NULL), 0);
    put(dir, ".hidden", "");
    assert_int_equal(sup_watch_read(dir, &again, NULL), 0);
    assert_true(empty != one && one != more && more != two && two == again);
    temp_tree_remove(dir);
    struct mx_err err = {0};
    assert_int_equal(sup_watch_read(dir, &again, &err), -1);
    free(dir);
}

static void touch(const char *dir, const char *name, time_t seconds)
{
    char path[256];
    const struct timespec times[2] = {{.tv_sec = seconds}, {.tv_sec = seconds}};
    put(dir, name, "x");
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void test_newest_is_the_last_change(void **state)
{
    (void)state;
    char *dir = temp_tree_make("/tmp", NULL);
    int64_t at_ms = 1;
    assert_int_equal(sup_watch_newest(dir, &at_ms, NULL), 0);
    assert_int_equal(at_ms, 0);
    touch(dir, "a.ndb", 5000);
    touch(dir, "b.ndb", 3000);
    touch(dir, ".hidden", 9000);
    assert_int_equal(sup_watch_newest(dir, &at_ms, NULL), 0);
    assert_int_equal(at_ms, 5000000);
    temp_tree_remove(dir);
    struct mx_err err = {0};
    assert_int_equal(sup_watch_newest(dir, &at_ms, &err), -1);
    free(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_changed_waits_until_it_is_stable),
        cmocka_unit_test(test_read_sees_names_and_sizes),
        cmocka_unit_test(test_newest_is_the_last_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
