/*
 * Tools are clients like the shims: same library, same deadlines and retries. Which
 * daemons there are they read from the registry, so that a tool works on any node that
 * has the node's file; an endpoint can be named instead.
 */
#include "ctl_peers.h"

#include <stdlib.h>
#include <string.h>

#include "ctl.h"
#include "mx_arena.h"
#include "mx_err.h"
#include "mxp_pack.h"
#include "up_files.h"

#define KEY_LENGTH 40 /* Z85 */

/* The value of <name: "value"> in the text of a key file; NULL: not there. */
static const char *key_value(struct mx_arena *arena, const char *text, const char *name)
{
    struct mx_str rest = mx_str(text), line;

    while (mx_str_next(&rest, '\n', &line) == 0) {
        struct mx_str left = mx_str_trim(line), key;
        ptrdiff_t open;

        if (mx_str_next(&left, ':', &key) != 0 || !mx_str_eq(key, mx_str(name)))
            continue;
        open = mx_str_chr(left, '"');
        if (open >= 0 && left.n > (size_t)open + KEY_LENGTH + 1 &&
            left.p[open + 1 + KEY_LENGTH] == '"')
            return mx_str_cstr(arena, mx_str_sub(left, (size_t)open + 1, KEY_LENGTH));
    }
    return NULL;
}

int ctl_peers_keys(struct mx_arena *arena, const char *path, struct mxp_keys *out,
                   struct mx_err *err)
{
    struct mxp_keys keys = {0};
    const char *text;

    if (!path)
        path = getenv("MXDROP_KEYS");
    if (path && *path) {
        if (up_files_read(arena, path, &text, err) != 0)
            return -1;
        keys.public_key = key_value(arena, text, "public_key");
        keys.secret_key = key_value(arena, text, "secret_key");
        if (!keys.public_key || !keys.secret_key)
            return mx_err_set(err, MX_ERR_INPUT,
                              "%s: public_key and secret_key are wanted, as mxdropctl "
                              "keygen prints them",
                              path);
    }
    *out = keys;
    return 0;
}

static int open_client(const struct mxp_endpoint *endpoints, size_t n,
                       const struct mxp_keys *keys, struct mxp_client **out,
                       struct mx_err *err)
{
    const struct mxp_client_options options = {.name = "ctl", .keys = *keys};
    struct mxp_client *client;

    if (mxp_client_new(&options, &client, err) != 0)
        return -1;
    if (mxp_client_endpoints(client, endpoints, n, err) != 0) {
        mxp_client_free(client);
        return -1;
    }
    *out = client;
    return 0;
}

int ctl_peers_open(Mxp__Node *const *nodes, size_t n, const struct mxp_keys *keys,
                   struct mxp_client **out, struct mx_err *err)
{
    struct mxp_endpoint *endpoints = mx_xalloc((n + 1) * sizeof(*endpoints));
    size_t used = 0;
    int status;

    for (size_t i = 0; i < n; i++) {
        if (nodes[i]->is_draining || !*nodes[i]->endpoint)
            continue;
        endpoints[used].address = nodes[i]->endpoint;
        endpoints[used++].public_key = nodes[i]->public_key;
    }
    if (used == 0)
        status = mx_err_set(err, MX_ERR_DOWN, "none is registered in Redis");
    else
        status = open_client(endpoints, used, keys, out, err);
    free(endpoints);
    return status;
}

int ctl_peers_open_one(const char *endpoint, const char *public_key,
                       const struct mxp_keys *keys, struct mxp_client **out,
                       struct mx_err *err)
{
    const struct mxp_endpoint one = {.address = endpoint, .public_key = public_key};

    return open_client(&one, 1, keys, out, err);
}

/* ZeroMQ tells nobody why: a process that is gone and a key that it does not take look
   the same from here, so both are named. */
static int tell_unreachable(struct mxp_client *client, struct mx_err *err)
{
    struct mxp_endpoint_stat peer;
    struct mx_err why = *err;
    size_t n = mxp_client_stats(client, &peer, 1);

    if (n == 0 || peer.calls > 0) /* it was reached, and the text says more */
        return -1;
    bool has_keys = mx_str_starts(mx_str(peer.address), MX_STR("tcp://"));
    return mx_err_set(err, why.code, "%s%s: %s: is it running?%s", peer.address,
                      n > 1 ? " and others" : "", why.text,
                      has_keys ? " Are its --public-key and our --keys right, and is our "
                                 "public key in its allowed_keys?"
                               : "");
}

int ctl_peers_ask(struct mxp_client *client, struct mx_arena *arena,
                  const struct ctl_peers_call *call, ProtobufCMessage **out,
                  struct mx_err *err)
{
    struct mxp_answer answer;
    ProtobufCMessage *message;

    if (mxp_client_call(client, arena, &call->call, &answer, err) != 0)
        return err->code == MX_ERR_DOWN ? tell_unreachable(client, err) : -1;
    message = mxp_unpack(arena, call->descriptor, answer.payload, err);
    if (!message)
        return mx_err_wrap(err, "reply of %s", answer.endpoint);
    *out = message;
    return 0;
}
