/* What mxdropctl status has found out, and how it is shown: text, JSON, is it well? */
#ifndef CTL_STATUS_H
#define CTL_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "admin.pb-c.h"
#include "store_admin.h"

struct mx_arena;

/* A node as it was listed, and as it says that it is. */
struct ctl_status_node {
    const char *role;              /* "policyd", "scand", "milter" */
    const Mxp__Node *node;         /* its own word where there is one */
    const Mxp__StatusReply *reply; /* NULL: none came, or it is a milter */
    const char *error;             /* why none came; NULL: one did, or it is a milter */
    int64_t heard_ms;              /* milter: since it last asked a policyd */
    bool has_counters;             /* the first node of its process */
};

struct ctl_status {
    struct mx_arena *arena;
    const struct store_info *redis; /* NULL: down */
    const char *redis_error;
    struct ctl_status_node *nodes;
    size_t n;
    int64_t now_ms; /* wall clock */
};

/** ctl_status_text(status, has_counters, out): a table; counters of each node, too. */
void ctl_status_text(const struct ctl_status *status, bool has_counters, FILE *out);

/** ctl_status_json(status, out): one object with everything. */
void ctl_status_json(const struct ctl_status *status, FILE *out);

/**
 * ctl_status_problem(status, is_strict):
 * What keeps the cluster from serving as it should: Redis down, a node that does not
 * answer or is not ready, no policyd, no scanner; with ${is_strict} degraded checks, too.
 * Returns "" where there is nothing, else words in ${status}'s arena.
 */
const char *ctl_status_problem(const struct ctl_status *status, bool is_strict);

#endif
