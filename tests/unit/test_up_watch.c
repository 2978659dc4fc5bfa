/* up_watch.c: order, deaths, restarts, stopping; with shell scripts as the children. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "mx_time.h"
#include "up_files.h"
#include "up_plan.h"
#include "up_watch.h"

#define N 2
#define START_MS 20000

struct place {
    struct mx_arena *arena;
    char dir[64];
    struct up_process processes[N];
    struct up_watch *watch;
    int port, port_fd; /* where somebody listens: us */
    FILE *info;
    char *text;
    size_t text_n;
};

static const char *path(struct place *place, const char *name)
{
    return mx_arena_printf(place->arena, "%s/%s", place->dir, name);
}

/* Child ${i} runs ${script} in a wave of its own; $0 is the test's directory, $1 the
   child's name. It is ready at once, or never: shell scripts cannot notify. */
static void child(struct place *place, size_t i, const char *script, bool is_ready)
{
    const char **argv = mx_arena_array(place->arena, 6, sizeof(*argv));
    struct up_process *process = &place->processes[i];

    process->name = i ? "two" : "one";
    argv[0] = "/bin/sh";
    argv[1] = "-c";
    argv[2] = script;
    argv[3] = place->dir;
    argv[4] = process->name;
    process->argv = argv;
    process->wave = (unsigned)i;
    process->is_notifying = !is_ready;
    process->socket = mx_arena_printf(place->arena, "127.0.0.1:%d", place->port);
    process->log_path = path(place, i ? "log2" : "log1");
    process->pid_path = path(place, i ? "pid2" : "pid1");
}

static int setup(void **state)
{
    struct place *place = mx_xalloc(sizeof(*place));
    struct mx_err err;

    assert_int_equal(up_plan_free_port(0, &place->port, &place->port_fd, &err), 0);
    place->arena = mx_arena_new(8 << 20);
    snprintf(place->dir, sizeof(place->dir), "/tmp/mxdrop-test-XXXXXX");
    assert_non_null(mkdtemp(place->dir));
    place->info = open_memstream(&place->text, &place->text_n);
    *state = place;
    return 0;
}

static int teardown(void **state)
{
    struct place *place = *state;
    static const char *const files[] = {"log1",  "log2", "pid1",   "pid2",
                                        "order", "go",   "up-one", "up-two"};

    if (place->watch)
        up_watch_stop(place->watch, 5000);
    up_watch_close(place->watch);
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        unlink(path(place, files[i]));
    assert_int_equal(rmdir(place->dir), 0);
    close(place->port_fd);
    fclose(place->info);
    free(place->text);
    mx_arena_free(place->arena);
    free(place);
    return 0;
}

static void watch(struct place *place, bool wants_restart)
{
    const struct up_watch_options options = {.processes = place->processes,
                                             .n = N,
                                             .clock = &mx_clock_real,
                                             .wants_restart = wants_restart,
                                             .info = place->info};
    struct mx_err err;

    assert_int_equal(up_watch_open(&options, &place->watch, &err), 0);
}

static void test_up_watch_start_tells_why_it_died(void **state)
{
    struct place *place = *state;
    struct mx_err err;

    child(place, 0, "echo first; echo port 7 is in use >&2; exit 4", false);
    child(place, 1, "exec sleep 100", true);
    watch(place, true);
    assert_int_equal(up_watch_start(place->watch, 0, START_MS, &err), -1);
    assert_non_null(strstr(err.text, "one did not start: port 7 is in use"));
    assert_int_equal(place->processes[1].pid, 0);
    fflush(place->info);
    assert_non_null(strstr(place->text, "one died (exit 4)"));
}

static void test_up_watch_start_has_a_deadline(void **state)
{
    struct place *place = *state;
    struct mx_err err;

    child(place, 0, "exec sleep 100", false);
    child(place, 1, "exec sleep 100", false);
    watch(place, true);
    assert_int_equal(up_watch_start(place->watch, 0, 50, &err), -1);
    assert_int_equal(err.code, MX_ERR_TIMEOUT);
    assert_non_null(strstr(err.text, "one is not ready"));
}

static void test_up_watch_start_ends_at_a_signal(void **state)
{
    struct place *place = *state;
    struct mx_err err;

    child(place, 0, "kill -TERM $PPID; exec sleep 100", false);
    child(place, 1, "exec sleep 100", true);
    watch(place, true);
    assert_int_equal(up_watch_start(place->watch, 0, START_MS, &err), -1);
    assert_true(up_watch_was_told(place->watch));
}

