/* What eval functions of several families need: headers, addresses, numbers, domains. */
#ifndef EVAL_UTIL_H
#define EVAL_UTIL_H

#include <stdbool.h>

#include "mx_str.h"

#include "eval_shared.h"

/** eval_header(context, selector): all values, each with its newline; "" none. */
struct mx_str eval_header(struct eval_context *context, const char *selector);

/** eval_has_header(context, selector): there is such a field. */
bool eval_has_header(struct eval_context *context, const char *selector);

/** eval_addresses(context, selector): each value of "From:addr" and the like. */
struct text_list eval_addresses(struct eval_context *context, struct mx_str selector);

/** eval_address(context, selector): the first of them; "" none. */
struct mx_str eval_address(struct eval_context *context, const char *selector);

/** eval_senders(context): addresses of the sender, as many headers name him; each once.
 */
struct text_list eval_senders(struct eval_context *context);

/** eval_recipients(context): the same for recipients. */
struct text_list eval_recipients(struct eval_context *context);

/** eval_squeeze(arena, s): each run of white space as one space. */
struct mx_str eval_squeeze(struct mx_arena *arena, struct mx_str s);

/** eval_hit(context, pattern, subject): a fixed pattern matches. */
bool eval_hit(const struct eval_context *context, enum eval_pattern pattern,
              struct mx_str subject);

/**
 * eval_number(s):
 * A number as Perl reads one from text: the longest beginning that is one, else 0;
 * "inf" is infinite.
 */
double eval_number(struct mx_str s);

/** eval_is_undef(args, n_args, i): argument ${i} is missing or "undef". */
bool eval_is_undef(const struct mx_str *args, size_t n_args, size_t i);

/** eval_above(value, min, max): min < value <= max. */
bool eval_above(double value, struct mx_str min, struct mx_str max);

/** eval_compare(value, text): ${text} is "!= 0", "> 1": is it so? */
bool eval_compare(double value, struct mx_str text);

/** eval_domain(context, host): its registrable domain, in ASCII; "" none. */
struct mx_str eval_domain(struct eval_context *context, struct mx_str host);

/** eval_is_ipv4(s): four numbers to 255 without leading zeros, and nothing else. */
bool eval_is_ipv4(struct mx_str s);

#endif
