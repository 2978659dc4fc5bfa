/*
 * A blocking connection to Redis, for tools and start-up checks: the same addresses,
 * greeting and errors as redis_link. Each wait is bounded by the connect timeout.
 */
#ifndef REDIS_SYNC_H
#define REDIS_SYNC_H

struct mx_err;
struct redisReply;
struct redis_args;
struct redis_sync;
struct store_redis_settings;

/**
 * redis_sync_open(settings, out, err):
 * Connect and greet.
 * Owner:  redis_sync_close.
 * Fails:  bad address or refused credentials or database (MX_ERR_INPUT), unreachable or
 *         not able to serve (MX_ERR_DOWN) (-1).
 */
int redis_sync_open(const struct store_redis_settings *settings, struct redis_sync **out,
                    struct mx_err *err);
void redis_sync_close(struct redis_sync *sync);

/** redis_sync_send(sync, args): queue a command; its reply is fetched in the same order.
 */
void redis_sync_send(struct redis_sync *sync, const struct redis_args *args);

/**
 * redis_sync_reply(sync, out, err):
 * The next reply; never an error reply.
 * Owner:  redis_sync_free_reply.
 * Fails:  connection (MX_ERR_DOWN), error reply (MX_ERR_DOWN, MX_ERR_INPUT where rights
 *         are missing, else MX_ERR_SYSTEM) (-1).
 */
int redis_sync_reply(struct redis_sync *sync, struct redisReply **out,
                     struct mx_err *err);

/** redis_sync_run(sync, args, out, err): send and fetch. */
int redis_sync_run(struct redis_sync *sync, const struct redis_args *args,
                   struct redisReply **out, struct mx_err *err);

/** redis_sync_free_reply(reply): NULL is fine. */
void redis_sync_free_reply(struct redisReply *reply);

#endif
