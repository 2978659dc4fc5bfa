/* The daemon: workers, registry, map files, reload, drain. */
#ifndef POLICYD_H
#define POLICYD_H

struct mx_conf;
struct mx_daemon_env;
struct mx_err;

/** policyd_check(conf, err): -t: build the chains, read the map files. */
int policyd_check(const struct mx_conf *conf, struct mx_err *err);

/**
 * policyd_run(env, err):
 * Serve until SIGTERM, drain, free everything.
 * Fails:  settings that cannot work, endpoint in use, Redis that refuses our credentials
 *         (-1). A Redis that is merely away does not keep us from starting.
 */
int policyd_run(struct mx_daemon_env *env, struct mx_err *err);

/**
 * policyd_endpoint(index, endpoint, out, room, err):
 * Endpoint of worker ${index}: "ipc:///p.sock" and "-1" behind it; a tcp port plus 1.
 * Fails:  neither ipc:// nor tcp:// with a port, port out of range, no room (-1).
 */
int policyd_endpoint(unsigned index, const char *endpoint, char *out, unsigned room,
                     struct mx_err *err);

#endif
