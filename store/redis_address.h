/* Where Redis is, and how one says hello to it: shared by redis_link and redis_sync. */
#ifndef REDIS_ADDRESS_H
#define REDIS_ADDRESS_H

#include <stddef.h>
#include <stdint.h>

struct mx_err;
struct redis_args;
struct store_redis_settings;

#define REDIS_HOST_MAX 256 /* bytes, RFC 1035 2.3.4 */
#define REDIS_PATH_MAX 108 /* bytes of a UNIX socket's path with its NUL, unix(7) */
#define REDIS_PROBE_TTL_MS 60000

struct redis_address {
    char path[REDIS_PATH_MAX]; /* "" for TCP */
    char host[REDIS_HOST_MAX]; /* without brackets */
    uint16_t port;
};

/**
 * redis_address_parse(text, out, err):
 * "unix:/path", "host:port", "host", "[2001:db8::1]:6379". The port is 6379 by default.
 * Fails:  none of these, too long (-1, MX_ERR_INPUT).
 */
int redis_address_parse(const char *text, struct redis_address *out, struct mx_err *err);

enum redis_hello { REDIS_HELLO_AUTH, REDIS_HELLO_SELECT, REDIS_HELLO_PROBE };
#define REDIS_HELLO_STEPS 3

/**
 * redis_hello_step(settings, step, out):
 * The command of one step of the greeting: credentials, database, and a write with a
 * short life, which shows in one go that the server is loaded, is no replica, and takes
 * our writes; where the server is not ours, a PING.
 * Returns 0, or -1 where these settings skip the step.
 */
int redis_hello_step(const struct store_redis_settings *settings, enum redis_hello step,
                     struct redis_args *out);

#endif
