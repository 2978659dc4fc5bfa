/* Results of a check to PolicyReply. */
#ifndef POLICY_REPLY_H
#define POLICY_REPLY_H

#include "policy.pb-c.h"
#include "policy_chain.h"
#include "policy_outcome.h"

/**
 * policy_reply_make(check, outcome, topology):
 * ${outcome} is of CONTENT, else NULL; ${topology} the version that we hold.
 * Owner:  in the request's arena; borrows from the check.
 */
const Mxp__PolicyReply *policy_reply_make(const struct policy_check *check,
                                          const struct policy_outcome *outcome,
                                          uint64_t topology);

#endif
