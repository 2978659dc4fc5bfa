/*
 * Rendering of one HTML part: what a reader sees, what only the source shows.
 */
#ifndef TEXT_HTML_H
#define TEXT_HTML_H

#include "mx_str.h"

struct html_result;
struct mx_arena;

/* Source that is looked at, in bytes; what is behind it is not rendered. */
#define TEXT_HTML_MAX ((size_t)8 << 20)

/**
 * text_html_render(arena, utf8_source, out):
 * Render ${utf8_source} and count what HTMLEval asks for, but for ${out->ratio}, which
 * needs the size before charset conversion.
 * Units:  time and memory are linear in the source: at most some 16 bytes of arena for
 *         each byte, and where the arena has less left, less is rendered.
 * Owner:  ${out} points into ${arena}.
 */
void text_html_render(struct mx_arena *arena, struct mx_str utf8_source,
                      struct html_result *out);

#endif
