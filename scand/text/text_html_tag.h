/*
 * The HTML elements that rendering knows, and what each of them does.
 */
#ifndef TEXT_HTML_TAG_H
#define TEXT_HTML_TAG_H

#include <stdbool.h>

#include "mx_str.h"

struct html_token;
struct mx_arena;

/* Those that some code asks for by name. The first ones change how text looks. */
enum html_tag_id {
    HTML_TAG_BODY,
    HTML_TAG_FONT,
    HTML_TAG_TABLE,
    HTML_TAG_TR,
    HTML_TAG_TD, /* and th */
    HTML_TAG_BIG,
    HTML_TAG_SMALL,
    HTML_TAG_BASEFONT,
    HTML_TAG_SPAN,
    HTML_TAG_P,
    HTML_TAG_DIV,
    HTML_TAG_A,
    HTML_TAG_STYLES, /* number of these */
    HTML_TAG_IMG,
    HTML_TAG_FORM,
    HTML_TAG_OBJECT,
    HTML_TAG_EMBED,
    HTML_TAG_TITLE,
    HTML_TAG_IFRAME,
    HTML_TAG_OTHER,
};

enum html_space { HTML_SPACE_NONE, HTML_SPACE_LINE, HTML_SPACE_BLANK, HTML_SPACE_BREAK };

/* Which attribute of a tag holds addresses. */
enum html_link {
    HTML_LINK_NONE,
    HTML_LINK_BACKGROUND,
    HTML_LINK_HREF,
    HTML_LINK_SRC,
    HTML_LINK_ACTION,
    HTML_LINK_BASE,
    HTML_LINK_META,
};

struct html_known {
    const char *name;
    enum html_tag_id id;
    enum html_space space;
    enum html_link link;
    bool is_element; /* of HTML 4; the others are rendered but not counted */
};

/** html_tag_find(name): what is known of the tag (lower case); NULL nothing. */
const struct html_known *html_tag_find(struct mx_str name);

/**
 * html_attr_find(token, name, out):
 * The first attribute of that name (case does not matter), references not resolved.
 */
bool html_attr_find(const struct html_token *token, struct mx_str name,
                    struct mx_str *out);

/**
 * html_attr_get(arena, token, name, out):
 * The same, references resolved. ${out} is UTF-8.
 */
bool html_attr_get(struct mx_arena *arena, const struct html_token *token,
                   struct mx_str name, struct mx_str *out);

#endif
