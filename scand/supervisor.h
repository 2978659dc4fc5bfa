/*
 * The supervisor: what its files share. Only sup_*.c and supervisor.c include this;
 * main.c needs supervisor_run alone.
 */
#ifndef SUPERVISOR_H
#define SUPERVISOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <uv.h>

#include "mx_daemon.h"
#include "mx_log.h"
#include "mx_metric.h"
#include "mxp_server.h"
#include "scan_conf.h"
#include "sup_trial.h"
#include "sup_watch.h"
#include "worker_link.h"

struct mx_arena;
struct poison_memory;
struct registry;
struct supervisor;

#define SUP_TICK_MS 50    /* how exact deadlines of workers and of the queue are */
#define SUP_ID_MAX 64     /* octets kept of a message's id */
#define SUP_ENGINES_MAX 4 /* loading, serving, and those on their way out */
#define SUP_WORKERS_MAX 256
#define SUP_DEGRADED_MAX 33 /* what mx_health can hold */
#define SUP_TEXT_MAX 256

/* One request, from arrival until its answer. */
struct job {
    struct mxp_request *request;
    char id[SUP_ID_MAX * 4 + 8]; /* escaped for logs */
    int file;                    /* memory file: ScanRequest, message; -1: not made yet */
    unsigned deaths;             /* workers it has killed */
    int64_t started_us;          /* of the current attempt */
    bool is_fair;                /* the current attempt has enough time */
    struct job *next;
};

struct job_queue {
    struct job *head, *tail;
    size_t n;
};

enum engine_state { ENGINE_LOADING, ENGINE_SERVING, ENGINE_RETIRING };

struct sup_engine {
    struct supervisor *sup;
    enum engine_state state;
    unsigned generation;
    int fd;
    uv_process_t process;
    uv_poll_t poll;
    unsigned handles; /* libuv handles that are not closed yet */
    bool is_running;  /* the process has not been reaped */
    size_t workers;   /* that still have a socket of ours */
    int64_t started_ms;
    uint64_t fingerprint; /* of the signature directory when it began to load */
    struct mx_conf *conf; /* what to switch to when it is ready; NULL: no change */
    char *temp_dir;
    char signatures[SUP_TEXT_MAX], rules[SUP_TEXT_MAX];
    char faults[SUP_TEXT_MAX * 4]; /* "detector: why; ..." */
    unsigned n_faults;
};

enum worker_state { WORKER_STARTING, WORKER_IDLE, WORKER_BUSY };

struct sup_worker {
    struct supervisor *sup;
    struct sup_engine *engine;
    enum worker_state state;
    uint32_t slot; /* number for engine_link */
    pid_t pid;     /* 0: not told yet */
    int fd;
    uv_poll_t poll;
    struct worker_inbox inbox;
    struct job *job;
    uint32_t seq;
    int64_t kill_ms; /* starting or busy: silent until then means dead */
    int64_t messages;
};

struct sup_metrics {
    struct mx_counter *done, *poison, *expired, *overloaded, *draining, *bad, *failed;
    struct mx_counter *retries, *crashed, *hung, *recycled, *viruses, *reloads,
        *reload_failures, *reload_refusals, *limits;
    struct mx_counter *queued, *busy, *workers, *generation, *body_bytes, *signature_age;
    struct mx_histogram *scan, *wait;
    struct mx_histogram *detector[WORKER_COSTS_MAX];
    struct mx_counter *detector_failed[WORKER_COSTS_MAX];
};

struct supervisor {
    struct mx_daemon_env *env;
    const struct scan_conf *conf;
    struct mx_conf *own_conf; /* after a reload; NULL: the skeleton's first one */
    const struct mx_clock *clock;
    struct mx_log *log;
    uv_loop_t loop;
    uv_poll_t server_poll, signal_poll;
    uv_timer_t tick;
    uv_idle_t again; /* active: look at the server before the loop may sleep */
    struct mxp_server *server;
    struct registry *registry;
    struct mx_arena *arena; /* for decoding one request, reset at once */
    struct poison_memory *poison;
    struct sup_metrics metrics;

    char node[128];
    int64_t since_ms;   /* wall clock */
    int64_t started_ms; /* monotonic */
    bool is_ready, is_draining, is_stopping;
    int64_t drain_until_ms;

    struct job_queue queue;
    size_t jobs;       /* waiting or with a worker */
    size_t body_bytes; /* of these */

    struct sup_engine *engines[SUP_ENGINES_MAX];
    struct sup_engine *serving; /* NULL: none */
    unsigned generation;
    unsigned engine_failures;
    int64_t engine_after_ms; /* not before */
    struct sup_trial trial;
    struct sup_watch watch;
    int64_t watch_next_ms;
    int64_t age_next_ms;   /* when the age of the signatures is looked at again */
    bool is_reload_wanted; /* one is loading; begin again when it is done */
    struct mx_conf *wanted_conf;

