/*
 * One encoded TopologyReply under a reference count: the main thread makes it, workers
 * answer with its bytes. Before the first look at the registry there is none, which reads
 * as version 0 with empty lists.
 */
#include "policy_topology.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "mx_arena.h"

struct policy_topology {
    _Atomic unsigned refs;
    uint64_t version;
    size_t n;
    uint8_t bytes[];
};

struct policy_topology *policy_topology_new(const Mxp__TopologyReply *lists)
{
    size_t n = mxp__topology_reply__get_packed_size(lists);
    struct policy_topology *topology = mx_xalloc(sizeof(*topology) + n);
    atomic_init(&topology->refs, 1);
    topology->version = lists->version;
    topology->n = mxp__topology_reply__pack(lists, topology->bytes);
    return topology;
}

struct policy_topology *policy_topology_ref(struct policy_topology *topology)
{
    if (topology)
        atomic_fetch_add(&topology->refs, 1);
    return topology;
}

void policy_topology_unref(struct policy_topology *topology)
{
    if (topology && atomic_fetch_sub(&topology->refs, 1) == 1)
        free(topology);
}

uint64_t policy_topology_version(const struct policy_topology *topology)
{
    return topology ? topology->version : 0;
}

struct mx_str policy_topology_bytes(const struct policy_topology *topology)
{
    return topology ? mx_str_of(topology->bytes, topology->n) : MX_STR("");
}
