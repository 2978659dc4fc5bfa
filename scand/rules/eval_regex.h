/* Regular expressions of eval functions: compiled at load, matched within limits. */
#ifndef EVAL_REGEX_H
#define EVAL_REGEX_H

#include <stdbool.h>
#include <stddef.h>

#include "mx_str.h"

struct mx_err;
struct eval_regex;

enum eval_regex_flag {
    EVAL_REGEX_CASELESS = 1 << 0,
    EVAL_REGEX_LINES = 1 << 1, /* ^ and $ at every line */
    EVAL_REGEX_WIDE = 1 << 2,  /* characters of UTF-8, not bytes */
};

#define EVAL_REGEX_CAPTURES 4 /* the whole and three groups */

/**
 * eval_regex_new(pattern, flags, out, err):
 * Compile ${pattern}.
 * Owner:  eval_regex_free.
 * Fails:  syntax, or a pattern too large (-1).
 */
int eval_regex_new(struct mx_str pattern, unsigned flags, struct eval_regex **out,
                   struct mx_err *err);
void eval_regex_free(struct eval_regex *regex);

/** eval_regex_hit(regex, subject): somewhere in it. A limit that is hit is no match. */
bool eval_regex_hit(const struct eval_regex *regex, struct mx_str subject);

/** eval_regex_try(regex, subject, is_limited): the same; ${is_limited} is set where a
 * limit was hit, and otherwise left as it is. */
bool eval_regex_try(const struct eval_regex *regex, struct mx_str subject,
                    bool *is_limited);

/**
 * eval_regex_find(regex, subject, from, groups):
 * The first match at or behind byte ${from}: groups[0] is all of it, groups[1] ... its
 * captures; those that took no part have p NULL. They point into ${subject}.
 */
bool eval_regex_find(const struct eval_regex *regex, struct mx_str subject, size_t from,
                     struct mx_str groups[static EVAL_REGEX_CAPTURES]);

#endif
