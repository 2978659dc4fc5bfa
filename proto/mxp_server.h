/*
 * Server side: a bound ROUTER that hands out whole, checked requests and sends replies.
 * It has no thread: its user polls mxp_server_fd (edge-triggered: call mxp_server_next
 * until it says no, after every wake-up and after every reply) from a libuv loop or
 * poll(2). One user thread.
 *
 * What cannot be read (garbage, half a message, another version, too large) is answered
 * with an error where the frames allow it, reported through on_fault, and forgotten.
 */
#ifndef MXP_SERVER_H
#define MXP_SERVER_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "mxp_client.h"
#include "mx_err.h"
#include "mxp_frame.h"

struct mx_clock;
struct mxp_server;

/* A request: belongs to the caller until mxp_request_free (also after a reply). */
struct mxp_request {
    struct mxp_header header;
    struct mx_str payload; /* encoded; lives as long as the request */
    struct mx_str body;    /* or MX_STR_NONE */
    int64_t expires_ms;    /* on the clock's mono_ms: drop it when that has passed */
    int64_t arrived_us;    /* mx_mono_us */
};

struct mxp_server_options {
    const char *endpoint;
    struct mxp_keys keys;            /* server keys: CURVE is on when set */
    const char *const *allowed_keys; /* clients' public keys; ends with NULL */
    size_t payload_max, body_max;    /* octets; 0: MXP_PAYLOAD_MAX, no body allowed */
    const struct mx_clock *clock;
    mode_t ipc_mode; /* of an ipc:// socket file; 0: 0660 */
    /* What could not be answered, or was refused: MX_ERR_VERSION for another major
       version, which is news of its own to an operator, else MX_ERR_INPUT. */
    void (*on_fault)(void *user, const char *peer, enum mx_err_code code,
                     const char *reason);
    void *user;
};

/**
 * mxp_server_open(options, out, err):
 * Bind. A stale ipc:// socket file is replaced, one that somebody listens on is not.
 * Owner:  mxp_server_close; waits at most 200 ms for replies that are still being sent.
 * Fails:  in use, bad address, tcp:// other than loopback without keys (-1; the text
 *         says what to do).
 */
int mxp_server_open(const struct mxp_server_options *options, struct mxp_server **out,
                    struct mx_err *err);
void mxp_server_close(struct mxp_server *server);

/** mxp_server_fd(server): readable when mxp_server_next has something to do. */
int mxp_server_fd(const struct mxp_server *server);

/**
 * mxp_server_next(server):
 * The next good request that is not past its deadline, or NULL: nothing for now.
 * Takes care of faults on the way (at most 256 a call, so that garbage cannot hold the
 * loop; ${*more} then says to come back without waiting for the descriptor).
 */
struct mxp_request *mxp_server_next(struct mxp_server *server, bool *more);

/** mxp_server_reply(server, request, type, message): encode and send; a peer that left
 * costs nothing. */
void mxp_server_reply(struct mxp_server *server, const struct mxp_request *request,
                      enum mxp_type type, const ProtobufCMessage *message);

/** mxp_server_reply_bytes: the same with an encoded payload. */
void mxp_server_reply_bytes(struct mxp_server *server, const struct mxp_request *request,
                            enum mxp_type type, struct mx_str payload);

/** mxp_server_error(server, request, code, text): an ErrorReply; code is Mxp__ErrorCode.
 */
void mxp_server_error(struct mxp_server *server, const struct mxp_request *request,
                      int code, const char *text);

/**
 * mxp_request_forget(request):
 * Its payload and body are read and copied; it is only to be answered. ZeroMQ keeps a
 * whole read buffer (8 KiB) for each message that was in it.
 */
void mxp_request_forget(struct mxp_request *request);

void mxp_request_free(struct mxp_request *request);

/** mxp_keygen(public_key, secret_key, err): a CURVE pair in Z85 (41 bytes with NUL each).
 */
int mxp_keygen(char public_key[static 41], char secret_key[static 41],
               struct mx_err *err);

#endif
