/*
 * HTML character references, resolved as HTML::Parser resolves them.
 */
#ifndef TEXT_HTML_ENTITY_H
#define TEXT_HTML_ENTITY_H

#include <stdbool.h>

#include "mx_str.h"

struct mx_arena;

/**
 * text_entities_decode(arena, source, is_text, out_is_wide):
 * Replace &name; and &#number; in UTF-8. In text (not in an attribute) a known name may
 * also begin a longer word: "&ampfoo".
 * ${out_is_wide} becomes true when a character above U+00FF came in; else it is left.
 * Owner:  ${source} itself where nothing is to be done, or the arena. Never longer than
 *         ${source}.
 */
struct mx_str text_entities_decode(struct mx_arena *arena, struct mx_str source,
                                   bool is_text, bool *out_is_wide);

#endif
