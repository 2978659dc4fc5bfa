/* Base64 as readers decode it that do not stop at the padding. */
#ifndef MESSAGE_BASE64_H
#define MESSAGE_BASE64_H

#include <stdbool.h>

#include "mx_str.h"

struct mx_arena;

/** message_base64_goes_on(text): there is something to decode behind padding. */
bool message_base64_goes_on(struct mx_str text);

/**
 * message_base64_decode(arena, text):
 * ${text} decoded; each padding ends a piece, and another begins behind it. Characters
 * outside the alphabet are skipped.
 * Owner:  in ${arena}; at most three quarters of ${text} and 3 octets.
 * Source: RFC 2045 6.8 (which leaves open what is behind padding).
 */
struct mx_str message_base64_decode(struct mx_arena *arena, struct mx_str text);

#endif
