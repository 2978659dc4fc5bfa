/*
 * Both stores give the same answers: each scenario is a table of steps that runs against
 * store_mem and against store_redis on a private redis-server. What only Redis has, round
 * trips, times to live, foreign types, is tested behind it.
 */
#include "store.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "mx_arena.h"
#include "mx_net.h"
#include "mx_time.h"
#include "private_redis.h"
#include "store_admin.h"
#include "store_keys.h"
#include "store_mem.h"
#include "store_redis.h"
#include "uv_wait.h"

#define TTL_MS 3600000
#define S(text)                                                                          \
    {                                                                                    \
        text, sizeof(text) - 1                                                           \
    }

struct bed {
    struct private_redis redis;
    uv_loop_t loop;
    struct store *store;
    struct store *mem;
};

enum op {
    OP_END,
    OP_LIST,
    OP_FIRST,
    OP_PASS,
    OP_EPOCH_SET,
    OP_HIT,
    OP_OVER,
    OP_UNDER,
    OP_QUOTA_SET,
    OP_PREFS_SET,
    OP_MATCH,
    OP_SEEN,
    OP_EPOCH,
    OP_RATE,
    OP_QUOTA,
    OP_PREFS,
};

/* ->a and ->b: scope and pattern, or pool and tuple. */
struct step {
    enum op op;
    struct mx_str a, b, c;
    int64_t now_ms;
    enum store_listing listing;
    int64_t cost; /* of OP_RATE and OP_HIT: of 10 a minute */
    struct store_mem_quota quota;
    struct store_prefs prefs;
    unsigned which; /* of OP_PREFS; 0: all */
    struct store_answer want;
};

static const struct step lists[] = {
    {.op = OP_MATCH, .a = S("system"), .b = S("x@y"), .c = S("y")},
    {.op = OP_LIST, .a = S("system"), .b = S("y"), .listing = STORE_DENIED},
    {.op = OP_MATCH,
     .a = S("system"),
     .b = S("x@y"),
     .c = S("y"),
     .want.list = {STORE_DENIED, 1}},
    {.op = OP_MATCH, .a = S("@y"), .b = S("x@y"), .c = S("y")},
    {.op = OP_LIST, .a = S("system"), .b = S("x@y"), .listing = STORE_ALLOWED},
    {.op = OP_MATCH,
     .a = S("system"),
     .b = S("x@y"),
     .c = S("y"),
     .want.list = {STORE_ALLOWED, 0}},
    {.op = OP_MATCH,
     .a = S("system"),
     .b = S("y"),
     .c = S("x@y"),
     .want.list = {STORE_DENIED, 0}},
    {.op = OP_LIST, .a = S("system"), .b = S("x@y"), .listing = STORE_NOT_LISTED},
    {.op = OP_MATCH,
     .a = S("system"),
     .b = S("x@y"),
     .c = S("y"),
     .want.list = {STORE_DENIED, 1}},
    {.op = OP_LIST, .a = S("u}{ *@d"), .b = S("p q"), .listing = STORE_ALLOWED},
    {.op = OP_MATCH, .a = S("u}{ *@d"), .b = S("p q"), .want.list = {STORE_ALLOWED, 0}},
    {.op = OP_MATCH, .a = S("u}{ *@d")},
    {.op = OP_END},
};

