/* What eval functions prepare once for a rule set, and how they reach it. */
#ifndef EVAL_SHARED_H
#define EVAL_SHARED_H

#include "eval_pattern.h"
#include "eval_regex.h"
#include "eval_words.h"
#include "rule_eval.h"

/** eval_shared_fixed(shared, pattern): one of the patterns that functions bring. */
const struct eval_regex *eval_shared_fixed(const struct eval_shared *shared,
                                           enum eval_pattern pattern);

/**
 * eval_shared_argument(context):
 * The compiled pattern argument of the rule that asks; NULL where it has none, or one
 * that does not compile.
 */
const struct eval_regex *eval_shared_argument(const struct eval_context *context);

/**
 * eval_argument_hit(context, regex, subject):
 * A pattern that the rule brings matches. Once one has met a limit nothing more is
 * looked at: a message must not pay for it again with each of its addresses.
 */
bool eval_argument_hit(struct eval_context *context, const struct eval_regex *regex,
                       struct mx_str subject);

struct eval_uri_detail;

/** eval_shared_uri_detail(context): compiled criteria of the rule that asks, or NULL. */
const struct eval_uri_detail *eval_shared_uri_detail(const struct eval_context *context);

/** eval_shared_words(shared, directive, name): a hashed list, or NULL. */
const struct eval_words *eval_shared_words(const struct eval_shared *shared,
                                           const char *directive, struct mx_str name);

/** eval_shared_number(shared, directive, missing): the last value given, a number. */
double eval_shared_number(const struct eval_shared *shared, const char *directive,
                          double missing);

#endif
