/*
 * The daemon skeleton: from the command line to ->run and back. Options and the answers
 * that need no running daemon (-t, -n, -V, --config-*) are in mx_daemon_options; here are
 * configuration, log, signals, the service manager and the metrics port.
 *
 * A daemon stays in the foreground, writes no pid file and changes no user: systemd does
 * these. Signals come through a signalfd, so there are no handlers and no globals.
 */
#include "mx_daemon.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "mx_arena.h"
#include "mx_daemon_options.h"
#include "mx_err.h"
#include "mx_health.h"
#include "mx_http.h"
#include "mx_log.h"
#include "mx_metric.h"
#include "mx_time.h"

#define STATUS_MAX 512 /* bytes of a STATUS= text */

enum timestamps { TIMESTAMPS_AUTO, TIMESTAMPS_ON, TIMESTAMPS_OFF };

/* Section "log". */
struct log_conf {
    int level;
    int timestamps;
};

static const char *const level_words[] = {"error", "warn", "info", "debug", NULL};
static const char *const timestamp_words[] = {"auto", "on", "off", NULL};

static const struct mx_conf_key log_keys[] = {
    {.name = "level",
     .type = MX_CONF_ENUM,
     .offset = offsetof(struct log_conf, level),
     .def = "info",
     .words = level_words,
     .doc = "Lines of this level and the levels before it are written. A reload applies "
            "it."},
    {.name = "timestamps",
     .type = MX_CONF_ENUM,
     .offset = offsetof(struct log_conf, timestamps),
     .def = "auto",
     .words = timestamp_words,
     .doc =
         "Whether lines begin with the time. auto: not where systemd's journal adds it."},
    {.type = MX_CONF_END},
};

const struct mx_conf_section mx_daemon_log_section = {
    .name = "log",
    .doc = "What every program of this node writes to standard error.",
    .size = sizeof(struct log_conf),
    .keys = log_keys,
};

const char *const mx_daemon_section_names[] = {"redis",  "policyd", "scand",
                                               "milter", "log",     NULL};

/* What stands behind an env; the env is its first member. */
struct running {
    struct mx_daemon_env env;
    const struct mx_daemon *daemon;
    const struct mx_conf_section *const *sections;
    struct mx_conf *conf;
    struct mx_http *http;
};

/* stderr is the journal's socket: systemd.exec(5), JOURNAL_STREAM. */
static bool is_journal(void)
{
    const char *text = getenv("JOURNAL_STREAM");
    unsigned long long device, inode;
    struct stat info;
    return text && sscanf(text, "%llu:%llu", &device, &inode) == 2 &&
           fstat(STDERR_FILENO, &info) == 0 && info.st_dev == device &&
           info.st_ino == inode;
}

static struct mx_log *log_from(const struct mx_conf *conf, const struct mx_clock *clock)
{
    const struct log_conf *settings = mx_conf_get(conf, "log");
    bool is_stamped = settings->timestamps == TIMESTAMPS_ON ||
                      (settings->timestamps == TIMESTAMPS_AUTO && !is_journal());
    return mx_log_new(STDERR_FILENO, (enum mx_log_level)settings->level, is_stamped,
                      clock);
}

/* Every daemon may have a key "metrics" in its own section, which is its first. */
static const char *metrics_listen(const struct mx_daemon *daemon,
                                  const struct mx_conf *conf)
{
    const struct mx_conf_section *own = daemon->sections[0];
    if (own == NULL)
        return "";
    for (const struct mx_conf_key *key = own->keys; key->type != MX_CONF_END; key++) {
        if (key->type == MX_CONF_STRING && strcmp(key->name, "metrics") == 0) {
            const char *data = mx_conf_get(conf, own->name);
            return *(const char *const *)(data + key->offset);
        }
    }
    return "";
}

static int start_http(struct running *running, struct mx_err *err)
{
    const char *listen = metrics_listen(running->daemon, running->conf);
    const char *section =
        running->daemon->sections[0] ? running->daemon->sections[0]->name : "";
    char dotted[128];
    if (listen[0] == '\0')
        return 0;
    if (mx_http_start(listen, running->env.metrics, running->env.health, &running->http,
                      err) == 0)
        return 0;
    snprintf(dotted, sizeof(dotted), "%s.metrics", section);
    return mx_err_wrap(err, "%s: %s", mx_conf_where(running->conf, dotted), dotted);
}

/* Block what signalfd reads and what would kill us; threads inherit the mask. */
static int open_signals(int *out_fd, struct mx_err *err)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    signal(SIGPIPE, SIG_IGN);
    if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0)
        return mx_err_set(err, MX_ERR_SYSTEM, "cannot block signals");
    int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (fd < 0)
        return mx_err_errno(err, "signalfd");
    *out_fd = fd;
    return 0;
}

static void close_running(struct running *running)
{
    mx_http_stop(running->http);
    if (running->env.signal_fd >= 0)
        close(running->env.signal_fd);
    mx_health_free(running->env.health);
    mx_metrics_free(running->env.metrics);
    mx_log_free(running->env.log);
}

