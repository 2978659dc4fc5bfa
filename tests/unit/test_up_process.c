/* up_process.c: one child, its notes, its end, and when it starts again. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "up_files.h"
#include "up_process.h"

struct place {
    struct mx_arena *arena;
    char dir[64];
    struct up_process process;
};

static int setup(void **state)
{
    struct place *place = mx_xalloc(sizeof(*place));

    place->arena = mx_arena_new(8 << 20);
    strncpy(place->dir, "/tmp/mxdrop-test-XXXXXX", sizeof(place->dir) - 1);
    assert_non_null(mkdtemp(place->dir));
    place->process.name = "one";
    place->process.log_path = mx_arena_printf(place->arena, "%s/log", place->dir);
    place->process.pid_path = mx_arena_printf(place->arena, "%s/pid", place->dir);
    *state = place;
    return 0;
}

static int teardown(void **state)
{
    struct place *place = *state;

    unlink(place->process.log_path);
    unlink(place->process.pid_path);
    unlink(mx_arena_printf(place->arena, "%s/s", place->dir));
    rmdir(place->dir);
    mx_arena_free(place->arena);
    free(place);
    return 0;
}

static void test_up_process_backoff_doubles_and_is_bounded(void **state)
{
    unsigned wait = 0;

    (void)state;
    wait = up_process_backoff(wait, 0);
    assert_int_equal(wait, UP_BACKOFF_MIN_MS);
    assert_int_equal(up_process_backoff(wait, 100), UP_BACKOFF_MIN_MS * 2);
    for (int i = 0; i < 20; i++)
        wait = up_process_backoff(wait, 100);
    assert_int_equal(wait, UP_BACKOFF_MAX_MS);
    assert_int_equal(up_process_backoff(wait, UP_STEADY_MS), UP_BACKOFF_MIN_MS);
}

static void test_up_process_ended_plans_the_restart(void **state)
{
    struct place *place = *state;
    struct up_process *process = &place->process;

    process->pid = 1;
    process->state = UP_READY;
    process->started_ms = 1000;
    up_process_ended(process, 2000, true);
    assert_int_equal(process->pid, 0);
    assert_int_equal(process->state, UP_DOWN);
    assert_int_equal(process->restart_ms, 2000 + UP_BACKOFF_MIN_MS);
    up_process_ended(process, 3000, false);
    assert_int_equal(process->restart_ms, 0);
}

static void test_up_process_notify_reads_lines(void **state)
{
    struct up_process process = {.state = UP_STARTING, .is_notifying = true};

    (void)state;
    up_process_notify(&process, MX_STR("STATUS=loading signatures\nWATCHDOG=1"));
    assert_string_equal(process.status, "loading signatures");
    assert_false(up_process_probe(&process));
    up_process_notify(&process, MX_STR("READY=10\nXREADY=1"));
    assert_false(up_process_probe(&process));
    up_process_notify(&process, MX_STR("READY=1\nSTATUS="));
    assert_string_equal(process.status, "");
    assert_true(up_process_probe(&process));
    assert_int_equal(process.state, UP_READY);
    assert_false(up_process_probe(&process)); /* told once */
}

static void test_up_process_notify_cuts_status(void **state)
{
    char note[400] = "STATUS=";
    struct up_process process = {0};

    (void)state;
    memset(note + 7, 'x', sizeof(note) - 7);
    up_process_notify(&process, mx_str_of(note, sizeof(note)));
    assert_int_equal(strlen(process.status), UP_STATUS_MAX - 1);
}

static void test_up_process_probe_connects(void **state)
{
    struct place *place = *state;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct up_process process = {.state = UP_STARTING};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    process.socket = mx_arena_printf(place->arena, "%s/s", place->dir);
    assert_false(up_process_probe(&process));
    strncpy(address.sun_path, process.socket, sizeof(address.sun_path) - 1);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_false(up_process_probe(&process)); /* bound, but nobody listens */
    assert_int_equal(listen(fd, 5), 0);
    assert_true(up_process_probe(&process));
    close(fd);
}

static void test_up_process_probe_of_redis_wants_an_answer(void **state)
{
    struct place *place = *state;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct up_process process = {.state = UP_STARTING, .is_redis = true};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    process.socket = mx_arena_printf(place->arena, "%s/s", place->dir);
    strncpy(address.sun_path, process.socket, sizeof(address.sun_path) - 1);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 5), 0);
    assert_false(up_process_probe(&process)); /* accepts, but does not answer */
    close(fd);
}

static void test_up_process_spawn_runs_and_notes(void **state)
{
    static const char *const argv[] = {"/bin/sh", "-c", "echo $NOTIFY_SOCKET; exit 3",
                                       NULL};
    struct place *place = *state;
    struct mx_err err;
    const char *text;
    int status;

    place->process.argv = argv;
    place->process.is_notifying = true;
    assert_int_equal(up_process_spawn(&place->process, "@abc", 5, &err), 0);
    assert_int_equal(place->process.state, UP_STARTING);
    assert_int_equal(up_files_read(place->arena, place->process.pid_path, &text, &err),
                     0);
    assert_int_equal(strtol(text, NULL, 10), place->process.pid);
    assert_int_equal(getpgid(place->process.pid), place->process.pid);
    assert_int_equal(waitpid(place->process.pid, &status, 0), place->process.pid);
    assert_int_equal(WEXITSTATUS(status), 3);
    assert_int_equal(up_files_read(place->arena, place->process.log_path, &text, &err),
                     0);
    assert_string_equal(text, "@abc\n");
}

static void test_up_process_spawn_says_what_cannot_run(void **state)
{
    static const char *const argv[] = {"/no/such/program", NULL};
    struct place *place = *state;
    struct mx_err err;

    place->process.argv = argv;
    assert_int_equal(up_process_spawn(&place->process, NULL, 5, &err), -1);
    assert_non_null(strstr(err.text, "/no/such/program: No such file"));
    assert_int_equal(waitpid(place->process.pid, NULL, 0), place->process.pid);
}

static void test_up_process_kill_takes_the_group(void **state)
{
    static const char *const argv[] = {"/bin/sh", "-c", "sleep 100 & wait", NULL};
    struct place *place = *state;
    struct mx_err err;
    int status;

    place->process.argv = argv;
    assert_int_equal(up_process_spawn(&place->process, NULL, 5, &err), 0);
    up_process_kill(&place->process);
    assert_int_equal(waitpid(place->process.pid, &status, 0), place->process.pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_up_process_backoff_doubles_and_is_bounded),
        TEST(test_up_process_ended_plans_the_restart),
        TEST(test_up_process_notify_reads_lines),
        TEST(test_up_process_notify_cuts_status),
        TEST(test_up_process_probe_connects),
        TEST(test_up_process_probe_of_redis_wants_an_answer),
        TEST(test_up_process_spawn_runs_and_notes),
        TEST(test_up_process_spawn_says_what_cannot_run),
        TEST(test_up_process_kill_takes_the_group),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
