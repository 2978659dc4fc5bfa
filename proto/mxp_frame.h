/* Frames of the wire: bounds and versions. PROTOCOL.md is the text to this code. */
#ifndef MXP_FRAME_H
#define MXP_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "mx_str.h"

struct mx_err;

#define MXP_MAJOR 1
#define MXP_MAGIC_SIZE 4           /* "MXD" and the major version */
#define MXP_HEADER_SIZE 16         /* type 2, flags 2, id 8, deadline 4; network order */
#define MXP_PAYLOAD_MAX (8u << 20) /* octets of one protobuf message */
#define MXP_BODY_MAX                                                                     \
    ((uint64_t)1 << 30)             /* octets of one body; configuration sets less       \
                                     */
#define MXP_DEADLINE_MAX_MS 600000u /* nothing lives longer */

enum mxp_type {
    MXP_ERROR = 0,
    MXP_POLICY_REQUEST = 1,
    MXP_POLICY_REPLY = 2,
    MXP_SCAN_REQUEST = 3,
    MXP_SCAN_REPLY = 4,
    MXP_TOPOLOGY_REQUEST = 5,
    MXP_TOPOLOGY_REPLY = 6,
    MXP_STATUS_REQUEST = 7,
    MXP_STATUS_REPLY = 8,
};

struct mxp_header {
    uint16_t type;        /* enum mxp_type, or one that we do not know */
    uint16_t flags;       /* none yet: sent as 0, ignored */
    uint64_t id;          /* chosen by who asks, copied into the reply */
    uint32_t deadline_ms; /* how long the answer is still wanted; 0 in replies */
};

/** mxp_magic_encode(out): the first frame. */
void mxp_magic_encode(uint8_t out[static MXP_MAGIC_SIZE]);

/**
 * mxp_magic_check(frame, err):
 * Fails:  not ours (MX_ERR_INPUT), another major version (MX_ERR_VERSION) (-1).
 */
int mxp_magic_check(struct mx_str frame, struct mx_err *err);

/** mxp_header_encode(header, out): the second frame. */
void mxp_header_encode(const struct mxp_header *header,
                       uint8_t out[static MXP_HEADER_SIZE]);

/**
 * mxp_header_decode(frame, out, err):
 * Longer headers of a later minor version are fine: what is behind is skipped. The
 * deadline is cut to MXP_DEADLINE_MAX_MS.
 * Fails:  short frame (-1).
 */
int mxp_header_decode(struct mx_str frame, struct mxp_header *out, struct mx_err *err);

/** mxp_type_name(type): "policy-request" ...; "unknown" for others. */
const char *mxp_type_name(uint16_t type);

#endif