static const struct step greylist[] = {
    {.op = OP_SEEN, .a = S("p1"), .b = S("t1")},
    {.op = OP_FIRST, .a = S("p1"), .b = S("t1"), .now_ms = 1000},
    {.op = OP_SEEN,
     .a = S("p1"),
     .b = S("t1"),
     .want.grey = {.first_ms = 1000, .last_ms = 1000}},
    {.op = OP_FIRST, .a = S("p1"), .b = S("t1"), .now_ms = 2000},
    {.op = OP_SEEN,
     .a = S("p1"),
     .b = S("t1"),
     .want.grey = {.first_ms = 1000, .last_ms = 1000}},
    {.op = OP_SEEN, .a = S("p2"), .b = S("t1")},
    {.op = OP_PASS, .a = S("p1"), .b = S("t1"), .now_ms = 3000},
    {.op = OP_SEEN,
     .a = S("p1"),
     .b = S("t1"),
     .want.grey = {.first_ms = 1000, .last_ms = 3000, .passes = 1, .pool_passes = 1}},
    {.op = OP_PASS, .a = S("p1"), .b = S("t2"), .now_ms = 4000},
    {.op = OP_SEEN,
     .a = S("p1"),
     .b = S("t2"),
     .want.grey = {.first_ms = 4000, .last_ms = 4000, .passes = 1, .pool_passes = 2}},
    {.op = OP_SEEN,
     .a = S("p1"),
     .b = S("t1"),
     .want.grey = {.first_ms = 1000, .last_ms = 3000, .passes = 1, .pool_passes = 2}},
    {.op = OP_FIRST, .a = S("p\0}{"), .b = S("a\0b\r\n"), .now_ms = 5000},
    {.op = OP_SEEN,
     .a = S("p\0}{"),
     .b = S("a\0b\r\n"),
     .want.grey = {.first_ms = 5000, .last_ms = 5000}},
    {.op = OP_SEEN, .a = S("p\0}{"), .b = S("a\0c\r\n")},
    {.op = OP_SEEN, .a = S("p"), .b = S("a\0b\r\n")},
    {.op = OP_END},
};

static const struct step epochs[] = {
    {.op = OP_EPOCH},
    {.op = OP_EPOCH_SET, .now_ms = 1700000000000},
    {.op = OP_EPOCH_SET, .now_ms = 1800000000000},
    {.op = OP_EPOCH, .want.epoch.since_ms = 1700000000000},
    {.op = OP_END},
};

/* Ten a minute: ten at once, then one every six seconds. */
static const struct step rates[] = {
    {.op = OP_RATE, .a = S("c"), .cost = 10, .now_ms = 1000000, .want.rate = {0, 10}},
    {.op = OP_RATE, .a = S("c"), .cost = 11, .now_ms = 1000000, .want.rate = {6000, 10}},
    {.op = OP_HIT, .a = S("c"), .cost = 7, .now_ms = 1000000},
    {.op = OP_RATE, .a = S("c"), .cost = 3, .now_ms = 1000000, .want.rate = {0, 3}},
    {.op = OP_RATE, .a = S("c"), .cost = 4, .now_ms = 1000000, .want.rate = {6000, 3}},
    {.op = OP_RATE, .a = S("c"), .cost = 4, .now_ms = 1006000, .want.rate = {0, 4}},
    {.op = OP_RATE, .a = S("d"), .cost = 1, .now_ms = 1000000, .want.rate = {0, 10}},
    {.op = OP_HIT, .a = S("c"), .cost = 1000, .now_ms = 1000000},
    {.op = OP_RATE, .a = S("c"), .cost = 1, .now_ms = 1000000, .want.rate = {66000, 0}},
    {.op = OP_RATE, .a = S("c"), .cost = 1, .now_ms = 1066000, .want.rate = {0, 1}},
    {.op = OP_END},
};

static const struct step quotas[] = {
    {.op = OP_QUOTA, .a = S("u@d")},
    {.op = OP_QUOTA_SET, .a = S("u@d"), .quota = {.limit = 100, .used = -1}},
    {.op = OP_QUOTA, .a = S("u@d"), .want.quota = {.has_limit = true, .limit = 100}},
    {.op = OP_QUOTA_SET, .a = S("u@d"), .quota = {100, 0, 7}},
    {.op = OP_OVER, .a = S("u@d"), .now_ms = 5},
    {.op = OP_OVER, .a = S("u@d"), .now_ms = 6},
    {.op = OP_QUOTA, .a = S("u@d"), .want.quota = {true, true, 100, 0, 5, 7}},
    {.op = OP_UNDER, .a = S("u@d")},
    {.op = OP_QUOTA, .a = S("u@d"), .want.quota = {true, true, 100, 0, 0, 7}},
    {.op = OP_END},
};

#define TAGS_FROM_4                                                                      \
    {                                                                                    \
        .has = 1u << STORE_PREF_SPAM_ACTION | 1u << STORE_PREF_TAG_SCORE,                \
        .spam_action = STORE_SPAM_TAG, .tag_score = 4.5                                  \
    }
#define NO_GREYLIST                                                                      \
    {                                                                                    \
        .has = 1u << STORE_PREF_GREYLIST, .greylist = 0                                  \
    }

