/*
 * The DEALER of one endpoint. ZMQ_IMMEDIATE keeps messages from queueing to a peer that
 * is not connected: a send fails at once instead, and the owner chooses another endpoint.
 * Heartbeats find a host that vanished; a process that died is told by the monitor.
 *
 * A body is sent without a copy: ZeroMQ holds a counted reference and gives it back from
 * its own thread when the last octet left, or the connection is gone.
 */
#include "mxp_link.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "mxp_curve.h"

#define HEARTBEAT_MS 2000
#define HEARTBEAT_TIMEOUT_MS 6000
#define RECONNECT_MS 50
#define RECONNECT_MAX_MS 1000
#define CONNECT_TIMEOUT_MS 2000 /* a host that swallows SYNs */
#define HANDSHAKE_MS 5000

struct mxp_body {
    const void *p;
    size_t n;
    void (*release)(void *user);
    void *user;
    atomic_uint holders;
};

struct mxp_body *mxp_body_new(const void *p, size_t n, void (*release)(void *user),
                              void *user)
{
    struct mxp_body *body = mx_xalloc(sizeof(*body));
    body->p = p;
    body->n = n;
    body->release = release;
    body->user = user;
    atomic_init(&body->holders, 1);
    return body;
}

void mxp_body_unref(struct mxp_body *body)
{
    if (body == NULL ||
        atomic_fetch_sub_explicit(&body->holders, 1, memory_order_acq_rel) != 1)
        return;
    if (body->release)
        body->release(body->user);
    free(body);
}

static void release_body(void *data, void *hint)
{
    (void)data;
    mxp_body_unref(hint);
}

static void out_of_memory(const char *what)
{
    fprintf(stderr, "mxdrop: out of memory: %s\n", what);
    abort();
}

void mxp_parcel_init(struct mxp_parcel *parcel, const ProtobufCMessage *message,
                     struct mxp_body *body)
{
    size_t n = protobuf_c_message_get_packed_size(message);
    if (zmq_msg_init_size(&parcel->payload, n) != 0)
        out_of_memory("payload");
    protobuf_c_message_pack(message, zmq_msg_data(&parcel->payload));
    parcel->has_body = body != NULL;
    zmq_msg_init(&parcel->body);
    if (body == NULL)
        return;
    atomic_fetch_add_explicit(&body->holders, 1, memory_order_relaxed);
    /* ZeroMQ has no const here; it only reads what it sends. */
    void *p = (void *)(uintptr_t)body->p;
    if (zmq_msg_init_data(&parcel->body, p, body->n, release_body, body) != 0)
        out_of_memory("body");
}

void mxp_parcel_fini(struct mxp_parcel *parcel)
{
    zmq_msg_close(&parcel->payload);
    zmq_msg_close(&parcel->body);
}

static int set_options(void *socket, const struct mxp_link_options *options,
                       struct mx_err *err)
{
    const struct {
        int option, value;
    } ints[] = {
        {ZMQ_LINGER, 0},
        {ZMQ_IMMEDIATE, 1},
        {ZMQ_SNDHWM, (int)options->queue_max},
        {ZMQ_RCVHWM, (int)options->queue_max},
        {ZMQ_HEARTBEAT_IVL, HEARTBEAT_MS},
        {ZMQ_HEARTBEAT_TIMEOUT, HEARTBEAT_TIMEOUT_MS},
        {ZMQ_RECONNECT_IVL, RECONNECT_MS},
        {ZMQ_RECONNECT_IVL_MAX, RECONNECT_MAX_MS},
        {ZMQ_CONNECT_TIMEOUT, CONNECT_TIMEOUT_MS},
        {ZMQ_HANDSHAKE_IVL, HANDSHAKE_MS},
        {ZMQ_IPV6, 1},
    };
    int64_t frame_max = (int64_t)options->reply_max;
    int rc = zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &frame_max, sizeof(frame_max));
    for (size_t i = 0; rc == 0 && i < sizeof(ints) / sizeof(ints[0]); i++)
        rc = zmq_setsockopt(socket, ints[i].option, &ints[i].value, sizeof(int));
    if (rc != 0)
        return mx_err_set(err, MX_ERR_SYSTEM, "socket option: %s",
                          zmq_strerror(zmq_errno()));
    return 0;
}

static int connect_link(struct mxp_link *link, const struct mxp_link_options *options,
                        struct mx_err *err)
{
    size_t size = sizeof(link->fd);
    bool has_keys = link->server_key[0] != '\0';
    if (mxp_address_check(link->address, has_keys, err) != 0)
        return -1;
    link->socket = zmq_socket(options->context, ZMQ_DEALER);
    if (link->socket == NULL)
        return mx_err_set(err, MX_ERR_SYSTEM, "socket: %s", zmq_strerror(zmq_errno()));
    if (set_options(link->socket, options, err) != 0)
        return -1;
    if (has_keys &&
        mxp_curve_client(link->socket, &options->keys, link->server_key, err) != 0)
        return -1;
    if (mxp_monitor_open(options->context, link->socket, &link->monitor, err) != 0)
        return -1;
    if (zmq_connect(link->socket, link->address) != 0 ||
        zmq_getsockopt(link->socket, ZMQ_FD, &link->fd, &size) != 0)
        return mx_err_set(err, MX_ERR_INPUT, "%s", zmq_strerror(zmq_errno()));
    return 0;
}

