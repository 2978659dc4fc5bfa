/* What a uri_detail rule asks of each address, compiled. */
#ifndef EVAL_URI_DETAIL_H
#define EVAL_URI_DETAIL_H

#include "rule_eval.h"

struct mx_err;
struct eval_uri_detail;

/** eval_is_uri_detail(rule): its arguments are criteria. */
bool eval_is_uri_detail(const struct rule *rule);

/**
 * eval_uri_detail_new(rule, out, err):
 * Owner:  eval_uri_detail_free, which takes NULL.
 * Fails:  criteria that are none, a pattern that does not compile (-1).
 */
int eval_uri_detail_new(const struct rule *rule, struct eval_uri_detail **out,
                        struct mx_err *err);
void eval_uri_detail_free(struct eval_uri_detail *detail);

#endif