static const struct step choices[] = {
    {.op = OP_PREFS, .a = S("u@d")},
    {.op = OP_PREFS_SET, .a = S("u@d"), .prefs = TAGS_FROM_4},
    {.op = OP_PREFS, .a = S("u@d"), .want.prefs = TAGS_FROM_4},
    {.op = OP_PREFS,
     .a = S("u@d"),
     .which = 1u << STORE_PREF_TAG_SCORE | 1u << STORE_PREF_GREYLIST,
     .want.prefs = {.has = 1u << STORE_PREF_TAG_SCORE, .tag_score = 4.5}},
    {.op = OP_PREFS, .a = S("@d")},
    {.op = OP_PREFS_SET, .a = S("system"), .prefs = NO_GREYLIST},
    {.op = OP_PREFS, .a = S("system"), .want.prefs = NO_GREYLIST},
    {.op = OP_END},
};

static void on_done(struct store_batch *batch)
{
    (*(int *)batch->user)++;
}

static bool is_done(void *user)
{
    return *(int *)user > 0;
}

static bool is_up(void *user)
{
    return store_is_up(user);
}

static void ask(struct bed *bed, struct store *store, struct store_batch *batch)
{
    int done = 0;
    batch->timeout_ms = 5000;
    batch->done = on_done;
    batch->user = &done;
    store_ask(store, batch);
    assert_true(uv_wait(&bed->loop, is_done, &done));
    assert_int_equal(done, 1);
}

static void put_on_list(struct bed *bed, struct store *store, const struct step *step)
{
    struct store_key key;
    struct mx_arena *arena = mx_arena_new(4096);
    if (store == bed->mem) {
        store_mem_list(store, mx_str_cstr(arena, step->a), mx_str_cstr(arena, step->b),
                       step->listing);
    } else {
        store_keys_list(&key, step->a);
        if (step->listing == STORE_NOT_LISTED)
            private_redis_cmd(&bed->redis, "HDEL '%s' '%s'", key.text,
                              mx_str_cstr(arena, step->b));
        else
            private_redis_cmd(&bed->redis, "HSET '%s' '%s' '%c 1700000000000' '#' '*'",
                              key.text, mx_str_cstr(arena, step->b),
                              step->listing == STORE_ALLOWED ? 'a' : 'd');
    }
    mx_arena_free(arena);
}

static void tell(struct store *store, enum store_effect_kind kind,
                 const struct step *step)
{
    struct store_effect effect = {.kind = kind,
                                  .now_ms = step->now_ms,
                                  .ttl_ms = kind == STORE_EPOCH_SET ? 0 : TTL_MS};
    if (kind == STORE_RATE_HIT)
        effect.rate =
            (struct store_rate_query){step->a, 10, 60000, step->cost, step->now_ms};
    else if (kind == STORE_QUOTA_OVER || kind == STORE_QUOTA_UNDER)
        effect.mailbox = step->a;
    else
        effect.grey = (struct store_grey_query){step->a, step->b};
    store_tell(store, &effect, 1);
}

static void set_quota(struct bed *bed, struct store *store, const struct step *step)
{
    const struct store_mem_quota *quota = &step->quota;
    struct store_key key;
    if (store == bed->mem) {
        store_mem_quota(store, step->a.p, quota);
        return;
    }
    store_keys_quota(&key, step->a);
    private_redis_cmd(&bed->redis, "HSET '%s' limit %lld", key.text,
                      (long long)quota->limit);
    if (quota->used >= 0)
        private_redis_cmd(&bed->redis, "HSET '%s' used %lld active %lld", key.text,
                          (long long)quota->used, (long long)quota->active_ms);
}

static void set_prefs(struct bed *bed, struct store *store, const struct step *step)
{
    struct store_key key;
    struct mx_arena *arena = mx_arena_new(4096);
    if (store == bed->mem)
        store_mem_prefs(store, step->a.p, &step->prefs);
    store_keys_prefs(&key, step->a);
    for (int i = 0; i < STORE_PREFS && store != bed->mem; i++) {
        const char *value = store_prefs_format(arena, &step->prefs, (enum store_pref)i);
        if (value)
            private_redis_cmd(&bed->redis, "HSET '%s' %s %s", key.text,
                              store_pref_name((enum store_pref)i), value);
    }
    mx_arena_free(arena);
}

