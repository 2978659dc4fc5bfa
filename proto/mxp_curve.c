/*
 * CURVE keys and the allow-list of a server.
 *
 * ZeroMQ asks an in-process REP socket about each new client (ZAP, RFC 27 of ZeroMQ):
 * version, request id, domain, address, identity, mechanism, then the client's public
 * key as 32 raw octets. The answer is 200 or 400. Keys are compared in constant time and
 * against the whole list, so that the time of a refusal tells nothing of the list.
 */
#include "mxp_curve.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "mxp_address.h"
#include "mxp_server.h"

#define ZAP_ENDPOINT "inproc://zeromq.zap.01"
#define ZAP_DOMAIN "mxdrop"
#define KEY_SIZE 32      /* octets of a raw key */
#define ZAP_FRAMES_MAX 7 /* with one credential */

struct mxp_zap {
    void *socket;
    uint8_t (*allowed)[KEY_SIZE];
    size_t n;
    int fd;
};

static int decode_key(const char *text, uint8_t out[static KEY_SIZE], struct mx_err *err)
{
    if (strlen(text) != MXP_KEY_MAX - 1 || zmq_z85_decode(out, text) == NULL)
        return mx_err_set(err, MX_ERR_INPUT,
                          "a key is 40 characters as mxdropctl keygen prints them");
    return 0;
}

static int set_key(void *socket, int option, const char *text, struct mx_err *err)
{
    uint8_t key[KEY_SIZE];
    if (decode_key(text ? text : "", key, err) != 0)
        return -1;
    if (zmq_setsockopt(socket, option, key, sizeof(key)) != 0)
        return mx_err_set(err, MX_ERR_SYSTEM, "setting a CURVE key: %s",
                          zmq_strerror(zmq_errno()));
    return 0;
}

int mxp_curve_server(void *socket, const struct mxp_keys *keys, struct mx_err *err)
{
    int on = 1;
    if (set_key(socket, ZMQ_CURVE_SECRETKEY, keys->secret_key, err) != 0)
        return mx_err_wrap(err, "secret key");
    if (zmq_setsockopt(socket, ZMQ_CURVE_SERVER, &on, sizeof(on)) != 0 ||
        zmq_setsockopt(socket, ZMQ_ZAP_DOMAIN, ZAP_DOMAIN, strlen(ZAP_DOMAIN)) != 0)
        return mx_err_set(err, MX_ERR_SYSTEM, "CURVE: %s", zmq_strerror(zmq_errno()));
    return 0;
}

int mxp_curve_client(void *socket, const struct mxp_keys *keys, const char *server_key,
                     struct mx_err *err)
{
    if (set_key(socket, ZMQ_CURVE_SERVERKEY, server_key, err) != 0)
        return mx_err_wrap(err, "public key of the server");
    if (set_key(socket, ZMQ_CURVE_PUBLICKEY, keys->public_key, err) != 0)
        return mx_err_wrap(err, "public key");
    if (set_key(socket, ZMQ_CURVE_SECRETKEY, keys->secret_key, err) != 0)
        return mx_err_wrap(err, "secret key");
    return 0;
}

static int read_list(struct mxp_zap *zap, const char *const *allowed, struct mx_err *err)
{
    size_t n = 0;
    while (allowed && allowed[n])
        n++;
    if (n == 0)
        return mx_err_set(err, MX_ERR_INPUT,
                          "keys without a list of clients that may connect");
    zap->allowed = mx_xalloc(n * sizeof(zap->allowed[0]));
    for (; zap->n < n; zap->n++) {
        if (decode_key(allowed[zap->n], zap->allowed[zap->n], err) != 0)
            return mx_err_wrap(err, "allowed client %zu", zap->n + 1);
    }
    return 0;
}