int mx_daemon_serve(const struct mx_daemon *daemon,
                    const struct mx_daemon_options *options, struct mx_conf *conf,
                    struct mx_err *err)
{
    struct running running = {
        .daemon = daemon,
        .sections = options->sections,
        .conf = conf,
        .env = {.conf = conf,
                .conf_path = options->conf_path,
                .clock = &mx_clock_real,
                .signal_fd = -1,
                .argv = options->argv},
    };
    int status = -1;
    running.env.log = log_from(conf, running.env.clock);
    running.env.metrics = mx_metrics_new();
    running.env.health = mx_health_new();
    if (open_signals(&running.env.signal_fd, err) < 0 || start_http(&running, err) < 0)
        goto done;
    mx_log(running.env.log, MX_LOG_INFO, "daemon.start", "name=%s version=%s pid=%d",
           daemon->name, MX_VERSION, (int)getpid());
    status = daemon->run(&running.env, err);
    sd_notify(0, "STOPPING=1");
    if (status == 0)
        mx_log(running.env.log, MX_LOG_INFO, "daemon.end", "name=%s", daemon->name);
done:
    close_running(&running);
    return status;
}

static void notify_reloading(const struct mx_clock *clock)
{
    sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld",
               (long long)mx_mono_ms(clock) * 1000);
}

static int load_checked(const struct running *running, struct mx_conf **out,
                        struct mx_err *err)
{
    struct mx_conf *conf = NULL;
    if (mx_conf_load(running->env.conf_path, running->sections, mx_daemon_section_names,
                     &conf, err) < 0)
        return -1;
    const struct mx_daemon *daemon = running->daemon;
    int (*check)(const struct mx_conf *, struct mx_err *) =
        daemon->check_running ? daemon->check_running : daemon->check;
    if (check && check(conf, err) < 0) {
        mx_conf_free(conf);
        return -1;
    }
    *out = conf;
    return 0;
}

static enum mx_daemon_event reload(struct running *running, struct mx_conf **out_conf)
{
    struct mx_err err = {.code = MX_ERR_NONE};
    struct mx_conf *conf = NULL;
    notify_reloading(running->env.clock);
    if (load_checked(running, &conf, &err) < 0) {
        for (char *p = err.text; *p; p++) /* it stands in quotes */
            *p = *p == '"' ? '\'' : *p;
        mx_log(running->env.log, MX_LOG_ERROR, "daemon.reload",
               "result=failed settings=unchanged error=\"%s\"", err.text);
        sd_notify(0, "READY=1\nSTATUS=reload failed, the old settings stay: see the log");
        return MX_DAEMON_NOTHING;
    }
    const struct log_conf *settings = mx_conf_get(conf, "log");
    mx_log_set_level(running->env.log, (enum mx_log_level)settings->level);
    mx_log(running->env.log, MX_LOG_INFO, "daemon.reload", "result=ok");
    sd_notify(0, "READY=1");
    *out_conf = conf;
    return MX_DAEMON_RELOAD;
}

enum mx_daemon_event mx_daemon_signal(struct mx_daemon_env *env,
                                      struct mx_conf **out_conf)
{
    struct running *running = (struct running *)env;
    struct signalfd_siginfo info;
    ssize_t n = read(env->signal_fd, &info, sizeof(info));
    if (n != (ssize_t)sizeof(info))
        return MX_DAEMON_NOTHING; /* another thread was faster */
    if (info.ssi_signo == SIGHUP)
        return reload(running, out_conf);
    mx_log(env->log, MX_LOG_INFO, "daemon.stop", "signal=%s",
           info.ssi_signo == SIGTERM ? "SIGTERM" : "SIGINT");
    sd_notify(0, "STOPPING=1\nSTATUS=draining");
    return MX_DAEMON_STOP;
}

__attribute__((format(printf, 2, 0))) static void
notify_status(const char *before, const char *fmt, va_list args)
{
    char text[STATUS_MAX];
    vsnprintf(text, sizeof(text), fmt, args);
    /* A line end would begin another assignment. */
    for (char *p = text; *p; p++)
        if (*p == '\n')
            *p = ' ';
    sd_notifyf(0, "%sSTATUS=%s", before, text);
}

void mx_daemon_ready(struct mx_daemon_env *env, const char *fmt, ...)
{
    va_list args;
    mx_health_ready(env->health, true);
    va_start(args, fmt);
    notify_status("READY=1\n", fmt, args);
    va_end(args);
}

void mx_daemon_status(struct mx_daemon_env *env, const char *fmt, ...)
{
    va_list args;
    (void)env;
    va_start(args, fmt);
    notify_status("", fmt, args);
    va_end(args);
}

void mx_daemon_watchdog(struct mx_daemon_env *env)
{
    (void)env;
    sd_notify(0, "WATCHDOG=1");
}
