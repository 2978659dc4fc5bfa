/* Content-Type and file names, as SpamAssassin reads them. */
#ifndef TEXT_TYPE_H
#define TEXT_TYPE_H

#include <stdbool.h>

#include "mx_str.h"

struct mx_arena;

struct text_type {
    struct mx_str type;     /* lower case: "text/plain" where nothing usable is there */
    struct mx_str boundary; /* p NULL: none */
    struct mx_str charset;  /* lower case; "" none */
    struct mx_str name;     /* file name of "name=" or "name*0="; "" none */
    bool is_missing;        /* no field, or nothing in it */
};

/**
 * text_type_parse(arena, value, out):
 * Parts of a decoded Content-Type ${value}; p NULL where the field is missing.
 * Owner:  ${out} points into ${value} or ${arena}.
 */
void text_type_parse(struct mx_arena *arena, struct mx_str value, struct text_type *out);

/**
 * text_type_file_name(disposition):
 * What "name=" of a Content-Disposition says; "" none. Points into ${disposition}.
 */
struct mx_str text_type_file_name(struct mx_str disposition);

/** text_type_is_html_name(name): ends in .htm, .html, .shtm or .shtml. */
bool text_type_is_html_name(struct mx_str name);

#endif
