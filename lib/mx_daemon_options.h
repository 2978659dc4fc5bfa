/* Between mx_daemon_options.c and mx_daemon.c; nobody else includes this. */
#ifndef MX_DAEMON_OPTIONS_H
#define MX_DAEMON_OPTIONS_H

#include "mx_daemon.h"

#define MX_DAEMON_CONF_DEFAULT "/etc/mxdrop/mxdrop.yaml"

/* What is to be done, from the command line. */
enum mx_daemon_action {
    MX_DAEMON_RUN,
    MX_DAEMON_CHECK,
    MX_DAEMON_EFFECTIVE,
    MX_DAEMON_VERSION,
    MX_DAEMON_DOCS,
    MX_DAEMON_SAMPLE,
};

struct mx_daemon_options {
    enum mx_daemon_action action;
    const char *conf_path; /* NULL until one is given or the default is taken */
    char **argv;           /* what is left over */
    const struct mx_daemon *daemon;
    const struct mx_conf_section *const *sections; /* the daemon's, and "log" */
};

/**
 * mx_daemon_serve(daemon, options, conf, err):
 * Be the running daemon with a checked configuration.
 * Fails:  as ->run, or when the metrics port is taken (-1).
 */
int mx_daemon_serve(const struct mx_daemon *daemon,
                    const struct mx_daemon_options *options, struct mx_conf *conf,
                    struct mx_err *err);

#endif
