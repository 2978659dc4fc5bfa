/* Calls under way, on the owner's thread. Internal to the client. */
#ifndef MXP_CALLS_H
#define MXP_CALLS_H

#include "mxp_owner.h"

/** mxp_calls_init(owner) / mxp_calls_fini(owner): the slots. */
void mxp_calls_init(struct mxp_owner *owner);
void mxp_calls_fini(struct mxp_owner *owner);

/** mxp_calls_start(owner, job): the start function of a struct mxp_flight. */
void mxp_calls_start(void *owner, struct mxp_job *job);

/** mxp_calls_answer(owner, link, header, payload): a reply came; ${payload} may be taken.
 */
void mxp_calls_answer(struct mxp_owner *owner, struct mxp_link *link,
                      const struct mxp_header *header, zmq_msg_t *payload);

/**
 * mxp_calls_lost(owner, link, code, reason):
 * Nothing of what ${link} was asked will be answered: ask elsewhere, now. Returns how
 * many attempts that ended.
 */
size_t mxp_calls_lost(struct mxp_owner *owner, struct mxp_link *link,
                      enum mx_err_code code, const char *reason);

/** mxp_calls_forget(owner, link): ${link} has nothing in flight and is being closed. */
void mxp_calls_forget(struct mxp_owner *owner, const struct mxp_link *link);

/** mxp_calls_run_timers(owner): deadlines, second attempts, calls that wait for an
 * endpoint. */
void mxp_calls_run_timers(struct mxp_owner *owner);

/** mxp_calls_fail_all(owner): the client is being freed. */
void mxp_calls_fail_all(struct mxp_owner *owner);

#endif
