/* mx_mail.c: which files are messages, in which order, and what cannot be read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "mx_mail.h"
#include "mx_err.h"
#include "mx_str.h"

struct place {
    char dir[64];
    struct mx_buf seen; /* "name=text;" of each */
    int stop_after;     /* 0: never */
};

/* The tree: b.eml, a.eml, .hidden, sub/c.eml, sub/.git/x */
static const char *const files[] = {"b.eml", "a.eml", ".hidden", "sub/c.eml",
                                    "sub/.git/x"};

static int setup(void **state)
{
    static struct place place;

    memset(&place, 0, sizeof(place));
    snprintf(place.dir, sizeof(place.dir), "/tmp/mxdrop-test-XXXXXX");
    assert_non_null(mkdtemp(place.dir));
    assert_int_equal(chdir(place.dir), 0);
    assert_int_equal(mkdir("sub", 0755) | mkdir("sub/.git", 0755), 0);
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        FILE *file = fopen(files[i], "w");

        assert_non_null(file);
        fprintf(file, "%zu", i);
        fclose(file);
    }
    *state = &place;
    return 0;
}

static int teardown(void **state)
{
    struct place *place = *state;

    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        unlink(files[i]);
    rmdir("sub/.git");
    rmdir("sub");
    assert_int_equal(chdir("/"), 0);
    assert_int_equal(rmdir(place->dir), 0);
    mx_buf_fini(&place->seen);
    return 0;
}

static int take(void *user, const char *name, struct mx_str text, const char *fault)
{
    struct place *place = user;

    mx_buf_printf(&place->seen, "%s=%.*s;", name,
                  MX_STR_FMT(fault ? MX_STR("FAULT") : text));
    return --place->stop_after == 0 ? -1 : 0;
}

static char *const *names(const char *name)
{
    static char *v[2];

    v[0] = (char *)(uintptr_t)name;
    return v;
}

static void test_mx_mail_each_walks_in_order(void **state)
{
    struct place *place = *state;
    struct mx_err err;

    assert_int_equal(mx_mail_each(names("."), 1, take, place, &err), 0);
    assert_string_equal(place->seen.p, "./a.eml=1;./b.eml=0;./sub/c.eml=3;");
}

static void test_mx_mail_each_takes_what_is_named(void **state)
{
    struct place *place = *state;
    struct mx_err err;

    assert_int_equal(mx_mail_each(names(".hidden"), 1, take, place, &err), 0);
    assert_int_equal(mx_mail_each(names("sub/.git"), 1, take, place, &err), 0);
    assert_string_equal(place->seen.p, ".hidden=2;sub/.git/x=4;");
}

static void test_mx_mail_each_names_what_is_missing(void **state)
{
    struct place *place = *state;
    struct mx_err err;

    assert_int_equal(mx_mail_each(names("nobody.eml"), 1, take, place, &err), -1);
    assert_string_equal(err.text, "nobody.eml: No such file or directory");
    assert_int_equal(place->seen.n, 0);
}

static void test_mx_mail_each_can_be_ended(void **state)
{
    struct place *place = *state;
    struct mx_err err;

    place->stop_after = 1;
    assert_int_equal(mx_mail_each(names("."), 1, take, place, &err), -1);
    assert_string_equal(place->seen.p, "./a.eml=1;");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_mx_mail_each_walks_in_order),
        TEST(test_mx_mail_each_takes_what_is_named),
        TEST(test_mx_mail_each_names_what_is_missing),
        TEST(test_mx_mail_each_can_be_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
