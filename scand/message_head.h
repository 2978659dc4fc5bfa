/* The top header of a message, split without judging it. */
#ifndef MESSAGE_HEAD_H
#define MESSAGE_HEAD_H

#include "message.h"

/**
 * message_head_parse(arena, msg):
 * Fill head, body, headers of ${msg} from its raw bytes; may set MESSAGE_CUT_HEADERS.
 * Lines end in LF, with or without CR before. A line that is no field and no
 * continuation belongs to the field before it (its name is empty if it is the first).
 * Source: RFC 5322 2.2.
 */
void message_head_parse(struct mx_arena *arena, struct message *msg);

#endif
