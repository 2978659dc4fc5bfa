/* One Received line, in any of the forms that mail servers write. */
#ifndef TEXT_RECEIVED_H
#define TEXT_RECEIVED_H

#include "text/text.h"

struct mx_arena;

enum text_received_kind {
    TEXT_RECEIVED_RELAY,   /* a hop: ${out} is filled */
    TEXT_RECEIVED_IGNORED, /* known, but says nothing of a hop between hosts */
    TEXT_RECEIVED_FETCHED, /* a mailbox was read by POP or IMAP here */
    TEXT_RECEIVED_UNKNOWN, /* no form fits */
};

/**
 * text_received_parse(arena, value, out, out_sender):
 * The hop that the field ${value} (unfolded) describes. ${out_sender}: the envelope
 * sender that qmail-scanner noted for the hop below; p NULL otherwise.
 * Owner:  ${out} points into ${arena}.
 * Fails:  never; ${out} is touched only for TEXT_RECEIVED_RELAY.
 * Source: RFC 5321 4.4, and what is in the field.
 */
enum text_received_kind text_received_parse(struct mx_arena *arena, struct mx_str value,
                                            struct text_relay *out,
                                            struct mx_str *out_sender);

/**
 * text_received_clean(arena, s): ${s} with "!" for bytes that would break a relay text.
 */
struct mx_str text_received_clean(struct mx_arena *arena, struct mx_str s);

#endif
