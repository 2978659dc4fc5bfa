/*
 * Two tables: question -> commands and replies -> answer; effect -> command. Questions
 * are plain reads, so that a batch can be one pipeline on any server that has the keys;
 * effects that take several steps are Lua scripts on one hash slot.
 *
 * Replies are outside bytes: an old release, another program or an operator's hand may
 * have written the keys. What has the wrong type makes the answer unknown; a list entry
 * with a malformed value is skipped, so that it hides no other.
 */
#include "store_redis_kinds.h"

#include <assert.h>
#include <string.h>

#include "store_rate.h"

extern const char script_grey_first_lua[];
extern const char script_grey_pass_lua[];
extern const char script_rate_hit_lua[];

/* The list's own kinds come first, so that a list that has others than we thought says
   so with its answer. */
static void encode_list(const struct store_question *question, const struct store_try *at,
                        struct store_command *out)
{
    const struct store_list_query *query = &question->list;
    size_t n = store_list_count(query), n_nets = 0;
    assert(n <= STORE_PATTERNS_MAX);
    redis_args_init(&out->args, "HMGET");
    redis_args_str(&out->args, store_keys_list(&out->keys[0], query->scope));
    redis_args_text(&out->args, STORE_KINDS_FIELD);
    for (size_t i = 0; i < n; i++) {
        if (!(at->kinds & store_list_kind(query, i)))
            continue;
        char *room = out->nets[n_nets];
        n_nets += i >= query->n_patterns;
        redis_args_str(&out->args, store_list_pattern(query, i, room));
    }
}

static int decode_list(const struct store_question *question, struct store_try *io_at,
                       const struct redisReply *reply, struct store_answer *out)
{
    const struct store_list_query *query = &question->list;
    size_t n = store_list_count(query), field = 1;
    io_at->held = store_kinds_parse(redis_reply_str(redis_reply_at(reply, 0)));
    for (size_t i = 0; i < n; i++) {
        uint64_t kind = store_list_kind(query, i);
        if (!(io_at->kinds & kind))
            continue;
        struct mx_str value = redis_reply_str(redis_reply_at(reply, field++));
        enum store_listing listing = store_listing_parse(value, NULL);
        bool is_later = out->list.listing != STORE_NOT_LISTED;
        if (listing == STORE_NOT_LISTED || is_later || !(io_at->held & kind))
            continue;
        out->list.listing = listing;
        out->list.pattern = i;
    }
    return redis_reply_count(reply) == field ? 0 : -1;
}

enum { GREY_TUPLE, GREY_POOL, GREY_STEPS };

static void encode_grey(const struct store_question *question, const struct store_try *at,
                        struct store_command *out)
{
    const struct store_grey_query *query = &question->grey;
    struct store_key *key = &out->keys[0];
    if (at->step == GREY_POOL) {
        redis_args_init(&out->args, "GET");
        redis_args_str(&out->args, store_keys_pool(key, query->pool));
        return;
    }
    redis_args_init(&out->args, "HMGET");
    redis_args_str(&out->args, store_keys_tuple(key, query->pool, query->tuple));
    redis_args_text(&out->args, "f");
    redis_args_text(&out->args, "l");
    redis_args_text(&out->args, "n");
}

static int decode_grey(const struct store_question *question, struct store_try *at,
                       const struct redisReply *reply, struct store_answer *out)
{
    (void)question;
    if (at->step == GREY_POOL)
        return redis_reply_int(reply, &out->grey.pool_passes);
    if (redis_reply_count(reply) != 3 ||
        redis_reply_int(redis_reply_at(reply, 0), &out->grey.first_ms) != 0 ||
        redis_reply_int(redis_reply_at(reply, 1), &out->grey.last_ms) != 0)
        return -1;
    return redis_reply_int(redis_reply_at(reply, 2), &out->grey.passes);
}

static void encode_epoch(const struct store_question *question,
                         const struct store_try *at, struct store_command *out)
{
    (void)question;
    (void)at;
    redis_args_init(&out->args, "GET");
    redis_args_text(&out->args, STORE_EPOCH_KEY);
}

static int decode_epoch(const struct store_question *question, struct store_try *at,
                        const struct redisReply *reply, struct store_answer *out)
{
    (void)question;
    (void)at;
    return redis_reply_int(reply, &out->epoch.since_ms);
}

static void encode_rate(const struct store_question *question, const struct store_try *at,
                        struct store_command *out)
{
    (void)at;
    redis_args_init(&out->args, "GET");
    redis_args_str(&out->args, store_keys_rate(&out->keys[0], question->rate.name));
}

