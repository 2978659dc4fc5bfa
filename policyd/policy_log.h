/* The line that a grep for a message's id finds. */
#ifndef POLICY_LOG_H
#define POLICY_LOG_H

struct mx_log;
struct policy_check;
struct policy_outcome;

/**
 * policy_log_verdict(log, check, outcome):
 * One policy.verdict line: at info where a module decided, at CONTENT always; else at
 * debug, as most envelope checks pass. ${outcome} is of CONTENT, else NULL.
 */
void policy_log_verdict(struct mx_log *log, const struct policy_check *check,
                        const struct policy_outcome *outcome);

#endif
