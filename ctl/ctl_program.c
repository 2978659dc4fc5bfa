/*
 * Finds the daemons. Beside mxdropctl comes first, so that a build tree runs its own and
 * not what the machine has installed.
 */
#include "ctl_program.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "mx_str.h"

static bool try_dir(struct mx_arena *arena, struct mx_str dir, const char *rest,
                    const char **out)
{
    const char *path = mx_arena_printf(arena, "%.*s/%s", MX_STR_FMT(dir), rest);

    if (dir.n == 0 || access(path, X_OK) != 0)
        return false;
    *out = path;
    return true;
}

/* The directory of our own program; missing where /proc is not mounted. */
static struct mx_str own_dir(struct mx_arena *arena)
{
    char self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self));
    struct mx_str path = mx_str_of(self, n > 0 ? (size_t)n : 0);
    ptrdiff_t slash = mx_str_rchr(path, '/');

    return mx_str_dup(arena, mx_str_sub(path, 0, slash > 0 ? (size_t)slash : 0));
}

int ctl_program_find(struct mx_arena *arena, const char *name, const char **out,
                     struct mx_err *err)
{
    struct mx_str own = own_dir(arena), path = mx_str(getenv("PATH")), dir;

    if (try_dir(arena, own, name, out) ||
        try_dir(arena, own, mx_arena_printf(arena, "../sbin/%s", name), out))
        return 0;
    while (mx_str_next(&path, ':', &dir) == 0) {
        if (try_dir(arena, dir, name, out))
            return 0;
    }
    if (try_dir(arena, MX_STR("/usr/sbin"), name, out) ||
        try_dir(arena, MX_STR("/sbin"), name, out))
        return 0;
    return mx_err_set(err, MX_ERR_SYSTEM,
                      "%s is neither beside mxdropctl nor in $PATH: install it", name);
}

static _Noreturn void become(const char *const *argv, int out_fd)
{
    int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    if (dup2(null_fd, 0) == 0 && dup2(out_fd, 1) == 1 && dup2(out_fd, 2) == 2)
        execv(argv[0], (char *const *)(uintptr_t)argv);
    _exit(127);
}

/* Read to the end, also past the bound of ${out}: a full pipe would hold the writer. */
static int drain(int fd, struct mx_buf *out, struct mx_err *err)
{
    char chunk[4096];
    ssize_t n;

    while ((n = read(fd, chunk, sizeof(chunk))) != 0) {
        if (n < 0 && errno != EINTR)
            return mx_err_errno(err, "reading from a program");
        if (n > 0)
            mx_buf_add(out, chunk, (size_t)n);
    }
    return 0;
}

int ctl_program_run(const char *const *argv, struct mx_buf *out, int *out_code,
                    struct mx_err *err)
{
    int fds[2], status = 0, result;
    pid_t pid;

    if (pipe2(fds, O_CLOEXEC) != 0)
        return mx_err_errno(err, "pipe");
    pid = fork();
    if (pid == 0)
        become(argv, fds[1]);
    close(fds[1]);
    result = pid < 0 ? mx_err_errno(err, "fork") : drain(fds[0], out, err);
    close(fds[0]);
    if (pid > 0 && waitpid(pid, &status, 0) != pid && result == 0)
        result = mx_err_errno(err, "%s", argv[0]);
    if (result == 0)
        *out_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return result;
}
