/* libmilter, and nothing but it: the only file that includes its header is shim_milter.c.
 */
#ifndef SHIM_MILTER_H
#define SHIM_MILTER_H

#include <stdbool.h>

#include "shim.h"
#include "shim_socket.h"

struct mx_err;

/**
 * shim_milter_open(shim, sock, err):
 * Register the callbacks and bind. libmilter knows one filter per process, so there can
 * be one ${shim}.
 * Owner:  ${shim} is borrowed until shim_milter_stop has said that nobody uses it.
 * Fails:  libmilter refused (-1).
 */
int shim_milter_open(struct shim *shim, struct shim_socket *sock, struct mx_err *err);

/** shim_milter_start(err): serve, on a thread of its own. Fails: no thread (-1). */
int shim_milter_start(struct mx_err *err);

/** shim_milter_is_running(): false once libmilter has given up by itself. */
bool shim_milter_is_running(void);

/**
 * shim_milter_stop(wait_ms):
 * End libmilter and wait until no callback uses the shim any more. Sessions that are
 * still open are cut.
 * Returns false when a callback was still at work after ${wait_ms}: nothing that it uses
 * may be freed then.
 */
bool shim_milter_stop(int wait_ms);

/** shim_milter_version(): "libmilter 1.0.1". */
const char *shim_milter_version(void);

#endif
