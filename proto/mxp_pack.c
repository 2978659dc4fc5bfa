/*
 * protobuf-c on our arenas. Decoding runs on an allocator that takes from the arena and
 * gives nothing back, so a whole message dies with its request.
 *
 * A message made of many tiny fields grows far beyond its encoding (an empty submessage
 * is two octets on the wire and a struct in memory), so a factor checked beforehand would
 * be either unsafe or useless. The allocator itself says no at half of what the arena had
 * left: protobuf-c then fails the whole message, and the request can still be answered
 * from the other half.
 *
 * protobuf-c recurses into submessages. None of our schemas contains itself, directly or
 * not, so the depth is bounded by the schema (four), whatever the bytes say; groups are
 * refused by the library.
 */
#include "mxp_pack.h"

#include <stdalign.h>

#include "mx_err.h"

struct budget {
    struct mx_arena *arena;
    size_t floor; /* bytes that stay in the arena for its owner */
};

static void *budget_alloc(void *state, size_t size)
{
    const struct budget *budget = state;
    size_t left = mx_arena_left(budget->arena);
    size_t padding = alignof(max_align_t);
    if (left < budget->floor + padding || size > left - budget->floor - padding)
        return NULL;
    return mx_arena_alloc(budget->arena, size);
}

static void budget_free(void *state, void *p)
{
    (void)state;
    (void)p;
}

ProtobufCMessage *mxp_unpack(struct mx_arena *arena,
                             const ProtobufCMessageDescriptor *descriptor,
                             struct mx_str bytes, struct mx_err *err)
{
    struct budget budget = {.arena = arena, .floor = mx_arena_left(arena) / 2};
    if (bytes.n > MXP_PAYLOAD_MAX || bytes.n > budget.floor) {
        mx_err_set(err, MX_ERR_LIMIT, "%s of %zu octets is too large",
                   descriptor->short_name, bytes.n);
        return NULL;
    }
    ProtobufCAllocator allocator = {
        .alloc = budget_alloc, .free = budget_free, .allocator_data = &budget};
    ProtobufCMessage *message = protobuf_c_message_unpack(descriptor, &allocator, bytes.n,
                                                          (const uint8_t *)bytes.p);
    if (message == NULL)
        mx_err_set(err, MX_ERR_INPUT, "not a %s, or one that needs too much memory",
                   descriptor->short_name);
    return message;
}

struct mx_str mxp_pack(struct mx_arena *arena, const ProtobufCMessage *message)
{
    size_t n = protobuf_c_message_get_packed_size(message);
    uint8_t *p = mx_arena_alloc(arena, n);
    return mx_str_of(p, protobuf_c_message_pack(message, p));
}

ProtobufCBinaryData mxp_bytes(struct mx_str s)
{
    /* protobuf-c has no const here; packing only reads. */
    return (ProtobufCBinaryData){.len = s.n, .data = (uint8_t *)(uintptr_t)s.p};
}

struct mx_str mxp_str(ProtobufCBinaryData bytes)
{
    return mx_str_of(bytes.data, bytes.len);
}
