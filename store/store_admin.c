/*
 * What tools do with the shared state: lists, greylist, a look at the server. Blocking,
 * on one connection; walks over many keys go by SCAN, a few hundred at a time, so that
 * nobody else waits for us. A walk sees each entry that is there all the while at least
 * once; an entry may come twice where Redis resizes its tables meanwhile.
 *
 * Memory is bounded by what one command returns: each page has an arena of its own.
 */
#include "store_admin.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "mx_time.h"
#include "redis_reply.h"
#include "redis_sync.h"
#include "store_admin_scan.h"
#include "store_keys.h"
#include "store_pattern.h"
#include "store_redis.h"

extern const char script_list_set_lua[];

#define PAGE 500 /* entries that one SCAN looks at */
#define PAGE_ARENA (16u << 20)
#define LIST_MAX 100000 /* entries of one list that are shown */
#define LIST_ARENA (256u << 20)

int store_admin_open(const struct store_redis_settings *settings,
                     struct store_admin **out, struct mx_err *err)
{
    struct redis_sync *sync = NULL;
    if (redis_sync_open(settings, &sync, err) != 0)
        return -1;
    struct store_admin *admin = mx_xalloc(sizeof(*admin));
    admin->sync = sync;
    *out = admin;
    return 0;
}

void store_admin_close(struct store_admin *admin)
{
    if (admin == NULL)
        return;
    redis_sync_close(admin->sync);
    free(admin);
}

/* Run a command whose reply does not matter but for errors. */
static int run(struct store_admin *admin, const struct redis_args *args,
               struct mx_err *err)
{
    struct redisReply *reply = NULL;
    if (redis_sync_run(admin->sync, args, &reply, err) != 0)
        return -1;
    redis_sync_free_reply(reply);
    return 0;
}

int store_admin_list_set(struct store_admin *admin, struct mx_str scope,
                         struct mx_str pattern, enum store_listing listing,
                         struct mx_err *err)
{
    const struct redis_script script = {.source = script_list_set_lua};
    struct mx_arena *arena = mx_arena_new(64 * 1024);
    struct redis_args args;
    struct store_key key;
    char value[STORE_LISTING_MAX];
    int status = -1;
    if (store_scope_normalise(arena, scope, &scope, err) != 0 ||
        store_pattern_normalise(arena, pattern, &pattern, err) != 0)
        goto done;
    char kind = store_kinds_letter(pattern);
    bool is_off = listing == STORE_NOT_LISTED;
    redis_args_script(&args, &script, 1);
    redis_args_str(&args, store_keys_list(&key, scope));
    redis_args_str(&args, pattern);
    redis_args_str(&args, mx_str_of(&kind, 1));
    redis_args_str(
        &args, is_off ? MX_STR("")
                      : store_listing_format(listing, mx_wall_ms(&mx_clock_real), value));
    status = run(admin, &args, err);
done:
    mx_arena_free(arena);
    return status;
}

struct list_entry {
    struct mx_str pattern;
    enum store_listing listing;
    int64_t since_ms;
};

struct list {
    struct mx_arena *arena;
    struct list_entry *v;
    size_t n, room;
};

/* One page of a walk: ${command} is HSCAN (with a key) or SCAN. ${cursor} is the last
   one, "0" at first; it is replaced. */
static int scan_page(struct store_admin *admin, struct redis_args *args,
                     char cursor[static STORE_CURSOR_MAX], struct redisReply **out,
                     struct mx_err *err)
{
    struct redisReply *reply = NULL;
    redis_args_text(args, "COUNT");
    redis_args_int(args, PAGE);
    if (redis_sync_run(admin->sync, args, &reply, err) != 0)
        return -1;
    struct mx_str next = redis_reply_str(redis_reply_at(reply, 0));
    if (redis_reply_count(reply) != 2 || next.n == 0 || next.n >= STORE_CURSOR_MAX) {
        redis_sync_free_reply(reply);
        return mx_err_set(err, MX_ERR_SYSTEM, "Redis: unexpected reply to a SCAN");
    }
    snprintf(cursor, STORE_CURSOR_MAX, "%.*s", MX_STR_FMT(next));
    *out = reply;
    return 0;
}

