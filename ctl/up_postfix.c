/*
 * A Postfix of our own: own configuration, queue, data and log below DIR, bound to the
 * loopback. The machine's own Postfix, running or not, is not touched: nothing outside
 * DIR is written, and programs run from where they are installed or were unpacked
 * ($MXDROP_POSTFIX_ROOT, where installing would have replaced another MTA).
 *
 * It is not started through "postfix start": that shell would stand between us and the
 * master daemon, which we want to be our child. "postfix check" is run, as it makes the
 * queue directories with the right owners.
 */
#include "up_postfix.h"

#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "up_files.h"

#define SINK_BACKLOG "256"
#define NOT_IN_MAIN_CF " \t,{}:\"'\\$%" /* they part words there, or mean something */

extern const char up_template_postfix_main[];
extern const char up_template_postfix_master[];

/* ---- may it run? ---- */

/* Postfix wants three identities that nobody shares. Its package makes the first ones;
   where it is only unpacked, such that every Debian has. */
static bool choose_identity(struct up_postfix *out)
{
    bool is_installed = getpwnam("postfix") && getgrnam("postdrop");

    out->owner = is_installed ? "postfix" : "mail";
    out->group = is_installed ? "postdrop" : "daemon";
    out->privs = "nobody";
    return getpwnam(out->owner) && getgrnam(out->group) && getpwnam(out->privs);
}

/* The first directory on the way to ${dir} that others may not pass, or NULL. */
static const char *closed_part(struct mx_arena *arena, const char *dir)
{
    char *path = mx_arena_dup(arena, dir, strlen(dir)), *end = path;
    struct stat st;

    do { /* "/a", "/a/b", ... */
        end = strchr(end + 1, '/');
        if (end)
            *end = '\0';
        if (stat(path, &st) == 0 && !(st.st_mode & S_IXOTH))
            return path;
        if (end)
            *end = '/';
    } while (end);
    return NULL;
}

bool up_postfix_find(struct mx_arena *arena, const char *dir, struct up_postfix *out,
                     const char **out_why)
{
    const char *root = getenv("MXDROP_POSTFIX_ROOT"), *closed;

    *out = (struct up_postfix){.root = root ? root : ""};
    if (geteuid() != 0) {
        *out_why = "only root can run it";
    } else if (access(mx_arena_printf(arena, "%s/usr/lib/postfix/sbin/master", out->root),
                      X_OK) != 0) {
        *out_why = "it is not installed";
    } else if (!choose_identity(out)) {
        *out_why = "the users postfix (or mail) and nobody do not exist";
    } else if (strpbrk(dir, NOT_IN_MAIN_CF) || strpbrk(out->root, NOT_IN_MAIN_CF)) {
        *out_why = "main.cf cannot hold this directory's name: use one without spaces";
    } else if ((closed = closed_part(arena, dir))) {
        *out_why =
            mx_arena_printf(arena, "user %s cannot pass %s: chmod o+x, or another --dir",
                            out->owner, closed);
    } else {
        return true;
    }
    return false;
}

/* ---- making it ready ---- */

static const char *program(struct mx_arena *arena, const struct up_postfix *postfix,
                           const char *name)
{
    return mx_arena_printf(arena, "%s/usr/%s", postfix->root, name);
}

/* ${argv} with the library path in front where Postfix is only unpacked. */
static const char *const *with_libraries(struct mx_arena *arena,
                                         const struct up_postfix *postfix,
                                         const char *const *argv)
{
    const char **out;
    size_t n = 0, at = 0;

    if (!*postfix->root)
        return argv;
    while (argv[n])
        n++;
    out = mx_arena_array(arena, n + 3, sizeof(*out));
    out[at++] = "/usr/bin/env";
    out[at++] =
        mx_arena_printf(arena, "LD_LIBRARY_PATH=%s/usr/lib/postfix", postfix->root);
    memcpy(&out[at], argv, n * sizeof(*argv));
    return out;
}

const char *const *up_postfix_argv(struct mx_arena *arena,
                                   const struct up_postfix *postfix, const char *dir)
{
    const char **argv = mx_arena_array(arena, 5, sizeof(*argv));

    argv[0] = program(arena, postfix, "lib/postfix/sbin/master");
    argv[1] = "-c";
    argv[2] = mx_arena_printf(arena, "%s/postfix/etc", dir);
    argv[3] = "-s"; /* stay in the foreground */
    return with_libraries(arena, postfix, argv);
}

