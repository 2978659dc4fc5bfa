/*
 * One asynchronous connection to Redis that mends itself. It is the only place that knows
 * where Redis is; Sentinel and Cluster join here: a command carries one hash tag, and its
 * owner neither knows nor cares which server answers.
 *
 * Down means: not connected, or the server cannot serve (loading, a replica, wrong
 * credentials, no memory, no disk), or it stopped answering. Commands then fail at once.
 * Back-off with jitter; the greeting of the next connection is the probe. Names are
 * resolved again each time, off the loop.
 *
 * The process ignores SIGPIPE (mx_daemon does): hiredis writes without MSG_NOSIGNAL.
 */
#ifndef REDIS_LINK_H
#define REDIS_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mx_err;
struct redisReply;
struct redis_args;
struct redis_link;
struct redis_script;
struct store_redis_settings;
struct uv_loop_s;

#define REDIS_LINK_STUCK_MS 3000      /* no reply for so long: the connection is closed */
#define REDIS_LINK_STABLE_MS 10000    /* up for so long: back-off starts anew */
#define REDIS_LINK_COMMANDS_MAX 65536 /* without a reply yet; more are refused */

/* ${reply} is borrowed; NULL: there will be none. */
typedef void redis_link_fn(void *user, const struct redisReply *reply);

struct redis_link_options {
    const struct store_redis_settings *settings; /* borrowed for the link's life */
    struct redis_script *scripts;                /* likewise; loaded in the greeting */
    size_t n_scripts;
    /* State changes, and changes of the reason while down. May be NULL. */
    void (*on_state)(void *user, bool is_up, const char *reason);
    void *user;
};

/**
 * redis_link_open(loop, options, out, err):
 * Start connecting.
 * Owner:  redis_link_close, then run ${loop} until its handles are closed.
 * Fails:  an address that can never work (-1).
 */
int redis_link_open(struct uv_loop_s *loop, const struct redis_link_options *options,
                    struct redis_link **out, struct mx_err *err);

/** redis_link_close(link): waiting commands hear NULL before it returns. NULL is fine. */
void redis_link_close(struct redis_link *link);

/** redis_link_is_up(link): connected and greeted; commands can be sent. */
bool redis_link_is_up(const struct redis_link *link);

/**
 * redis_link_send(link, args, fn, user):
 * Queue one command; all commands of one turn of the loop leave in one write. ${fn} is
 * called exactly once, never before this returns, in the order of the commands.
 * Fails:  down, or too many commands wait (-1, ${fn} is not called).
 */
int redis_link_send(struct redis_link *link, const struct redis_args *args,
                    redis_link_fn *fn, void *user);

/** redis_link_waiting(link): commands without a reply yet. */
size_t redis_link_waiting(const struct redis_link *link);

#endif
