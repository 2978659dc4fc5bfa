/*
 * A sample of messages through a chain of detectors: the scores of each. For the trial of
 * new rules before they serve; scan_compare says what has moved.
 */
#ifndef SCAN_TRIAL_H
#define SCAN_TRIAL_H

#include "scan_compare.h"
#include "scan_conf.h"

struct mx_err;
struct scan_chain;

/**
 * scan_trial_run(chain, conf, out, err):
 * Score the messages of conf->rules.trial_sample, the first trial_messages of them in the
 * order of names, with every detector but clamav.
 * Owner:  ${chain} is started; ${out} is an empty sample.
 * Fails:  the sample cannot be read, or there is no message in it (-1).
 */
int scan_trial_run(struct scan_chain *chain, const struct scan_conf *conf,
                   struct scan_sample *out, struct mx_err *err);

/** scan_trial_write(sample, fd, err): to the file ${fd}. Fails: not written (-1). */
int scan_trial_write(const struct scan_sample *sample, int fd, struct mx_err *err);

/**
 * scan_trial_read(fd, out, err):
 * What scan_trial_write wrote.
 * Fails:  ${fd} cannot be read, or holds something else (-1).
 */
int scan_trial_read(int fd, struct scan_sample *out, struct mx_err *err);

#endif
