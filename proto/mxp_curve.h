/* CURVE: who may connect to a server (ZAP), and keys on sockets. Key pairs: mxp_server.h.
 */
#ifndef MXP_CURVE_H
#define MXP_CURVE_H

struct mx_err;
struct mxp_keys;
struct mxp_zap;

/**
 * mxp_curve_server(socket, keys, err) / mxp_curve_client(socket, keys, server_key, err):
 * Put keys on a socket before it binds or connects.
 * Fails:  a key that is not 40 characters of Z85 (-1).
 */
int mxp_curve_server(void *socket, const struct mxp_keys *keys, struct mx_err *err);
int mxp_curve_client(void *socket, const struct mxp_keys *keys, const char *server_key,
                     struct mx_err *err);

/**
 * mxp_zap_open(context, allowed, out, err):
 * Answer ZeroMQ's questions in ${context}: only the public keys of ${allowed} (Z85, ends
 * with NULL) come in.
 * Owner:  mxp_zap_close, after the server's socket and before the context.
 * Fails:  a bad key, an empty list (-1).
 */
int mxp_zap_open(void *context, const char *const *allowed, struct mxp_zap **out,
                 struct mx_err *err);
void mxp_zap_close(struct mxp_zap *zap);

/** mxp_zap_fd(zap) / mxp_zap_run(zap): edge-triggered; answers all questions that wait.
 */
int mxp_zap_fd(const struct mxp_zap *zap);
void mxp_zap_run(struct mxp_zap *zap);

#endif
