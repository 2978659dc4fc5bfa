/* What a shim says of itself to the policyds that it asks. */
#ifndef SHIM_SELF_H
#define SHIM_SELF_H

#include <stdint.h>

#include "admin.pb-c.h"

struct mx_arena;
struct shim;

#define SHIM_SELF_ID_MAX 96 /* bytes */

struct shim_self {
    const struct shim *shim;
    char id[SHIM_SELF_ID_MAX]; /* "milter@host-PID" */
    int64_t since_ms;          /* wall clock */
};

/** shim_self_init(self, shim): name this process. */
void shim_self_init(struct shim_self *self, const struct shim *shim);

/**
 * shim_self_describe(self, arena):
 * As it is now: version, sessions, messages, what is degraded. Any thread.
 * Owner:  in ${arena}.
 */
Mxp__Node *shim_self_describe(const struct shim_self *self, struct mx_arena *arena);

#endif
