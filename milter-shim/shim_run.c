/*
 * Life of the process. Start: refuse root, bind, drop privileges, start the clients, let
 * libmilter serve. Then one loop over signals. SIGHUP swaps the settings for sessions to
 * come. SIGTERM drains: no new connections, 421 for new messages, messages under way
 * finish; then libmilter is stopped and all is freed in reverse order.
 *
 * Left out: anything about mail.
 */
#include "shim_run.h"

#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "mx_health.h"
#include "mx_time.h"
#include "shim.h"
#include "shim_backend.h"
#include "shim_milter.h"
#include "shim_nudge.h"
#include "shim_self.h"
#include "shim_socket.h"
#include "shim_watch.h"

#define LOOP_MS 1000 /* watchdog and liveness of libmilter */
#define DRAIN_STEP_MS 20
#define IDLE_GRACE_MS 1000 /* for sessions without a message, to hear their 421 */
#define CALLBACK_WAIT_MS 2000

struct runner {
    struct mx_daemon_env *env;
    struct shim shim;
    struct shim_self self;
    struct shim_cluster *cluster;
    struct shim_socket sock;
    struct shim_nudge *nudge;
};

static int user_find(const char *name, struct passwd *out, char *buf, size_t size,
                     struct mx_err *err)
{
    struct passwd *found = NULL;
    if (getpwnam_r(name, out, buf, size, &found) != 0 || found == NULL)
        return mx_err_set(err, MX_ERR_INPUT, "milter.user: no such user: %s", name);
    return 0;
}

/* Become the configured user for good. */
static int drop_root(const struct shim_conf *conf, const struct shim_socket *sock,
                     struct mx_err *err)
{
    char buf[4096];
    struct passwd user;
    if (geteuid() != 0 || *conf->user == '\0')
        return 0;
    if (user_find(conf->user, &user, buf, sizeof(buf), err) < 0)
        return -1;
    if (sock->path && chown(sock->path, user.pw_uid, user.pw_gid) < 0)
        return mx_err_errno(err, "%s", sock->path);
    if (initgroups(user.pw_name, user.pw_gid) < 0 || setgid(user.pw_gid) < 0 ||
        setuid(user.pw_uid) < 0)
        return mx_err_errno(err, "becoming %s", conf->user);
    return 0;
}

static int refuse_root(const struct shim_conf *conf, struct mx_err *err)
{
    if (geteuid() != 0 || *conf->user || conf->allow_root)
        return 0;
    return mx_err_set(err, MX_ERR_INPUT,
                      "will not run as root: set milter.user (or "
                      "milter.allow_root in a test set-up)");
}

static void raise_fd_limit(struct mx_log *log)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
        mx_log(log, MX_LOG_WARN, "shim.fd-limit", "errno=%d", errno);
}

static int listen_start(struct runner *runner, const struct shim_conf *conf,
                        struct mx_err *err)
{
    struct shim *shim = &runner->shim;
    if (shim_socket_prepare(conf->socket, &runner->sock, err) < 0)
        return mx_err_wrap(err, "milter.socket");
    mode_t old = umask(0177); /* nobody gets in before the mode is set */
    int rc = shim_milter_open(shim, &runner->sock, err);
    umask(old);
    if (rc < 0 || shim_socket_adopt(&runner->sock, shim->settings->socket_mode, err) < 0)
        return -1;
    return drop_root(conf, &runner->sock, err);
}

static int start(struct runner *runner, struct mx_err *err)
{
    struct mx_daemon_env *env = runner->env;
    struct shim *shim = &runner->shim;
    const struct shim_conf *conf = shim->settings->conf;
    shim->budget.max = conf->body_budget;
    raise_fd_limit(env->log);
    if (refuse_root(conf, err) < 0 || listen_start(runner, conf, err) < 0 ||
        shim_cluster_open(conf, env->log, &runner->self, &runner->cluster, err) < 0)
        return -1;
    shim->backend = shim_cluster_backend(runner->cluster);
    if (shim_milter_start(err) < 0)
        return -1;
    return shim_nudge_start(runner->sock.text, &shim->sessions, &runner->nudge, err);
}

