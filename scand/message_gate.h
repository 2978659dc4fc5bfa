/* Stands between raw bytes and the MIME parser: bounds what the parser gets to see. */
#ifndef MESSAGE_GATE_H
#define MESSAGE_GATE_H

#include "mx_str.h"

#define GATE_BOUNDARIES_MAX 10000 /* lines that start with "--" */
#define GATE_HEADERS_MAX 50000    /* header fields in all parts together */
#define GATE_BLOCK_MAX 1000       /* header fields of one part */
#define GATE_FIELD_MAX (16 << 10) /* octets of one header field, from its beginning */
#define GATE_TAIL_MAX (2 << 10)   /* and from its end, where the extension of a name is */

/**
 * message_gate(raw, emit, user):
 * Hand ${raw} on piece by piece through ${emit}: unchanged, in one piece, for all but
 * hostile messages. Too long fields lose their middle, too long headers are ended by an
 * empty line, too many boundaries or headers in all end the message. Returns enum
 * message_cut: what was left out (0: nothing).
 */
unsigned message_gate(struct mx_str raw, void (*emit)(void *user, struct mx_str piece),
                      void *user);

#endif
