/* RFC 2047 encoded words, wherever they stand. */
#ifndef MESSAGE_WORDS_H
#define MESSAGE_WORDS_H

#include "mx_str.h"

struct mx_arena;

/**
 * message_words_decode(arena, text):
 * ${text} with its encoded words decoded to UTF-8; what cannot be decoded stays.
 * At most 64 KiB are looked at.
 * Owner:  the result is in ${arena}.
 * Source: RFC 2047.
 */
struct mx_str message_words_decode(struct mx_arena *arena, struct mx_str text);

#endif
