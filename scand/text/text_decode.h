/*
 * Encodings of mail undone as SpamAssassin tolerates them: transfer encodings, charsets,
 * encoded words. Whatever comes in, something readable comes out.
 */
#ifndef TEXT_DECODE_H
#define TEXT_DECODE_H

#include <stdbool.h>

#include "mx_str.h"

struct mx_arena;

/**
 * text_transfer_decode(arena, encoding, raw):
 * ${raw} with "base64" or "quoted-printable" undone (lower case); any other ${encoding}
 * gives ${raw} itself. Bytes that the encoding does not know are skipped or kept, never
 * an error. CRLF of quoted-printable become LF.
 * Owner:  the result is in ${arena} or is ${raw}; at most as long as ${raw}.
 * Source: RFC 2045 6.7 and 6.8, more tolerant.
 */
struct mx_str text_transfer_decode(struct mx_arena *arena, struct mx_str encoding,
                                   struct mx_str raw);

/**
 * text_crlf_to_lf(arena, s):
 * ${s} with every CRLF as LF; ${s} itself where there is none.
 */
struct mx_str text_crlf_to_lf(struct mx_arena *arena, struct mx_str s);

/**
 * text_to_utf8(arena, bytes, charset):
 * A body part's ${bytes} as UTF-8: ASCII and valid UTF-8 as they are whatever was
 * declared, else the declared ${charset} if all of it fits, else Windows-1252.
 * Owner:  the result is in ${arena} or is ${bytes}.
 */
struct mx_str text_to_utf8(struct mx_arena *arena, struct mx_str bytes,
                           struct mx_str charset);

/**
 * text_words_decode(arena, value):
 * A header value with its encoded words as UTF-8; adjacent words of one charset are
 * joined before conversion, as characters are split across words in the wild. Line ends
 * are dropped; raw 8-bit text is read as text_to_utf8 does.
 * Owner:  the result is in ${arena} or is ${value}.
 * Source: RFC 2047, RFC 2231 5 (language suffix), RFC 6532.
 */
struct mx_str text_words_decode(struct mx_arena *arena, struct mx_str value);

/**
 * text_line_decode(arena, value):
 * As text_words_decode without encoded words: for fields that may not hold any.
 */
struct mx_str text_line_decode(struct mx_arena *arena, struct mx_str value);

#endif
