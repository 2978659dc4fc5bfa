/*
 * One piece of HTML markup: a tag, comment, declaration or the like.
 */
#ifndef TEXT_HTML_MARKUP_H
#define TEXT_HTML_MARKUP_H

#include <stdbool.h>
#include <stddef.h>

#include "mx_str.h"

/* Further attributes of one tag are not looked at. */
#define HTML_ATTRS_MAX 512

struct html_attr {
    struct mx_str name;  /* as written */
    struct mx_str value; /* without quotes, references not resolved; of an attribute
                            without value, its name */
};

enum html_markup_kind {
    HTML_MARKUP_START,
    HTML_MARKUP_END,
    HTML_MARKUP_COMMENT,
    HTML_MARKUP_DECLARATION,
    HTML_MARKUP_SECTION, /* the beginning of a marked one */
    HTML_MARKUP_PROCESS, /* a processing instruction */
};

/* Kinds of marked sections, in the order in which the strongest wins. */
enum html_section {
    HTML_SECTION_NONE,
    HTML_SECTION_INCLUDE,
    HTML_SECTION_RCDATA,
    HTML_SECTION_CDATA,
    HTML_SECTION_IGNORE,
};

struct html_markup {
    enum html_markup_kind kind;
    struct mx_str text;        /* all of it */
    struct mx_str name;        /* of a tag, as written */
    enum html_section section; /* of a HTML_MARKUP_SECTION */
    struct html_attr attrs[HTML_ATTRS_MAX];
    size_t n_attrs;
};

/** html_is_name_start(c): a tag may begin with it. */
bool html_is_name_start(char c);

/**
 * html_markup_read(start, end, has_short_comments, out):
 * Read what begins with the "<" at ${start}; two bytes are behind it, and a NUL at
 * ${end}. ${has_short_comments}: "<!--" ends at the first ">".
 * Returns what is behind it; ${start} where its end is missing; NULL where it is no
 * markup. Only in the first case ${out} is filled.
 */
const char *html_markup_read(const char *start, const char *end, bool has_short_comments,
                             struct html_markup *out);

#endif
