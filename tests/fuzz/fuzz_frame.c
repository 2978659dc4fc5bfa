/*
 * One message off the wire: magic, header, then a payload of the type that the header
 * names. Input is a file as in tests/golden: frames behind their length in four octets.
 * What unpacks must pack again into just the size that was announced. That need not
 * unpack: protobuf-c takes an unknown field of number 0, but not the way it writes it.
 */
#include <stdint.h>
#include <stdlib.h>

#include "admin.pb-c.h"
#include "mx_arena.h"
#include "mxp_frame.h"
#include "mxp_pack.h"
#include "policy.pb-c.h"
#include "scan.pb-c.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ARENA_MAX (1u << 20)

static const ProtobufCMessageDescriptor *const TYPES[] = {
    [MXP_ERROR] = &mxp__error_reply__descriptor,
    [MXP_POLICY_REQUEST] = &mxp__policy_request__descriptor,
    [MXP_POLICY_REPLY] = &mxp__policy_reply__descriptor,
    [MXP_SCAN_REQUEST] = &mxp__scan_request__descriptor,
    [MXP_SCAN_REPLY] = &mxp__scan_reply__descriptor,
    [MXP_TOPOLOGY_REQUEST] = &mxp__topology_request__descriptor,
    [MXP_TOPOLOGY_REPLY] = &mxp__topology_reply__descriptor,
    [MXP_STATUS_REQUEST] = &mxp__status_request__descriptor,
    [MXP_STATUS_REPLY] = &mxp__status_reply__descriptor,
};

/* The next frame, cut where the input ends. */
static struct mx_str next_frame(struct mx_str *rest)
{
    const uint8_t *p = (const uint8_t *)rest->p;
    if (rest->n < 4)
        return MX_STR_NONE;
    size_t n = (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
    struct mx_str frame = mx_str_sub(*rest, 4, n);
    *rest = mx_str_sub(*rest, 4 + frame.n, SIZE_MAX);
    return frame;
}

static void round_trip(struct mx_arena *arena, uint16_t type, struct mx_str payload)
{
    ProtobufCMessage *message = mxp_unpack(arena, TYPES[type], payload, NULL);
    if (message == NULL)
        return;
    size_t n = protobuf_c_message_get_packed_size(message);
    if (n > mx_arena_left(arena) / 2)
        return;
    struct mx_arena *second = mx_arena_new(8 * ARENA_MAX);
    struct mx_str again = mxp_pack(arena, message);
    if (again.n != n)
        abort();
    mxp_unpack(second, TYPES[type], again, NULL);
    mx_arena_free(second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mx_str rest = mx_str_of(data, size);
    struct mx_str magic = next_frame(&rest), head = next_frame(&rest);
    struct mxp_header header;
    if (mxp_magic_check(magic, NULL) != 0 || mxp_header_decode(head, &header, NULL) != 0)
        return 0;
    struct mx_arena *arena = mx_arena_new(ARENA_MAX);
    if (mxp_type_name(header.type) == NULL || header.deadline_ms > MXP_DEADLINE_MAX_MS)
        abort();
    if (header.type < sizeof(TYPES) / sizeof(TYPES[0]))
        round_trip(arena, header.type, next_frame(&rest));
    mx_arena_free(arena);
    return 0;
}
