/*
 * Addresses in HTML attributes: tidied, and made absolute.
 */
#ifndef TEXT_HTML_URI_H
#define TEXT_HTML_URI_H

#include <stdbool.h>

#include "mx_str.h"

struct mx_arena;

#define TEXT_URI_MAX 8192 /* characters of a URI that are looked at */

/**
 * html_uri_trim(raw, is_wide, out_is_truncated):
 * ${raw} without space and no-break space around it, cut at TEXT_URI_MAX; sets
 * ${out_is_truncated} when it is cut.
 */
struct mx_str html_uri_trim(struct mx_str raw, bool is_wide, bool *out_is_truncated);

/**
 * html_uri_resolve(arena, base, uri):
 * The absolute form of ${uri} in a document of address ${base} ("" none).
 * Source: RFC 3986 5.2, but for a scheme equal to the base's, which counts as absent.
 */
struct mx_str html_uri_resolve(struct mx_arena *arena, struct mx_str base,
                               struct mx_str uri);

/**
 * html_uri_base(arena, href, out):
 * The directory of a <base href>; false where browsers ignore it.
 */
bool html_uri_base(struct mx_arena *arena, struct mx_str href, struct mx_str *out);

/** html_uri_refresh(content, out): the address in the content of <meta refresh>. */
bool html_uri_refresh(struct mx_str content, struct mx_str *out);

#endif
