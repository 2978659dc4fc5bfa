/* Charsets to UTF-8, by the names that mail uses. */
#ifndef TEXT_CHARSET_H
#define TEXT_CHARSET_H

#include <stdbool.h>

#include "mx_str.h"

struct mx_arena;

/** text_charset_is_ascii(s): no byte above 0x7f. */
bool text_charset_is_ascii(struct mx_str s);

/**
 * text_charset_guess(arena, bytes, charset):
 * text_to_utf8: UTF-8 if it is, the declared charset if all of it fits, Windows-1252.
 */
struct mx_str text_charset_guess(struct mx_arena *arena, struct mx_str bytes,
                                 struct mx_str charset);

/**
 * text_charset_insist(arena, bytes, charset):
 * The declared charset, whatever comes: what it has no character for becomes U+FFFD.
 * A charset that nobody knows is read as Windows-1252; UTF-16 stays as it is, which is
 * what SpamAssassin's rules see of it.
 */
struct mx_str text_charset_insist(struct mx_arena *arena, struct mx_str bytes,
                                  struct mx_str charset);

#endif