/* Fields and values take turns. Entries that are none of ours are left out. */
static void add_entries(struct list *list, const struct redisReply *page)
{
    for (size_t i = 0; i + 1 < redis_reply_count(page) && list->n < LIST_MAX; i += 2) {
        struct mx_str pattern = redis_reply_str(redis_reply_at(page, i));
        struct list_entry entry = {.pattern = pattern};
        entry.listing = store_listing_parse(redis_reply_str(redis_reply_at(page, i + 1)),
                                            &entry.since_ms);
        if (entry.listing == STORE_NOT_LISTED || pattern.n > STORE_PATTERN_MAX ||
            mx_str_eq(pattern, MX_STR(STORE_KINDS_FIELD)))
            continue;
        if (list->n == list->room) {
            list->room = list->room ? 2 * list->room : PAGE;
            list->v = mx_xrealloc(list->v, list->room * sizeof(list->v[0]));
        }
        entry.pattern = mx_str_dup(list->arena, pattern);
        list->v[list->n++] = entry;
    }
}

static int by_pattern(const void *a, const void *b)
{
    const struct list_entry *left = a, *right = b;
    return mx_str_icmp(left->pattern, right->pattern);
}

static int read_list(struct store_admin *admin, struct mx_str key, struct list *list,
                     struct mx_err *err)
{
    char cursor[STORE_CURSOR_MAX] = "0";
    do {
        struct redis_args args;
        struct redisReply *reply = NULL;
        redis_args_init(&args, "HSCAN");
        redis_args_str(&args, key);
        redis_args_text(&args, cursor);
        if (scan_page(admin, &args, cursor, &reply, err) != 0)
            return -1;
        add_entries(list, redis_reply_at(reply, 1));
        redis_sync_free_reply(reply);
    } while (strcmp(cursor, "0") != 0 && list->n < LIST_MAX);
    return 0;
}

int store_admin_list_each(struct store_admin *admin, struct mx_str scope,
                          void (*fn)(void *user, struct mx_str pattern,
                                     enum store_listing listing, int64_t since_ms),
                          void *user, struct mx_err *err)
{
    struct list list = {.arena = mx_arena_new(LIST_ARENA)};
    struct store_key key;
    int status = -1;
    if (store_scope_normalise(list.arena, scope, &scope, err) != 0 ||
        read_list(admin, store_keys_list(&key, scope), &list, err) != 0)
        goto done;
    if (list.n > 0)
        qsort(list.v, list.n, sizeof(list.v[0]), by_pattern);
    for (size_t i = 0; i < list.n; i++) {
        bool is_again = i > 0 && mx_str_eq(list.v[i].pattern, list.v[i - 1].pattern);
        if (!is_again)
            fn(user, list.v[i].pattern, list.v[i].listing, list.v[i].since_ms);
    }
    status = 0;
done:
    free(list.v);
    mx_arena_free(list.arena);
    return status;
}

/* Three commands tell all on one tuple; their replies come in this order. */
enum { GREY_FIELDS, GREY_TTL, GREY_COUNTER, GREY_REPLIES };

static void send_grey(struct store_admin *admin, struct mx_str key)
{
    static const char *const fields[] = {"f", "l", "n", "t"};
    struct redis_args args;
    struct store_key counter;
    redis_args_init(&args, "HMGET");
    redis_args_str(&args, key);
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        redis_args_text(&args, fields[i]);
    redis_sync_send(admin->sync, &args);
    redis_args_init(&args, "PTTL");
    redis_args_str(&args, key);
    redis_sync_send(admin->sync, &args);
    redis_args_init(&args, "GET");
    redis_args_str(&args, store_keys_counter_of(&counter, key));
    redis_sync_send(admin->sync, &args);
}

