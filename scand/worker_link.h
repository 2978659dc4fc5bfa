/*
 * Between supervisor and worker: one socket pair each, one message at a time. A request
 * is one fixed record with a sealed memory file behind it, which holds the encoded
 * ScanRequest and then the message. A reply is one fixed record, the text of faults and
 * the encoded ScanReply. Both ends are the same program, so records are plain structs.
 *
 * The supervisor trusts nothing that comes from a worker: a message may have taken it
 * over. So replies are read through an inbox that checks every size.
 */
#ifndef WORKER_LINK_H
#define WORKER_LINK_H

#include <stddef.h>
#include <stdint.h>

#include "mx_str.h"

struct mx_err;

#define WORKER_PAYLOAD_MAX (2u << 20) /* octets of an encoded ScanReply */
#define WORKER_FAULTS_MAX 4096u       /* octets of the text of faults */
#define WORKER_COSTS_MAX 16u          /* detectors */
#define WORKER_NAME_MAX 64u           /* octets of a rule's name, NUL included */

struct worker_request {
    uint32_t magic;
    uint32_t seq;       /* copied into the reply */
    uint32_t payload_n; /* octets of the ScanRequest at the start of the file */
    uint32_t time_ms;   /* what is left for the scan */
    uint64_t body_n;    /* octets of the message behind it */
};

struct worker_cost {
    uint32_t us;
    uint16_t detector; /* index in scan_table */
    uint16_t is_finished;
};

struct worker_reply {
    uint32_t magic;
    uint32_t seq; /* 0: the worker says hello, nothing follows */
    uint32_t payload_n, faults_n;
    uint32_t us;
    uint32_t growth_kib; /* memory since the worker started */
    uint16_t n_findings, n_viruses;
    uint32_t n_limited;            /* rules that met a limit */
    char limited[WORKER_NAME_MAX]; /* the first of them; may lack its NUL */
    uint32_t n_costs;
    double score;
    struct worker_cost costs[WORKER_COSTS_MAX];
};

/**
 * worker_request_send(fd, request, file, err):
 * Never waits: an idle worker's socket has room for one record.
 * Fails:  the worker is gone, or does not read (-1).
 */
int worker_request_send(int fd, const struct worker_request *request, int file,
                        struct mx_err *err);

/**
 * worker_request_recv(fd, out, out_file, err):
 * Wait for the next request.
 * Owner:  the caller closes ${out_file}.
 * Fails:  the supervisor closed its end (MX_ERR_DOWN), not a request (-1).
 */
int worker_request_recv(int fd, struct worker_request *out, int *out_file,
                        struct mx_err *err);

/** worker_reply_send(fd, reply, faults, payload, err): sizes are filled in here. Waits.
 */
int worker_reply_send(int fd, const struct worker_reply *reply, struct mx_str faults,
                      struct mx_str payload, struct mx_err *err);

/* A reply that is coming in. Zero it to start. */
struct worker_inbox {
    char *p;
    size_t n, room;
};

/**
 * worker_inbox_feed(inbox, bytes, err):
 * Take what was read.
 * Fails:  not a reply, a size over its bound, more than one reply (-1).
 */
int worker_inbox_feed(struct worker_inbox *inbox, struct mx_str bytes,
                      struct mx_err *err);

/**
 * worker_inbox_take(inbox, out, out_faults, out_payload):
 * The reply, if it is whole. Its texts live until the inbox is fed again.
 * Fails:  not yet whole (-1).
 */
int worker_inbox_take(struct worker_inbox *inbox, struct worker_reply *out,
                      struct mx_str *out_faults, struct mx_str *out_payload);
void worker_inbox_fini(struct worker_inbox *inbox);

#endif
