/*
 * Addresses in running text: what a mail program would turn into a link.
 */
#ifndef TEXT_URI_FIND_H
#define TEXT_URI_FIND_H

#include <stdbool.h>
#include <stddef.h>

#include "mx_str.h"

struct text_lists;

enum text_found_kind {
    TEXT_FOUND_SCHEME, /* http:, https:, ftp:, or www. or ftp. in front */
    TEXT_FOUND_MAIL,
    TEXT_FOUND_HOST, /* a bare host with a known TLD, maybe with port and path */
};

struct text_found {
    enum text_found_kind kind;
    struct mx_str uri;  /* as written, trailing punctuation cut */
    struct mx_str host; /* of a TEXT_FOUND_HOST */
};

/* Where the search stands in one text. Zero but for text and lists to begin. */
struct text_finder {
    struct mx_str text;
    const struct text_lists *lists;
    size_t at;
    size_t end_uri, end_mail, end_host; /* next delimiters known; ours */
};

/**
 * text_find_next(finder, out):
 * The next address; false at the end (${out} untouched). The whole search takes time
 * linear in the text.
 */
bool text_find_next(struct text_finder *finder, struct text_found *out);

#endif
