/*
 * Which addresses an HTML document refers to.
 */
#ifndef TEXT_HTML_LINK_H
#define TEXT_HTML_LINK_H

#include <stdbool.h>

#include "mx_str.h"

struct html_known;
struct html_links;
struct html_result;
struct html_token;
struct mx_arena;

/** html_links_new(arena, is_wide): ${is_wide}: the source is a string of characters. */
struct html_links *html_links_new(struct mx_arena *arena, bool is_wide);

/** html_links_tag(links, known, token): a start tag; its addresses are noted. */
void html_links_tag(struct html_links *links, const struct html_known *known,
                    const struct html_token *token);

/** html_links_href(links, token): the trimmed href of an <a>; "" none. */
struct mx_str html_links_href(struct html_links *links, const struct html_token *token);

/** html_links_result(links, result): fill in the addresses. */
void html_links_result(const struct html_links *links, struct html_result *result);

#endif
