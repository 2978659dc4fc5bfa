/*
 * Encoding of a node is protobuf, as on the wire. Whoever can write to Redis can write
 * here, so a node is checked field by field before anybody connects to its endpoint or
 * prints its name: lengths, printable text, a known transport, a key of the right length.
 */
#include "registry_node.h"

#include <stdbool.h>
#include <string.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "mxp_pack.h"
#include "registry.h"

#define Z85_KEY 40 /* digits of a CURVE key, ZeroMQ RFC 32 */

/* protobuf-c takes a NULL text for an empty one. */
static const char *text_of(const char *text)
{
    return text ? text : "";
}

static bool is_text(const char *text, size_t max)
{
    text = text_of(text);
    size_t n = strnlen(text, max + 1);
    if (n > max)
        return false;
    for (size_t i = 0; i < n; i++)
        if (text[i] < 0x20 || text[i] > 0x7e)
            return false;
    return true;
}

static bool is_endpoint(const char *text)
{
    struct mx_str s = mx_str(text);
    return is_text(text, REGISTRY_TEXT_MAX) && s.n > 6 && mx_str_chr(s, ' ') < 0 &&
           (mx_str_starts(s, MX_STR("tcp://")) || mx_str_starts(s, MX_STR("ipc://")));
}

static bool is_key(const char *text)
{
    size_t n = strlen(text_of(text));
    return n == 0 || (n == Z85_KEY && is_text(text, Z85_KEY));
}

static int node_check(const Mxp__Node *node, bool is_caller, struct mx_err *err)
{
    const char *wrong = NULL;
    if (text_of(node->id)[0] == '\0' || !is_text(node->id, REGISTRY_TEXT_MAX))
        wrong = "id";
    else if (is_caller ? text_of(node->endpoint)[0] != '\0'
                       : !is_endpoint(node->endpoint))
        wrong = "endpoint";
    else if (!is_key(node->public_key))
        wrong = "public key";
    else if (!is_text(node->version, REGISTRY_TEXT_MAX) ||
             !is_text(node->signatures, REGISTRY_TEXT_MAX) ||
             !is_text(node->rules, REGISTRY_TEXT_MAX))
        wrong = "version";
    else if (node->n_degraded > REGISTRY_DEGRADED_MAX)
        wrong = "number of reasons";
    for (size_t i = 0; !wrong && i < node->n_degraded; i++)
        if (!is_text(node->degraded[i], REGISTRY_TEXT_MAX))
            wrong = "reason";
    return wrong ? mx_err_set(err, MX_ERR_INPUT, "node: bad %s", wrong) : 0;
}

static int encode(struct mx_arena *arena, const Mxp__Node *node, struct mx_str *out,
                  struct mx_err *err)
{
    if (mxp__node__get_packed_size(node) > REGISTRY_NODE_MAX)
        return mx_err_set(err, MX_ERR_LIMIT, "node: larger than %d octets encoded",
                          REGISTRY_NODE_MAX);
    *out = mxp_pack(arena, &node->base);
    return 0;
}

int registry_node_encode(struct mx_arena *arena, const Mxp__Node *node,
                         struct mx_str *out, struct mx_err *err)
{
    return node_check(node, false, err) != 0 ? -1 : encode(arena, node, out, err);
}

int registry_caller_encode(struct mx_arena *arena, const Mxp__Node *node,
                           struct mx_str *out, struct mx_err *err)
{
    return node_check(node, true, err) != 0 ? -1 : encode(arena, node, out, err);
}

int registry_node_decode(struct mx_arena *arena, struct mx_str bytes, Mxp__Node **out,
                         struct mx_err *err)
{
    if (bytes.n > REGISTRY_NODE_MAX)
        return mx_err_set(err, MX_ERR_LIMIT, "node: larger than %d octets encoded",
                          REGISTRY_NODE_MAX);
    ProtobufCMessage *message = mxp_unpack(arena, &mxp__node__descriptor, bytes, err);
    if (message == NULL || node_check((const Mxp__Node *)message, false, err) != 0)
        return -1;
    *out = (Mxp__Node *)message;
    return 0;
}

static uint64_t mix(uint64_t hash, struct mx_str text)
{
    /* 31 is odd, so that the order of texts counts and none cancels another. */
    return hash * 31 + mx_str_hash(text);
}

static uint64_t mix_nodes(uint64_t hash, Mxp__Node *const *nodes, size_t n)
{
    hash = mix(hash, mx_str_of(&n, sizeof(n)));
    for (size_t i = 0; i < n; i++) {
        hash = mix(hash, mx_str(nodes[i]->id));
        hash = mix(hash, mx_str(nodes[i]->endpoint));
        hash = mix(hash, mx_str(nodes[i]->public_key));
        hash = mix(hash, mx_str_of(&nodes[i]->workers, sizeof(nodes[i]->workers)));
        hash = mix(hash, nodes[i]->is_draining ? MX_STR("draining") : MX_STR("serving"));
    }
    return hash;
}

uint64_t registry_version(const Mxp__TopologyReply *topology)
{
    uint64_t hash = mix_nodes(1, topology->scanners, topology->n_scanners);
    hash = mix_nodes(hash, topology->policyds, topology->n_policyds);
    return hash ? hash : 1;
}

static bool has_node(Mxp__Node *const *nodes, size_t n, const char *id)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(nodes[i]->id, id) == 0)
            return true;
    return false;
}

static void keep_nodes(struct mx_arena *arena, Mxp__Node *const *old, size_t n_old,
                       Mxp__Node ***nodes, size_t *n)
{
    size_t most = *n + n_old < REGISTRY_NODES_MAX ? *n + n_old : REGISTRY_NODES_MAX;
    size_t n_new = *n, kept = *n;
    if (most <= n_new || mx_arena_left(arena) / 2 < most * sizeof(Mxp__Node *))
        return;
    Mxp__Node **all = mx_arena_array(arena, most, sizeof(all[0]));
    if (n_new > 0)
        memcpy(all, *nodes, n_new * sizeof(all[0]));
    for (size_t i = 0; i < n_old && kept < most; i++) {
        if (old[i]->is_draining || has_node(all, n_new, old[i]->id) ||
            mx_arena_left(arena) < 2 * REGISTRY_NODE_MAX)
            continue;
        struct mx_str bytes = mxp_pack(arena, &old[i]->base);
        if (registry_node_decode(arena, bytes, &all[kept], NULL) == 0)
            kept++;
    }
    *nodes = all;
    *n = kept;
}

void registry_keep(struct mx_arena *arena, const Mxp__TopologyReply *old,
                   Mxp__TopologyReply *out)
{
    keep_nodes(arena, old->scanners, old->n_scanners, &out->scanners, &out->n_scanners);
    keep_nodes(arena, old->policyds, old->n_policyds, &out->policyds, &out->n_policyds);
}
