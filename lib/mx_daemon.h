/*
 * The skeleton that every daemon shares: options, configuration, logging, signals,
 * service-manager notification, metrics port, run, stop. main.c of a daemon is a
 * descriptor and a call.
 *
 *   -c FILE  --config          configuration (default /etc/mxdrop/mxdrop.yaml)
 *   -t       --check           check configuration (and call ->check), exit 0 or 1
 *   -n       --effective       print settings that differ from defaults
 *   -V       --version         version, protocol, what was compiled in
 *   --config-docs              Markdown of this daemon's sections (docs/CONFIG.md)
 *   --config-sample            YAML with every default explained
 *   -h       --help
 *
 * The first of its sections may have a STRING key "metrics": the address of /metrics and
 * /healthz ("" is off); an address that cannot be bound is a start error.
 *
 * Exit: 0, 1 failed (one line "PROGRAM: what: why" on stderr), 2 usage.
 * SIGHUP reloads: the new file is loaded aside, checked, handed to ->reload; a broken one
 * is reported and the old one stays. SIGTERM and SIGINT: ->run drains and returns.
 */
#ifndef MX_DAEMON_H
#define MX_DAEMON_H

#include <stdbool.h>

#include "mx_conf.h"

struct mx_clock;
struct mx_err;
struct mx_health;
struct mx_log;
struct mx_metrics;

/* What a running daemon is given. Everything is borrowed from the skeleton. */
struct mx_daemon_env {
    const struct mx_conf *conf; /* at start; a reload hands over another */
    const char *conf_path;      /* or NULL */
    const struct mx_clock *clock;
    struct mx_log *log;
    struct mx_metrics *metrics;
    struct mx_health *health;
    int signal_fd; /* poll it; readable: call mx_daemon_signal */
    char **argv;   /* left over arguments (scand's inner processes), ends with NULL */
};

enum mx_daemon_event { MX_DAEMON_NOTHING, MX_DAEMON_RELOAD, MX_DAEMON_STOP };

struct mx_daemon {
    const char *name;     /* "mxdrop-policyd" */
    const char *doc;      /* one sentence for --help */
    const char *args_doc; /* left over arguments; NULL: none are taken */
    const struct mx_conf_section *const *sections; /* its own; "log" is added */
    /* For -V: protocol, modules, library versions. May be NULL. */
    const char *(*features)(void);
    /* What -t, start and reload check beyond single values. May be NULL. */
    int (*check)(const struct mx_conf *conf, struct mx_err *err);
    /* For reload, where ->check would keep a running daemon from its work: what it leaves
       out must be found later. NULL: ->check. */
    int (*check_running)(const struct mx_conf *conf, struct mx_err *err);
    /* Start, serve until STOP, drain, free. */
    int (*run)(struct mx_daemon_env *env, struct mx_err *err);
};

/**
 * mx_daemon_main(daemon, argc, argv):
 * Be that daemon. SIGPIPE is ignored; SIGHUP, SIGTERM, SIGINT are blocked and arrive
 * through env->signal_fd (threads inherit the mask).
 * Returns the exit code for main.
 */
int mx_daemon_main(const struct mx_daemon *daemon, int argc, char **argv);

/**
 * mx_daemon_signal(env, out_conf):
 * What ${env}->signal_fd says. On RELOAD ${out_conf} is the new, checked snapshot, which
 * the caller owns from now on (mx_conf_free); a broken file is logged here and reads as
 * NOTHING. The log level is applied here.
 */
enum mx_daemon_event mx_daemon_signal(struct mx_daemon_env *env,
                                      struct mx_conf **out_conf);

/** mx_daemon_ready(env, fmt, ...): health is ready; READY=1 and STATUS=. */
void mx_daemon_ready(struct mx_daemon_env *env, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/** mx_daemon_status(env, fmt, ...): STATUS= for the service manager. */
void mx_daemon_status(struct mx_daemon_env *env, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/** mx_daemon_watchdog(env): WATCHDOG=1; call from the loop, at least every 10 s. */
void mx_daemon_watchdog(struct mx_daemon_env *env);

/* Section "log", and the names of every section of the file. */
extern const struct mx_conf_section mx_daemon_log_section;
/* redis policyd scand milter log; ends with NULL */
extern const char *const mx_daemon_section_names[];

#define MX_VERSION "0.1.0"

#endif
