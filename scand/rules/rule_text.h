/* Words of rule files: white space as Perl's \s, names of rules, numbers of scores. */
#ifndef RULE_TEXT_H
#define RULE_TEXT_H

#include <stdbool.h>

#include "mx_str.h"

/** rule_text_is_space(c): one of Perl's \s in ASCII: SP, HTAB, LF, VT, FF, CR. */
bool rule_text_is_space(char c);

/** rule_text_is_word(c): one of \w in ASCII. */
bool rule_text_is_word(char c);

/** rule_text_trim(s): without white space at both ends. */
struct mx_str rule_text_trim(struct mx_str s);

/**
 * rule_text_word(rest):
 * Cut the first word off ${rest}, which then begins with the next one. Empty at the end.
 */
struct mx_str rule_text_word(struct mx_str *rest);

/** rule_text_is_name(s): a legal rule name: [_a-zA-Z][_a-zA-Z0-9]*, 128 at most. */
bool rule_text_is_name(struct mx_str s);

/**
 * rule_text_number(s, out):
 * A decimal number as score lines have it: -?DIGITS[.DIGITS], 64 bytes at most.
 * Fails:  anything else (false, ${out} untouched).
 */
bool rule_text_number(struct mx_str s, double *out);

/** rule_text_glob(pattern, s): ${s} is what ${pattern} with * and ? stands for. */
bool rule_text_glob(struct mx_str pattern, struct mx_str s);

#endif
