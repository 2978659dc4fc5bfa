/*
 * A real redis-server of the test's own: private directory, UNIX socket (and, where asked
 * for, a port on loopback), nothing saved unless asked. Tests kill, stop and restart it.
 */
#ifndef PRIVATE_REDIS_H
#define PRIVATE_REDIS_H

#include <stdbool.h>
#include <sys/types.h>

#include "store_redis.h"

struct private_redis {
    pid_t pid; /* 0: not running */
    int port;  /* 0: UNIX socket only */
    char dir[64];
    char address[128]; /* for store_redis_settings */
    char tcp_address[64];
    char password[32]; /* "" none; set before private_redis_start */
    bool is_kept;      /* append-only file; set before private_redis_start */
    struct store_redis_settings settings;
};

/** private_redis_init(redis): directory and settings; fails the test where it cannot. */
void private_redis_init(struct private_redis *redis);

/** private_redis_start(redis): returns when it takes connections. Again after a kill. */
void private_redis_start(struct private_redis *redis);

/** private_redis_kill(redis): kill -9, and wait for the end. */
void private_redis_kill(struct private_redis *redis);

/** private_redis_fini(redis): kill, remove the directory. */
void private_redis_fini(struct private_redis *redis);

/** private_redis_cmd(redis, fmt, ...): run redis-cli with these words; static result. */
const char *private_redis_cmd(struct private_redis *redis, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/** private_redis_stat(redis, command, field): a number of INFO commandstats, 0 if absent.
 */
long private_redis_stat(struct private_redis *redis, const char *command,
                        const char *field);

/** private_redis_is_installed(): else the test skips, and says so. */
bool private_redis_is_installed(void);

#endif
