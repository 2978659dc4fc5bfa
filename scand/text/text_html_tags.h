/*
 * Which tags a document has, how often, and how many of them stay open.
 */
#ifndef TEXT_HTML_TAGS_H
#define TEXT_HTML_TAGS_H

#include <stdbool.h>

#include "mx_str.h"

struct html_result;
struct html_tags;
struct mx_arena;

/* Different names that are told apart; further ones count as one. */
#define HTML_TAGS_MAX 1024

/** html_tags_new(arena): a document without tags. */
struct html_tags *html_tags_new(struct mx_arena *arena);

/** html_tags_count(tags, name, is_start, is_element): one tag, its name in lower case. */
void html_tags_count(struct html_tags *tags, struct mx_str name, bool is_start,
                     bool is_element);

/** html_tags_doctype(tags): a document type counts as an element, never open. */
void html_tags_doctype(struct html_tags *tags);

/** html_tags_depth(tags, name): start tags without end tag so far. */
int html_tags_depth(const struct html_tags *tags, struct mx_str name);

/** html_tags_result(tags, result): fill in what is counted here. */
void html_tags_result(const struct html_tags *tags, struct html_result *result);

#endif