static int bind_zap(struct mxp_zap *zap, void *context, struct mx_err *err)
{
    size_t size = sizeof(zap->fd);
    int no_linger = 0;
    zap->socket = zmq_socket(context, ZMQ_REP);
    if (zap->socket == NULL ||
        zmq_setsockopt(zap->socket, ZMQ_LINGER, &no_linger, sizeof(no_linger)) != 0 ||
        zmq_bind(zap->socket, ZAP_ENDPOINT) != 0 ||
        zmq_getsockopt(zap->socket, ZMQ_FD, &zap->fd, &size) != 0)
        return mx_err_set(err, MX_ERR_SYSTEM, "ZAP: %s", zmq_strerror(zmq_errno()));
    return 0;
}

int mxp_zap_open(void *context, const char *const *allowed, struct mxp_zap **out,
                 struct mx_err *err)
{
    struct mxp_zap *zap = mx_xalloc(sizeof(*zap));
    if (read_list(zap, allowed, err) != 0 || bind_zap(zap, context, err) != 0) {
        mxp_zap_close(zap);
        return -1;
    }
    *out = zap;
    return 0;
}

void mxp_zap_close(struct mxp_zap *zap)
{
    if (zap == NULL)
        return;
    if (zap->socket)
        zmq_close(zap->socket);
    free(zap->allowed);
    free(zap);
}

int mxp_zap_fd(const struct mxp_zap *zap)
{
    return zap->fd;
}

static bool is_allowed(const struct mxp_zap *zap, const uint8_t key[static KEY_SIZE])
{
    unsigned found = 0;
    for (size_t i = 0; i < zap->n; i++) {
        unsigned differs = 0;
        for (size_t k = 0; k < KEY_SIZE; k++)
            differs |= key[k] ^ zap->allowed[i][k];
        found |= differs == 0;
    }
    return found != 0;
}

/* Sends on a REP socket in this process: it neither blocks nor can be refused. */
static void answer(struct mxp_zap *zap, zmq_msg_t *request_id, bool is_good)
{
    zmq_send_const(zap->socket, "1.0", 3, ZMQ_SNDMORE);
    zmq_msg_send(request_id, zap->socket, ZMQ_SNDMORE);
    zmq_send_const(zap->socket, is_good ? "200" : "400", 3, ZMQ_SNDMORE);
    const char *text = is_good ? "OK" : "key not in the allow-list";
    zmq_send_const(zap->socket, text, strlen(text), ZMQ_SNDMORE);
    zmq_send_const(zap->socket, "", 0, ZMQ_SNDMORE);
    zmq_send_const(zap->socket, "", 0, 0);
}

/* One question: 1 answered, 0 none waits. */
static int run_one(struct mxp_zap *zap)
{
    zmq_msg_t frames[ZAP_FRAMES_MAX];
    size_t n = 0;
    bool more = true;
    for (; more && n < ZAP_FRAMES_MAX; n++) {
        zmq_msg_init(&frames[n]);
        if (zmq_msg_recv(&frames[n], zap->socket, ZMQ_DONTWAIT) < 0)
            break;
        more = zmq_msg_more(&frames[n]);
    }
    bool is_whole = n == ZAP_FRAMES_MAX && !more;
    if (n >= 2)
        answer(zap, &frames[1],
               is_whole && zmq_msg_size(&frames[5]) == 5 &&
                   memcmp(zmq_msg_data(&frames[5]), "CURVE", 5) == 0 &&
                   zmq_msg_size(&frames[6]) == KEY_SIZE &&
                   is_allowed(zap, zmq_msg_data(&frames[6])));
    for (size_t i = 0; i < n; i++)
        zmq_msg_close(&frames[i]);
    return n >= 2;
}

void mxp_zap_run(struct mxp_zap *zap)
{
    while (run_one(zap))
        ;
}

int mxp_keygen(char public_key[static 41], char secret_key[static 41], struct mx_err *err)
{
    if (zmq_curve_keypair(public_key, secret_key) != 0)
        return mx_err_set(err, MX_ERR_SYSTEM,
                          "making keys: %s (is libzmq built with "
                          "CURVE?)",
                          zmq_strerror(zmq_errno()));
    return 0;
}
