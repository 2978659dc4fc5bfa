/*
 * Hosts written as numbers.
 */
#ifndef TEXT_URI_NUMBER_H
#define TEXT_URI_NUMBER_H

#include <stdbool.h>

#include "mx_str.h"

struct mx_arena;

/**
 * text_host_from_number(arena, host, out):
 * The dotted decimal form of "1113343453", "0x7f000001" or four numbers in any base;
 * false (${out} untouched) where ${host} is none of these.
 */
bool text_host_from_number(struct mx_arena *arena, struct mx_str host,
                           struct mx_str *out);

#endif
