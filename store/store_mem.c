/*
 * The store in memory: one uthash table whose keys are the very keys that Redis would
 * have, so that both stores agree on what is the same scope, pool or tuple. Answers come
 * before store_ask returns. An entry whose time has come is treated as missing and goes
 * when it is met, or when the table is full and swept; entries past the bound are lost,
 * as they would be in a Redis without memory.
 *
 * What is kept is lost with the process: for tests, replay and trials.
 */
#include "store_mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "mx_arena.h"
#include "mx_time.h"
#include "store_keys.h"
#include "store_pattern.h"
#include "store_rate.h"

#define ENTRIES_MAX 1000000u /* about 400 bytes each */
#define SWEEP_MS 1000
#define MEM_KEY_MAX (STORE_KEY_MAX + STORE_PATTERN_MAX + 1)

struct entry {
    UT_hash_handle hh;
    int64_t expires_ms; /* monotonic; 0: never */
    union {
        enum store_listing listing;
        int64_t number; /* passes of a pool; since when: epoch, over; a bucket's time */
        struct store_mem_quota quota;
        struct store_prefs prefs;
        struct {
            int64_t first_ms, last_ms, passes;
        } grey;
    };
    size_t key_n;
    char key[];
};

struct store_mem {
    struct store store;
    const struct mx_clock *clock;
    struct entry *entries;
    int64_t next_sweep_ms;
    const char *fault;
    struct store_stats stats;
};

static struct store_mem *mem_of(struct store *store)
{
    return (struct store_mem *)store;
}

static void entry_drop(struct store_mem *mem, struct entry *entry)
{
    HASH_DEL(mem->entries, entry);
    free(entry);
}

static bool has_expired(const struct entry *entry, int64_t now_ms)
{
    return entry->expires_ms != 0 && entry->expires_ms <= now_ms;
}

static struct entry *find(struct store_mem *mem, struct mx_str key)
{
    struct entry *entry = NULL;
    HASH_FIND(hh, mem->entries, key.p, key.n, entry);
    if (entry && has_expired(entry, mx_mono_ms(mem->clock))) {
        entry_drop(mem, entry);
        return NULL;
    }
    return entry;
}

/* At most once a second: a full table must not cost a walk for each new entry. */
static void sweep(struct store_mem *mem)
{
    int64_t now_ms = mx_mono_ms(mem->clock);
    struct entry *entry, *next;
    if (now_ms < mem->next_sweep_ms)
        return;
    mem->next_sweep_ms = now_ms + SWEEP_MS;
    HASH_ITER(hh, mem->entries, entry, next)
    {
        if (has_expired(entry, now_ms))
            entry_drop(mem, entry);
    }
}

/* The entry of that key, made where there is none; NULL when the table is full. */
static struct entry *find_or_add(struct store_mem *mem, struct mx_str key)
{
    struct entry *entry = find(mem, key);
    if (entry)
        return entry;
    if (HASH_COUNT(mem->entries) >= ENTRIES_MAX)
        sweep(mem);
    if (HASH_COUNT(mem->entries) >= ENTRIES_MAX)
        return NULL;
    entry = mx_xalloc(sizeof(*entry) + key.n);
    entry->key_n = key.n;
    memcpy(entry->key, key.p, key.n);
    HASH_ADD_KEYPTR(hh, mem->entries, entry->key, entry->key_n, entry);
    return entry;
}

/* A pattern on a list: the list's key, a space, the pattern. */
static struct mx_str list_key(char text[static MEM_KEY_MAX], struct mx_str scope,
                              struct mx_str pattern)
{
    struct store_key list;
    store_keys_list(&list, scope);
    size_t n = pattern.n < STORE_PATTERN_MAX ? pattern.n : STORE_PATTERN_MAX;
    int written = snprintf(text, MEM_KEY_MAX, "%s ", list.text);
    if (n > 0)
        memcpy(text + written, pattern.p, n);
    return mx_str_of(text, (size_t)written + n);
}

static void answer_list(struct store_mem *mem, const struct store_question *question,
                        struct store_answer *out)
{
    char text[MEM_KEY_MAX], room[MX_NET_TEXT_MAX];
    const struct store_list_query *query = &question->list;
    for (size_t i = 0; i < store_list_count(query); i++) {
        struct mx_str pattern = store_list_pattern(query, i, room);
        struct entry *entry = find(mem, list_key(text, query->scope, pattern));
        if (entry) {
            out->list.listing = entry->listing;
            out->list.pattern = i;
            return;
        }
    }
}

