/* What `mxdropctl up` is going to run: which processes, in which order, where. */
#ifndef UP_PLAN_H
#define UP_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "up_postfix.h"
#include "up_process.h"

struct mx_arena;
struct mx_err;

#define UP_INSTANCES_MAX 64 /* of one kind */
#define UP_SMTP_FIRST 2525  /* the port we try first */

/* Waves: started in this order, stopped in the reverse one. */
enum up_wave {
    UP_WAVE_REDIS,
    UP_WAVE_SCAND,   /* before policyd, whose first look into the registry finds them */
    UP_WAVE_POLICYD, /* before the milter, which asks it for the scanners */
    UP_WAVE_MILTER,
    UP_WAVE_SINK,
    UP_WAVE_POSTFIX,
    UP_WAVES,
};

struct up_plan_input {
    const char *dir; /* absolute */
    unsigned policyds, scanners;
    const char *redis_server, *policyd, *scand, *milter; /* paths of the programs */
    const struct up_postfix *postfix; /* NULL: without; its ports are chosen */
};

/* One process of ours that runs from a copy of mxdrop.yaml. */
struct up_instance {
    const char *name;      /* "scand-2" */
    const char *section;   /* "scand" */
    const char *conf_path; /* DIR/conf/scand-2.yaml */
    const char *socket;    /* path of its UNIX socket */
    const char *endpoint;  /* "ipc://..."; the milter's "unix:..." */
    int metrics_port;      /* 127.0.0.1 */
};

struct up_plan {
    const char *dir, *conf_path, *redis_conf_path, *redis_socket;
    struct up_process *processes; /* in the order of their waves */
    size_t n_processes;
    struct up_instance *instances;
    size_t n_instances;
};

/**
 * up_plan_make(arena, input, out, err):
 * Names, files, commands; no port is chosen and nothing is written.
 * Owner:  ${out} points into ${arena}.
 * Fails:  a UNIX socket's path would be longer than 107 bytes (-1; the text says how
 *         long the directory may be).
 * Source: unix(7), sun_path.
 */
int up_plan_make(struct mx_arena *arena, const struct up_plan_input *input,
                 struct up_plan *out, struct mx_err *err);

/**
 * up_plan_conf(arena, plan, instance, text):
 * The copy of mxdrop.yaml (${text}) for one instance: its endpoint, its metrics address,
 * and for the milter all policyds.
 */
const char *up_plan_conf(struct mx_arena *arena, const struct up_plan *plan,
                         const struct up_instance *instance, const char *text);

/**
 * up_plan_free_port(first, out, out_fd, err):
 * A port of 127.0.0.1 that nobody listens on: the first from ${first} on, within 1000;
 * 0: from a random one on, below those that the kernel gives to outgoing connections:
 * such a one could be taken before we listen.
 * Owner:  ${out_fd} holds it, see up_plan_hold_port; NULL: it is not held.
 */
int up_plan_free_port(int first, int *out, int *out_fd, struct mx_err *err);

/**
 * up_plan_hold_port(port):
 * Listen on it until the descriptor is closed, so that another `up` that is choosing at
 * this moment does not find it free. -1: taken.
 */
int up_plan_hold_port(int port);

#endif
