/*
 * The blocking connection. It has no back-off and does not mend itself: a tool that loses
 * Redis says so and ends.
 */
#include "redis_sync.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/time.h>

#include <hiredis/hiredis.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "mx_str.h"
#include "redis_address.h"
#include "redis_reply.h"
#include "store_redis.h"

struct redis_sync {
    redisContext *context;
    const char *address; /* of the settings, for messages */
};

static struct timeval timeval_of(int64_t ms)
{
    return (struct timeval){.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
}

static int fail_connection(const struct redis_sync *sync, struct mx_err *err)
{
    const char *what = sync->context ? sync->context->errstr : "out of memory";
    if (sync->context && sync->context->err == REDIS_ERR_IO && errno == EAGAIN)
        what =
            "connected, but no answer within redis.connect_timeout: it hangs, or is busy";
    return mx_err_set(err, MX_ERR_DOWN, "Redis at %s: %s", sync->address, what);
}

static int fail_reply(const struct redis_sync *sync, const redisReply *reply,
                      struct mx_err *err)
{
    enum mx_err_code code = MX_ERR_SYSTEM;
    if (redis_reply_is_refused(reply))
        code = MX_ERR_INPUT;
    else if (redis_reply_is_down(reply))
        code = MX_ERR_DOWN;
    return mx_err_set(err, code, "Redis at %s says: %.*s", sync->address,
                      MX_STR_FMT(mx_str_sub(redis_reply_error(reply), 0, 400)));
}

static int greet(struct redis_sync *sync, const struct store_redis_settings *settings,
                 struct mx_err *err)
{
    struct redis_args args;
    for (int step = 0; step < REDIS_HELLO_STEPS; step++) {
        struct redisReply *reply = NULL;
        if (redis_hello_step(settings, (enum redis_hello)step, &args) != 0)
            continue;
        if (redis_sync_run(sync, &args, &reply, err) != 0)
            return -1;
        redis_sync_free_reply(reply);
    }
    return 0;
}

int redis_sync_open(const struct store_redis_settings *settings, struct redis_sync **out,
                    struct mx_err *err)
{
    struct redis_address address;
    struct timeval limit = timeval_of(settings->connect_timeout_ms);
    if (redis_address_parse(settings->address, &address, err) != 0)
        return -1;
    struct redis_sync *sync = mx_xalloc(sizeof(*sync));
    int status = -1;
    sync->address = settings->address;
    if (address.path[0] != '\0')
        sync->context = redisConnectUnixWithTimeout(address.path, limit);
    else
        sync->context = redisConnectWithTimeout(address.host, address.port, limit);
    if (sync->context == NULL || sync->context->err ||
        redisSetTimeout(sync->context, limit) != REDIS_OK) {
        fail_connection(sync, err);
        goto done;
    }
    if (greet(sync, settings, err) != 0)
        goto done;
    *out = sync;
    status = 0;
done:
    if (status != 0)
        redis_sync_close(sync);
    return status;
}

void redis_sync_close(struct redis_sync *sync)
{
    if (sync == NULL)
        return;
    if (sync->context)
        redisFree(sync->context);
    free(sync);
}

/* A command that cannot be queued leaves the reason in the context; the reply tells. */
void redis_sync_send(struct redis_sync *sync, const struct redis_args *args)
{
    char *text = mx_xalloc(redis_args_room(args));
    redisAppendFormattedCommand(sync->context, text, redis_args_encode(args, text));
    free(text);
}

int redis_sync_reply(struct redis_sync *sync, struct redisReply **out, struct mx_err *err)
{
    void *reply = NULL;
    if (sync->context->err || redisGetReply(sync->context, &reply) != REDIS_OK ||
        reply == NULL)
        return fail_connection(sync, err);
    if (redis_reply_error(reply).n > 0) {
        fail_reply(sync, reply, err);
        freeReplyObject(reply);
        return -1;
    }
    *out = reply;
    return 0;
}

int redis_sync_run(struct redis_sync *sync, const struct redis_args *args,
                   struct redisReply **out, struct mx_err *err)
{
    redis_sync_send(sync, args);
    return redis_sync_reply(sync, out, err);
}

void redis_sync_free_reply(struct redisReply *reply)
{
    if (reply)
        freeReplyObject(reply);
}
