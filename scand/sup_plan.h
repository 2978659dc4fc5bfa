/* How long an attempt may take, and how long to wait after failures: pure arithmetic. */
#ifndef SUP_PLAN_H
#define SUP_PLAN_H

#include <stdbool.h>
#include <stdint.h>

struct sup_attempt {
    int64_t soft_ms; /* what the worker is told */
    int64_t hard_ms; /* silent for longer: killed */
    bool is_fair;    /* enough time that running out of it is the message's fault */
};

/**
 * sup_attempt_plan(left_ms, timeout_ms, attempt):
 * The time of the nth attempt (from 0) of a request with ${left_ms} to go. The first
 * leaves as much again for a second one; the second leaves time for the answer.
 */
struct sup_attempt sup_attempt_plan(int64_t left_ms, int64_t timeout_ms,
                                    unsigned attempt);

/** sup_backoff_ms(failures): wait after so many failures in a row: 0 for the first two,
 * then doubling to 30 s. */
int64_t sup_backoff_ms(unsigned failures);

#endif
