/* The message as SpamAssassin parses it: header fields and MIME parts. */
#ifndef TEXT_TREE_H
#define TEXT_TREE_H

#include "text/text.h"

struct mx_arena;
struct mx_err;

#define TEXT_NESTING_MAX 20     /* levels of multipart and message/rfc822 */
#define TEXT_CHILDREN_MAX 1000  /* parts of one multipart */
#define TEXT_PARTS_MAX 10000    /* parts of a message; ours */
#define TEXT_BLANK_LINES_MAX 20 /* in a row */
#define TEXT_PART_LINE_MAX 2048 /* bytes of a line in a part, line end included */

/**
 * text_tree_parse(arena, raw, out, err):
 * Parse ${raw}: header, parts depth first, transfer encodings of text undone. Fields
 * named X-Spam-... are left out of the top header, as they are somebody's verdict.
 * Owner:  ${out} points into ${raw} and ${arena}.
 * Fails:  the arena has no room for what the message needs (-1, ${out} untouched).
 * Source: RFC 2046 5.1, and SpamAssassin where mail is broken.
 */
int text_tree_parse(struct mx_arena *arena, struct mx_str raw, struct text_tree *out,
                    struct mx_err *err);

/**
 * text_part_decoded(arena, part):
 * A leaf's bytes with its transfer encoding undone, also where it is no text.
 */
struct mx_str text_part_decoded(struct mx_arena *arena, const struct text_part *part);

/** text_part_field(part, name): its last field of that name, or NULL. */
const struct text_field *text_part_field(const struct text_part *part,
                                         struct mx_str name);

#endif
