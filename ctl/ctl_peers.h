/* The daemons as the commands ask them: endpoints, keys, one call with its deadline. */
#ifndef CTL_PEERS_H
#define CTL_PEERS_H

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>

#include "admin.pb-c.h"
#include "mxp_client.h"

struct ctl;
struct mx_arena;
struct mx_err;

/* --keys FILE: what mxdropctl keygen printed; for tcp:// between hosts. */
#define CTL_PEERS_KEYS_DOC                                                               \
    "Key pair to ask tcp:// endpoints with, as keygen printed it (or $MXDROP_KEYS)"

/**
 * ctl_peers_keys(arena, path, out, err):
 * Read public_key and secret_key of ${path}; NULL: of $MXDROP_KEYS; neither: no keys.
 * Fails:  the file cannot be read or lacks one (-1).
 */
int ctl_peers_keys(struct mx_arena *arena, const char *path, struct mxp_keys *out,
                   struct mx_err *err);

/**
 * ctl_peers_open(nodes, n, keys, out, err):
 * A client for these nodes, draining ones left out.
 * Owner:  mxp_client_free.
 * Fails:  none is left, a bad endpoint, tcp:// without keys (-1).
 */
int ctl_peers_open(Mxp__Node *const *nodes, size_t n, const struct mxp_keys *keys,
                   struct mxp_client **out, struct mx_err *err);

/** ctl_peers_open_one(endpoint, public_key, keys, out, err): for one that is named. */
int ctl_peers_open_one(const char *endpoint, const char *public_key,
                       const struct mxp_keys *keys, struct mxp_client **out,
                       struct mx_err *err);

struct ctl_peers_call {
    struct mxp_call call;                         /* reply_type too */
    const ProtobufCMessageDescriptor *descriptor; /* of the reply */
};

/**
 * ctl_peers_ask(client, arena, call, out, err):
 * Ask, wait, decode.
 * Owner:  ${out} lives in ${arena} (at least 128 MiB for large replies).
 * Fails:  as mxp_client_call, or the reply cannot be decoded (-1).
 */
int ctl_peers_ask(struct mxp_client *client, struct mx_arena *arena,
                  const struct ctl_peers_call *call, ProtobufCMessage **out,
                  struct mx_err *err);

#endif
