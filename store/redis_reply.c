/*
 * Commands and replies. Building a command never allocates; reading a reply never trusts
 * its type. The tables of error prefixes decide what the rest of the store calls "down":
 * everything that would make each following command fail as well, writes included, as a
 * greylist that can read but not write would defer the same mail for ever.
 */
#include "redis_reply.h"

#include <assert.h>
#include <string.h>

#include <hiredis/hiredis.h>

#include "mx_arena.h"

#define LENGTH_MAX 24 /* bytes of "$", a length in decimal and CRLF */

void redis_args_init(struct redis_args *args, const char *name)
{
    args->n = args->n_numbers = args->n_tail = 0;
    args->tail = MX_STR_NONE;
    redis_args_text(args, name);
}

void redis_args_str(struct redis_args *args, struct mx_str text)
{
    assert(args->n < REDIS_ARGS_MAX);
    args->v[args->n++] = text;
}

void redis_args_text(struct redis_args *args, const char *text)
{
    redis_args_str(args, mx_str(text));
}

static char *put_digits(char *out, uint64_t number)
{
    char digits[20];
    size_t n = 0;
    do {
        digits[n++] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    while (n > 0)
        *out++ = digits[--n];
    return out;
}

void redis_args_int(struct redis_args *args, int64_t number)
{
    assert(args->n_numbers < REDIS_NUMBERS_MAX);
    char *text = args->numbers[args->n_numbers++], *out = text;
    if (number < 0)
        *out++ = '-';
    out = put_digits(out, number < 0 ? 0 - (uint64_t)number : (uint64_t)number);
    redis_args_str(args, mx_str_of(text, (size_t)(out - text)));
}

void redis_args_script(struct redis_args *args, const struct redis_script *script,
                       size_t n_keys)
{
    bool has_name = script->sha[0] != '\0';
    redis_args_init(args, has_name ? "EVALSHA" : "EVAL");
    redis_args_text(args, has_name ? script->sha : script->source);
    redis_args_int(args, (int64_t)n_keys);
}

size_t redis_args_room(const struct redis_args *args)
{
    size_t room = LENGTH_MAX + args->tail.n;
    for (size_t i = 0; i < args->n; i++)
        room += LENGTH_MAX + args->v[i].n + 2;
    return room;
}

static char *put_end(char *out)
{
    *out++ = '\r';
    *out++ = '\n';
    return out;
}

size_t redis_args_tail(const struct redis_args *args, size_t from, char *out)
{
    const char *begin = out;
    for (size_t i = from; i < args->n; i++) {
        struct mx_str text = args->v[i];
        *out++ = '$';
        out = put_end(put_digits(out, text.n));
        if (text.n > 0)
            memcpy(out, text.p, text.n);
        out = put_end(out + text.n);
    }
    if (args->tail.n > 0)
        memcpy(out, args->tail.p, args->tail.n);
    return (size_t)(out - begin) + args->tail.n;
}

size_t redis_args_encode(const struct redis_args *args, char *out)
{
    const char *begin = out;
    *out++ = '*';
    out = put_end(put_digits(out, args->n + args->n_tail));
    return (size_t)(out - begin) + redis_args_tail(args, 0, out);
}

struct mx_str redis_reply_str(const struct redisReply *reply)
{
    if (reply && (reply->type == REDIS_REPLY_STRING || reply->type == REDIS_REPLY_STATUS))
        return mx_str_of(reply->str, (size_t)reply->len);
    return MX_STR_NONE;
}

int redis_reply_int(const struct redisReply *reply, int64_t *out)
{
    if (reply == NULL)
        return -1;
    switch (reply->type) {
    case REDIS_REPLY_INTEGER: *out = reply->integer; return 0;
    case REDIS_REPLY_NIL: *out = 0; return 0;
    case REDIS_REPLY_STRING:
        return mx_str_to_int(redis_reply_str(reply), INT64_MIN, INT64_MAX, out, NULL);
    default: return -1;
    }
}

size_t redis_reply_count(const struct redisReply *reply)
{
    return reply && reply->type == REDIS_REPLY_ARRAY ? reply->elements : 0;
}

const struct redisReply *redis_reply_at(const struct redisReply *reply, size_t i)
{
    return i < redis_reply_count(reply) ? reply->element[i] : NULL;
}

bool redis_reply_is_nil(const struct redisReply *reply)
{
    return reply && reply->type == REDIS_REPLY_NIL;
}

struct mx_str redis_reply_error(const struct redisReply *reply)
{
    if (reply && reply->type == REDIS_REPLY_ERROR)
        return mx_str_of(reply->str, (size_t)reply->len);
    return MX_STR_NONE;
}

/* Hardly any reply is an error: the others cost nothing here. */
static bool begins_with_one_of(struct mx_str text, const char *const *words)
{
    for (size_t i = 0; text.n > 0 && words[i]; i++) {
        struct mx_str word = mx_str(words[i]);
        if (mx_str_starts(text, word) && (text.n == word.n || text.p[word.n] == ' '))
            return true;
    }
    return false;
}

bool redis_reply_is_noscript(const struct redisReply *reply)
{
    return mx_str_starts(redis_reply_error(reply), MX_STR("NOSCRIPT"));
}

bool redis_reply_is_down(const struct redisReply *reply)
{
    static const char *const words[] = {
        "LOADING", "READONLY",   "MASTERDOWN", "NOAUTH",      "NOPERM", "OOM",
        "MISCONF", "NOREPLICAS", "BUSY",       "CLUSTERDOWN", NULL,
    };
    return begins_with_one_of(redis_reply_error(reply), words);
}

bool redis_reply_is_refused(const struct redisReply *reply)
{
    static const char *const words[] = {"NOAUTH", "WRONGPASS", "NOPERM", "DENIED", NULL};
    struct mx_str text = redis_reply_error(reply);
    return begins_with_one_of(text, words) ||
           /* Redis before 6, and every one that is asked for a database it lacks. */
           mx_str_starts(text, MX_STR("ERR invalid password")) ||
           mx_str_starts(text, MX_STR("ERR AUTH")) ||
           mx_str_starts(text, MX_STR("ERR Client sent AUTH")) ||
           mx_str_starts(text, MX_STR("ERR DB index")) ||
           mx_str_starts(text, MX_STR("ERR invalid DB index"));
}