static void question_of(const struct step *step, struct mx_str patterns[2],
                        struct store_question *out)
{
    patterns[0] = step->b;
    patterns[1] = step->c;
    switch (step->op) {
    case OP_MATCH:
        out->kind = STORE_LIST_MATCH;
        out->list.scope = step->a;
        out->list.patterns = patterns;
        out->list.n_patterns = (step->b.n > 0) + (step->c.n > 0);
        break;
    case OP_SEEN:
        out->kind = STORE_GREY_SEEN;
        out->grey = (struct store_grey_query){step->a, step->b};
        break;
    case OP_RATE:
        out->kind = STORE_RATE;
        out->rate =
            (struct store_rate_query){step->a, 10, 60000, step->cost, step->now_ms};
        break;
    case OP_QUOTA:
        out->kind = STORE_QUOTA;
        out->mailbox = step->a;
        break;
    case OP_PREFS:
        out->kind = STORE_PREFS_OF;
        out->prefs.scope = step->a;
        out->prefs.which = step->which ? step->which : STORE_PREFS_ALL;
        break;
    default: out->kind = STORE_EPOCH; break;
    }
}

static void check(struct bed *bed, struct store *store, const struct step *step, int at)
{
    struct mx_str patterns[2];
    struct store_question question = {0};
    struct store_answer got = {0}, want = step->want;
    struct store_batch batch = {.questions = &question, .answers = &got, .n = 1};
    const char *name = store == bed->mem ? "store_mem" : "store_redis";
    question_of(step, patterns, &question);
    ask(bed, store, &batch);
    want.is_known = true;
    if (batch.fault || memcmp(&got, &want, sizeof(got)) != 0)
        fail_msg("%s, step %d: not what was expected (%s)", name, at,
                 batch.fault ? batch.fault : "no fault");
}

static void run_scenario(struct bed *bed, struct store *store, const struct step *steps)
{
    for (int i = 0; steps[i].op != OP_END; i++) {
        switch (steps[i].op) {
        case OP_LIST: put_on_list(bed, store, &steps[i]); break;
        case OP_FIRST: tell(store, STORE_GREY_FIRST, &steps[i]); break;
        case OP_PASS: tell(store, STORE_GREY_PASS, &steps[i]); break;
        case OP_EPOCH_SET: tell(store, STORE_EPOCH_SET, &steps[i]); break;
        case OP_HIT: tell(store, STORE_RATE_HIT, &steps[i]); break;
        case OP_OVER: tell(store, STORE_QUOTA_OVER, &steps[i]); break;
        case OP_UNDER: tell(store, STORE_QUOTA_UNDER, &steps[i]); break;
        case OP_QUOTA_SET: set_quota(bed, store, &steps[i]); break;
        case OP_PREFS_SET: set_prefs(bed, store, &steps[i]); break;
        default: check(bed, store, &steps[i], i); break;
        }
    }
}

static void run_both(struct bed *bed, const struct step *steps)
{
    run_scenario(bed, bed->mem, steps);
    run_scenario(bed, bed->store, steps);
}

static void test_store_agree_lists(void **state)
{
    run_both(*state, lists);
}

static void test_store_agree_greylist(void **state)
{
    run_both(*state, greylist);
}

static void test_store_agree_rate(void **state)
{
    run_both(*state, rates);
}

static void test_store_agree_quota(void **state)
{
    run_both(*state, quotas);
}

static void test_store_agree_choices(void **state)
{
    run_both(*state, choices);
}

/* A value that is none: unknown, as going on without it could refuse wanted mail. */
static void test_store_redis_choice_that_is_none(void **state)
{
    struct bed *bed = *state;
    struct store_question question = {.kind = STORE_PREFS_OF,
                                      .prefs = {MX_STR("u@d"), STORE_PREFS_ALL}};
    struct store_answer got = {0};
    struct store_batch batch = {.questions = &question, .answers = &got, .n = 1};
    private_redis_cmd(&bed->redis, "HSET 'mx:pr:{u@d}' spam_action off tag_score five");
    ask(bed, bed->store, &batch);
    assert_false(got.is_known);
    assert_int_equal(got.prefs.has, 0);
}

