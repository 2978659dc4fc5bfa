/* protobuf-c on our arenas. */
#ifndef MXP_PACK_H
#define MXP_PACK_H

#include <protobuf-c/protobuf-c.h>

#include "mx_arena.h"
#include "mx_str.h"

struct mx_err;

/**
 * mxp_unpack(arena, descriptor, bytes, err):
 * Decode one message. The arena must have room for about eight times ${bytes}; that is
 * checked first, so a message made of tiny fields cannot outgrow it.
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
