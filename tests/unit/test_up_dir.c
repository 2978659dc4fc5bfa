/* up_dir.c: one cluster a directory, and what an earlier one left running. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "up_dir.h"
#include "up_files.h"

struct place {
    struct mx_arena *arena;
    char base[64];
    const char *name, *dir;
    int lock_fd;
};

static int setup(void **state)
{
    struct place *place = mx_xalloc(sizeof(*place));
    struct mx_err err;

    place->arena = mx_arena_new(64 << 20);
    snprintf(place->base, sizeof(place->base), "/tmp/mxdrop-test-XXXXXX");
    assert_non_null(mkdtemp(place->base));
    place->name = mx_arena_printf(place->arena, "%s/./c", place->base);
    assert_int_equal(
        up_dir_open(place->arena, place->name, &place->dir, &place->lock_fd, &err), 0);
    *state = place;
    return 0;
}

static int teardown(void **state)
{
    struct place *place = *state;
    char command[128];

    up_dir_close(place->arena, place->dir, place->lock_fd);
    snprintf(command, sizeof(command), "rm -rf %s", place->base);
    assert_int_equal(system(command), 0);
    mx_arena_free(place->arena);
    free(place);
    return 0;
}

static void test_up_dir_open_makes_everything(void **state)
{
    struct place *place = *state;
    const char *text;
    struct mx_err err;

    assert_string_equal(place->dir, mx_arena_printf(place->arena, "%s/c", place->base));
    assert_int_equal(access(mx_arena_printf(place->arena, "%s/log", place->dir), W_OK),
                     0);
    assert_int_equal(
        up_files_read(place->arena,
                      mx_arena_printf(place->arena, "%s/pid/up.pid", place->dir), &text,
                      &err),
        0);
    assert_int_equal(strtol(text, NULL, 10), getpid());
}

static void test_up_dir_open_refuses_a_second(void **state)
{
    struct place *place = *state;
    const char *dir;
    struct mx_err err;
    int fd;

    assert_int_equal(up_dir_open(place->arena, place->name, &dir, &fd, &err), -1);
    assert_non_null(strstr(err.text, "a cluster runs here already"));
    assert_non_null(strstr(err.text, mx_arena_printf(place->arena, "%d", getpid())));
}

static void test_up_dir_open_again_after_close(void **state)
{
    struct place *place = *state;
    struct mx_err err;

    up_dir_close(place->arena, place->dir, place->lock_fd);
    assert_int_equal(
        up_dir_open(place->arena, place->name, &place->dir, &place->lock_fd, &err), 0);
}

/* A child in a group of its own with ${dir} in its command line. */
static pid_t leftover(const char *dir)
{
    pid_t pid = fork();

    if (pid == 0) {
        setpgid(0, 0);
        execl("/bin/sh", "sh", "-c", "while :; do sleep 0.05; done", dir, (char *)NULL);
        _exit(127);
    }
    return pid;
}

static void note(struct place *place, const char *name, pid_t pid)
{
    struct mx_err err;

    assert_int_equal(
        up_files_write(place->arena,
                       mx_arena_printf(place->arena, "%s/pid/%s.pid", place->dir, name),
                       mx_arena_printf(place->arena, "%d\n", (int)pid), 0644, &err),
        0);
}

/* Wait until the child has become the shell: its command line counts. */
static void await_exec(pid_t pid, const char *dir)
{
    char path[64], line[256];
    size_t n = 0;

    snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
    while (n < strlen(dir) || strcmp(line + n - strlen(dir), dir) != 0) {
        FILE *file = fopen(path, "r");

        assert_non_null(file);
        n = fread(line, 1, sizeof(line) - 1, file);
        fclose(file);
        n -= n > 0; /* the last NUL */
        line[n] = '\0';
    }
}

static void test_up_dir_end_earlier_ends_ours(void **state)
{
    struct place *place = *state;
    pid_t pid = leftover(place->dir);
    struct mx_err err;
    int status;

    await_exec(pid, place->dir);
    note(place, "scand-1", pid);
    assert_int_equal(up_dir_end_earlier(place->arena, place->dir, &err), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
}

static void test_up_dir_end_earlier_spares_strangers(void **state)
{
    struct place *place = *state;
    pid_t pid = leftover("/somewhere/else");
    struct mx_err err;

    await_exec(pid, "/somewhere/else");
    note(place, "scand-1", pid);
    assert_int_equal(up_dir_end_earlier(place->arena, place->dir, &err), 0);
    assert_int_equal(waitpid(pid, NULL, WNOHANG), 0); /* still there */
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static void test_up_dir_guard_ends_at_unguard(void **state)
{
    struct place *place = *state;
    struct mx_err err;
    int guard = up_dir_guard(place->arena, place->dir, place->lock_fd, &err);

    assert_true(guard > 0);
    up_dir_unguard(guard);
    assert_int_equal(kill(guard, 0), -1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_up_dir_open_makes_everything),
        TEST(test_up_dir_open_refuses_a_second),
        TEST(test_up_dir_open_again_after_close),
        TEST(test_up_dir_end_earlier_ends_ours),
        TEST(test_up_dir_end_earlier_spares_strangers),
        TEST(test_up_dir_guard_ends_at_unguard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