static void test_store_agree_epoch(void **state)
{
    run_both(*state, epochs);
}

/* An entry that is to live for no time is not remembered; not for ever. */
static void test_store_agree_no_time_to_live(void **state)
{
    struct bed *bed = *state;
    static const struct step seen[] = {{.op = OP_SEEN, .a = S("p"), .b = S("t")},
                                       {.op = OP_END}};
    struct store *stores[] = {bed->mem, bed->store};
    for (int i = 0; i < 2; i++) {
        struct store_effect effect = {.kind = STORE_GREY_FIRST,
                                      .grey = {MX_STR("p"), MX_STR("t")},
                                      .now_ms = 5,
                                      .ttl_ms = 0};
        store_tell(stores[i], &effect, 1);
        run_scenario(bed, stores[i], seen);
    }
}

/* A mailbox id, a domain, a pool or a tuple of any length is bounded, and distinct. */
static void test_store_agree_long_texts(void **state)
{
    struct bed *bed = *state;
    static char a[3000], b[3000];
    memset(a, 'a', sizeof(a));
    memset(b, 'a', sizeof(b));
    b[sizeof(b) - 1] = 'b';
    struct step steps[] = {
        {.op = OP_FIRST, .a = {a, sizeof(a)}, .b = {a, sizeof(a)}, .now_ms = 7},
        {.op = OP_SEEN, .a = {b, sizeof(b)}, .b = {a, sizeof(a)}},
        {.op = OP_SEEN, .a = {a, sizeof(a)}, .b = {b, sizeof(b)}},
        {.op = OP_SEEN,
         .a = {a, sizeof(a)},
         .b = {a, sizeof(a)},
         .want.grey = {.first_ms = 7, .last_ms = 7}},
        {.op = OP_END},
    };
    run_both(bed, steps);
}

/* One batch is one write and one read of Redis, however many questions it has. */
static void test_store_redis_batch_is_one_round_trip(void **state)
{
    struct bed *bed = *state;
    struct mx_str patterns[STORE_PATTERNS_MAX];
    char names[STORE_PATTERNS_MAX][16];
    struct store_question questions[12] = {0};
    struct store_answer answers[12] = {0};
    struct store_batch batch = {.questions = questions, .answers = answers, .n = 12};
    struct store_stats before, after;
    for (size_t i = 0; i < STORE_PATTERNS_MAX; i++) {
        snprintf(names[i], sizeof(names[i]), "p%zu", i);
        patterns[i] = mx_str(names[i]);
    }
    for (size_t i = 0; i < 10; i++)
        questions[i] = (struct store_question){
            .kind = STORE_LIST_MATCH,
            .list = {MX_STR("system"), patterns, STORE_PATTERNS_MAX}};
    questions[10] = (struct store_question){.kind = STORE_GREY_SEEN,
                                            .grey = {MX_STR("p"), MX_STR("t")}};
    questions[11].kind = STORE_EPOCH;
    private_redis_cmd(&bed->redis, "CONFIG RESETSTAT");
    store_stats(bed->store, &before);
    ask(bed, bed->store, &batch);
    store_stats(bed->store, &after);
    for (size_t i = 0; i < 12; i++)
        assert_true(answers[i].is_known);
    assert_int_equal(after.round_trips - before.round_trips, 1);
    assert_int_equal(after.commands - before.commands, 13);
    assert_int_equal(private_redis_stat(&bed->redis, "hmget", "calls"), 11);
    assert_int_equal(private_redis_stat(&bed->redis, "get", "calls"), 2);
    assert_int_equal(private_redis_stat(&bed->redis, "evalsha", "calls"), 0);
}

struct listed {
    struct mx_str pattern;
    enum store_listing listing;
    uint64_t rounds; /* of the next look at the list, by one who last saw it before */
    struct store_answer want;
};

