/* Keeps libmilter's worker pool from forgetting a session; see shim_nudge.c. */
#ifndef SHIM_NUDGE_H
#define SHIM_NUDGE_H

struct mx_err;
struct shim_nudge;

/**
 * shim_nudge_start(address, sessions, out, err):
 * Begin to nudge the filter that listens on ${address} (libmilter's form) while
 * ${sessions} is above zero.
 * Owner:  shim_nudge_stop; ${address} and ${sessions} are borrowed until then.
 * Fails:  no thread (-1). A connection that cannot be made is tried again, quietly.
 */
int shim_nudge_start(const char *address, const _Atomic unsigned *sessions,
                     struct shim_nudge **out, struct mx_err *err);
void shim_nudge_stop(struct shim_nudge *nudge);

#endif
