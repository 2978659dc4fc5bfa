/*
 * Who is in the cluster: scanners and policyds announce themselves in Redis with a time
 * to live, by Redis' own clock. Leaving is announced too. Runs on a libuv loop with a
 * connection of its own.
 */
#ifndef REGISTRY_H
#define REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "admin.pb-c.h"

struct mx_arena;
struct mx_err;
struct registry;
struct store_redis_settings;
struct uv_loop_s;

#define REGISTRY_NODES_MAX 1024 /* of one role */
#define REGISTRY_TTL_MS 15000   /* a node that is silent for so long is gone */
#define REGISTRY_PERIOD_MS 3000 /* distance of announcements and of look-ups */

struct registry_options {
    const struct store_redis_settings *settings;
    const char *role; /* "scand", "policyd": where ->self goes; NULL: only look */
    /* Called before each announcement: fill in ${node}, which is initialised (load
       changes). Texts are borrowed until the next call. Needed with a role. */
    void (*describe)(void *user, Mxp__Node *node);
    /* The lists, after each look-up; borrowed for the call. NULL: do not look. */
    void (*on_topology)(void *user, const Mxp__TopologyReply *topology);
    /* As in store_redis.h; also down with a reason where this node cannot be announced
       (list full, a text that does not fit). NULL is fine. */
    void (*on_state)(void *user, bool is_up, const char *reason);
    void *user;
    int64_t ttl_ms, period_ms; /* 0: REGISTRY_TTL_MS, REGISTRY_PERIOD_MS; for tests */
};

/**
 * registry_start(loop, options, out, err):
 * Announce and look up now and every REGISTRY_PERIOD_MS. While Redis is down the last
 * topology stays valid, and for one time to live after it is back nobody is dropped but
 * who was draining: it may have lost its memory, and everybody needs time to announce
 * himself again.
 * Owner:  registry_stop, then run the loop until its handles are closed.
 */
int registry_start(struct uv_loop_s *loop, const struct registry_options *options,
                   struct registry **out, struct mx_err *err);

/** registry_announce(registry): announce now (load changed much, draining). */
void registry_announce(struct registry *registry);

/** registry_leave(registry): take ourselves off the list, now, and announce no more. */
void registry_leave(struct registry *registry);

/**
 * registry_stop(registry):
 * No callback comes after it. A leave on its way is still delivered: the handles stay
 * open for its reply, at most REGISTRY_LEAVE_MS. NULL is fine.
 */
#define REGISTRY_LEAVE_MS 1000
void registry_stop(struct registry *registry);

/**
 * registry_read(settings, arena, out, err):
 * The lists, blocking: for tools. ${arena} should take 32 MiB; nodes past it are left
 * out. Fails:  Redis unreachable (-1).
 */
int registry_read(const struct store_redis_settings *settings, struct mx_arena *arena,
                  Mxp__TopologyReply **out, struct mx_err *err);

#endif
