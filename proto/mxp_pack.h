/* protobuf-c on our arenas. */
#ifndef MXP_PACK_H
#define MXP_PACK_H

#include <protobuf-c/protobuf-c.h>

#include "mx_arena.h"
#include "mx_str.h"
#include "mxp_frame.h"

struct mx_err;

/**
 * mxp_unpack(arena, descriptor, bytes, err):
 * Decode one message, at most MXP_PAYLOAD_MAX octets. It takes no more than half of what
 * the arena has left, so that bytes made to grow cannot use it up: an arena for requests
 * has about sixteen times the largest payload. Strings end in NUL but need not be UTF-8.
 * Owner:  the result lives in ${arena}; never call its free_unpacked.
 * Fails:  NULL: not such a message, or too large for the arena.
 */
ProtobufCMessage *mxp_unpack(struct mx_arena *arena,
                             const ProtobufCMessageDescriptor *descriptor,
                             struct mx_str bytes, struct mx_err *err);

/** mxp_pack(arena, message): its encoding, in ${arena}. */
struct mx_str mxp_pack(struct mx_arena *arena, const ProtobufCMessage *message);

/** mxp_bytes(s) / mxp_str(bytes): between our slices and protobuf-c's (both borrow). */
ProtobufCBinaryData mxp_bytes(struct mx_str s);
struct mx_str mxp_str(ProtobufCBinaryData bytes);

#endif