static void answer_grey(struct store_mem *mem, const struct store_question *question,
                        struct store_answer *out)
{
    struct store_key key;
    const struct store_grey_query *query = &question->grey;
    struct entry *tuple = find(mem, store_keys_tuple(&key, query->pool, query->tuple));
    struct entry *pool = find(mem, store_keys_pool(&key, query->pool));
    if (tuple) {
        out->grey.first_ms = tuple->grey.first_ms;
        out->grey.last_ms = tuple->grey.last_ms;
        out->grey.passes = tuple->grey.passes;
    }
    out->grey.pool_passes = pool ? pool->number : 0;
}

static void answer_epoch(struct store_mem *mem, const struct store_question *question,
                         struct store_answer *out)
{
    (void)question;
    struct entry *epoch = find(mem, MX_STR(STORE_EPOCH_KEY));
    out->epoch.since_ms = epoch ? epoch->number : 0;
}

static void answer_rate(struct store_mem *mem, const struct store_question *question,
                        struct store_answer *out)
{
    struct store_key key;
    struct entry *bucket = find(mem, store_keys_rate(&key, question->rate.name));
    store_rate_judge(&question->rate, bucket ? bucket->number : 0, out);
}

static void answer_quota(struct store_mem *mem, const struct store_question *question,
                         struct store_answer *out)
{
    struct store_key key;
    struct entry *quota = find(mem, store_keys_quota(&key, question->mailbox));
    struct entry *over = find(mem, store_keys_over(&key, question->mailbox));
    if (quota) {
        out->quota.has_limit = quota->quota.limit >= 0;
        out->quota.has_used = quota->quota.used >= 0;
        out->quota.limit = out->quota.has_limit ? quota->quota.limit : 0;
        out->quota.used = out->quota.has_used ? quota->quota.used : 0;
        out->quota.active_ms = quota->quota.active_ms;
    }
    out->quota.over_since_ms = over ? over->number : 0;
}

static void answer_prefs(struct store_mem *mem, const struct store_question *question,
                         struct store_answer *out)
{
    struct store_key key;
    struct entry *entry = find(mem, store_keys_prefs(&key, question->prefs.scope));
    if (entry)
        store_prefs_pick(&entry->prefs, question->prefs.which, &out->prefs);
}

/* Nobody writes as Dovecot does here: usage is not known. */
static void answer_dovecot(struct store_mem *mem, const struct store_question *question,
                           struct store_answer *out)
{
    (void)mem;
    (void)question;
    out->quota.has_used = false;
}

/* By enum store_kind. */
static void (*const answers[])(struct store_mem *, const struct store_question *,
                               struct store_answer *) = {
    [STORE_LIST_MATCH] = answer_list, [STORE_GREY_SEEN] = answer_grey,
    [STORE_EPOCH] = answer_epoch,     [STORE_RATE] = answer_rate,
    [STORE_QUOTA] = answer_quota,     [STORE_PREFS_OF] = answer_prefs,
    [STORE_DOVECOT] = answer_dovecot,
};

static void mem_ask(struct store *store, struct store_batch *batch)
{
    struct store_mem *mem = mem_of(store);
    batch->fault = mem->fault;
    if (mem->fault) {
        mem->stats.unknown += batch->n;
    } else {
        mem->stats.round_trips++;
        for (size_t i = 0; i < batch->n; i++) {
            answers[batch->questions[i].kind](mem, &batch->questions[i],
                                              &batch->answers[i]);
            batch->answers[i].is_known = true;
            mem->stats.commands++;
        }
    }
    batch->done(batch);
}

static bool expire_in(struct store_mem *mem, struct entry *entry, int64_t ttl_ms)
{
    entry->expires_ms = mx_mono_ms(mem->clock) + ttl_ms;
    return true;
}

static bool apply_grey_first(struct store_mem *mem, const struct store_effect *effect)
{
    struct store_key text;
    struct mx_str key = store_keys_tuple(&text, effect->grey.pool, effect->grey.tuple);
    if (find(mem, key))
        return true;
    struct entry *tuple = find_or_add(mem, key);
    if (tuple == NULL)
        return false;
    tuple->grey.first_ms = tuple->grey.last_ms = effect->now_ms;
    return expire_in(mem, tuple, effect->ttl_ms);
}

static bool apply_grey_pass(struct store_mem *mem, const struct store_effect *effect)
{
    struct store_key text;
    struct entry *tuple =
        find_or_add(mem, store_keys_tuple(&text, effect->grey.pool, effect->grey.tuple));
    struct entry *pool = find_or_add(mem, store_keys_pool(&text, effect->grey.pool));
    if (tuple == NULL || pool == NULL)
        return false;
    if (tuple->grey.first_ms == 0)
        tuple->grey.first_ms = effect->now_ms;
    tuple->grey.last_ms = effect->now_ms;
    tuple->grey.passes++;
    pool->number++;
    expire_in(mem, tuple, effect->ttl_ms);
    return expire_in(mem, pool, effect->ttl_ms);
}

