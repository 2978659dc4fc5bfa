/* One shim: what the sessions of a process share. Passed down, never global. */
#ifndef SHIM_H
#define SHIM_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "mx_log.h"
#include "shim_admit.h"
#include "shim_alarm.h"
#include "shim_conf.h"
#include "shim_conn.h"
#include "shim_spool.h"
#include "shim_stats.h"

#include "policy.pb-c.h"

struct mx_arena;
struct mx_clock;
struct mx_err;
struct mx_health;
struct mxp_body;

/* How long to wait, and what to do meanwhile. */
struct shim_patience {
    unsigned deadline_ms, attempt_ms;
    unsigned tick_ms; /* 0: never */
    void (*on_tick)(void *user);
    void *user;
};

/* Who answers: the cluster (shim_backend.c), or a test. Replies live in the arena.
   Each returns -1 when there is no answer; calls come from many threads. */
struct shim_backend {
    void *user;
    int (*policy)(void *user, struct mx_arena *arena, const Mxp__PolicyRequest *request,
                  const struct shim_patience *patience, Mxp__PolicyReply **out,
                  struct mx_err *err);
    int (*scan)(void *user, struct mx_arena *arena, const Mxp__ScanRequest *request,
                struct mxp_body *body, const struct shim_patience *patience,
                Mxp__ScanReply **out, struct mx_err *err);
    void (*topology)(void *user, uint64_t version); /* a reply named this version */
    uint64_t (*topology_held)(void *user);
    void (*load)(void *user, struct shim_load *out); /* never blocks */
};

struct shim {
    const struct mx_clock *clock;
    struct mx_log *log;
    struct mx_health *health;
    struct shim_stats stats;
    struct shim_budget budget;
    struct shim_backend backend;
    struct shim_admit admit;
    struct shim_alarm alarm;
    enum shim_admission admission;            /* as the watch saw it last */
    int64_t spool_refusals, spool_refused_ms; /* the same: how many, when the last */
    pthread_mutex_t lock;                     /* of settings */
    struct shim_settings *settings;           /* for the next session */
    _Atomic uint64_t serial;                  /* of connections */
    _Atomic uint64_t features; /* last negotiated, packed: see shim_milter.c */
    _Atomic unsigned sessions, messages;
    _Atomic bool is_draining, policyd_is_down, scand_is_down;
    struct mx_throttle policyd_down, scand_down, spool_full, edit_failed;
};

#endif
