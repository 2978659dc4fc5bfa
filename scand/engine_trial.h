/* The trial of an engine's rules, in a process that the engine forks for it. */
#ifndef ENGINE_TRIAL_H
#define ENGINE_TRIAL_H

#include "engine_link.h"
#include "scan_conf.h"

struct scan_chain;

#define ENGINE_TRIAL_S 360 /* a trial that takes longer is ended */

struct engine_trial {
    struct scan_chain *chain; /* loaded, not started */
    const struct scan_conf *conf;
    const char *temp_dir;           /* of this process, empty */
    const struct engine_msg *order; /* ENGINE_MEASURE or ENGINE_TRY */
    int fd;                         /* file of scores: to write, or to compare with */
};

/**
 * engine_trial_run(trial, out):
 * Start the chain, confine this process as a worker, run the sample, and write the scores
 * or judge by them. ${out} is the ENGINE_TRIED to send.
 */
void engine_trial_run(const struct engine_trial *trial, struct engine_msg *out);

/** engine_trial_order(conf, out): the sample and how much of it, as text of an order. */
void engine_trial_order(const struct scan_conf *conf, struct engine_msg *out);

#endif
