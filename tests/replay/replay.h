/* A replay under way: what the script's commands work on. */
#ifndef REPLAY_H
#define REPLAY_H

#include <stdbool.h>

#include "mx_str.h"
#include "mx_time.h"
#include "policy.pb-c.h"
#include "store.h"

#define REPLAY_MARKS 64 /* recipients whose marks are remembered */

struct replay {
    const char *path; /* of the script */
    unsigned line;
    char dir[64];           /* $DIR: for map files and configuration */
    struct mx_arena *arena; /* of one command and what it left behind */
    struct mx_clock_fake clock;
    struct mx_log *log;
    int log_fd;
    long log_from; /* where the log of the last request begins */
    struct mx_metrics *metrics;
    struct mx_health *health;
    struct mx_conf_section *section;
    struct mx_conf *conf;
    struct policy_map_files *files;
    struct policy_chain *chain;
    struct store *store;
    Mxp__PolicyReply *reply; /* of the last request; NULL: it was dropped as late */
    uint64_t round_trips;    /* of the last request */
    struct {
        char path[256];
        char marks[4][64];
        char rewritten[256];
        size_t n;
    } marks[REPLAY_MARKS]; /* what RCPT said, handed back at CONTENT as a shim does */
    size_t n_marks;
};

/** replay_fail(replay, fmt, ...): "FILE:LINE: what" on stderr, and exit 1. */
void replay_fail(const struct replay *replay, const char *fmt, ...)
    __attribute__((format(printf, 2, 3), noreturn));

/** replay_step(replay, command, rest): carry out one line. Unknown commands fail. */
void replay_step(struct replay *replay, struct mx_str command, struct mx_str rest);

/** replay_log(replay): what was logged since the last request began. */
const char *replay_log(struct replay *replay);

#endif
