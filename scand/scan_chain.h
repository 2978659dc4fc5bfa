/* The chain of detectors: built from configuration, loaded once, run for each message. */
#ifndef SCAN_CHAIN_H
#define SCAN_CHAIN_H

#include "scan_conf.h"
#include "scan_result.h"
#include "scan_score.h"

struct scan_chain;

/**
 * scan_chain_new(conf, out, err):
 * Choose the detectors that ${conf} names. Opens and loads nothing.
 * Owner:  ${conf} is borrowed for the chain's life; free with scan_chain_free.
 * Fails:  unknown detector, or named twice (-1).
 */
int scan_chain_new(const struct scan_conf *conf, struct scan_chain **out,
                   struct mx_err *err);
void scan_chain_free(struct scan_chain *chain);

/**
 * scan_chain_load(chain, err):
 * Load every detector and make the table of weights. A detector that cannot load does
 * not fail the chain: it is off, and each result names it as degraded.
 * Fails:  a score that is set for a symbol nobody declares (-1).
 */
int scan_chain_load(struct scan_chain *chain, struct mx_err *err);

/**
 * scan_chain_fault(chain, nth, out):
 * The nth (from 0) detector that could not load or start.
 * Owner:  texts live as long as the chain.
 * Fails:  no more of them (-1).
 */
int scan_chain_fault(const struct scan_chain *chain, size_t nth, struct scan_fault *out);

/** scan_chain_start(chain, temp_dir): in each worker, after the fork. */
void scan_chain_start(struct scan_chain *chain, const char *temp_dir);

struct scan_choice {
    const struct mx_str *only; /* names of detectors; NULL or n 0: all */
    size_t n_only;
};

/**
 * scan_chain_run(chain, msg, choice, result):
 * Run the detectors in order of cost until one is final, the message's deadline has
 * passed, or the end; then score. Returns the score.
 */
double scan_chain_run(struct scan_chain *chain, const struct message *msg,
                      const struct scan_choice *choice, struct scan_result *result);

/** scan_chain_versions(chain): what is loaded; texts live as long as the chain. */
struct scan_versions scan_chain_versions(const struct scan_chain *chain);

/**
 * scan_chain_check(conf, err):
 * -t and start: names of detectors and symbols, and what detectors check without loading
 * what is dear.
 * Fails:  any of these is wrong (-1).
 */
int scan_chain_check(const struct scan_conf *conf, struct mx_err *err);

/**
 * scan_chain_check_names(conf, err):
 * Reload: the same, without what needs a file: the engine that loads them tells that.
 */
int scan_chain_check_names(const struct scan_conf *conf, struct mx_err *err);

#endif