/* Wait for a file that a child writes: it is as far as that. */
static void await_file(const char *name)
{
    const struct timespec moment = {.tv_nsec = 2000000};

    for (int i = 0; i < 5000 && access(name, F_OK) != 0; i++)
        nanosleep(&moment, NULL);
    assert_int_equal(access(name, F_OK), 0);
}

static void test_up_watch_stop_reverses_the_order(void **state)
{
    static const char script[] = "trap 'echo $1 >>$0/order; exit 0' TERM; >$0/up-$1; "
                                 "while :; do sleep 0.01; done";
    struct place *place = *state;
    struct mx_err err;
    const char *text;

    child(place, 0, script, true);
    child(place, 1, script, true);
    watch(place, true);
    assert_int_equal(up_watch_start(place->watch, 0, START_MS, &err), 0);
    assert_int_equal(up_watch_start(place->watch, 1, START_MS, &err), 0);
    await_file(path(place, "up-one"));
    await_file(path(place, "up-two"));
    up_watch_stop(place->watch, START_MS);
    assert_int_equal(place->processes[0].pid | place->processes[1].pid, 0);
    assert_int_equal(up_files_read(place->arena, path(place, "order"), &text, &err), 0);
    assert_string_equal(text, "two\none\n");
    assert_int_equal(access(path(place, "pid1"), F_OK), -1);
}

static void test_up_watch_stop_kills_who_ignores_it(void **state)
{
    struct place *place = *state;
    struct mx_err err;

    child(place, 0, "trap '' TERM; >$0/up-$1; while :; do sleep 0.01; done", true);
    child(place, 1, "exec sleep 100", true);
    watch(place, true);
    assert_int_equal(up_watch_start(place->watch, 0, START_MS, &err), 0);
    await_file(path(place, "up-one"));
    up_watch_stop(place->watch, 50);
    assert_int_equal(place->processes[0].pid, 0);
    fflush(place->info);
    assert_non_null(strstr(place->text, "is killed"));
}

/* Children that are to die begin with this: they wait until the start is over. */
#define WAIT_GO "while [ ! -e $0/go ]; do sleep 0.01; done; "

static void go(struct place *place)
{
    struct mx_err err;

    assert_int_equal(up_files_write(place->arena, path(place, "go"), "", 0644, &err), 0);
}

static void test_up_watch_serve_starts_again(void **state)
{
    /* The second time it tells us to stop: serve returns only after a restart. */
    static const char script[] =
        WAIT_GO "[ -e $0/order ] || { >$0/order; exit 1; }; kill -TERM $PPID; "
                "exec sleep 100";
    struct place *place = *state;
    struct mx_err err;

    child(place, 0, script, true);
    child(place, 1, "exec sleep 100", true);
    watch(place, true);
    assert_int_equal(up_watch_start(place->watch, 0, START_MS, &err), 0);
    go(place);
    up_watch_serve(place->watch);
    fflush(place->info);
    assert_non_null(strstr(place->text, "one died (exit 1); starts again in 200 ms"));
    assert_int_not_equal(place->processes[0].pid, 0);
}

static void test_up_watch_serve_leaves_down_until_usr1(void **state)
{
    /* One dies, the first time. Two, when it sees that, asks to start it again. */
    static const char first[] = WAIT_GO
        "[ -e $0/order ] || { >$0/order; exit 0; }; kill -TERM $PPID; exec sleep 100";
    static const char second[] =
        "while [ ! -e $0/order ] || [ -e $0/pid1 ]; do sleep 0.01; done; "
        "kill -USR1 $PPID; exec sleep 100";
    struct place *place = *state;
    struct mx_err err;

    child(place, 0, first, true);
    child(place, 1, second, true);
    watch(place, false);
    assert_int_equal(up_watch_start(place->watch, 0, START_MS, &err), 0);
    assert_int_equal(up_watch_start(place->watch, 1, START_MS, &err), 0);
    go(place);
    up_watch_serve(place->watch);
    fflush(place->info);
    assert_non_null(strstr(place->text, "one died (exit 0); see"));
    assert_int_not_equal(place->processes[0].pid, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_up_watch_start_tells_why_it_died),
        TEST(test_up_watch_start_has_a_deadline),
        TEST(test_up_watch_start_ends_at_a_signal),
        TEST(test_up_watch_stop_reverses_the_order),
        TEST(test_up_watch_stop_kills_who_ignores_it),
        TEST(test_up_watch_serve_starts_again),
        TEST(test_up_watch_serve_leaves_down_until_usr1),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
