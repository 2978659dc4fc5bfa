/* ok_locales: which character sets a reader expects. */
#ifndef EVAL_LOCALE_H
#define EVAL_LOCALE_H

#include <stdbool.h>

#include "eval_shared.h"

/**
 * eval_locale_is_faraway(context, charset):
 * ${charset} belongs to none of ok_locales, and is not one of those that everybody uses.
 * Where ok_locales is "all" or missing, nothing is far away.
 */
bool eval_locale_is_faraway(const struct eval_context *context, struct mx_str charset);

#endif