static bool apply_epoch_set(struct store_mem *mem, const struct store_effect *effect)
{
    if (find(mem, MX_STR(STORE_EPOCH_KEY)))
        return true;
    struct entry *epoch = find_or_add(mem, MX_STR(STORE_EPOCH_KEY));
    if (epoch == NULL)
        return false;
    epoch->number = effect->now_ms;
    return effect->ttl_ms == 0 || expire_in(mem, epoch, effect->ttl_ms);
}

static bool apply_rate_hit(struct store_mem *mem, const struct store_effect *effect)
{
    struct store_key text;
    const struct store_rate_query *rate = &effect->rate;
    struct entry *bucket = find_or_add(mem, store_keys_rate(&text, rate->name));
    if (bucket == NULL)
        return false;
    bucket->number = store_rate_move(rate, bucket->number);
    return expire_in(mem, bucket, (bucket->number + 999) / 1000 - rate->now_ms + 1000);
}

static bool apply_quota_over(struct store_mem *mem, const struct store_effect *effect)
{
    struct store_key text;
    struct mx_str key = store_keys_over(&text, effect->mailbox);
    if (find(mem, key))
        return true;
    struct entry *over = find_or_add(mem, key);
    if (over == NULL)
        return false;
    over->number = effect->now_ms;
    return expire_in(mem, over, effect->ttl_ms);
}

static bool apply_quota_under(struct store_mem *mem, const struct store_effect *effect)
{
    struct store_key text;
    struct entry *over = find(mem, store_keys_over(&text, effect->mailbox));
    if (over)
        entry_drop(mem, over);
    return true;
}

/* By enum store_effect_kind. Returns whether there was room. */
static bool (*const effects_table[])(struct store_mem *, const struct store_effect *) = {
    [STORE_GREY_FIRST] = apply_grey_first, [STORE_GREY_PASS] = apply_grey_pass,
    [STORE_EPOCH_SET] = apply_epoch_set,   [STORE_RATE_HIT] = apply_rate_hit,
    [STORE_QUOTA_OVER] = apply_quota_over, [STORE_QUOTA_UNDER] = apply_quota_under,
};

static void mem_tell(struct store *store, const struct store_effect *effects, size_t n)
{
    struct store_mem *mem = mem_of(store);
    for (size_t i = 0; i < n; i++) {
        if (mem->fault == NULL && effects_table[effects[i].kind](mem, &effects[i]))
            mem->stats.effects++;
        else
            mem->stats.lost++;
    }
}

static void mem_stats(const struct store *store, struct store_stats *out)
{
    *out = ((const struct store_mem *)store)->stats;
}

static bool mem_is_up(const struct store *store)
{
    return ((const struct store_mem *)store)->fault == NULL;
}

static void mem_free(struct store *store)
{
    store_mem_flush(store);
    free(store);
}

struct store *store_mem_new(const struct mx_clock *clock)
{
    static const struct store_ops ops = {
        .ask = mem_ask,
        .tell = mem_tell,
        .stats = mem_stats,
        .is_up = mem_is_up,
        .free = mem_free,
    };
    struct store_mem *mem = mx_xalloc(sizeof(*mem));
    mem->store.ops = &ops;
    mem->clock = clock;
    return &mem->store;
}

void store_mem_list(struct store *store, const char *scope, const char *pattern,
                    enum store_listing listing)
{
    char text[MEM_KEY_MAX];
    struct store_mem *mem = mem_of(store);
    struct mx_str key = list_key(text, mx_str(scope), mx_str(pattern));
    struct entry *entry =
        listing == STORE_NOT_LISTED ? find(mem, key) : find_or_add(mem, key);
    if (entry && listing == STORE_NOT_LISTED)
        entry_drop(mem, entry);
    else if (entry)
        entry->listing = listing;
}

void store_mem_quota(struct store *store, const char *mailbox,
                     const struct store_mem_quota *quota)
{
    struct store_key text;
    struct store_mem *mem = mem_of(store);
    struct entry *entry = find_or_add(mem, store_keys_quota(&text, mx_str(mailbox)));
    if (entry)
        entry->quota = *quota;
}

void store_mem_prefs(struct store *store, const char *scope,
                     const struct store_prefs *prefs)
{
    struct store_key text;
    struct store_mem *mem = mem_of(store);
    struct entry *entry = find_or_add(mem, store_keys_prefs(&text, mx_str(scope)));
    if (entry)
        entry->prefs = *prefs;
}

void store_mem_break(struct store *store, const char *fault)
{
    mem_of(store)->fault = fault;
}

void store_mem_flush(struct store *store)
{
    struct store_mem *mem = mem_of(store);
    struct entry *entry, *next;
    HASH_ITER(hh, mem->entries, entry, next)
    {
        entry_drop(mem, entry);
    }
}
