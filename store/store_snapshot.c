/*
 * A store in front of another one. Answers pass through, and some of what they say is
 * kept for the time when the store cannot say:
 *
 * - lists: each positive answer is put into a table, each pattern that was ahead of it or
 *   was not found is taken out; the most specific pattern that the table has answers;
 * - quotas: limit and usage of mailboxes, for some minutes. Since when a mailbox is over,
 *   and when its owner was here, is left out, so that nothing is refused for good by it;
 * - rates: the same buckets, kept here, empty at the beginning. Each worker has its own,
 *   so that a client may get as many times its limit as there are workers.
 *
 * Each table has a fixed size: an entry may be displaced by a newer one, which costs it
 * its answer while the store is down and nothing else. Some MiB per worker, at most 13:
 * three tables of keys of up to 1 KiB.
 *
 * Left out: greylist and choices (neutral while the store is down); sharing between
 * workers; keeping it over a restart.
 */
#include "store_snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "mx_arena.h"
#include "mx_time.h"
#include "store_pattern.h"
#include "store_rate.h"
#include "store_slots.h"

#define NO_USAGE (-1) /* of a mailbox whose usage the store does not know */

struct store_snapshot {
    struct store store;
    struct store *inner;
    const struct mx_clock *clock;
    bool is_alone;  /* the last batch was not answered: rates are counted here */
    uint64_t kinds; /* of patterns that were ever put in: no need to look for others */
    struct store_slots lists;  /* scope, NUL, pattern: its listing */
    struct store_slots quotas; /* mailbox: limit and usage in bytes */
    struct store_slots rates;  /* name: theoretical arrival time, microseconds */
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

/* ---- lists ---- */

/* The store has spoken: patterns ahead of the one that matched are on no list. */
static void learn_list(struct store_snapshot *self, struct mx_arena *arena,
                       const struct store_list_query *query,
                       const struct store_answer *answer)
{
    bool is_listed = answer->list.listing != STORE_NOT_LISTED;
    size_t n = store_list_count(query), ahead = is_listed ? answer->list.pattern : n;
    for (size_t i = 0; i < ahead && i < n && self->kinds != 0; i++)
        if (self->kinds & store_list_kind(query, i))
            store_slots_forget(&self->lists, key_of(arena, query, i));
    if (is_listed && ahead < n) {
        int64_t value[2] = {answer->list.listing, 0};
        self->kinds |= store_list_kind(query, ahead);
        store_slots_put(&self->lists, key_of(arena, query, ahead), value,
                        mx_mono_ms(self->clock));
    }
}

static void recall_list(struct store_snapshot *self, struct mx_arena *arena,
                        const struct store_list_query *query, struct store_answer *answer)
{
    int64_t now_ms = mx_mono_ms(self->clock);
    for (size_t i = 0; i < store_list_count(query) && self->kinds != 0; i++) {
        if (!(self->kinds & store_list_kind(query, i)))
            continue;
        const struct store_slot *slot =
            store_slots_get(&self->lists, key_of(arena, query, i));
        if (slot == NULL || now_ms - slot->seen_ms > STORE_SNAPSHOT_LIST_AGE_MS)
            continue;
        answer->is_known = true;
        answer->list.listing = (enum store_listing)slot->value[0];
        answer->list.pattern = i;
        return;
    }
}

/* ---- quotas ---- */

static void learn_quota(struct store_snapshot *self, struct mx_str mailbox,
                        const struct store_answer *answer)
{
    int64_t value[2] = {answer->quota.limit,
                        answer->quota.has_used ? answer->quota.used : NO_USAGE};
    if (answer->quota.has_limit)
        store_slots_put(&self->quotas, mailbox, value, mx_mono_ms(self->clock));
    else
        store_slots_forget(&self->quotas, mailbox);
}

static void recall_quota(struct store_snapshot *self, struct mx_str mailbox,
                         struct store_answer *answer)
{
    const struct store_slot *slot = store_slots_get(&self->quotas, mailbox);
    if (slot == NULL ||
        mx_mono_ms(self->clock) - slot->seen_ms > STORE_SNAPSHOT_QUOTA_AGE_MS)
        return;
    answer->is_known = true;
    answer->quota.has_limit = true;
    answer->quota.limit = slot->value[0];
    answer->quota.has_used = slot->value[1] != NO_USAGE;
    answer->quota.used = answer->quota.has_used ? slot->value[1] : 0;
}

/* ---- rates ---- */

static int64_t arrival_us(struct store_snapshot *self, struct mx_str name)
{
    const struct store_slot *slot = store_slots_get(&self->rates, name);
    return slot != NULL ? slot->value[0] : 0;
}

static void judge_rate(struct store_snapshot *self, const struct store_rate_query *query,
                       struct store_answer *answer)
{
    answer->is_known = true;
    store_rate_judge(query, arrival_us(self, query->name), answer);
}

static void hit_rate(struct store_snapshot *self, const struct store_rate_query *query)
{
    int64_t value[2] = {store_rate_move(query, arrival_us(self, query->name)), 0};
    store_slots_put(&self->rates, query->name, value, query->now_ms);
}

/* ---- answers and effects on their way ---- */

static void learn(struct store_snapshot *self, struct mx_arena *arena,
                  const struct store_question *question,
                  const struct store_answer *answer)
{
    if (question->kind == STORE_LIST_MATCH)
        learn_list(self, arena, &question->list, answer);
    else if (question->kind == STORE_QUOTA)
        learn_quota(self, question->mailbox, answer);
}

static void recall(struct store_snapshot *self, struct mx_arena *arena,
                   const struct store_question *question, struct store_answer *answer)
{
    if (question->kind == STORE_LIST_MATCH)
        recall_list(self, arena, &question->list, answer);
    else if (question->kind == STORE_QUOTA)
        recall_quota(self, question->mailbox, answer);
    else if (question->kind == STORE_RATE)
        judge_rate(self, &question->rate, answer);
}

static void on_done(struct store_batch *inner)
{
    struct passing *passing = inner->user;
    struct store_batch *outer = passing->outer;
    passing->self->is_alone = inner->fault != NULL;
    for (size_t i = 0; i < outer->n; i++) {
        if (outer->answers[i].is_known)
            learn(passing->self, outer->arena, &outer->questions[i], &outer->answers[i]);
        else
            recall(passing->self, outer->arena, &outer->questions[i], &outer->answers[i]);
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
    struct store_snapshot *self = of(store);
    for (size_t i = 0; i < n && self->is_alone; i++)
        if (effects[i].kind == STORE_RATE_HIT)
            hit_rate(self, &effects[i].rate);
    store_tell(self->inner, effects, n);
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
    store_slots_fini(&self->lists);
    store_slots_fini(&self->quotas);
    store_slots_fini(&self->rates);
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
