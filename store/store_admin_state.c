/*
 * Quotas, rate limits and choices for tools. What policyd asks is asked with policyd's
 * own encoder, so that a tool never shows anything but what policyd sees.
 */
#include "store_admin.h"

#include <string.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "redis_reply.h"
#include "redis_sync.h"
#include "store_admin_scan.h"
#include "store_keys.h"
#include "store_pattern.h"
#include "store_redis.h"
#include "store_redis_kinds.h"

#define SCRATCH_MAX (64u << 10)
#define PAGE_ARENA (16u << 20)

/* One question of policyd's, step by step. */
static int ask(struct redis_sync *sync, const struct store_question *question,
               struct store_answer *out, struct mx_err *err)
{
    const struct store_question_kind *kind = store_question_kind(question->kind);
    struct store_try at = {.kinds = STORE_KINDS_ALL};
    struct store_command command;
    *out = (struct store_answer){.is_known = true};
    for (; at.step < kind->n_commands; at.step++) {
        struct redisReply *reply = NULL;
        kind->encode(question, &at, &command);
        if (redis_sync_run(sync, &command.args, &reply, err) != 0)
            return -1;
        int decoded = kind->decode(question, &at, reply, out);
        redis_sync_free_reply(reply);
        if (decoded != 0)
            return mx_err_set(err, MX_ERR_SYSTEM, "Redis: a foreign value in our key");
    }
    return 0;
}

static int check_mailbox(struct mx_arena *arena, struct mx_str text, struct mx_str *out,
                         struct mx_err *err)
{
    if (store_scope_normalise(arena, text, out, err) != 0)
        return -1;
    if (mx_str_chr(*out, '@') < 1)
        return mx_err_set(err, MX_ERR_INPUT, "'%.*s' is not a mailbox: user@domain",
                          (int)(text.n < 80 ? text.n : 80), text.p ? text.p : "");
    return 0;
}

int store_admin_quota_get(struct store_admin *admin, struct mx_str mailbox,
                          struct store_answer *out, struct mx_err *err)
{
    struct mx_arena *arena = mx_arena_new(SCRATCH_MAX);
    struct store_question question = {.kind = STORE_QUOTA};
    int status = check_mailbox(arena, mailbox, &question.mailbox, err);
    if (status == 0)
        status = ask(admin->sync, &question, out, err);
    mx_arena_free(arena);
    return status;
}

int store_admin_quota_set(struct store_admin *admin, struct mx_str mailbox,
                          const struct store_quota_change *change, struct mx_err *err)
{
    const struct {
        const char *field;
        int64_t value;
    } fields[] = {
        {"limit", change->limit}, {"used", change->used}, {"active", change->active_ms}};
    struct mx_arena *arena = mx_arena_new(SCRATCH_MAX);
    struct redisReply *reply = NULL;
    struct redis_args args;
    struct store_key key;
    int status = check_mailbox(arena, mailbox, &mailbox, err);
    redis_args_init(&args, "HSET");
    redis_args_str(&args, store_keys_quota(&key, mailbox));
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        if (fields[i].value < 0)
            continue;
        redis_args_text(&args, fields[i].field);
        redis_args_int(&args, fields[i].value);
    }
    if (status == 0)
        status = redis_sync_run(admin->sync, &args, &reply, err);
    redis_sync_free_reply(reply);
    mx_arena_free(arena);
    return status;
}

int store_admin_dovecot_used(const struct store_redis_settings *settings,
                             struct mx_str mailbox, int64_t *out, struct mx_err *err)
{
    struct store_redis_settings dovecot;
    struct redis_sync *sync = NULL;
    struct store_question question = {.kind = STORE_DOVECOT};
    struct store_answer answer;
    struct mx_arena *arena = mx_arena_new(SCRATCH_MAX);
    store_redis_dovecot(settings, &dovecot);
    question.dovecot.prefix = mx_str(settings->dovecot.prefix);
    int status = check_mailbox(arena, mailbox, &question.dovecot.username, err);
    if (status == 0)
        status = redis_sync_open(&dovecot, &sync, err);
    if (status == 0) {
        status = ask(sync, &question, &answer, err);
        redis_sync_close(sync);
    }
    if (status == 0 && answer.quota.has_used) {
        *out = answer.quota.used;
        status = 1;
    }
    mx_arena_free(arena);
    return status;
}

struct rate_walk {
    struct mx_arena *arena; /* of one page */
    size_t left;
    void (*fn)(void *user, struct mx_str name, int64_t tat_us);
    void *user;
};

static int tell_rate_page(struct store_admin *admin, const struct redisReply *page,
                          struct rate_walk *walk, struct mx_err *err)
{
    mx_arena_reset(walk->arena);
    for (size_t i = 0; i < redis_reply_count(page) && walk->left > 0; i++) {
        struct mx_str name, key = redis_reply_str(redis_reply_at(page, i));
        struct redisReply *reply = NULL;
        struct redis_args args;
        int64_t tat_us = 0;
        if (store_keys_rate_of(walk->arena, key, &name) != 0)
            continue;
        redis_args_init(&args, "GET");
        redis_args_str(&args, key);
        if (redis_sync_run(admin->sync, &args, &reply, err) != 0)
            return -1;
        if (redis_reply_int(reply, &tat_us) == 0 && tat_us > 0) {
            walk->left--;
            walk->fn(walk->user, name, tat_us);
        }
        redis_sync_free_reply(reply);
    }
    return 0;
}

