/*
 * One connection of the client: a DEALER to one endpoint, and what a call sends over it.
 * Internal to the client; the one header that shows ZeroMQ's types.
 */
#ifndef MXP_LINK_H
#define MXP_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zmq.h>

#include "mxp_address.h"
#include "mxp_client.h"
#include "mxp_frame.h"
#include "mxp_monitor.h"
#include "mxp_peer.h"

struct mx_err;

struct mxp_link {
    struct mxp_peer peer; /* first: a chosen peer is its link */
    char address[MXP_ADDRESS_MAX];
    char server_key[MXP_KEY_MAX];
    void *socket;
    struct mxp_monitor *monitor;
    int fd;                /* of the socket, edge-triggered */
    bool is_touched;       /* the owner will look at it before it sleeps */
    const char *told;      /* the state last told to on_event */
    struct mxp_link *next; /* in the owner's list of touched ones */
};

struct mxp_link_options {
    void *context;
    struct mxp_keys keys;
    const struct mxp_endpoint *endpoint;
    size_t reply_max; /* octets of one frame */
    unsigned queue_max;
};

/**
 * mxp_link_open(options, out, err):
 * Begin to connect. The library reconnects by itself, 50 to 1000 ms apart with jitter.
 * Owner:  mxp_link_close.
 * Fails:  bad address or key (-1).
 */
int mxp_link_open(const struct mxp_link_options *options, struct mxp_link **out,
                  struct mx_err *err);
void mxp_link_close(struct mxp_link *link);

/** mxp_link_of(peer): the link around a peer that mxp_peer_choose returned. */
struct mxp_link *mxp_link_of(struct mxp_peer *peer);

/* What one call sends: made once by the caller, sent by reference as often as needed. */
struct mxp_parcel {
    zmq_msg_t payload, body;
    bool has_body;
};

/** mxp_parcel_init(parcel, message, body) / mxp_parcel_fini: ${body} may be NULL. */
void mxp_parcel_init(struct mxp_parcel *parcel, const ProtobufCMessage *message,
                     struct mxp_body *body);
void mxp_parcel_fini(struct mxp_parcel *parcel);

/**
 * mxp_link_send(link, header, parcel):
 * Fails:  not connected, or its queue is full (-1): nothing was sent.
 */
int mxp_link_send(struct mxp_link *link, const struct mxp_header *header,
                  struct mxp_parcel *parcel);

enum mxp_arrived {
    MXP_ARRIVED_NOTHING,
    MXP_ARRIVED_REPLY,
    MXP_ARRIVED_GARBAGE, /* not our protocol */
    MXP_ARRIVED_VERSION, /* another major version */
};

/** mxp_link_receive(link, header, payload): one message; ${payload} is initialised and
 * takes it. */
enum mxp_arrived mxp_link_receive(struct mxp_link *link, struct mxp_header *header,
                                  zmq_msg_t *payload);

#endif
