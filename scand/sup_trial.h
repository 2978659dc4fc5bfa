/* The trial of a new engine's rules before it takes over: see sup_trial.c. */
#ifndef SUP_TRIAL_H
#define SUP_TRIAL_H

#include <stdbool.h>

struct engine_msg;
struct sup_engine;
struct supervisor;

/* One trial at a time, as one engine is loading at a time. */
struct sup_trial {
    struct sup_engine *engine; /* the new one; NULL: there is no trial */
    int file;                  /* scores of the serving one; 0: none */
    char doubt[512]; /* what is wrong with the rules, or ""; outlives the trial */
};

/**
 * sup_trial_begin(engine):
 * ${engine} has loaded. True: it is tried, and sup_engine_take or sup_engine_retire is
 * called when that is over. False: there is nothing to try.
 */
bool sup_trial_begin(struct sup_engine *engine);

/** sup_trial_told(engine, msg): ${engine} has sent ENGINE_TRIED. */
void sup_trial_told(struct sup_engine *engine, const struct engine_msg *msg);

/** sup_trial_lost(engine): ${engine} has ended. */
void sup_trial_lost(struct sup_engine *engine);

/** sup_trial_stop(sup): no trial any more: the end of the program. */
void sup_trial_stop(struct supervisor *sup);

#endif
