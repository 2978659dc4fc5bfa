/* Dates of header fields, as tolerant as mail programs. */
#ifndef EVAL_DATE_H
#define EVAL_DATE_H

#include <stdbool.h>
#include <stdint.h>

#include "mx_str.h"

/**
 * eval_date_parse(text, out):
 * Seconds since 1970 of the first date in ${text}: "Mon, 2 Jan 2006 15:04:05 -0700",
 * "Jan 2 15:04:05 2006" (whose time is not looked at), two-digit years. Values out of
 * range are brought into it; years to 1970..2037.
 * Fails:  no day, month and year (false, ${out} untouched).
 * Source: RFC 5322 3.3 and 4.3, more tolerant.
 */
bool eval_date_parse(struct mx_str text, int64_t *out);

#endif