static void look_at_list(struct bed *bed, struct store *store, const char *client,
                         const struct listed *step, uint64_t rounds)
{
    struct mx_str senders[] = {MX_STR("x@b.example"), MX_STR("b.example"),
                               MX_STR(".b.example"), MX_STR(".example")};
    struct mx_net net;
    struct store_question question = {
        .kind = STORE_LIST_MATCH,
        .list = {.scope = MX_STR("system"), .patterns = senders, .n_patterns = 4}};
    struct store_answer got = {0}, want = step->want;
    struct store_batch batch = {.questions = &question, .answers = &got, .n = 1};
    struct store_stats before, after;
    assert_int_equal(mx_net_parse(mx_str(client), &net, NULL), 0);
    question.list.client = &net;
    store_stats(store, &before);
    ask(bed, store, &batch);
    store_stats(store, &after);
    want.is_known = true;
    assert_memory_equal(&got, &want, sizeof(got));
    assert_int_equal(after.round_trips - before.round_trips, rounds);
}

/* What mxdropctl lists set is seen at once, whatever was known of the list before, and
   costs a second round once. */
static void test_store_agree_list_gets_new_kinds(void **state)
{
    static const struct listed steps[] = {
        {S("other.example"), STORE_NOT_LISTED, 1, {0}},
        {S("192.0.2.0/24"), STORE_DENIED, 2, {.list = {STORE_DENIED, 4 + 8}}},
        {S("2001:db8::/32"), STORE_DENIED, 1, {.list = {STORE_DENIED, 4 + 8}}},
        {S("192.0.2.9"), STORE_ALLOWED, 2, {.list = {STORE_ALLOWED, 4}}},
        {S(".example"), STORE_DENIED, 2, {.list = {STORE_DENIED, 3}}},
        {S("x@b.example"), STORE_ALLOWED, 2, {.list = {STORE_ALLOWED, 0}}},
        {S("x@b.example"), STORE_NOT_LISTED, 1, {.list = {STORE_DENIED, 3}}},
        {S(".example"), STORE_NOT_LISTED, 1, {.list = {STORE_ALLOWED, 4}}},
        {S("192.0.2.9"), STORE_NOT_LISTED, 1, {.list = {STORE_DENIED, 4 + 8}}},
        {S("192.0.2.0/24"), STORE_NOT_LISTED, 1, {0}},
        {S("2001:db8::/32"), STORE_NOT_LISTED, 1, {0}},
        {S("b.example"), STORE_DENIED, 2, {.list = {STORE_DENIED, 1}}},
    };
    struct bed *bed = *state;
    struct store_admin *admin = NULL;
    struct mx_arena *arena = mx_arena_new(4096);
    assert_int_equal(store_admin_open(&bed->redis.settings, &admin, NULL), 0);
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        const struct listed *step = &steps[i];
        assert_int_equal(store_admin_list_set(admin, MX_STR("system"), step->pattern,
                                              step->listing, NULL),
                         0);
        store_mem_list(bed->mem, "system", mx_str_cstr(arena, step->pattern),
                       step->listing);
        look_at_list(bed, bed->mem, "192.0.2.9", step, 1);
        look_at_list(bed, bed->store, "192.0.2.9", step, step->rounds);
        look_at_list(bed, bed->store, "192.0.2.9", step, 1);
    }
    store_admin_close(admin);
    mx_arena_free(arena);
}

/* An emptied list is gone; one of an old release, without names, is asked for all once
   something is put on it. */
static void test_store_redis_list_names_its_kinds(void **state)
{
    struct bed *bed = *state;
    struct store_admin *admin = NULL;
    struct listed old = {.want.list = {STORE_DENIED, 4 + 8}};
    assert_int_equal(store_admin_open(&bed->redis.settings, &admin, NULL), 0);
    store_admin_list_set(admin, MX_STR("a@b"), MX_STR("c.example"), STORE_DENIED, NULL);
    store_admin_list_set(admin, MX_STR("a@b"), MX_STR("10.0.0.0/8"), STORE_DENIED, NULL);
    assert_string_equal(private_redis_cmd(&bed->redis, "HGET 'mx:ls:{a@b}' '#'"), "dY\n");
    store_admin_list_set(admin, MX_STR("a@b"), MX_STR("c.example"), STORE_NOT_LISTED,
                         NULL);
    store_admin_list_set(admin, MX_STR("a@b"), MX_STR("10.0.0.0/8"), STORE_NOT_LISTED,
                         NULL);
    assert_string_equal(private_redis_cmd(&bed->redis, "KEYS '*'"), "mx:{probe}\n");
    private_redis_cmd(&bed->redis, "HSET 'mx:ls:{system}' 192.0.2.0/24 'd 5'");
    store_admin_list_set(admin, MX_STR("system"), MX_STR("c.example"), STORE_DENIED,
                         NULL);
    assert_string_equal(private_redis_cmd(&bed->redis, "HGET 'mx:ls:{system}' '#'"),
                        "*\n");
    look_at_list(bed, bed->store, "192.0.2.9", &old, 2);
    store_admin_close(admin);
}

