/*
 * A store in front of two. Everything goes to our own store; for a batch that asks about
 * quotas the usage is asked of Dovecot's Redis besides, and when both have answered, the
 * one is written over the other. Modules and chain know nothing of it.
 *
 * Dovecot's driver speaks plain Redis to one server, writes absolute numbers with a lag
 * of up to ten seconds, and knows no limits: those are ours. The mailbox id is taken for
 * Dovecot's user name. Nothing is ever written there.
 */
#include "store_dovecot.h"

#include <stdlib.h>

#include "mx_arena.h"

struct store_dovecot {
    struct store store;
    struct store *own, *dovecot;
    struct mx_str prefix;
};

/* One batch on its way; lives in the request's arena. */
struct joined {
    struct store_batch *outer;
    struct store_batch own, dovecot;
    unsigned waiting;
};

static struct store_dovecot *of(struct store *store)
{
    return (struct store_dovecot *)store;
}

/* Answers of ${joined}->dovecot come in the order of the quota questions. */
static void join_usage(struct joined *joined)
{
    struct store_batch *outer = joined->outer;
    for (size_t i = 0, at = 0; i < outer->n; i++) {
        if (outer->questions[i].kind != STORE_QUOTA)
            continue;
        const struct store_answer *usage = &joined->dovecot.answers[at++];
        struct store_answer *quota = &outer->answers[i];
        quota->is_known = quota->is_known && usage->is_known;
        if (!quota->is_known) {
            *quota = (struct store_answer){.is_known = false};
        } else if (usage->quota.has_used) {
            quota->quota.has_used = true;
            quota->quota.used = usage->quota.used;
        }
    }
}

static void on_part(struct store_batch *part)
{
    struct joined *joined = part->user;
    struct store_batch *outer = joined->outer;
    if (--joined->waiting > 0)
        return;
    join_usage(joined);
    outer->fault = joined->own.fault ? joined->own.fault : joined->dovecot.fault;
    outer->done(outer);
}

static size_t count_quotas(const struct store_batch *batch)
{
    size_t n = 0;
    for (size_t i = 0; i < batch->n; i++)
        n += batch->questions[i].kind == STORE_QUOTA;
    return n;
}

static void fill_dovecot(const struct store_dovecot *self, struct joined *joined,
                         size_t n)
{
    const struct store_batch *outer = joined->outer;
    struct store_question *questions =
        mx_arena_array(outer->arena, n, sizeof(*questions));
    size_t at = 0;
    for (size_t i = 0; i < outer->n; i++) {
        if (outer->questions[i].kind != STORE_QUOTA)
            continue;
        questions[at].kind = STORE_DOVECOT;
        questions[at].dovecot.prefix = self->prefix;
        questions[at++].dovecot.username = outer->questions[i].mailbox;
    }
    joined->dovecot = *outer;
    joined->dovecot.questions = questions;
    joined->dovecot.answers =
        mx_arena_array(outer->arena, n, sizeof(*joined->dovecot.answers));
    joined->dovecot.n = n;
}

static void dovecot_ask(struct store *store, struct store_batch *batch)
{
    struct store_dovecot *self = of(store);
    size_t n = count_quotas(batch);
    if (n == 0) {
        store_ask(self->own, batch);
        return;
    }
    struct joined *joined = mx_arena_alloc(batch->arena, sizeof(*joined));
    joined->outer = batch;
    joined->waiting = 2;
    fill_dovecot(self, joined, n);
    joined->own = *batch;
    joined->own.done = joined->dovecot.done = on_part;
    joined->own.user = joined->dovecot.user = joined;
    store_ask(self->dovecot, &joined->dovecot);
    store_ask(self->own, &joined->own);
}

static void dovecot_tell(struct store *store, const struct store_effect *effects,
                         size_t n)
{
    store_tell(of(store)->own, effects, n);
}

static void dovecot_stats(const struct store *store, struct store_stats *out)
{
    store_stats(((const struct store_dovecot *)store)->own, out);
}

static bool dovecot_is_up(const struct store *store)
{
    return store_is_up(((const struct store_dovecot *)store)->own);
}

static void dovecot_free(struct store *store)
{
    store_free(of(store)->dovecot);
    store_free(of(store)->own);
    free(store);
}

struct store *store_dovecot_new(struct store *store, struct store *dovecot,
                                const char *prefix)
{
    static const struct store_ops ops = {
        .ask = dovecot_ask,
        .tell = dovecot_tell,
        .stats = dovecot_stats,
        .is_up = dovecot_is_up,
        .free = dovecot_free,
    };
    struct store_dovecot *self = mx_xalloc(sizeof(*self));
    *self = (struct store_dovecot){{&ops}, store, dovecot, mx_str(prefix)};
    return &self->store;
}
