/* One node as it stands in Redis: bounded, checked on the way in and out. */
#ifndef REGISTRY_NODE_H
#define REGISTRY_NODE_H

#include <stdint.h>

#include "admin.pb-c.h"
#include "mx_str.h"

struct mx_arena;
struct mx_err;

#define REGISTRY_NODE_MAX 4096   /* octets of an encoded node */
#define REGISTRY_TEXT_MAX 256    /* octets of one of its texts */
#define REGISTRY_DEGRADED_MAX 32 /* reasons of one node, see mx_health.h */

/**
 * registry_node_encode(arena, node, out, err):
 * Fails:  a text is too long, not printable, or missing (id, endpoint) (-1).
 */
int registry_node_encode(struct mx_arena *arena, const Mxp__Node *node,
                         struct mx_str *out, struct mx_err *err);

/**
 * registry_caller_encode(arena, node, out, err):
 * The same for one who only asks, and is nowhere reached: its endpoint must be empty.
 */
int registry_caller_encode(struct mx_arena *arena, const Mxp__Node *node,
                           struct mx_str *out, struct mx_err *err);

/**
 * registry_node_decode(arena, bytes, out, err):
 * Owner:  ${out} lives in ${arena}.
 * Fails:  not a node, or one that registry_node_encode would refuse (-1).
 */
int registry_node_decode(struct mx_arena *arena, struct mx_str bytes, Mxp__Node **out,
                         struct mx_err *err);

/**
 * registry_version(topology):
 * Hash over what a client must know: ids, endpoints, keys, workers, who is leaving. Load
 * is not in it, or the lists would always be news. Never 0.
 */
uint64_t registry_version(const Mxp__TopologyReply *topology);

/**
 * registry_keep(arena, old, out):
 * Add to ${out} copies of the nodes of ${old} that it lacks, those that are draining left
 * out; at most REGISTRY_NODES_MAX a role.
 * Owner:  the copies live in ${arena}.
 */
void registry_keep(struct mx_arena *arena, const Mxp__TopologyReply *old,
                   Mxp__TopologyReply *out);

#endif