const char *const *up_postfix_sink_argv(struct mx_arena *arena,
                                        const struct up_postfix *postfix, const char *dir)
{
    const char **argv = mx_arena_array(arena, 8, sizeof(*argv));

    argv[0] = program(arena, postfix, "sbin/smtp-sink");
    argv[1] = "-u";
    argv[2] = postfix->owner;
    argv[3] = "-d";
    argv[4] = mx_arena_printf(arena, "%s/sink/%%Y%%m%%d-%%H%%M%%S.", dir);
    argv[5] = mx_arena_printf(arena, "127.0.0.1:%d", postfix->sink_port);
    argv[6] = SINK_BACKLOG;
    return with_libraries(arena, postfix, argv);
}

static int make_dirs(struct mx_arena *arena, const struct up_postfix *postfix,
                     const char *dir, struct mx_err *err)
{
    static const struct {
        const char *name;
        bool is_owners;
    } dirs[] = {{"postfix", false},
                {"postfix/etc", false},
                {"postfix/queue", false},
                {"postfix/data", true},
                {"sink", true}};
    const struct passwd *owner = getpwnam(postfix->owner);

    for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
        const char *path = mx_arena_printf(arena, "%s/%s", dir, dirs[i].name);

        if (up_files_mkdir(path, 0755, err) != 0)
            return -1;
        if (dirs[i].is_owners && owner && chown(path, owner->pw_uid, owner->pw_gid) != 0)
            return mx_err_errno(err, "%s", path);
    }
    return 0;
}

static int write_files(struct mx_arena *arena, const struct up_postfix *postfix,
                       const char *dir, struct mx_err *err)
{
    const struct up_var vars[] = {
        {"DIR", dir},
        {"ROOT", postfix->root},
        {"OWNER", postfix->owner},
        {"GROUP", postfix->group},
        {"PRIVS", postfix->privs},
        {"SMTP_PORT", mx_arena_printf(arena, "%d", postfix->smtp_port)},
        {"SINK_PORT", mx_arena_printf(arena, "%d", postfix->sink_port)},
        {0}};
    const char *main_cf, *master_cf;

    if (up_files_render(arena, up_template_postfix_main, vars, UP_POSTFIX, &main_cf,
                        err) != 0 ||
        up_files_render(arena, up_template_postfix_master, vars, UP_POSTFIX, &master_cf,
                        err) != 0)
        return -1;
    if (up_files_write(arena, mx_arena_printf(arena, "%s/postfix/etc/main.cf", dir),
                       main_cf, 0644, err) != 0)
        return -1;
    return up_files_write(arena, mx_arena_printf(arena, "%s/postfix/etc/master.cf", dir),
                          master_cf, 0644, err);
}

/* Run it, output to DIR/log/postfix.log. */
static int run_check(const char *const *argv, const char *log, struct mx_err *err)
{
    int status = 0;
    pid_t pid = fork();

    if (pid < 0)
        return mx_err_errno(err, "fork");
    if (pid == 0) {
        if (!freopen("/dev/null", "r", stdin) || !freopen(log, "a", stdout) ||
            dup2(1, 2) < 0)
            _exit(126);
        execv(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    if (waitpid(pid, &status, 0) != pid)
        return mx_err_errno(err, "postfix check");
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return mx_err_set(err, MX_ERR_SYSTEM, "postfix check failed: see %s", log);
    return 0;
}

int up_postfix_prepare(struct mx_arena *arena, const struct up_postfix *postfix,
                       const char *dir, struct mx_err *err)
{
    const char *argv[] = {program(arena, postfix, "sbin/postfix"), "-c",
                          mx_arena_printf(arena, "%s/postfix/etc", dir), "check", NULL};

    if (make_dirs(arena, postfix, dir, err) != 0 ||
        write_files(arena, postfix, dir, err) != 0)
        return -1;
    return run_check(with_libraries(arena, postfix, argv),
                     mx_arena_printf(arena, "%s/log/postfix.log", dir), err);
}
