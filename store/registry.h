/*
 * Who is in the cluster: scanners and policyds announce themselves in Redis with a time
 * to live, by Redis' own clock. Leaving is announced too. Runs on a libuv loop with a
 * connection of its own.
 */
#ifndef REGISTRY_H
#define REGISTRY_H

#include <stdbool.h>
#include <stddef.h>

#include "admin.pb-c.h"

struct mx_arena;
struct mx_clock;
struct mx_err;
struct registry;
struct store_redis_settings;
struct uv_loop_s;

#define REGISTRY_NODES_MAX 1024 /* of one role */
#define REGISTRY_TTL_MS 15000   /* a node that is silent for so long is gone */
#define REGISTRY_PERIOD_MS 3000 /* distance of announcements and of look-ups */

struct registry_options {
    const struct store_redis_settings *settings;
    const struct mx_clock *clock;
    const char *role; /* "scand", "policyd": where ->self goes; NULL: only look */
    /* Called before each announcement: fill in ${node} (load changes). Texts are borrowed
       until the next call. */
    void (*describe)(void *user, Mxp__Node *node);
    /* The lists, after each look-up; borrowed for the call. NULL: do not look. */
    void (*on_topology)(void *user, const Mxp__TopologyReply *topology);
    void (*on_state)(void *user, bool is_up, const char *reason);
    void *user;
};

/**
 * registry_start(loop, options, out, err):
 * Announce and look up now and every REGISTRY_PERIOD_MS. While Redis is down the last
 * topology stays valid (nobody is dropped because Redis is away).
 * Owner:  registry_stop, then run the loop until its handles are closed.
 */
int registry_start(struct uv_loop_s *loop, const struct registry_options *options,
                   struct registry **out, struct mx_err *err);

/** registry_announce(registry): announce now (load changed much, draining). */
void registry_announce(struct registry *registry);

/** registry_leave(registry): take ourselves off the list, now. */
void registry_leave(struct registry *registry);

void registry_stop(struct registry *registry);

/**
 * registry_read(settings, arena, out, err):
 * The lists, blocking: for tools.
 * Fails:  Redis unreachable (-1).
 */
int registry_read(const struct store_redis_settings *settings, struct mx_arena *arena,
                  Mxp__TopologyReply **out, struct mx_err *err);

#endif
