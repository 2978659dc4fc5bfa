/* The envelope sender, from whatever tells it. */
#ifndef TEXT_ENVELOPE_H
#define TEXT_ENVELOPE_H

#include "text/text.h"

struct mx_arena;

/**
 * text_envelope_sender(arena, texts, connection):
 * What the milter was told; without it, what the first untrusted relay (none: the oldest
 * trusted one) noted; then X-Envelope-From, Envelope-Sender and Return-Path where no
 * Received stands above them. p NULL: unknown; "" with p: the null sender.
 * Owner:  the result is in ${arena} or in ${texts}, whose tree and relays are formed.
 */
struct mx_str text_envelope_sender(struct mx_arena *arena, const struct texts *texts,
                                   const struct text_connection *connection);

#endif