static int read_grey(struct mx_arena *arena, struct redisReply *const *replies,
                     struct store_grey_entry *out)
{
    const struct redisReply *fields = replies[GREY_FIELDS];
    struct mx_str text = redis_reply_str(redis_reply_at(fields, 3));
    out->tuple = mx_str_dup(arena, mx_str_sub(text, 0, STORE_TUPLE_TEXT_MAX));
    if (redis_reply_int(redis_reply_at(fields, 0), &out->first_ms) != 0 ||
        redis_reply_int(redis_reply_at(fields, 1), &out->last_ms) != 0 ||
        redis_reply_int(redis_reply_at(fields, 2), &out->passes) != 0 ||
        redis_reply_int(replies[GREY_TTL], &out->ttl_ms) != 0)
        return -1;
    return redis_reply_int(replies[GREY_COUNTER], &out->pool_passes);
}

/* Returns 1 with ${out} filled, 0 when the entry is gone or none of ours, -1 when Redis
   is. Each reply is fetched whatever the ones before it were. */
static int fetch_grey(struct store_admin *admin, struct mx_arena *arena,
                      struct mx_str key, struct store_grey_entry *out, struct mx_err *err)
{
    struct redisReply *replies[GREY_REPLIES] = {NULL};
    struct mx_err why = {.code = MX_ERR_NONE};
    bool is_ours = store_keys_pool_of(arena, key, &out->pool) == 0;
    bool is_down = false;
    if (!is_ours || key.n >= STORE_KEY_MAX)
        return 0;
    send_grey(admin, key);
    for (int i = 0; i < GREY_REPLIES; i++) {
        if (redis_sync_reply(admin->sync, &replies[i], &why) != 0) {
            is_ours = false;
            is_down |= why.code == MX_ERR_DOWN;
        }
    }
    if (is_ours)
        is_ours = read_grey(arena, replies, out) == 0 && out->first_ms > 0;
    for (int i = 0; i < GREY_REPLIES; i++)
        redis_sync_free_reply(replies[i]);
    if (is_down)
        return mx_err_set(err, why.code, "%s", why.text);
    return is_ours;
}

struct grey_walk {
    struct mx_arena *arena; /* of one page */
    size_t left;            /* entries that may still be told */
    void (*fn)(void *user, const struct store_grey_entry *entry);
    void *user;
};

static int tell_grey_page(struct store_admin *admin, const struct redisReply *page,
                          struct grey_walk *walk, struct mx_err *err)
{
    for (size_t i = 0; i < redis_reply_count(page) && walk->left > 0; i++) {
        struct store_grey_entry entry = {.first_ms = 0};
        mx_arena_reset(walk->arena);
        int found = fetch_grey(admin, walk->arena,
                               redis_reply_str(redis_reply_at(page, i)), &entry, err);
        if (found < 0)
            return -1;
        if (found == 0)
            continue;
        walk->left--;
        walk->fn(walk->user, &entry);
    }
    return 0;
}

int store_admin_scan_keys(struct store_admin *admin, struct mx_str glob,
                          char cursor[static STORE_CURSOR_MAX], struct redisReply **out,
                          struct mx_err *err)
{
    struct redis_args args;
    redis_args_init(&args, "SCAN");
    redis_args_text(&args, cursor);
    redis_args_text(&args, "MATCH");
    redis_args_str(&args, glob);
    return scan_page(admin, &args, cursor, out, err);
}

int store_admin_grey_each(struct store_admin *admin, struct mx_str pool, size_t max,
                          void (*fn)(void *user, const struct store_grey_entry *entry),
                          void *user, struct mx_err *err)
{
    struct grey_walk walk = {
        .arena = mx_arena_new(PAGE_ARENA), .left = max, .fn = fn, .user = user};
    char cursor[STORE_CURSOR_MAX] = "0";
    struct store_key glob;
    int status = 0;
    store_keys_tuples_glob(&glob, pool);
    do {
        struct redisReply *reply = NULL;
        status = store_admin_scan_keys(admin, mx_str_of(glob.text, glob.n), cursor,
                                       &reply, err);
        if (status == 0)
            status = tell_grey_page(admin, redis_reply_at(reply, 1), &walk, err);
        redis_sync_free_reply(reply);
    } while (status == 0 && strcmp(cursor, "0") != 0 && walk.left > 0);
    mx_arena_free(walk.arena);
    return status;
}

