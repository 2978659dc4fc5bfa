/*
 * StatusReply out of health, metrics and the node's own data. Texts of metrics and health
 * are copied: other threads change them.
 */
#include "policy_status.h"

#include <string.h>

#include "mx_arena.h"
#include "mx_daemon.h"
#include "mx_health.h"
#include "mx_metric.h"
#include "mxp_pack.h"
#include "policy_shims.h"
#include "policy_topology.h"

#define DEGRADED_MAX 64

static const struct {
    const char *metric, *historic;
} historic_names[] = {
    {"mxdrop_policy_spam_scanned_total", "spam_scanned"},
    {"mxdrop_policy_spam_block_total", "spam_block"},
    {"mxdrop_policy_spam_realtag_total", "spam_realtag"},
    {"mxdrop_policy_spam_realdir_total", "spam_realdir"},
    {"mxdrop_policy_sa_spamnodnsbl_total", "sa_spamnodnsbl"},
    {"mxdrop_policy_virus_total", "virus"},
    {"mxdrop_policy_reject_tempquota_total", "reject_tempquota"},
    {"mxdrop_policy_reject_permquota_total", "reject_permquota"},
};

struct filling {
    struct mx_arena *arena;
    Mxp__StatusReply *reply;
};

static char *copy(struct mx_arena *arena, const char *text)
{
    return text ? mx_arena_dup(arena, text, strlen(text)) : mx_arena_dup(arena, "", 0);
}

static const char *shown_name(const char *metric)
{
    for (size_t i = 0; i < sizeof(historic_names) / sizeof(historic_names[0]); i++)
        if (strcmp(metric, historic_names[i].metric) == 0)
            return historic_names[i].historic;
    return metric;
}

static void add_counter(void *user, const char *name, const char *labels, int64_t value)
{
    struct filling *f = user;
    if (f->reply->n_counters == POLICY_STATUS_COUNTERS_MAX)
        return;
    Mxp__Counter *counter = mx_arena_alloc(f->arena, sizeof(*counter));
    mxp__counter__init(counter);
    counter->name = copy(f->arena, shown_name(name));
    counter->labels = copy(f->arena, labels);
    counter->value = value;
    f->reply->counters[f->reply->n_counters++] = counter;
}

static void add_degraded(void *user, const char *check, const char *reason)
{
    struct filling *f = user;
    if (f->reply->n_degraded == DEGRADED_MAX)
        return;
    Mxp__Degraded *degraded = mx_arena_alloc(f->arena, sizeof(*degraded));
    mxp__degraded__init(degraded);
    degraded->check = copy(f->arena, check);
    degraded->reason = copy(f->arena, reason);
    f->reply->degraded[f->reply->n_degraded++] = degraded;
}

static Mxp__Node *make_node(struct mx_arena *arena, const struct policy_status *status)
{
    Mxp__Node *node = mx_arena_alloc(arena, sizeof(*node));
    mxp__node__init(node);
    node->id = copy(arena, status->node);
    node->endpoint = copy(arena, status->endpoint);
    node->public_key = copy(arena, status->public_key);
    node->workers = status->workers;
    node->busy = status->busy;
    node->is_draining = status->is_draining;
    node->version = copy(arena, MX_VERSION);
    node->since_ms = status->since_ms;
    return node;
}

const Mxp__StatusReply *policy_status_make(struct mx_arena *arena,
                                           const struct policy_status *status)
{
    Mxp__StatusReply *reply = mx_arena_alloc(arena, sizeof(*reply));
    struct filling filling = {arena, reply};
    mxp__status_reply__init(reply);
    reply->node = make_node(arena, status);
    reply->program = copy(arena, "mxdrop-policyd");
    reply->process = copy(arena, status->process);
    policy_shims_list(status->shims, arena, reply);
    reply->uptime_ms = status->now_ms - status->since_ms;
    reply->is_ready = mx_health_is_ready(status->health);
    reply->degraded = mx_arena_array(arena, DEGRADED_MAX, sizeof(*reply->degraded));
    reply->counters =
        mx_arena_array(arena, POLICY_STATUS_COUNTERS_MAX, sizeof(*reply->counters));
    mx_health_each(status->health, add_degraded, &filling);
    mx_metrics_each(status->metrics, add_counter, &filling);
    /* Our own encoding: it cannot fail, and if it did the reply would do without. */
    reply->topology =
        (Mxp__TopologyReply *)mxp_unpack(arena, &mxp__topology_reply__descriptor,
                                         policy_topology_bytes(status->topology), NULL);
    return reply;
}
