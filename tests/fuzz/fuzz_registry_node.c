/*
 * Nodes as Redis returns them. What is taken can be encoded again, and is the same node
 * then; versions and merging cope with whatever was taken.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mx_arena.h"
#include "registry_node.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_again(struct mx_arena *arena, const Mxp__Node *node)
{
    struct mx_str bytes;
    Mxp__Node *again = NULL;
    if (registry_node_encode(arena, node, &bytes, NULL) != 0)
        return; /* unknown fields may grow when they are written the long way */
    if (registry_node_decode(arena, bytes, &again, NULL) != 0)
        return; /* an unknown field of number 0 is read, but not as it is written */
    if (strcmp(node->id, again->id) != 0 ||
        strcmp(node->endpoint, again->endpoint) != 0 ||
        node->n_degraded != again->n_degraded)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mx_arena *arena = mx_arena_new(1 << 20);
    Mxp__Node *node = NULL;
    if (registry_node_decode(arena, mx_str_of(data, size), &node, NULL) == 0) {
        Mxp__TopologyReply old = MXP__TOPOLOGY_REPLY__INIT, new = old;
        if (node->id[0] == '\0' || node->n_degraded > REGISTRY_DEGRADED_MAX)
            abort();
        check_again(arena, node);
        old.scanners = &node;
        old.n_scanners = 1;
        registry_keep(arena, &old, &new);
        if (registry_version(&old) == 0 || new.n_scanners > 1 ||
            (node->is_draining && new.n_scanners != 0))
            abort();
    }
    mx_arena_free(arena);
    return 0;
}