/* One key a command: in a cluster they live on different servers. */
static int clear_page(struct store_admin *admin, const struct redisReply *page,
                      int64_t *cleared, struct mx_err *err)
{
    for (size_t i = 0; i < redis_reply_count(page); i++) {
        struct redis_args args;
        struct redisReply *reply = NULL;
        int64_t n = 0;
        struct mx_str key = redis_reply_str(redis_reply_at(page, i));
        redis_args_init(&args, "UNLINK");
        redis_args_str(&args, key);
        if (redis_sync_run(admin->sync, &args, &reply, err) != 0)
            return -1;
        if (redis_reply_int(reply, &n) == 0 && mx_str_find(key, MX_STR("}:t:")) >= 0)
            *cleared += n;
        redis_sync_free_reply(reply);
    }
    return 0;
}

int store_admin_grey_clear(struct store_admin *admin, struct mx_str pool,
                           int64_t *out_cleared, struct mx_err *err)
{
    char cursor[STORE_CURSOR_MAX] = "0";
    struct store_key glob;
    int64_t cleared = 0;
    int status = 0;
    store_keys_pools_glob(&glob, pool);
    do {
        struct redisReply *reply = NULL;
        status = store_admin_scan_keys(admin, mx_str_of(glob.text, glob.n), cursor,
                                       &reply, err);
        if (status == 0)
            status = clear_page(admin, redis_reply_at(reply, 1), &cleared, err);
        redis_sync_free_reply(reply);
    } while (status == 0 && strcmp(cursor, "0") != 0);
    if (status == 0)
        *out_cleared = cleared;
    return status;
}

/* The value of "name:value" in INFO; missing where there is none. */
static struct mx_str info_value(struct mx_str info, const char *name)
{
    struct mx_str line, wanted = mx_str(name);
    while (mx_str_next(&info, '\n', &line) == 0)
        if (mx_str_starts(line, wanted) && line.n > wanted.n && line.p[wanted.n] == ':')
            return mx_str_trim(mx_str_sub(line, wanted.n + 1, line.n));
    return MX_STR_NONE;
}

static void info_text(struct mx_str value, char *out, size_t size)
{
    snprintf(out, size, "%.*s", MX_STR_FMT(value));
}

static void read_info(struct mx_str info, struct store_info *out)
{
    bool is_append_only = mx_str_eq(info_value(info, "aof_enabled"), MX_STR("1"));
    info_text(info_value(info, "redis_version"), out->version, sizeof(out->version));
    info_text(info_value(info, "role"), out->role, sizeof(out->role));
    info_text(is_append_only ? MX_STR("append-only") : MX_STR("no append-only file"),
              out->persistence, sizeof(out->persistence));
    if (mx_str_to_int(info_value(info, "used_memory"), 0, INT64_MAX, &out->used_memory,
                      NULL) != 0)
        out->used_memory = 0;
}

int store_admin_info(struct store_admin *admin, struct store_info *out,
                     struct mx_err *err)
{
    static const char *const commands[][2] = {
        {"INFO", NULL}, {"DBSIZE", NULL}, {"GET", STORE_EPOCH_KEY}};
    struct redisReply *replies[3] = {NULL};
    struct store_info info = {.keys = 0};
    struct redis_args args;
    int status = 0;
    for (size_t i = 0; i < 3 && status == 0; i++) {
        redis_args_init(&args, commands[i][0]);
        if (commands[i][1])
            redis_args_text(&args, commands[i][1]);
        status = redis_sync_run(admin->sync, &args, &replies[i], err);
    }
    if (status == 0) {
        read_info(redis_reply_str(replies[0]), &info);
        if (redis_reply_int(replies[1], &info.keys) != 0 ||
            redis_reply_int(replies[2], &info.since_ms) != 0)
            status = mx_err_set(err, MX_ERR_SYSTEM, "Redis: foreign values in our keys");
    }
    if (status == 0)
        *out = info;
    for (size_t i = 0; i < 3; i++)
        redis_sync_free_reply(replies[i]);
    return status;
}
