/* Header sections: where one ends, which fields it has, what their values are. */
#ifndef TEXT_HEAD_H
#define TEXT_HEAD_H

#include "text/text.h"

struct mx_arena;

/* Limits on the fields of a message (SpamAssassin's); those of MIME parts have none. */
#define TEXT_FIELD_NAME_MAX 256   /* bytes */
#define TEXT_FIELD_VALUE_MAX 8192 /* bytes, folding and final newline included */
#define TEXT_HEAD_MAX 65536       /* bytes of ALL */

/* A growing list of fields on the heap; zero it to start, free(v). */
struct text_fields {
    struct text_field *v;
    size_t n, room;
};

/**
 * text_fields_add(arena, fields, name, raw):
 * Append a field; its value is decoded here. ${raw} has no final line end.
 */
void text_fields_add(struct mx_arena *arena, struct text_fields *fields,
                     struct mx_str name, struct mx_str raw);

/** text_fields_keep(arena, fields, out_n): the list in the arena; ${fields} is freed. */
const struct text_field *text_fields_keep(struct mx_arena *arena,
                                          struct text_fields *fields, size_t *out_n);

/**
 * text_head_parse(arena, raw, fields, flags):
 * Read the header at the start of ${raw}, LF line ends or, if ${has_crlf}, CRLF.
 * Returns its length in bytes, the empty line behind it included; sets bits of
 * enum text_flag in ${flags}.
 * Source: RFC 5322 2.2 and 4.5, more tolerant: the fourth line that is no field, or one
 *         that starts "--", belongs to the body.
 */
size_t text_head_parse(struct mx_arena *arena, struct mx_str raw, bool has_crlf,
                       struct text_fields *fields, unsigned *flags);

/** text_head_is_field(line): starts with a field name and a colon. */
bool text_head_is_field(struct mx_str line, bool may_have_space);

/** text_head_line(rest): the first line of ${rest}, its line end included. */
struct mx_str text_head_line(struct mx_str rest);

/** text_head_last(fields, n, name): the last field of that name, or NULL. */
const struct text_field *text_head_last(const struct text_field *fields, size_t n,
                                        struct mx_str name);

#endif
