/*
 * The shims that ask this worker: nobody connects to them, so what they say of themselves
 * with each question for the lists is all that mxdropctl status knows. Kept in memory, a
 * little longer than until the next question.
 */
#ifndef POLICY_SHIMS_H
#define POLICY_SHIMS_H

#include <stddef.h>

#include "admin.pb-c.h"
#include "mx_str.h"

struct mx_arena;
struct mx_clock;
struct mx_err;
struct policy_shims;

#define POLICY_SHIMS_MAX 1024 /* a newer one displaces the one that is silent longest */

/** policy_shims_new(clock), policy_shims_free(shims): of one worker. */
struct policy_shims *policy_shims_new(const struct mx_clock *clock);
void policy_shims_free(struct policy_shims *shims);

/**
 * policy_shims_hear(shims, arena, payload, err):
 * Remember who sent this TopologyRequest; one that does not say is none.
 * Fails:  not a TopologyRequest, or texts that nobody should print (-1).
 */
int policy_shims_hear(struct policy_shims *shims, struct mx_arena *arena,
                      struct mx_str payload, struct mx_err *err);

/** policy_shims_list(shims, arena, out): those heard lately, into ${out}->shims. */
void policy_shims_list(const struct policy_shims *shims, struct mx_arena *arena,
                       Mxp__StatusReply *out);

#endif
