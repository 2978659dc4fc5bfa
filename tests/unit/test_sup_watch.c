/* When a change of the signature directory counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_changed_waits_until_it_is_stable),
        cmocka_unit_test(test_read_sees_names_and_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
