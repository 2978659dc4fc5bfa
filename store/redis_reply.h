/*
 * Commands for Redis and its replies, without hiredis in sight: what the files beside
 * redis_link need to speak it. Replies are outside bytes; each accessor copes with every
 * type of reply.
 */
#ifndef REDIS_REPLY_H
#define REDIS_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mx_str.h"
#include "store.h"

struct redisReply;

#define REDIS_ARGS_MAX (STORE_PATTERNS_MAX + 8)
#define REDIS_NUMBERS_MAX 4 /* numbers in one command */

/* One command. Texts are borrowed until it is sent; numbers are kept inside. */
struct redis_args {
    size_t n;
    struct mx_str v[REDIS_ARGS_MAX];
    size_t n_numbers;
    char numbers[REDIS_NUMBERS_MAX][24];
    struct mx_str tail; /* arguments behind these, from redis_args_tail */
    size_t n_tail;
};

/** redis_args_init(args, name): start with the command's name. */
void redis_args_init(struct redis_args *args, const char *name);
void redis_args_text(struct redis_args *args, const char *text);
void redis_args_str(struct redis_args *args, struct mx_str text);
void redis_args_int(struct redis_args *args, int64_t number);

#define REDIS_SHA_MAX 41 /* hex digits of SHA-1 and a NUL */
/* A Lua script. ->sha is what Redis calls it, "" until it was loaded. */
struct redis_script {
    const char *source;
    char sha[REDIS_SHA_MAX];
};

/**
 * redis_args_script(args, script, n_keys):
 * Start with EVALSHA, or with EVAL and the whole source where the name is not known;
 * ${n_keys} keys follow, then the arguments.
 */
void redis_args_script(struct redis_args *args, const struct redis_script *script,
                       size_t n_keys);

/**
 * redis_args_encode(args, out), redis_args_room(args):
 * The command as it goes over the wire, and bytes that hold it.
 * Returns how many were written.
 * Source: https://redis.io/docs/latest/develop/reference/protocol-spec/ (arrays of bulk
 *         strings)
 */
size_t redis_args_room(const struct redis_args *args);
size_t redis_args_encode(const struct redis_args *args, char *out);

/**
 * redis_args_tail(args, from, out):
 * Arguments from ${from} on as they go over the wire, for ->tail of another command.
 * Units:  ${out} holds redis_args_room.
 * Returns how many bytes were written.
 */
size_t redis_args_tail(const struct redis_args *args, size_t from, char *out);

/** redis_reply_str(reply): bytes of a bulk or status reply; missing for others and nil.
 */
struct mx_str redis_reply_str(const struct redisReply *reply);

/**
 * redis_reply_int(reply, out):
 * An integer, or a bulk reply that spells one; nil reads as 0.
 * Fails:  anything else (-1, ${out} untouched).
 */
int redis_reply_int(const struct redisReply *reply, int64_t *out);

/** redis_reply_count(reply), redis_reply_at(reply, i): elements of an array; else 0,
 * NULL. */
size_t redis_reply_count(const struct redisReply *reply);
const struct redisReply *redis_reply_at(const struct redisReply *reply, size_t i);

/** redis_reply_is_nil(reply): there is no such key or field. */
bool redis_reply_is_nil(const struct redisReply *reply);

/** redis_reply_error(reply): the text of an error reply; missing for others. */
struct mx_str redis_reply_error(const struct redisReply *reply);

/** redis_reply_is_noscript(reply): the script is not loaded there. */
bool redis_reply_is_noscript(const struct redisReply *reply);

/**
 * redis_reply_is_down(reply):
 * An error that says that this server cannot serve us now, whatever we ask: loading, a
 * replica, no credentials, no memory, no disk.
 * Source: https://redis.io/docs/latest/develop/reference/protocol-spec/ (error prefixes)
 */
bool redis_reply_is_down(const struct redisReply *reply);

/** redis_reply_is_refused(reply): credentials, rights or database are wrong for good. */
bool redis_reply_is_refused(const struct redisReply *reply);

#endif
