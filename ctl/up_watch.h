/* The loop of `mxdropctl up`: signals, readiness, deaths, restarts, stopping in order. */
#ifndef UP_WATCH_H
#define UP_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "up_process.h"

struct mx_clock;
struct mx_err;
struct up_watch;

struct up_watch_options {
    struct up_process *processes; /* borrowed; in the order of their waves */
    size_t n;
    const struct mx_clock *clock;
    bool wants_restart; /* start again what dies, with back-off */
    FILE *info;         /* deaths and restarts are told here */
    bool is_progress;   /* and each start */
    /* SIGHUP came, before it is passed on: write derived files again. */
    void (*on_reload)(void *user);
    void *user;
};

/**
 * up_watch_open(options, out, err):
 * Take over the signals of this process (SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGUSR1) and
 * listen for what children tell a service manager. We become their subreaper.
 * Owner:  up_watch_close, after up_watch_stop.
 */
int up_watch_open(const struct up_watch_options *options, struct up_watch **out,
                  struct mx_err *err);
void up_watch_close(struct up_watch *watch);

/**
 * up_watch_start(watch, wave, timeout_ms, err):
 * Start the processes of ${wave} and wait until all are ready.
 * Fails:  one cannot be run, dies (the text ends in the last line of its log), is not
 *         ready in time; or a signal told us to stop (MX_ERR_DOWN) (-1).
 */
int up_watch_start(struct up_watch *watch, unsigned wave, int64_t timeout_ms,
                   struct mx_err *err);

/**
 * up_watch_serve(watch):
 * Keep everything running until SIGTERM or SIGINT. SIGHUP is passed on to who reloads,
 * SIGUSR1 starts at once what is down.
 */
void up_watch_serve(struct up_watch *watch);

/**
 * up_watch_stop(watch, grace_ms):
 * Stop everything, the last wave first: SIGTERM, then SIGKILL to the group after
 * ${grace_ms} or at a second SIGINT. Returns when nothing is left.
 */
void up_watch_stop(struct up_watch *watch, int64_t grace_ms);

/** up_watch_was_told(watch): a signal said stop. */
bool up_watch_was_told(const struct up_watch *watch);

#endif
