/* A worker: one message at a time, forked from the engine parent. */
#ifndef WORKER_H
#define WORKER_H

#include "scan_chain.h"

struct worker_env {
    struct scan_chain *chain; /* loaded */
    const struct scan_conf *conf;
    const char *node;
    const char *temp_dir; /* of this worker alone */
    int fd;               /* its end of the socket pair */
};

/**
 * worker_run(env):
 * Say hello, then scan what comes until the supervisor closes.
 * Returns the exit code of the process.
 */
int worker_run(const struct worker_env *env);

#endif