static void reload(struct runner *runner, struct mx_conf *conf)
{
    struct shim *shim = &runner->shim;
    struct mx_log *log = runner->env->log;
    struct shim_settings *fresh = NULL, *old = shim->settings;
    struct mx_err err = {0};
    if (shim_settings_new(conf, conf, &fresh, &err) < 0) {
        mx_log(log, MX_LOG_ERROR, "shim.reload-refused", "error=\"%s\"", err.text);
        mx_conf_free(conf);
        return;
    }
    if (shim_cluster_reload(runner->cluster, fresh->conf, &err) < 0) {
        mx_log(log, MX_LOG_ERROR, "shim.reload-refused", "error=\"%s\"", err.text);
        shim_settings_drop(fresh);
        return;
    }
    const char *key = shim_settings_restart(old->conf, fresh->conf);
    if (key)
        mx_log(log, MX_LOG_WARN, "shim.reload", "key=%s needs=restart", key);
    pthread_mutex_lock(&shim->lock);
    shim->settings = fresh;
    pthread_mutex_unlock(&shim->lock);
    shim->budget.max = fresh->conf->body_budget;
    shim_settings_drop(old);
    mx_log(log, MX_LOG_INFO, "shim.reload", "done=1");
}

/* true: goes on. */
static bool serve_once(struct runner *runner)
{
    struct pollfd fd = {.fd = runner->env->signal_fd, .events = POLLIN};
    struct mx_conf *conf = NULL;
    mx_daemon_watchdog(runner->env);
    shim_watch_tick(&runner->shim);
    if (poll(&fd, 1, LOOP_MS) <= 0)
        return true;
    switch (mx_daemon_signal(runner->env, &conf)) {
    case MX_DAEMON_RELOAD: reload(runner, conf); return true;
    case MX_DAEMON_STOP: return false;
    case MX_DAEMON_NOTHING: return true;
    }
    return true;
}

static void drain(struct runner *runner)
{
    struct shim *shim = &runner->shim;
    const struct mx_clock *clock = runner->env->clock;
    int64_t began = mx_mono_ms(clock), idle_since = began;
    mx_daemon_status(runner->env, "draining");
    atomic_store(&shim->is_draining, true);
    shim_socket_deafen(&runner->sock);
    while (atomic_load(&shim->sessions) > 0) {
        int64_t now = mx_mono_ms(clock);
        if (atomic_load(&shim->messages) > 0)
            idle_since = now;
        if (now - idle_since >= IDLE_GRACE_MS ||
            now - began >= shim->settings->conf->drain_timeout_ms)
            break;
        mx_daemon_watchdog(runner->env);
        poll(NULL, 0, DRAIN_STEP_MS);
    }
    mx_log(runner->env->log, MX_LOG_INFO, "shim.drained",
           "ms=%lld sessions=%u messages=%u", (long long)(mx_mono_ms(clock) - began),
           atomic_load(&shim->sessions), atomic_load(&shim->messages));
}

static void free_all(struct runner *runner)
{
    shim_cluster_close(runner->cluster);
    shim_settings_drop(runner->shim.settings);
    pthread_mutex_destroy(&runner->shim.lock);
    shim_alarm_end(&runner->shim.alarm);
    free(runner);
}

static struct runner *runner_new(struct mx_daemon_env *env)
{
    struct runner *runner = mx_xalloc(sizeof(*runner));
    struct shim *shim = &runner->shim;
    uint64_t seed = 0;
    runner->env = env;
    runner->sock.fd = -1;
    shim->clock = env->clock;
    shim->log = env->log;
    shim->health = env->health;
    shim_stats_init(&shim->stats, env->metrics);
    pthread_mutex_init(&shim->lock, NULL);
    shim_alarm_init(&shim->alarm);
    if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
        seed = (uint64_t)mx_wall_ms(env->clock) << 16 ^ (uint64_t)getpid();
    shim->serial = seed;
    shim_self_init(&runner->self, shim);
    return runner;
}

int shim_run(struct mx_daemon_env *env, struct mx_err *err)
{
    struct runner *runner = runner_new(env);
    int rc = shim_settings_new(env->conf, NULL, &runner->shim.settings, err);
    if (rc == 0)
        rc = start(runner, err);
    if (rc < 0) {
        shim_socket_deafen(&runner->sock);
        free_all(runner);
        return -1;
    }
    mx_daemon_ready(env, "listening on %s", runner->sock.text);
    while (shim_milter_is_running() && serve_once(runner))
        continue;
    if (!shim_milter_is_running())
        rc = mx_err_set(err, MX_ERR_SYSTEM, "libmilter ended by itself: see syslog");
    else
        drain(runner);
    shim_nudge_stop(runner->nudge);
    if (!shim_milter_stop(CALLBACK_WAIT_MS)) {
        /* Callbacks still use what would be freed now; the process ends anyhow. */
        mx_log(env->log, MX_LOG_WARN, "shim.cut", "messages=%u",
               atomic_load(&runner->shim.messages));
        _exit(rc < 0);
    }
    free_all(runner);
    return rc;
}
