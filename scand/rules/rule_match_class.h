/* Character classes and escapes of patterns, as sets of bytes. */
#ifndef RULE_MATCH_CLASS_H
#define RULE_MATCH_CLASS_H

#include "rule_match_regex.h"

struct regex_flags {
    bool i, s, x;
};

/** regex_class_fold(set): add the other case of each letter; did one come from 0xC0 on?
 */
bool regex_class_fold(struct regex_set *set);

/**
 * regex_class_escape(s, at, out):
 * Add to ${out} what stands behind a backslash at ${at}: a byte or one of \d \w \s \h \v
 * \N and their opposites.
 * Fails:  anything else (false).
 */
bool regex_class_escape(struct mx_str s, size_t *at, struct regex_set *out);

/**
 * regex_class_parse(s, at, flags, out, out_folds_high):
 * The class whose "[" stands before ${at}, with its "]".
 * Fails:  what is not read here (false).
 */
bool regex_class_parse(struct mx_str s, size_t *at, struct regex_flags flags,
                       struct regex_set *out, bool *out_folds_high);

#endif
