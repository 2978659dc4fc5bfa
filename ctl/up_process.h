/* One child of `mxdropctl up`: start, ask whether it is ready, signal, note its end. */
#ifndef UP_PROCESS_H
#define UP_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "mx_str.h"

struct mx_err;

#define UP_STATUS_MAX 128     /* bytes of STATUS= text that are kept */
#define UP_BACKOFF_MIN_MS 200 /* before the first restart */
#define UP_BACKOFF_MAX_MS 10000
#define UP_STEADY_MS 10000 /* who ran for so long starts over with the shortest wait */

enum up_state {
    UP_DOWN,     /* not running */
    UP_STARTING, /* running, does not serve yet */
    UP_READY,
};

struct up_process {
    const char *name;        /* "scand-2", also of its files in log/ and pid/ */
    const char *const *argv; /* argv[0] is the path of the program */
    const char *log_path, *pid_path;
    const char *socket; /* UNIX socket or "127.0.0.1:PORT" */
    bool is_notifying;  /* ready when it says READY=1; else when the socket accepts */
    bool is_redis;      /* and answers PING: not while it loads its file */
    bool takes_sighup;  /* SIGHUP reloads it */
    unsigned wave;      /* those of one wave start together, waves in order */

    pid_t pid; /* 0: not running */
    enum up_state state;
    bool has_notified;
    int64_t started_ms;
    int64_t restart_ms; /* UP_DOWN: when to start it again; 0: not at all */
    unsigned backoff_ms;
    char status[UP_STATUS_MAX]; /* its last STATUS=, "" none */
};

/**
 * up_process_spawn(process, notify, now_ms, err):
 * Run it in a process group of its own, output appended to its log, SIGTERM when we die.
 * ${notify} is the value of NOTIFY_SOCKET. Its number goes into the pid file.
 * Fails:  log or pid file cannot be written, program cannot be run (-1, not running).
 */
int up_process_spawn(struct up_process *process, const char *notify, int64_t now_ms,
                     struct mx_err *err);

/** up_process_probe(process): STARTING turns READY where it serves now; true where it
 * did. */
bool up_process_probe(struct up_process *process);

/**
 * up_process_notify(process, message):
 * What it told its service manager: lines "READY=1", "STATUS=...", others are ignored.
 * Source: sd_notify(3).
 */
void up_process_notify(struct up_process *process, struct mx_str message);

/**
 * up_process_ended(process, now_ms, wants_restart):
 * It is gone: remove its pid file, choose when to start it again.
 */
void up_process_ended(struct up_process *process, int64_t now_ms, bool wants_restart);

/** up_process_signal(process, signal): to the process; not running: nothing. */
void up_process_signal(const struct up_process *process, int signal);

/** up_process_kill(process): SIGKILL to its whole group. */
void up_process_kill(const struct up_process *process);

/** up_process_backoff(backoff_ms, ran_ms): the wait after one that was ${backoff_ms}. */
unsigned up_process_backoff(unsigned backoff_ms, int64_t ran_ms);

#endif