int store_admin_rate_each(struct store_admin *admin, size_t max,
                          void (*fn)(void *user, struct mx_str name, int64_t tat_us),
                          void *user, struct mx_err *err)
{
    struct rate_walk walk = {
        .arena = mx_arena_new(PAGE_ARENA), .left = max, .fn = fn, .user = user};
    char cursor[STORE_CURSOR_MAX] = "0";
    struct store_key glob;
    int status = 0;
    store_keys_rates_glob(&glob);
    do {
        struct redisReply *reply = NULL;
        status = store_admin_scan_keys(admin, mx_str_of(glob.text, glob.n), cursor,
                                       &reply, err);
        if (status == 0)
            status = tell_rate_page(admin, redis_reply_at(reply, 1), &walk, err);
        redis_sync_free_reply(reply);
    } while (status == 0 && strcmp(cursor, "0") != 0 && walk.left > 0);
    mx_arena_free(walk.arena);
    return status;
}

int store_admin_prefs_get(struct store_admin *admin, struct mx_str scope,
                          struct store_prefs *out, struct mx_err *err)
{
    struct mx_arena *arena = mx_arena_new(SCRATCH_MAX);
    struct store_question question = {.kind = STORE_PREFS_OF,
                                      .prefs.which = STORE_PREFS_ALL};
    struct store_answer answer;
    int status = store_scope_normalise(arena, scope, &question.prefs.scope, err);
    if (status == 0)
        status = ask(admin->sync, &question, &answer, err);
    if (status == 0)
        *out = answer.prefs;
    mx_arena_free(arena);
    return status;
}

/* One command for what is chosen, another for what is not any more. */
static int write_prefs(struct store_admin *admin, struct mx_arena *arena,
                       struct mx_str scope, const struct store_prefs *prefs,
                       unsigned which, struct mx_err *err)
{
    struct redisReply *reply = NULL;
    struct redis_args args;
    struct store_key key;
    bool is_set = prefs != NULL;
    if (which == 0)
        return 0;
    redis_args_init(&args, is_set ? "HSET" : "HDEL");
    redis_args_str(&args, store_keys_prefs(&key, scope));
    for (size_t i = 0; i < STORE_PREFS; i++) {
        enum store_pref pref = (enum store_pref)i;
        if (!(which & 1u << i))
            continue;
        redis_args_text(&args, store_pref_name(pref));
        if (is_set)
            redis_args_text(&args, store_prefs_format(arena, prefs, pref));
    }
    int status = redis_sync_run(admin->sync, &args, &reply, err);
    redis_sync_free_reply(reply);
    return status;
}

int store_admin_prefs_set(struct store_admin *admin, struct mx_str scope,
                          const struct store_prefs *prefs, unsigned unset,
                          struct mx_err *err)
{
    struct mx_arena *arena = mx_arena_new(SCRATCH_MAX);
    struct store_prefs now = {0}, after = *prefs;
    int status = store_scope_normalise(arena, scope, &scope, err);
    /* What cannot be read may be replaced or taken back, so that a tool can mend it. */
    if (status == 0 && store_admin_prefs_get(admin, scope, &now, err) != 0 &&
        err->code == MX_ERR_DOWN)
        status = -1;
    if (status == 0) {
        now.has &= ~unset;
        store_prefs_fill(&after, &now);
        status = store_prefs_check(&after, err);
    }
    if (status == 0)
        status = write_prefs(admin, arena, scope, prefs, prefs->has, err);
    if (status == 0)
        status = write_prefs(admin, arena, scope, NULL, unset, err);
    mx_arena_free(arena);
    return status;
}

struct prefs_walk {
    struct mx_arena *arena; /* of one page */
    size_t left;
    void (*fn)(void *user, struct mx_str scope, const struct store_prefs *prefs);
    void *user;
};

/* A scope with values that we cannot read is told with none: its owner has to know. */
static int tell_prefs_page(struct store_admin *admin, const struct redisReply *page,
                           struct prefs_walk *walk, struct mx_err *err)
{
    mx_arena_reset(walk->arena);
    for (size_t i = 0; i < redis_reply_count(page) && walk->left > 0; i++) {
        struct store_question question = {.kind = STORE_PREFS_OF,
                                          .prefs.which = STORE_PREFS_ALL};
        struct store_answer answer;
        struct mx_str key = redis_reply_str(redis_reply_at(page, i));
        if (store_keys_prefs_of(walk->arena, key, &question.prefs.scope) != 0)
            continue;
        bool is_read = ask(admin->sync, &question, &answer, err) == 0;
        if (!is_read && err->code == MX_ERR_DOWN)
            return -1;
        walk->left--;
        walk->fn(walk->user, question.prefs.scope, is_read ? &answer.prefs : NULL);
    }
    return 0;
}

int store_admin_prefs_each(struct store_admin *admin, size_t max,
                           void (*fn)(void *user, struct mx_str scope,
                                      const struct store_prefs *prefs),
                           void *user, struct mx_err *err)
{
    struct prefs_walk walk = {
        .arena = mx_arena_new(PAGE_ARENA), .left = max, .fn = fn, .user = user};
    char cursor[STORE_CURSOR_MAX] = "0";
    struct store_key glob;
    int status = 0;
    store_keys_prefs_glob(&glob);
    do {
        struct redisReply *reply = NULL;
        status = store_admin_scan_keys(admin, mx_str_of(glob.text, glob.n), cursor,
                                       &reply, err);
        if (status == 0)
            status = tell_prefs_page(admin, redis_reply_at(reply, 1), &walk, err);
        redis_sync_free_reply(reply);
    } while (status == 0 && strcmp(cursor, "0") != 0 && walk.left > 0);
    mx_arena_free(walk.arena);
    return status;
}
