/*
 * One cluster at a time in one directory: pid/up.pid is locked as long as `up` lives, so
 * a crash leaves no stale lock. Daemons do not inherit it. What an `up` that was killed
 * left running is found by the pid files and recognised by the directory in its command
 * line; a guard, a fork of `up` that only waits for its death, ends it at once.
 */
#include "up_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "mx_str.h"
#include "up_files.h"

#define CMDLINE_MAX 4096 /* bytes; our own command lines are shorter */

/* The number in a pid file; 0: none. */
static pid_t read_pid(struct mx_arena *arena, const char *path)
{
    const char *text;
    int64_t pid;

    if (up_files_read(arena, path, &text, NULL) != 0 ||
        mx_str_to_int(mx_str_trim(mx_str(text)), 1, INT_MAX, &pid, NULL) != 0)
        return 0;
    return (pid_t)pid;
}

/* Where the one who is noted there is dead, its guard holds the lock and tidies up: that
   ends soon. */
static int take_lock(struct mx_arena *arena, const char *path, int fd)
{
    pid_t holder;

    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return 0;
    holder = read_pid(arena, path);
    if (holder == 0 || kill(holder, 0) == 0 || errno == EPERM)
        return -1;
    return flock(fd, LOCK_EX);
}

static int lock(struct mx_arena *arena, const char *dir, int *out_fd, struct mx_err *err)
{
    const char *path = mx_arena_printf(arena, "%s/pid/up.pid", dir);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);

    if (fd < 0)
        return mx_err_errno(err, "%s", path);
    if (take_lock(arena, path, fd) != 0) {
        mx_err_set(err, MX_ERR_INPUT, "%s: a cluster runs here already (pid %ld)", dir,
                   (long)read_pid(arena, path));
        close(fd);
        return -1;
    }
    if (ftruncate(fd, 0) != 0 || dprintf(fd, "%ld\n", (long)getpid()) < 0) {
        mx_err_errno(err, "%s", path);
        close(fd);
        return -1;
    }
    *out_fd = fd;
    return 0;
}

int up_dir_open(struct mx_arena *arena, const char *name, const char **out_dir,
                int *out_lock_fd, struct mx_err *err)
{
    static const char *const folders[] = {"log",        "pid",    "conf",  "redis",
                                          "signatures", "poison", "cache", "tmp"};
    char real[PATH_MAX];
    const char *dir;

    if (up_files_mkdir(name, 0755, err) != 0)
        return -1;
    if (!realpath(name, real))
        return mx_err_errno(err, "%s", name);
    dir = mx_arena_dup(arena, real, strlen(real));
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        if (up_files_mkdir(mx_arena_printf(arena, "%s/%s", dir, folders[i]), 0755, err) !=
            0)
            return -1;
    }
    if (lock(arena, dir, out_lock_fd, err) != 0)
        return -1;
    *out_dir = dir;
    return 0;
}

void up_dir_close(struct mx_arena *arena, const char *dir, int lock_fd)
{
    unlink(mx_arena_printf(arena, "%s/up.json", dir));
    unlink(mx_arena_printf(arena, "%s/pid/up.pid", dir));
    close(lock_fd);
}

/* The process is one of this directory's. */
static bool is_ours(struct mx_arena *arena, pid_t pid, const char *dir)
{
    FILE *file = fopen(mx_arena_printf(arena, "/proc/%ld/cmdline", (long)pid), "re");
    char line[CMDLINE_MAX];
    size_t n;

    if (!file)
        return false;
    n = fread(line, 1, sizeof(line), file);
    fclose(file);
    return mx_str_find(mx_str_of(line, n), mx_str(dir)) >= 0;
}

/* Wait for its end. A process that is not our child: by its descriptor. */
static bool has_ended(pid_t pid, int timeout_ms)
{
    struct pollfd wait = {.fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN};
    int n;

    if (wait.fd < 0)
        return true; /* gone meanwhile */
    n = poll(&wait, 1, timeout_ms);
    close(wait.fd);
    return n == 1;
}

static int end_one(struct mx_arena *arena, const char *dir, const char *pid_path,
                   struct mx_err *err)
{
    pid_t pid = read_pid(arena, pid_path);

    if (pid == 0 || !is_ours(arena, pid, dir))
        return 0;
    kill(pid, SIGTERM);
    if (has_ended(pid, UP_DIR_GRACE_MS))
        return 0;
    kill(-pid, SIGKILL); /* each of ours leads a group */
    if (has_ended(pid, UP_DIR_GRACE_MS))
        return 0;
    return mx_err_set(err, MX_ERR_TIMEOUT,
                      "process %ld of an earlier run does not end (%s)", (long)pid,
                      pid_path);
}

int up_dir_end_earlier(struct mx_arena *arena, const char *dir, struct mx_err *err)
{
    const char *pattern = mx_arena_printf(arena, "%s/pid/*.pid", dir);
    glob_t found = {0};
    int status = 0;

    if (glob(pattern, GLOB_NOSORT, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++) {
            if (!mx_str_iends(mx_str(found.gl_pathv[i]), MX_STR("/up.pid")) &&
                end_one(arena, dir, found.gl_pathv[i], err) != 0)
                status = -1;
        }
    }
    globfree(&found);
    return status;
}

/* ---- the guard ---- */

/* ${fd} is readable when the last holder of the other end, `up`, is gone. The lock stays
   ours until we are done, so that the next start waits and we never meet its processes.
 */
static _Noreturn void guard(struct mx_arena *arena, const char *dir, int fd, int lock_fd)
{
    int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    char byte;
    ssize_t n;

    if (dup2(fd, 0) != 0 || dup2(null_fd, 1) != 1 || dup2(null_fd, 2) != 2 ||
        dup2(lock_fd, 3) != 3)
        _exit(1);
    close_range(4, ~0u, 0);
    setsid(); /* Ctrl-C is not for us */
    signal(SIGTERM, SIG_IGN);
    prctl(PR_SET_NAME, "mxdropctl-guard");
    do
        n = read(0, &byte, 1);
    while (n < 0 && errno == EINTR);
    up_dir_end_earlier(arena, dir, NULL);
    _exit(0);
}

int up_dir_guard(struct mx_arena *arena, const char *dir, int lock_fd, struct mx_err *err)
{
    int fds[2];
    pid_t pid;

    if (pipe2(fds, O_CLOEXEC) != 0)
        return mx_err_errno(err, "pipe");
    pid = fork();
    if (pid == 0) {
        close(fds[1]);
        guard(arena, dir, fds[0], lock_fd);
    }
    close(fds[0]);
    if (pid < 0) {
        mx_err_errno(err, "fork");
        close(fds[1]);
    }
    return pid; /* fds[1] stays open until we are gone: that is its use */
}

void up_dir_unguard(int guard_pid)
{
    kill(guard_pid, SIGKILL);
    waitpid(guard_pid, NULL, 0);
}
