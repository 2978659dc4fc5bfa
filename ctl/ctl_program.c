/*
 * Finds the daemons. Beside mxdropctl comes first, so that a build tree runs its own and
 * not what the machine has installed.
 */
#include "ctl_program.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
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
