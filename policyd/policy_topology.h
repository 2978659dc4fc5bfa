/* The cluster's lists as they are handed to shims: encoded once, shared, never changed.
 */
#ifndef POLICY_TOPOLOGY_H
#define POLICY_TOPOLOGY_H

#include <stdint.h>

#include "admin.pb-c.h"
#include "mx_str.h"

struct policy_topology;

/**
 * policy_topology_new(lists): an encoded copy.
 * Owner:  one reference is the caller's.
 */
struct policy_topology *policy_topology_new(const Mxp__TopologyReply *lists);

/** policy_topology_ref / policy_topology_unref: any thread. NULL is fine. */
struct policy_topology *policy_topology_ref(struct policy_topology *topology);
void policy_topology_unref(struct policy_topology *topology);

/** policy_topology_version(topology), policy_topology_bytes(topology): NULL: none yet. */
uint64_t policy_topology_version(const struct policy_topology *topology);
struct mx_str policy_topology_bytes(const struct policy_topology *topology);

#endif
