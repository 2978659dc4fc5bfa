/*
 * Frames of the wire: the magic frame and the fixed header, both ways. Every number is
 * in network order. Nothing here allocates or looks at payloads; the order of frames in a
 * message is the business of mxp_client and mxp_server.
 */
#include "mxp_frame.h"

#include <string.h>

#include "mx_err.h"

#define MAGIC_NAME_SIZE 3 /* "MXD"; the fourth octet is the major version */

static const char *const TYPE_NAMES[] = {
    [MXP_ERROR] = "error",
    [MXP_POLICY_REQUEST] = "policy-request",
    [MXP_POLICY_REPLY] = "policy-reply",
    [MXP_SCAN_REQUEST] = "scan-request",
    [MXP_SCAN_REPLY] = "scan-reply",
    [MXP_TOPOLOGY_REQUEST] = "topology-request",
    [MXP_TOPOLOGY_REPLY] = "topology-reply",
    [MXP_STATUS_REQUEST] = "status-request",
    [MXP_STATUS_REPLY] = "status-reply",
};

static uint8_t *put(uint8_t *p, uint64_t value, unsigned octets)
{
    for (unsigned i = octets; i-- > 0; value >>= 8)
        p[i] = (uint8_t)value;
    return p + octets;
}

static const uint8_t *get(const uint8_t *p, unsigned octets, uint64_t *out)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < octets; i++)
        value = value << 8 | p[i];
    *out = value;
    return p + octets;
}

void mxp_magic_encode(uint8_t out[static MXP_MAGIC_SIZE])
{
    memcpy(out, "MXD", MAGIC_NAME_SIZE);
    out[MAGIC_NAME_SIZE] = MXP_MAJOR;
}

int mxp_magic_check(struct mx_str frame, struct mx_err *err)
{
    if (frame.n != MXP_MAGIC_SIZE || memcmp(frame.p, "MXD", MAGIC_NAME_SIZE) != 0)
        return mx_err_set(err, MX_ERR_INPUT, "not an mxdrop message");
    unsigned major = (uint8_t)frame.p[MAGIC_NAME_SIZE];
    if (major != MXP_MAJOR)
        return mx_err_set(err, MX_ERR_VERSION,
                          "protocol version %u, this program speaks %d", major,
                          MXP_MAJOR);
    return 0;
}

void mxp_header_encode(const struct mxp_header *header,
                       uint8_t out[static MXP_HEADER_SIZE])
{
    uint8_t *p = put(out, header->type, 2);
    p = put(p, header->flags, 2);
    p = put(p, header->id, 8);
    put(p, header->deadline_ms, 4);
}

int mxp_header_decode(struct mx_str frame, struct mxp_header *out, struct mx_err *err)
{
    if (frame.n < MXP_HEADER_SIZE)
        return mx_err_set(err, MX_ERR_INPUT, "header of %zu octets, at least %d belong",
                          frame.n, MXP_HEADER_SIZE);
    uint64_t type, flags, id, deadline_ms;
    const uint8_t *p = get((const uint8_t *)frame.p, 2, &type);
    p = get(p, 2, &flags);
    p = get(p, 8, &id);
    get(p, 4, &deadline_ms);
    if (deadline_ms > MXP_DEADLINE_MAX_MS)
        deadline_ms = MXP_DEADLINE_MAX_MS;
    *out = (struct mxp_header){.type = (uint16_t)type,
                               .flags = (uint16_t)flags,
                               .id = id,
                               .deadline_ms = (uint32_t)deadline_ms};
    return 0;
}

const char *mxp_type_name(uint16_t type)
{
    return type < sizeof(TYPE_NAMES) / sizeof(TYPE_NAMES[0]) ? TYPE_NAMES[type]
                                                             : "unknown";
}
