/* Whether a Received line says that its client had logged in. */
#ifndef TEXT_RECEIVED_AUTH_H
#define TEXT_RECEIVED_AUTH_H

#include "mx_str.h"

struct mx_arena;

/**
 * text_received_auth(arena, line):
 * How the client of the hop in ${line} had logged in ("ESMTPA", "Sendmail", ...); ""
 * where the line does not say so. ${line} begins with "from " and has single spaces.
 * Source: RFC 3848 and the words that servers use instead.
 */
struct mx_str text_received_auth(struct mx_arena *arena, struct mx_str line);

#endif
