/* The daemon: everything of a shim started, run, drained and freed in order. */
#ifndef SHIM_RUN_H
#define SHIM_RUN_H

#include "mx_daemon.h"

/** shim_run(env, err): serve until SIGTERM, then drain. Fails: start, or libmilter ended
 * (-1). */
int shim_run(struct mx_daemon_env *env, struct mx_err *err);

#endif
