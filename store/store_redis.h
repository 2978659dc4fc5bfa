/*
 * The store in Redis, on hiredis' asynchronous interface and a libuv loop. One batch is
 * one pipeline; every script touches keys of one hash tag.
 */
#ifndef STORE_REDIS_H
#define STORE_REDIS_H

#include "store.h"

struct mx_conf_section;
struct uv_loop_s;
struct mx_conf;
struct mx_clock;

/* Section "redis". */
/* Dovecot's quota_clone writes to a plain Redis of its own. */
struct store_dovecot_settings {
    const char *address; /* "": there is none */
    const char *username, *password;
    int64_t db;
    const char *prefix; /* as Dovecot's redis_key_prefix */
};

struct store_redis_settings {
    const char *address;  /* "unix:/run/redis/redis.sock", "redis.example:6379" */
    const char *username; /* ACL user; "" none */
    const char *password; /* "" none */
    int64_t db;
    int64_t timeout_ms; /* of one round trip */
    int64_t connect_timeout_ms;
    int64_t backoff_min_ms, backoff_max_ms;
    struct store_dovecot_settings dovecot;
    bool is_foreign; /* not ours: nothing is written to it, not even to see whether it
                        works */
};
extern const struct mx_conf_section store_redis_section;

struct store_redis_options {
    const struct store_redis_settings *settings; /* borrowed for the store's life */
    const struct mx_clock *clock;
    /* State changes, for the log of the program: "up", "down", and why. */
    void (*on_state)(void *user, bool is_up, const char *reason);
    void *user;
};

/**
 * store_redis_new(loop, options, out, err):
 * Start connecting; the store is down until it is up. Never gives up: back-off with
 * jitter, names resolved again.
 * Owner:  store_free, then run ${loop} until it has closed its handles.
 * Fails:  settings that can never work (-1).
 */
int store_redis_new(struct uv_loop_s *loop, const struct store_redis_options *options,
                    struct store **out, struct mx_err *err);

/**
 * store_redis_dovecot(settings, out):
 * Settings of the connection to Dovecot's Redis, ${settings}->dovecot, with the time-outs
 * of ours. Texts are borrowed.
 */
void store_redis_dovecot(const struct store_redis_settings *settings,
                         struct store_redis_settings *out);

/**
 * store_redis_check_conf(conf, err):
 * Whether the addresses of section "redis" can be addresses; nothing is connected.
 * Fails:  "FILE:LINE: redis.KEY: what is wrong" (-1).
 */
int store_redis_check_conf(const struct mx_conf *conf, struct mx_err *err);

/**
 * store_redis_check(settings, err):
 * Connect, authenticate, PING, blocking, within the connect timeout. For start-up: a
 * wrong password must be told at once rather than looked for in a log.
 * Fails:  unreachable (MX_ERR_DOWN), refused credentials or database (MX_ERR_INPUT) (-1).
 */
int store_redis_check(const struct store_redis_settings *settings, struct mx_err *err);

#endif
