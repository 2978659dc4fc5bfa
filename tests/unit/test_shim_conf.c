/* Section "milter": what the table cannot judge, and snapshots. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mx_err.h"
#include "shim_conf.h"

static int load(const char *yaml, struct shim_settings **out, struct mx_err *err)
{
    static const struct mx_conf_section *const sections[] = {&shim_conf_section, NULL};
    static const char *const foreign[] = {NULL};
    char path[] = "/tmp/test_shim_conf.XXXXXX";
    struct mx_conf *conf = NULL;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, yaml, strlen(yaml)), strlen(yaml));
    close(fd);
    int rc = mx_conf_load(path, sections, foreign, &conf, err);
    unlink(path);
    if (rc == 0 && shim_settings_new(conf, conf, out, err) < 0) {
        mx_conf_free(conf);
        rc = -1;
    }
    return rc;
}

static void test_settings_new_defaults(void **state)
{
    struct shim_settings *s = NULL;
    struct mx_err err;
    (void)state;
    assert_int_equal(load("milter:\n  backlog: 7\n", &s, &err), 0);
    assert_int_equal(s->ask,
                     SHIM_ASK_CONNECT | SHIM_ASK_HELO | SHIM_ASK_MAIL | SHIM_ASK_RCPT);
    assert_int_equal(s->socket_mode, 0660);
    assert_int_equal(s->conf->backlog, 7);
    assert_int_equal(s->conf->policyd_down, SHIM_POLICYD_TEMPFAIL);
    assert_int_equal(s->conf->scand_down, SHIM_SCAND_TEMPFAIL);
    assert_int_equal(s->conf->progress_ms, 5000);
    shim_settings_drop(s);
}

static void test_settings_new_ask_at(void **state)
{
    struct shim_settings *s = NULL;
    struct mx_err err;
    (void)state;
    assert_int_equal(load("milter:\n  ask_at: [mail, rcpt]\n", &s, &err), 0);
    assert_int_equal(s->ask, SHIM_ASK_MAIL | SHIM_ASK_RCPT);
    shim_settings_drop(s);
}

static void assert_refused(const char *yaml, const char *word)
{
    struct shim_settings *s = NULL;
    struct mx_err err = {0};
    assert_int_equal(load(yaml, &s, &err), -1);
    if (strstr(err.text, word) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", err.text, word);
    if (strstr(err.text, ":2") == NULL)
        fail_msg("\"%s\" names no line", err.text);
}

static void test_settings_new_refuses(void **state)
{
    (void)state;
    assert_refused("milter:\n  ask_at: [data]\n", "data");
    assert_refused("milter:\n  socket_mode: \"8\"\n", "socket_mode");
    assert_refused("milter:\n  socket_mode: \"1777\"\n", "socket_mode");
    assert_refused("milter:\n  policyd: []\n", "policyd");
    assert_refused("milter:\n  public_key: \"abc\"\n", "secret_key");
    assert_refused("milter:\n  scand_down: maybe\n", "scand_down");
    assert_refused("milter:\n  nonsense: 1\n", "nonsense");
}

static void test_settings_hold_keeps_it(void **state)
{
    struct shim_settings *s = NULL;
    struct mx_err err;
    (void)state;
    assert_int_equal(load("milter:\n  backlog: 9\n", &s, &err), 0);
    shim_settings_hold(s);
    shim_settings_drop(s);
    assert_int_equal(s->conf->backlog, 9); /* ASan tells if it was freed */
    shim_settings_drop(s);
    shim_settings_drop(NULL);
}

static void test_settings_restart_names_the_key(void **state)
{
    struct shim_settings *a = NULL, *b = NULL, *c = NULL;
    struct mx_err err;
    (void)state;
    assert_int_equal(load("milter:\n  backlog: 1\n", &a, &err), 0);
    assert_int_equal(load("milter:\n  backlog: 2\n", &b, &err), 0);
    assert_int_equal(load("milter:\n  backlog: 1\n  progress: 9s\n", &c, &err), 0);
    assert_string_equal(shim_settings_restart(a->conf, b->conf), "backlog");
    assert_null(shim_settings_restart(a->conf, c->conf));
    shim_settings_drop(a);
    shim_settings_drop(b);
    shim_settings_drop(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_settings_new_defaults),
        cmocka_unit_test(test_settings_new_ask_at),
        cmocka_unit_test(test_settings_new_refuses),
        cmocka_unit_test(test_settings_hold_keeps_it),
        cmocka_unit_test(test_settings_restart_names_the_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
