/* Which addresses may be used, and with which protection. */
#ifndef MXP_ADDRESS_H
#define MXP_ADDRESS_H

#include <stdbool.h>

struct mx_conf;
struct mx_err;
struct mxp_keys;

#define MXP_ADDRESS_MAX 128 /* bytes of an address with its NUL; a UNIX path has 108 */
#define MXP_KEY_MAX 41      /* bytes of a CURVE key in Z85 with its NUL */

/**
 * mxp_address_check(address, has_keys, err):
 * "ipc:///path" or "tcp://host:port"; tcp without keys on loopback only.
 * Fails:  other transports, no path or port, too long, unprotected tcp (-1; the text
 *         says what to do).
 */
int mxp_address_check(const char *address, bool has_keys, struct mx_err *err);

/**
 * mxp_address_check_server(conf, section, address, keys, err):
 * What the section of a server says of where it listens: both keys or neither, each of
 * 40 characters, and an address that is taken with or without them.
 * Fails:  "FILE:LINE: SECTION.KEY: what is wrong" (-1).
 */
int mxp_address_check_server(const struct mx_conf *conf, const char *section,
                             const char *address, const struct mxp_keys *keys,
                             struct mx_err *err);

/** mxp_address_path(address): the file of an ipc:// address; NULL for others. */
const char *mxp_address_path(const char *address);

/**
 * mxp_address_clear(path, err):
 * Make way for a new socket file: a stale one, which nobody listens on, is removed.
 * Fails:  somebody listens, or it is something else than a socket (-1, nothing removed).
 */
int mxp_address_clear(const char *path, struct mx_err *err);

#endif