int mxp_link_open(const struct mxp_link_options *options, struct mxp_link **out,
                  struct mx_err *err)
{
    struct mxp_link *link = mx_xalloc(sizeof(*link));
    const char *key = options->endpoint->public_key;
    int n =
        snprintf(link->address, sizeof(link->address), "%s", options->endpoint->address);
    int key_n =
        snprintf(link->server_key, sizeof(link->server_key), "%s", key ? key : "");
    int rc = 0;
    if (n >= (int)sizeof(link->address) || key_n >= (int)sizeof(link->server_key))
        rc = mx_err_set(err, MX_ERR_LIMIT, "address or key too long");
    if (rc != 0 || connect_link(link, options, err) != 0) {
        mx_err_wrap(err, "endpoint %s", link->address);
        mxp_link_close(link);
        return -1;
    }
    *out = link;
    return 0;
}

void mxp_link_close(struct mxp_link *link)
{
    if (link == NULL)
        return;
    mxp_monitor_close(link->monitor);
    if (link->socket)
        zmq_close(link->socket);
    free(link);
}

struct mxp_link *mxp_link_of(struct mxp_peer *peer)
{
    return (struct mxp_link *)peer;
}

/* Sends a reference to ${frame}, which stays as it is. */
static int send_copy(void *socket, zmq_msg_t *frame, int flags)
{
    zmq_msg_t copy;
    zmq_msg_init(&copy);
    if (zmq_msg_copy(&copy, frame) != 0 || zmq_msg_send(&copy, socket, flags) < 0) {
        zmq_msg_close(&copy);
        return -1;
    }
    return 0;
}

int mxp_link_send(struct mxp_link *link, const struct mxp_header *header,
                  struct mxp_parcel *parcel)
{
    uint8_t magic[MXP_MAGIC_SIZE], head[MXP_HEADER_SIZE];
    int more = ZMQ_DONTWAIT | ZMQ_SNDMORE;
    mxp_magic_encode(magic);
    mxp_header_encode(header, head);
    /* Where a later frame fails, the connection broke and took the earlier ones along. */
    if (zmq_send(link->socket, magic, sizeof(magic), more) < 0 ||
        zmq_send(link->socket, head, sizeof(head), more) < 0)
        return -1;
    if (!parcel->has_body)
        return send_copy(link->socket, &parcel->payload, ZMQ_DONTWAIT);
    if (send_copy(link->socket, &parcel->payload, more) != 0)
        return -1;
    return send_copy(link->socket, &parcel->body, ZMQ_DONTWAIT);
}

static struct mx_str slice(zmq_msg_t *frame)
{
    return mx_str_of(zmq_msg_data(frame), zmq_msg_size(frame));
}

/* Frames behind the first three are skipped: a later minor version may send more. */
static enum mxp_arrived judge(zmq_msg_t frames[static 3], unsigned n,
                              struct mxp_header *header)
{
    struct mx_err err = {.code = MX_ERR_NONE};
    if (mxp_magic_check(slice(&frames[0]), &err) != 0)
        return err.code == MX_ERR_VERSION ? MXP_ARRIVED_VERSION : MXP_ARRIVED_GARBAGE;
    if (n < 3 || mxp_header_decode(slice(&frames[1]), header, NULL) != 0)
        return MXP_ARRIVED_GARBAGE;
    return MXP_ARRIVED_REPLY;
}

enum mxp_arrived mxp_link_receive(struct mxp_link *link, struct mxp_header *header,
                                  zmq_msg_t *payload)
{
    zmq_msg_t frames[3], extra, *frame;
    unsigned n = 0;
    for (unsigned i = 0; i < 3; i++)
        zmq_msg_init(&frames[i]);
    zmq_msg_init(&extra);
    do {
        frame = n < 3 ? &frames[n] : &extra;
        if (zmq_msg_recv(frame, link->socket, ZMQ_DONTWAIT) < 0)
            break;
        n += n < 4;
    } while (zmq_msg_more(frame));
    enum mxp_arrived arrived = n == 0 ? MXP_ARRIVED_NOTHING : judge(frames, n, header);
    if (arrived == MXP_ARRIVED_REPLY)
        zmq_msg_move(payload, &frames[2]);
    for (unsigned i = 0; i < 3; i++)
        zmq_msg_close(&frames[i]);
    zmq_msg_close(&extra);
    return arrived;
}