static void close_store(struct store_batch *batch)
{
    struct bed *bed = batch->user;
    store_free(bed->store);
    bed->store = NULL;
}

/* Closed between the two rounds: the answer is unknown, and told once. */
static void test_store_redis_closes_before_the_second_round(void **state)
{
    struct bed *bed = *state;
    int done = 0;
    struct mx_net net;
    struct store_question list = {.kind = STORE_LIST_MATCH,
                                  .list = {.scope = MX_STR("system"), .client = &net}};
    struct store_question epoch = {.kind = STORE_EPOCH};
    struct store_answer answers[2] = {0};
    struct store_batch first = {.questions = &list,
                                .answers = &answers[0],
                                .n = 1,
                                .timeout_ms = 5000,
                                .done = on_done,
                                .user = &done};
    struct store_batch second = {.questions = &epoch,
                                 .answers = &answers[1],
                                 .n = 1,
                                 .timeout_ms = 5000,
                                 .done = close_store,
                                 .user = bed};
    mx_net_parse(MX_STR("192.0.2.9"), &net, NULL);
    private_redis_cmd(&bed->redis, "HSET 'mx:ls:{system}' 192.0.2.0/24 'd 5' '#' I");
    store_ask(bed->store, &first);
    store_ask(bed->store, &second);
    assert_true(uv_wait(&bed->loop, is_done, &done));
    assert_int_equal(done, 1);
    assert_true(answers[1].is_known);
    assert_false(answers[0].is_known);
    assert_string_equal(first.fault, "store closed");
}

/* How often Redis read from, and wrote to, any client so far. */
static long redis_io(struct bed *bed)
{
    const char *info = private_redis_cmd(&bed->redis, "INFO stats");
    const char *reads = strstr(info, "total_reads_processed:");
    const char *writes = strstr(info, "total_writes_processed:");
    assert_non_null(reads);
    assert_non_null(writes);
    return strtol(reads + strlen("total_reads_processed:"), NULL, 10) +
           strtol(writes + strlen("total_writes_processed:"), NULL, 10);
}

/* The same, as Redis counts it: one read and one write more than looking alone costs. */
static void test_store_redis_batch_is_one_read_and_one_write(void **state)
{
    struct bed *bed = *state;
    struct store_question questions[32] = {0};
    struct store_answer answers[32] = {0};
    struct store_batch batch = {.questions = questions, .answers = answers, .n = 32};
    for (size_t i = 0; i < 32; i++)
        questions[i].kind = STORE_EPOCH;
    long first = redis_io(bed);
    long second = redis_io(bed);
    ask(bed, bed->store, &batch);
    long third = redis_io(bed);
    assert_int_equal((third - second) - (second - first), 2);
}

/* Whatever can be forgotten ends by itself. */
static void test_store_redis_volatile_keys_have_a_ttl(void **state)
{
    struct bed *bed = *state;
    run_scenario(bed, bed->store, greylist);
    const char *script = "for _, k in ipairs(redis.call([[KEYS]], [[*]])) do "
                         "local t = redis.call([[PTTL]], k) "
                         "if k:sub(1, 6) == [[mx:gl:]] and (t <= 0 or t > 3600000) then "
                         "return k end end return [[none]]";
    const char *out = private_redis_cmd(&bed->redis, "EVAL '%s' 0", script);
    assert_string_equal(out, "none\n");
    assert_true(strtol(private_redis_cmd(&bed->redis, "DBSIZE"), NULL, 10) >= 4);
}

