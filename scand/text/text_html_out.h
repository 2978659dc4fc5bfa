/*
 * Where rendered text goes: runs of it, with space between them as the tags say.
 */
#ifndef TEXT_HTML_OUT_H
#define TEXT_HTML_OUT_H

#include <stdbool.h>

#include "mx_str.h"
#include "text/text_html_tag.h"

struct html_out;
struct html_result;
struct mx_arena;

/** html_out_new(arena, size): for a source of ${size} bytes. */
struct html_out *html_out_new(struct mx_arena *arena, size_t size);

/** html_out_is_blank(run): nothing in it can be seen. */
bool html_out_is_blank(struct mx_str run);

/**
 * html_out_text(out, run, is_wide, is_visible):
 * A run of text, UTF-8. Its space is collapsed; what joins it to the run before without
 * space is counted as obfuscation.
 */
void html_out_text(struct html_out *out, struct mx_str run, bool is_wide,
                   bool is_visible);

/** html_out_space(out, space): a tag that breaks lines. */
void html_out_space(struct html_out *out, enum html_space space);

/** html_out_result(out, result): fill in text and what is counted here. */
void html_out_result(const struct html_out *out, struct html_result *result);

#endif