static int decode_rate(const struct store_question *question, struct store_try *at,
                       const struct redisReply *reply, struct store_answer *out)
{
    int64_t tat_us = 0;
    (void)at;
    if (redis_reply_int(reply, &tat_us) != 0)
        return -1;
    store_rate_judge(&question->rate, tat_us, out);
    return 0;
}

enum { QUOTA_HASH, QUOTA_OVER, QUOTA_STEPS };

static void encode_quota(const struct store_question *question,
                         const struct store_try *at, struct store_command *out)
{
    struct store_key *key = &out->keys[0];
    if (at->step == QUOTA_OVER) {
        redis_args_init(&out->args, "GET");
        redis_args_str(&out->args, store_keys_over(key, question->mailbox));
        return;
    }
    redis_args_init(&out->args, "HMGET");
    redis_args_str(&out->args, store_keys_quota(key, question->mailbox));
    redis_args_text(&out->args, "limit");
    redis_args_text(&out->args, "used");
    redis_args_text(&out->args, "active");
}

static int decode_quota(const struct store_question *question, struct store_try *at,
                        const struct redisReply *reply, struct store_answer *out)
{
    (void)question;
    if (at->step == QUOTA_OVER)
        return redis_reply_int(reply, &out->quota.over_since_ms);
    if (redis_reply_count(reply) != 3 ||
        redis_reply_int(redis_reply_at(reply, 0), &out->quota.limit) != 0 ||
        redis_reply_int(redis_reply_at(reply, 1), &out->quota.used) != 0)
        return -1;
    out->quota.has_limit = !redis_reply_is_nil(redis_reply_at(reply, 0));
    out->quota.has_used = !redis_reply_is_nil(redis_reply_at(reply, 1));
    return redis_reply_int(redis_reply_at(reply, 2), &out->quota.active_ms);
}

static void encode_prefs(const struct store_question *question,
                         const struct store_try *at, struct store_command *out)
{
    (void)at;
    redis_args_init(&out->args, "HMGET");
    redis_args_str(&out->args, store_keys_prefs(&out->keys[0], question->prefs.scope));
    for (size_t i = 0; i < STORE_PREFS; i++)
        if (question->prefs.which & 1u << i)
            redis_args_text(&out->args, store_pref_name((enum store_pref)i));
}

/* A value that we do not know makes the answer unknown: going on without it could refuse
   what its owner wants to have. */
static int decode_prefs(const struct store_question *question, struct store_try *at,
                        const struct redisReply *reply, struct store_answer *out)
{
    size_t n = 0;
    (void)at;
    for (size_t i = 0; i < STORE_PREFS; i++) {
        if (!(question->prefs.which & 1u << i))
            continue;
        if (n == redis_reply_count(reply))
            return -1;
        const struct redisReply *value = redis_reply_at(reply, n++);
        if (!redis_reply_is_nil(value) &&
            store_prefs_parse((enum store_pref)i, redis_reply_str(value), &out->prefs,
                              NULL) != 0)
            return -1;
    }
    return 0;
}

/* Dovecot escapes a user name only where it holds a slash: "/" is "\\-", "\\" doubled. */
static size_t put_username(char *out, size_t room, struct mx_str name)
{
    bool is_escaped = mx_str_chr(name, '/') >= 0;
    size_t n = 0;
    for (size_t i = 0; i < name.n && n + 2 <= room; i++) {
        if (is_escaped && (name.p[i] == '/' || name.p[i] == '\\')) {
            out[n++] = '\\';
            out[n++] = name.p[i] == '/' ? '-' : '\\';
        } else {
            out[n++] = name.p[i];
        }
    }
    return n;
}

/* "<prefix><username>/quota/storage": bytes. A name too long for a key has no usage. */
static void encode_dovecot(const struct store_question *question,
                           const struct store_try *at, struct store_command *out)
{
    static const struct mx_str suffix = MX_STR("/quota/storage");
    struct mx_str prefix = mx_str_sub(question->dovecot.prefix, 0, 128);
    (void)at;
    if (prefix.n > 0)
        memcpy(out->text, prefix.p, prefix.n);
    size_t n = prefix.n;
    n += put_username(out->text + n, sizeof(out->text) - n - suffix.n,
                      question->dovecot.username);
    memcpy(out->text + n, suffix.p, suffix.n);
    redis_args_init(&out->args, "GET");
    redis_args_str(&out->args, mx_str_of(out->text, n + suffix.n));
}

static int decode_dovecot(const struct store_question *question, struct store_try *at,
                          const struct redisReply *reply, struct store_answer *out)
{
    (void)question;
    (void)at;
    out->quota.has_used = !redis_reply_is_nil(reply);
    return redis_reply_int(reply, &out->quota.used);
}

