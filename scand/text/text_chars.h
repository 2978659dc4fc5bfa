/*
 * Characters as Perl sees them, for the units that form texts. SpamAssassin's strings are
 * of two kinds: bytes, where only ASCII has properties, and characters, where Unicode
 * has. Here both are bytes; a string of characters is UTF-8 and is called wide.
 */
#ifndef TEXT_CHARS_H
#define TEXT_CHARS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mx_str.h"

struct mx_arena;
struct text_list;

/** text_char_space(c): \s of a byte string, which includes VT. */
bool text_char_space(unsigned char c);

/** text_char_word(c): \w of a byte string. */
bool text_char_word(unsigned char c);

/** text_char_space_wide(c): \s of a character string. */
bool text_char_space_wide(uint32_t c);

/** text_char_word_wide(c): \w of a character string, nearly. */
bool text_char_word_wide(uint32_t c);

/**
 * text_char_next(at, end):
 * The character at ${*at}, which moves behind it. ${*at} is before ${end}.
 * A byte that begins no valid UTF-8 sequence stands for itself.
 */
uint32_t text_char_next(const char **at, const char *end);

/** text_char_put(c, out): UTF-8 of ${c} at ${out} (room for 4); returns its length. */
size_t text_char_put(uint32_t c, char *out);

/** text_chars_count(s): characters in a wide string. */
size_t text_chars_count(struct mx_str s);

/** text_chars_offset(s, n): byte offset of character ${n}, or the length of ${s}. */
size_t text_chars_offset(struct mx_str s, size_t n);

/** text_has_high(s): some byte is not ASCII. */
bool text_has_high(struct mx_str s);

/** text_latin1(arena, utf8): the same characters in ISO 8859-1; none is above U+00FF. */
struct mx_str text_latin1(struct mx_arena *arena, struct mx_str utf8);

/** text_trim(s, is_wide): without Perl's \s at both ends. */
struct mx_str text_trim(struct mx_str s, bool is_wide);

/** text_join(arena, parts, n): ${n} slices in one. */
struct mx_str text_join(struct mx_arena *arena, const struct mx_str *parts, size_t n);

/**
 * text_grow(arena, old, n, room, size):
 * Room for one more element behind the ${n} of ${size} bytes at ${old}: ${old} itself
 * or a copy twice as large. The growth of one array costs at most twice its final size.
 */
void *text_grow(struct mx_arena *arena, void *old, size_t n, size_t *room, size_t size);

/** A list under construction. */
struct text_lister {
    struct mx_str *v;
    size_t n, room, max; /* max: further ones are left out */
};

/** text_lister_add(arena, lister, s): append, unless ${max} are there. */
void text_lister_add(struct mx_arena *arena, struct text_lister *lister, struct mx_str s);

/** text_lister_list(lister): what was built. */
struct text_list text_lister_list(const struct text_lister *lister);

#endif
