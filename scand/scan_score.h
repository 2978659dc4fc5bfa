/* From findings to a score: weights, and a sum over them. */
#ifndef SCAN_SCORE_H
#define SCAN_SCORE_H

#include "scan_result.h"

struct mx_err;
struct scan_weights;

/** scan_weights_new(): an empty table; free with scan_weights_free, which takes NULL. */
struct scan_weights *scan_weights_new(void);
void scan_weights_free(struct scan_weights *weights);

/**
 * scan_weights_add(weights, symbol, is_shared, err):
 * Declare a symbol with its default. A name that is there already keeps its weight;
 * that is an error unless ${is_shared} (symbols from files may repeat ours).
 * Owner:  the symbol's texts are borrowed.
 * Fails:  declared twice, weight not finite, not a symbol's name (-1).
 */
int scan_weights_add(struct scan_weights *weights, const struct scan_symbol *symbol,
                     bool is_shared, struct mx_err *err);

/**
 * scan_symbol_check(symbol, err):
 * Fails:  a name that is empty or too long, a weight that is not a finite number within
 *         +-1,000,000 (-1).
 */
int scan_symbol_check(const struct scan_symbol *symbol, struct mx_err *err);

/**
 * scan_weights_override(weights, entry, err):
 * "SYMBOL NUMBER" from the configuration.
 * Fails:  no such symbol, not a finite number within +-1,000,000 (-1).
 */
int scan_weights_override(struct scan_weights *weights, const char *entry,
                          struct mx_err *err);

/** scan_weights_find(weights, symbol, out): its weight. Fails: not declared (-1). */
int scan_weights_find(const struct scan_weights *weights, const char *symbol,
                      double *out);

/**
 * scan_score(weights, findings, n):
 * Fill in the score of each finding, weight by times, and return the sum. A finding's own
 * weight counts before the default, and that of the configuration before both. A symbol
 * that nobody declared scores 0. Depends on nothing but its arguments.
 */
double scan_score(const struct scan_weights *weights, struct scan_finding *findings,
                  size_t n);

#endif