const struct store_question_kind *store_question_kind(enum store_kind kind)
{
    static const struct store_question_kind kinds[] = {
        [STORE_LIST_MATCH] = {1, encode_list, decode_list},
        [STORE_GREY_SEEN] = {GREY_STEPS, encode_grey, decode_grey},
        [STORE_EPOCH] = {1, encode_epoch, decode_epoch},
        [STORE_RATE] = {1, encode_rate, decode_rate},
        [STORE_QUOTA] = {QUOTA_STEPS, encode_quota, decode_quota},
        [STORE_PREFS_OF] = {1, encode_prefs, decode_prefs},
        [STORE_DOVECOT] = {1, encode_dovecot, decode_dovecot},
    };
    assert((size_t)kind < sizeof(kinds) / sizeof(kinds[0]));
    return &kinds[kind];
}

void store_scripts_init(struct redis_script scripts[static STORE_SCRIPTS])
{
    memset(scripts, 0, STORE_SCRIPTS * sizeof(scripts[0]));
    scripts[STORE_SCRIPT_GREY_FIRST].source = script_grey_first_lua;
    scripts[STORE_SCRIPT_GREY_PASS].source = script_grey_pass_lua;
    scripts[STORE_SCRIPT_RATE_HIT].source = script_rate_hit_lua;
}

/* KEYS of both scripts begin with the tuple; only a pass counts for the pool. */
static void encode_grey_effect(const struct store_effect *effect,
                               const struct redis_script *script, size_t n_keys,
                               struct store_command *out)
{
    const struct store_grey_query *grey = &effect->grey;
    struct mx_str text = mx_str_sub(grey->tuple, 0, sizeof(out->text));
    redis_args_script(&out->args, script, n_keys);
    redis_args_str(&out->args, store_keys_tuple(&out->keys[0], grey->pool, grey->tuple));
    if (n_keys > 1)
        redis_args_str(&out->args, store_keys_pool(&out->keys[1], grey->pool));
    if (text.n > 0)
        memcpy(out->text, text.p, text.n);
    redis_args_int(&out->args, effect->now_ms);
    redis_args_int(&out->args, effect->ttl_ms);
    redis_args_str(&out->args, mx_str_of(out->text, text.n));
}

static void encode_epoch_set(const struct store_effect *effect, struct store_command *out)
{
    redis_args_init(&out->args, "SET");
    redis_args_text(&out->args, STORE_EPOCH_KEY);
    redis_args_int(&out->args, effect->now_ms);
    redis_args_text(&out->args, "NX");
    if (effect->ttl_ms > 0) {
        redis_args_text(&out->args, "PX");
        redis_args_int(&out->args, effect->ttl_ms);
    }
}

static void encode_rate_hit(const struct store_effect *effect,
                            const struct redis_script *script, struct store_command *out)
{
    const struct store_rate_query *rate = &effect->rate;
    redis_args_script(&out->args, script, 1);
    redis_args_str(&out->args, store_keys_rate(&out->keys[0], rate->name));
    redis_args_int(&out->args, rate->now_ms * 1000);
    redis_args_int(&out->args, store_rate_share_us(rate));
    redis_args_int(&out->args, rate->period_ms * 1000);
}

static void encode_over(const struct store_effect *effect, struct store_command *out)
{
    bool is_over = effect->kind == STORE_QUOTA_OVER;
    redis_args_init(&out->args, is_over ? "SET" : "UNLINK");
    redis_args_str(&out->args, store_keys_over(&out->keys[0], effect->mailbox));
    if (!is_over)
        return;
    redis_args_int(&out->args, effect->now_ms);
    redis_args_text(&out->args, "NX");
    redis_args_text(&out->args, "PX");
    redis_args_int(&out->args, effect->ttl_ms);
}

void store_effect_encode(const struct store_effect *effect,
                         const struct redis_script scripts[static STORE_SCRIPTS],
                         struct store_command *out,
                         const struct redis_script **out_script)
{
    const struct redis_script *script = NULL;
    switch (effect->kind) {
    case STORE_GREY_FIRST:
        script = &scripts[STORE_SCRIPT_GREY_FIRST];
        encode_grey_effect(effect, script, 1, out);
        break;
    case STORE_GREY_PASS:
        script = &scripts[STORE_SCRIPT_GREY_PASS];
        encode_grey_effect(effect, script, 2, out);
        break;
    case STORE_EPOCH_SET: encode_epoch_set(effect, out); break;
    case STORE_RATE_HIT:
        script = &scripts[STORE_SCRIPT_RATE_HIT];
        encode_rate_hit(effect, script, out);
        break;
    case STORE_QUOTA_OVER:
    case STORE_QUOTA_UNDER: encode_over(effect, out); break;
    }
    *out_script = script;
}
