/* What mxdropctl status shows of a policyd. */
#ifndef POLICY_STATUS_H
#define POLICY_STATUS_H

#include <stdbool.h>

#include "admin.pb-c.h"

struct mx_arena;
struct mx_health;
struct mx_metrics;
struct policy_shims;
struct policy_topology;

struct policy_status {
    const char *node, *endpoint, *public_key;
    const char *process; /* the same for all workers of this one */
    unsigned workers, busy;
    int64_t since_ms, now_ms; /* wall clock */
    bool is_draining;
    struct mx_health *health;
    struct mx_metrics *metrics;
    const struct policy_topology *topology;
    const struct policy_shims *shims;
};

#define POLICY_STATUS_COUNTERS_MAX 1024

/**
 * policy_status_make(arena, status):
 * Counters with a name of the old installation go by that name (spam_block ...).
 * Owner:  in ${arena}; borrows from ${status}.
 */
const Mxp__StatusReply *policy_status_make(struct mx_arena *arena,
                                           const struct policy_status *status);

#endif
