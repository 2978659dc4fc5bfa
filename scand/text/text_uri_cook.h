/*
 * What a URI becomes once the tricks are undone: every form a rule might look for.
 */
#ifndef TEXT_URI_COOK_H
#define TEXT_URI_COOK_H

#include <stdbool.h>

#include "mx_str.h"

struct mx_arena;
struct text_list;
struct text_lists;

#define TEXT_URI_FORMS_MAX 64 /* forms and redirection targets of one URI */

/**
 * text_uri_cook(arena, lists, uri, is_wide):
 * ${uri} itself without line ends, its cleaned forms, and the same of each target it
 * redirects to; every one once.
 * Units:  at most TEXT_URI_FORMS_MAX forms. ${is_wide}: ${uri} is UTF-8, a string of
 *         characters; else of bytes.
 */
struct text_list text_uri_cook(struct mx_arena *arena, const struct text_lists *lists,
                               struct mx_str uri, bool is_wide);

/**
 * text_uri_unescape(arena, uri, is_wide):
 * ${uri} with %XX of printable characters decoded, and what may not be in a URI (space,
 * controls, 8-bit, quotes, "%", "<", ">") encoded.
 */
struct mx_str text_uri_unescape(struct mx_arena *arena, struct mx_str uri, bool is_wide);

#endif
