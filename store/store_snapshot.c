/*
 * A store in front of another one. Answers pass through; on their way each positive one
 * about a list is put into a table of fixed size, each pattern that was ahead of it or
 * was not found is taken out. When the store cannot say, the most specific pattern that
 * the table has answers.
 *
 * The table is direct-mapped: a newer entry displaces the one in its slot, which costs
 * that one its answer while the store is down and nothing else. Keys are kept and
 * compared whole: no sender can make up a text that passes for an allowed one. A few
 * hundred KiB per worker at most.
 *
 * Left out: quota, greylist and rates (neutral while the store is down, and what was true
 * a minute ago is wrong now); sharing between workers; keeping it over a restart.
 */
#include "store_snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "mx_arena.h"
#include "mx_time.h"
#include "store_pattern.h"

#define KEY_MAX (2 * STORE_PATTERN_MAX + 1) /* bytes: what the store itself takes */

struct slot {
    char *key; /* scope, NUL, pattern; NULL: free */
    size_t n;
    enum store_listing listing;
    int64_t seen_ms;
};

struct store_snapshot {
    struct store store;
    struct store *inner;
    const struct mx_clock *clock;
    uint64_t kinds; /* of patterns that were ever put in: no need to look for others */
    struct slot slots[STORE_SNAPSHOT_SLOTS];
};

/* One batch on its way; lives in the request's arena. */
struct passing {
    struct store_snapshot *self;
    struct store_batch *outer;
    struct store_batch inner;
};

static struct store_snapshot *of(struct store *store)
{
    return (struct store_snapshot *)store;
}

static struct mx_str key_of(struct mx_arena *arena, const struct store_list_query *query,
                            size_t at)
{
    char room[MX_NET_TEXT_MAX];
    struct mx_str scope = query->scope, pattern = store_list_pattern(query, at, room);
    char *key = mx_arena_alloc(arena, scope.n + 1 + pattern.n);
    if (scope.n > 0)
        memcpy(key, scope.p, scope.n);
    key[scope.n] = '\0';
    if (pattern.n > 0)
        memcpy(key + scope.n + 1, pattern.p, pattern.n);
    return mx_str_of(key, scope.n + 1 + pattern.n);
}

static struct slot *slot_of(struct store_snapshot *self, struct mx_str key)
{
    return &self->slots[mx_str_hash(key) % STORE_SNAPSHOT_SLOTS];
}

static bool holds(const struct slot *slot, struct mx_str key)
{
    return slot->key != NULL && mx_str_eq(mx_str_of(slot->key, slot->n), key);
}

static void forget(struct store_snapshot *self, struct mx_str key)
{
    struct slot *slot = slot_of(self, key);
    if (!holds(slot, key))
        return;
    free(slot->key);
    *slot = (struct slot){0};
}

static void remember(struct store_snapshot *self, struct mx_str key,
                     enum store_listing listing)
{
    struct slot *slot = slot_of(self, key);
    if (key.n > KEY_MAX)
        return;
    if (!holds(slot, key)) {
        free(slot->key);
        slot->key = mx_xalloc(key.n + 1);
        memcpy(slot->key, key.p, key.n);
        slot->n = key.n;
    }
    slot->listing = listing;
    slot->seen_ms = mx_mono_ms(self->clock);
}

/* The store has spoken: patterns ahead of the one that matched are on no list. */
static void learn(struct store_snapshot *self, struct mx_arena *arena,
                  const struct store_list_query *query, const struct store_answer *answer)
{
    bool is_listed = answer->list.listing != STORE_NOT_LISTED;
    size_t n = store_list_count(query), ahead = is_listed ? answer->list.pattern : n;
    for (size_t i = 0; i < ahead && i < n && self->kinds != 0; i++)
        if (self->kinds & store_list_kind(query, i))
            forget(self, key_of(arena, query, i));
    if (is_listed && ahead < n) {
        self->kinds |= store_list_kind(query, ahead);
        remember(self, key_of(arena, query, ahead), answer->list.listing);
    }
}

static void recall(struct store_snapshot *self, struct mx_arena *arena,
                   const struct store_list_query *query, struct store_answer *answer)
{
    int64_t now_ms = mx_mono_ms(self->clock);
    for (size_t i = 0; i < store_list_count(query) && self->kinds != 0; i++) {
        if (!(self->kinds & store_list_kind(query, i)))
            continue;
        struct mx_str key = key_of(arena, query, i);
        const struct slot *slot = slot_of(self, key);
        if (!holds(slot, key) || now_ms - slot->seen_ms > STORE_SNAPSHOT_AGE_MS)
            continue;
        answer->is_known = true;
        answer->list.listing = slot->listing;
        answer->list.pattern = i;
        return;
    }
}

static void on_done(struct store_batch *inner)
{
    struct passing *passing = inner->user;
    struct store_batch *outer = passing->outer;
    for (size_t i = 0; i < outer->n; i++) {
        const struct store_question *question = &outer->questions[i];
        if (question->kind != STORE_LIST_MATCH)
            continue;
        if (outer->answers[i].is_known)
            learn(passing->self, outer->arena, &question->list, &outer->answers[i]);
        else
            recall(passing->self, outer->arena, &question->list, &outer->answers[i]);
    }
    outer->fault = inner->fault;
    outer->done(outer);
}

static void snapshot_ask(struct store *store, struct store_batch *batch)
{
    struct passing *passing = mx_arena_alloc(batch->arena, sizeof(*passing));
    passing->self = of(store);
    passing->outer = batch;
    passing->inner = *batch; /* the answers are the caller's */
    passing->inner.done = on_done;
    passing->inner.user = passing;
    store_ask(passing->self->inner, &passing->inner);
}

static void snapshot_tell(struct store *store, const struct store_effect *effects,
                          size_t n)
{
    store_tell(of(store)->inner, effects, n);
}

static void snapshot_stats(const struct store *store, struct store_stats *out)
{
    store_stats(((const struct store_snapshot *)store)->inner, out);
}

static bool snapshot_is_up(const struct store *store)
{
    return store_is_up(((const struct store_snapshot *)store)->inner);
}

/* The inner store ends its batches first: they still look into the table. */
static void snapshot_free(struct store *store)
{
    struct store_snapshot *self = of(store);
    store_free(self->inner);
    for (size_t i = 0; i < STORE_SNAPSHOT_SLOTS; i++)
        free(self->slots[i].key);
    free(self);
}

struct store *store_snapshot_new(struct store *store, const struct mx_clock *clock)
{
    static const struct store_ops ops = {
        .ask = snapshot_ask,
        .tell = snapshot_tell,
        .stats = snapshot_stats,
        .is_up = snapshot_is_up,
        .free = snapshot_free,
    };
    struct store_snapshot *self = mx_xalloc(sizeof(*self));
    self->store.ops = &ops;
    self->inner = store;
    self->clock = clock;
    return &self->store;
}