    struct sup_worker *workers[SUP_WORKERS_MAX];
    size_t n_workers; /* how many there should be */
    uint32_t next_slot, next_seq;
    unsigned worker_failures; /* in a row */
    int64_t worker_after_ms;

    struct mx_throttle log_overload, log_fault, log_version;
    struct mx_throttle log_degraded, log_sample, log_bad, log_limited;
};

/**
 * supervisor_run(env, err):
 * Serve until SIGTERM, then drain: the run function of mx_daemon.
 * Fails:  endpoint in use, metrics port in use, no temporary directory (-1).
 */
int supervisor_run(struct mx_daemon_env *env, struct mx_err *err);

/* sup_jobs.c: requests. */

/** sup_jobs_take(sup): everything that has arrived. */
void sup_jobs_take(struct supervisor *sup);

/** sup_jobs_wake(sup): take again before sleeping (the descriptor is edge-triggered). */
void sup_jobs_wake(struct supervisor *sup);

/** sup_jobs_dispatch(sup): hand waiting jobs to idle workers. */
void sup_jobs_dispatch(struct supervisor *sup);

/** sup_jobs_expire(sup): drop what nobody waits for any more. */
void sup_jobs_expire(struct supervisor *sup);

/** sup_job_done(sup, job, reply, faults, payload): a worker has answered. */
void sup_job_done(struct supervisor *sup, struct job *job,
                  const struct worker_reply *reply, struct mx_str faults,
                  struct mx_str payload);

/** sup_job_died(sup, job, is_hang): its worker died or was killed: retry, or poison. */
void sup_job_died(struct supervisor *sup, struct job *job, bool is_hang);

/** sup_job_again(sup, job): its worker was lost through no fault of the message. */
void sup_job_again(struct supervisor *sup, struct job *job);

/** sup_jobs_drop(sup): free what is left at the end. */
void sup_jobs_drop(struct supervisor *sup);

/* sup_engines.c: engine parents. */

/** sup_engine_start(sup, conf): begin to load a new one; ${conf} (or NULL) is taken over.
 */
void sup_engine_start(struct supervisor *sup, struct mx_conf *conf);

/** sup_engine_take(engine): it has loaded and passed: it serves from now on. */
void sup_engine_take(struct sup_engine *engine);

/** sup_engine_retire(engine): no more messages for it; it ends with its last worker. */
void sup_engine_retire(struct sup_engine *engine);

/** sup_engine_worker_gone(engine): one of its workers has no socket of ours any more. */
void sup_engine_worker_gone(struct sup_engine *engine);

/** sup_engines_tick(sup): restart after a crash, watch signatures, give up on a stuck
 * one. */
void sup_engines_tick(struct supervisor *sup);

/** sup_engines_stop(sup): retire all. */
void sup_engines_stop(struct supervisor *sup);

/** sup_engine_kill(engine): it does not fork any more; its workers die with it. */
void sup_engine_kill(struct sup_engine *engine);

/* sup_workers.c: workers. */

/** sup_workers_fill(sup): start workers until there are enough. */
void sup_workers_fill(struct supervisor *sup);

/** sup_workers_tick(sup): kill those that are silent for too long. */
void sup_workers_tick(struct supervisor *sup);

/** sup_workers_retire(sup): close idle workers of engines that no longer serve. */
void sup_workers_retire(struct supervisor *sup);

/** sup_worker_idle(sup): one that can take a message, or NULL. */
struct sup_worker *sup_worker_idle(struct supervisor *sup);

/** sup_worker_give(worker, job, err): hand it the job. Fails: the worker is gone (-1). */
int sup_worker_give(struct sup_worker *worker, struct job *job, struct mx_err *err);

/** sup_worker_born(sup, slot, pid), sup_worker_status(sup, pid, status): what the engine
 * tells. */
void sup_worker_born(struct supervisor *sup, uint32_t slot, pid_t pid);
void sup_worker_status(struct supervisor *sup, pid_t pid, int status);

/** sup_workers_busy(sup): how many have a message. */
size_t sup_workers_busy(const struct supervisor *sup);

/** sup_workers_drop(sup, engine): ${engine} died: so have its workers. NULL: close all.
 */
void sup_workers_drop(struct supervisor *sup, struct sup_engine *engine);

/* sup_status.c: what others are told. */

/** sup_status_init(sup): metrics. */
void sup_status_init(struct supervisor *sup);

/** sup_status_resize(sup): how many workers the settings ask for. */
void sup_status_resize(struct supervisor *sup);

/** sup_status_reply(sup, request): answer a StatusRequest. */
void sup_status_reply(struct supervisor *sup, struct mxp_request *request);

/** sup_status_announce(sup): tell the registry of us, now that we can scan. */
void sup_status_announce(struct supervisor *sup);

/** sup_status_gauges(sup): bring gauges and health up to date. */
void sup_status_gauges(struct supervisor *sup);

#endif