/* Keys that somebody else filled make an answer unknown, not wrong, and nothing else. */
static void test_store_redis_foreign_values_are_unknown(void **state)
{
    struct bed *bed = *state;
    struct mx_str pattern = MX_STR("x");
    struct store_question questions[] = {
        {.kind = STORE_LIST_MATCH, .list = {MX_STR("bad@list"), &pattern, 1}},
        {.kind = STORE_GREY_SEEN, .grey = {MX_STR("badpool"), MX_STR("t")}},
        {.kind = STORE_EPOCH},
        {.kind = STORE_LIST_MATCH, .list = {MX_STR("system"), &pattern, 1}},
    };
    struct store_answer answers[4] = {0};
    struct store_batch batch = {.questions = questions, .answers = answers, .n = 4};
    private_redis_cmd(&bed->redis, "SET mx:ls:{bad@list} text");
    private_redis_cmd(&bed->redis, "SET mx:gl:{badpool}:n lots");
    private_redis_cmd(&bed->redis, "SET mx:{epoch} yesterday");
    ask(bed, bed->store, &batch);
    assert_false(answers[0].is_known);
    assert_false(answers[1].is_known);
    assert_int_equal(answers[1].grey.pool_passes, 0);
    assert_false(answers[2].is_known);
    assert_true(answers[3].is_known);
    assert_string_equal(batch.fault, "store refused");
    assert_true(store_is_up(bed->store));
}

static void test_store_redis_empty_batch_costs_nothing(void **state)
{
    struct bed *bed = *state;
    struct store_stats before, after;
    struct store_batch batch = {.n = 0};
    store_stats(bed->store, &before);
    ask(bed, bed->store, &batch);
    store_stats(bed->store, &after);
    assert_int_equal(before.round_trips, after.round_trips);
}

/* The choices of 1000 recipients, who are as many as Postfix lets through by default. */
static void test_store_redis_large_batch_is_answered(void **state)
{
    enum { N = 3000 };
    struct bed *bed = *state;
    struct store_question *questions = mx_xalloc(N * sizeof(*questions));
    struct store_answer *answers = mx_xalloc(N * sizeof(*answers));
    struct store_batch batch = {.questions = questions, .answers = answers, .n = N};
    for (size_t i = 0; i < N; i++)
        questions[i] = (struct store_question){
            .kind = STORE_PREFS_OF, .prefs = {MX_STR("@x.example"), STORE_PREFS_ALL}};
    ask(bed, bed->store, &batch);
    assert_null(batch.fault);
    for (size_t i = 0; i < N; i++)
        assert_true(answers[i].is_known);
    free(answers);
    free(questions);
}

static int setup(void **state)
{
    struct bed *bed = mx_xalloc(sizeof(*bed));
    struct store_redis_options options = {.clock = &mx_clock_real};
    private_redis_init(&bed->redis);
    private_redis_start(&bed->redis);
    options.settings = &bed->redis.settings;
    uv_loop_init(&bed->loop);
    bed->mem = store_mem_new(&mx_clock_real);
    if (store_redis_new(&bed->loop, &options, &bed->store, NULL) != 0)
        return -1;
    *state = bed;
    return uv_wait(&bed->loop, is_up, bed->store) ? 0 : -1;
}

static int teardown(void **state)
{
    struct bed *bed = *state;
    store_free(bed->mem);
    store_free(bed->store);
    int status = uv_wait_close(&bed->loop);
    private_redis_fini(&bed->redis);
    free(bed);
    return status;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_store_agree_lists),
        TEST(test_store_agree_greylist),
        TEST(test_store_agree_epoch),
        TEST(test_store_agree_rate),
        TEST(test_store_agree_quota),
        TEST(test_store_agree_choices),
        TEST(test_store_redis_choice_that_is_none),
        TEST(test_store_agree_no_time_to_live),
        TEST(test_store_agree_long_texts),
        TEST(test_store_agree_list_gets_new_kinds),
        TEST(test_store_redis_list_names_its_kinds),
        TEST(test_store_redis_closes_before_the_second_round),
        TEST(test_store_redis_batch_is_one_round_trip),
        TEST(test_store_redis_batch_is_one_read_and_one_write),
        TEST(test_store_redis_volatile_keys_have_a_ttl),
        TEST(test_store_redis_foreign_values_are_unknown),
        TEST(test_store_redis_empty_batch_costs_nothing),
        TEST(test_store_redis_large_batch_is_answered),
    };
    signal(SIGPIPE, SIG_IGN);
    if (!private_redis_is_installed()) {
        printf("SKIP: redis-server and redis-cli are not installed\n");
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
