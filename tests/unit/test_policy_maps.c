/* policy_maps: files that change, break and mend while views use them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "mx_err.h"
#include "policy_maps.h"

struct world {
    char path[64];
    struct policy_map_files *files;
    struct policy_maps *maps;
    const struct policy_maps_entry *entry;
    int n_loaded, n_broken;
    char reason[256];
};

static void write_text(struct world *w, const char *text)
{
    char next[80];
    snprintf(next, sizeof(next), "%s.new", w->path);
    FILE *f = fopen(next, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    assert_int_equal(rename(next, w->path), 0); /* a new inode: never the same second */
}

static void on_loaded(void *user, size_t file, struct policy_map *map)
{
    struct world *w = user;
    w->n_loaded++;
    policy_maps_swap(w->maps, file, map);
}

static void on_broken(void *user, const char *path, const char *reason)
{
    struct world *w = user;
    w->n_broken++;
    assert_string_equal(path, w->path);
    snprintf(w->reason, sizeof(w->reason), "%s", reason);
}

static size_t poll_files(struct world *w, bool is_forced)
{
    struct policy_map_watch watch = {on_loaded, on_broken, w};
    return policy_map_files_poll(w->files, is_forced, &watch);
}

static void expect(struct world *w, const char *wanted)
{
    struct mx_str value;
    assert_int_equal(policy_map_find_text(w->entry->now, MX_STR("a.example"), &value),
                     POLICY_MAP_HIT);
    assert_true(mx_str_eq(value, mx_str(wanted)));
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    struct mx_err err = {0};
    snprintf(w->path, sizeof(w->path), "/tmp/mxmaps.XXXXXX");
    close(mkstemp(w->path));
    write_text(w, "a.example one\n");
    w->files = policy_map_files_new();
    w->maps = policy_maps_new(w->files);
    struct policy_map_spec spec = {POLICY_MAP_DOMAIN, w->path, NULL};
    if (policy_maps_open(w->maps, &spec, &w->entry, &err) < 0)
        fail_msg("%s", err.text);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    policy_maps_free(w->maps);
    policy_map_files_free(w->files);
    unlink(w->path);
    free(w);
    return 0;
}

static void test_poll_unchanged(void **state)
{
    struct world *w = *state;
    assert_int_equal(poll_files(w, false), 0);
    assert_int_equal(w->n_loaded, 0);
    assert_int_equal(poll_files(w, true), 0);
    assert_int_equal(w->n_loaded, 1);
    expect(w, "one");
}

static void test_poll_changed(void **state)
{
    struct world *w = *state;
    write_text(w, "a.example two\n");
    assert_int_equal(poll_files(w, false), 0);
    expect(w, "two");
    assert_int_equal(poll_files(w, false), 0);
    assert_int_equal(w->n_loaded, 1);
}

static void test_poll_broken_keeps_old_and_tells_once(void **state)
{
    struct world *w = *state;
    write_text(w, "b.example x\n\nnonsense\n");
    assert_int_equal(poll_files(w, false), 1);
    assert_int_equal(poll_files(w, false), 1);
    assert_int_equal(w->n_broken, 1);
    assert_non_null(strstr(w->reason, ":3: "));
    expect(w, "one");
    write_text(w, "a.example three\n");
    assert_int_equal(poll_files(w, false), 0);
    expect(w, "three");
}

static void test_poll_missing_keeps_old(void **state)
{
    struct world *w = *state;
    unlink(w->path);
    assert_int_equal(poll_files(w, false), 1);
    assert_int_equal(poll_files(w, false), 1);
    assert_int_equal(w->n_broken, 1);
    expect(w, "one");
    write_text(w, "a.example back\n");
    assert_int_equal(poll_files(w, false), 0);
    expect(w, "back");
}

static void test_open_shares_and_refuses(void **state)
{
    struct world *w = *state;
    struct policy_maps *other = policy_maps_new(w->files);
    const struct policy_maps_entry *entry = NULL;
    struct mx_err err = {0};
    struct policy_map_spec spec = {POLICY_MAP_DOMAIN, w->path, NULL};
    assert_int_equal(policy_maps_open(other, &spec, &entry, &err), 0);
    assert_ptr_equal(entry->now, w->entry->now);
    spec.kind = POLICY_MAP_CIDR;
    assert_int_equal(policy_maps_open(other, &spec, &entry, &err), -1);
    assert_non_null(strstr(err.text, "is used as domain and as cidr"));
    spec.path = "/nowhere/at/all";
    assert_int_equal(policy_maps_open(other, &spec, &entry, &err), -1);
    assert_non_null(strstr(err.text, "/nowhere/at/all"));
    spec.path = "/tmp";
    assert_int_equal(policy_maps_open(other, &spec, &entry, &err), -1);
    assert_non_null(strstr(err.text, "regular file"));
    policy_maps_free(other);
    assert_int_equal(poll_files(w, false), 0);
}

/* Nobody looked at it while nobody used it: opening it again reads it again. */
static void test_open_after_last_user(void **state)
{
    struct world *w = *state;
    struct mx_err err = {0};
    struct policy_map_spec spec = {POLICY_MAP_DOMAIN, w->path, NULL};
    policy_maps_free(w->maps);
    write_text(w, "a.example later\n");
    w->maps = policy_maps_new(w->files);
    assert_int_equal(poll_files(w, false), 0);
    assert_int_equal(w->n_loaded, 0);
    assert_int_equal(policy_maps_open(w->maps, &spec, &w->entry, &err), 0);
    expect(w, "later");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_poll_unchanged, setup, teardown),
        cmocka_unit_test_setup_teardown(test_poll_changed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_poll_broken_keeps_old_and_tells_once, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_poll_missing_keeps_old, setup, teardown),
        cmocka_unit_test_setup_teardown(test_open_shares_and_refuses, setup, teardown),
        cmocka_unit_test_setup_teardown(test_open_after_last_user, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
