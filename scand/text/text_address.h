/* Addresses in header fields, as :addr and :name see them. */
#ifndef TEXT_ADDRESS_H
#define TEXT_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

#include "mx_str.h"

struct mx_arena;

struct text_address {
    struct mx_str address; /* user@host; p NULL: none */
    struct mx_str phrase;  /* name or comment, not decoded; p NULL: none */
};

#define TEXT_ADDRESSES_MAX 4096 /* of one field; a value has 8,192 bytes */

/**
 * text_address_parse(arena, value, out, out_n):
 * The addresses of a field's raw ${value}, in order. At least what a mail program would
 * show is found in broken fields; nested comments are not understood.
 * Owner:  ${*out} is in ${arena}.
 * Source: RFC 5322 3.4, more tolerant.
 */
void text_address_parse(struct mx_arena *arena, struct mx_str value,
                        struct text_address **out, size_t *out_n);

#endif
