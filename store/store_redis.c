/*
 * The store in Redis. A batch becomes its commands in one go, and as the loop has no
 * chance to run in between, they leave in one write: one round trip. Replies come back in
 * order, so a batch in flight needs only a place in its questions.
 *
 * A batch past its time is done without the rest of its answers; what is left of it (a
 * "pending" without a batch) counts the replies still to come and drops them, so one slow
 * answer does not cost the connection. How many may be in flight is bounded, and so is
 * the memory that a silent Redis can make us hold: redis_link gives such a connection up
 * after REDIS_LINK_STUCK_MS, then everything fails at once.
 *
 * A list is asked for the kinds of patterns that it had last time (store_list_hints). It
 * names those it has with each answer, so an answer is as fresh as if everything had been
 * asked for; when it has more, the question is asked again in full, in a second round.
 *
 * No answer is ever cached here, and no effect is sent twice but for a script that Redis
 * has forgotten, which did nothing the first time.
 */
#include "store_redis.h"

#include <stdlib.h>

#include <utlist.h>
#include <uv.h>

#include "mx_arena.h"
#include "mx_conf.h"
#include "mx_err.h"
#include "mx_time.h"
#include "redis_address.h"
#include "redis_link.h"
#include "redis_sync.h"
#include "store_list_hints.h"
#include "store_redis_kinds.h"

#define PENDING_MAX 8192 /* batches in flight, late ones included */
#define EFFECTS_MAX 8192 /* effects in flight; 1 KiB each at most */
#define SCRIPT_ARGS 2    /* EVALSHA and the script's name */
/* A message for 10000 recipients asks three scopes for the choices of each. Were that too
   much, all would be unknown, and what should be refused gets through to many. */
#define BATCH_COMMANDS_MAX 32768

struct store_redis {
    struct store store;
    struct redis_link *link;
    const struct mx_clock *clock;
    uv_timer_t timer; /* for the deadline of the first in ->waiting */
    bool is_grace;    /* deadlines passed; one more look at the socket first */
    bool is_closing;
    struct pending *waiting; /* with a batch, by deadline */
    size_t n_pending, n_effects;
    struct redis_script scripts[STORE_SCRIPTS];
    struct store_list_hints hints;
    struct store_stats stats;
    int64_t timeout_ms;
};

struct pending {
    struct pending *prev, *next;
    struct store_redis *redis;
    struct store_batch *batch; /* NULL: it is done, the replies are late */
    int64_t deadline_ms;
    size_t n_replies;         /* still to come */
    size_t question;          /* whose reply is next */
    size_t n_again;           /* questions to be asked once more */
    bool is_second;           /* only these are, now */
    bool is_bad;              /* a reply to this question was not usable */
    struct store_try tries[]; /* one a question */
};

struct told {
    struct store_redis *redis;
    const struct redis_script *script; /* NULL: none */
    bool is_again;                     /* sent whole after NOSCRIPT */
    size_t n_args, n;                  /* behind the script; bytes of them */
    char args[];
};

static struct store_redis *redis_of(struct store *store)
{
    return (struct store_redis *)store;
}

static void on_deadline(uv_timer_t *timer);

static void arm(struct store_redis *redis)
{
    int64_t now_ms = mx_mono_ms(redis->clock);
    if (redis->is_closing)
        return;
    if (redis->waiting == NULL) {
        uv_timer_stop(&redis->timer);
        return;
    }
    int64_t at = redis->waiting->deadline_ms;
    uv_timer_start(&redis->timer, on_deadline, at > now_ms ? (uint64_t)(at - now_ms) : 1,
                   0);
}

/* Tell the batch. Nothing of ${pending} but its count of replies matters after that; the
   store may be closing when this returns. */
static void finish(struct pending *pending, const char *fault)
{
    struct store_redis *redis = pending->redis;
    struct store_batch *batch = pending->batch;
    pending->batch = NULL;
    DL_DELETE(redis->waiting, pending);
    for (size_t i = 0; i < batch->n; i++)
        redis->stats.unknown += !batch->answers[i].is_known;
    if (batch->fault == NULL)
        batch->fault = redis->is_closing && fault ? "store closed" : fault;
    batch->done(batch);
}

/* Timers run before the loop reads sockets: give replies that are already here their
   turn, else a loop that was held up would call every batch late. */
static void on_deadline(uv_timer_t *timer)
{
    struct store_redis *redis = timer->data;
    if (!redis->is_grace) {
        redis->is_grace = true;
        uv_timer_start(timer, on_deadline, 1, 0);
        return;
    }
    redis->is_grace = false;
    int64_t now_ms = mx_mono_ms(redis->clock);
    while (redis->waiting && redis->waiting->deadline_ms <= now_ms)
        finish(redis->waiting, "store late");
    arm(redis);
}

static bool is_asked(const struct pending *pending, size_t question)
{
    return !pending->is_second || pending->tries[question].is_again;
}

/* Whether the list has what this question looks for and did not ask for. */
static bool is_incomplete(const struct store_question *question,
                          const struct store_try *at)
{
    if (question->kind != STORE_LIST_MATCH || (at->held & ~at->kinds) == 0)
        return false;
    for (size_t i = 0; i < store_list_count(&question->list); i++)
        if (at->held & ~at->kinds & store_list_kind(&question->list, i))
            return true;
    return false;
}

/* All replies to this question are here. */
static void take_answer(struct pending *pending, const struct store_question *question,
                        struct store_answer *answer)
{
    struct store_redis *redis = pending->redis;
    struct store_try *at = &pending->tries[pending->question];
    at->is_again = !pending->is_bad && is_incomplete(question, at);
    answer->is_known = !pending->is_bad && !at->is_again;
    if (!answer->is_known)
        *answer = (struct store_answer){.is_known = false};
    if (!pending->is_bad && question->kind == STORE_LIST_MATCH)
        store_list_hints_set(&redis->hints, question->list.scope, at->held);
    if (at->is_again) {
        pending->n_again++;
        *at = (struct store_try){.kinds = STORE_KINDS_ALL, .is_again = true};
    }
}

/* The reply to the command at our place; on to the next one. */
static void take_reply(struct pending *pending, const struct redisReply *reply)
{
    struct store_batch *batch = pending->batch;
    while (!is_asked(pending, pending->question))
        pending->question++;
    const struct store_question *question = &batch->questions[pending->question];
    struct store_answer *answer = &batch->answers[pending->question];
    const struct store_question_kind *kind = store_question_kind(question->kind);
    struct store_try *at = &pending->tries[pending->question];
    if (reply == NULL || kind->decode(question, at, reply, answer) != 0)
        pending->is_bad = true;
    if (reply && pending->is_bad && batch->fault == NULL)
        batch->fault = "store refused";
    if (++at->step < kind->n_commands)
        return;
    take_answer(pending, question, answer);
    pending->question++;
    pending->is_bad = false;
}

static int send_questions(struct pending *pending);

/* The lists that turned out to have more. Returns whether replies are to come. */
static bool ask_again(struct pending *pending)
{
    if (pending->batch == NULL || pending->n_again == 0)
        return false;
    pending->is_second = true;
    pending->question = pending->n_again = 0;
    pending->redis->stats.round_trips++;
    if (send_questions(pending) != 0)
        finish(pending, "store down");
    return pending->n_replies > 0;
}

static void on_answer(void *user, const struct redisReply *reply)
{
    struct pending *pending = user;
    struct store_redis *redis = pending->redis;
    pending->n_replies--;
    if (pending->batch)
        take_reply(pending, reply);
    if (pending->n_replies > 0 || ask_again(pending))
        return;
    if (pending->batch)
        finish(pending, reply ? NULL : "store down");
    redis->n_pending--;
    free(pending);
}

static size_t count_commands(const struct store_batch *batch)
{
    size_t n = 0;
    for (size_t i = 0; i < batch->n; i++)
        n += store_question_kind(batch->questions[i].kind)->n_commands;
    return n;
}

/* Batches differ little in their time-outs, so the place is near the end. */
static void enqueue(struct store_redis *redis, struct pending *pending)
{
    struct pending *after = redis->waiting ? redis->waiting->prev : NULL;
    while (after && after->deadline_ms > pending->deadline_ms)
        after = after == redis->waiting ? NULL : after->prev;
    if (after)
        DL_APPEND_ELEM(redis->waiting, after, pending);
    else
        DL_PREPEND(redis->waiting, pending);
    if (redis->waiting == pending && !redis->is_grace)
        arm(redis);
}

static int send_questions(struct pending *pending)
{
    struct store_redis *redis = pending->redis;
    struct store_batch *batch = pending->batch;
    struct store_command command;
    for (size_t i = 0; i < batch->n; i++) {
        const struct store_question *question = &batch->questions[i];
        const struct store_question_kind *kind = store_question_kind(question->kind);
        struct store_try at = pending->tries[i];
        for (; at.step < kind->n_commands && is_asked(pending, i); at.step++) {
            kind->encode(question, &at, &command);
            if (redis_link_send(redis->link, &command.args, on_answer, pending) != 0)
                return -1;
            pending->n_replies++;
            redis->stats.commands++;
        }
    }
    return 0;
}

static void answer_nothing(struct store_redis *redis, struct store_batch *batch,
                           const char *fault)
{
    redis->stats.unknown += batch->n;
    batch->fault = fault;
    batch->done(batch);
}

static int64_t deadline_of(const struct store_redis *redis,
                           const struct store_batch *batch)
{
    int64_t limit = redis->timeout_ms;
    if (batch->timeout_ms > 0 && batch->timeout_ms < limit)
        limit = batch->timeout_ms;
    return mx_mono_ms(redis->clock) + limit;
}

static void follow_hints(struct pending *pending)
{
    const struct store_batch *batch = pending->batch;
    for (size_t i = 0; i < batch->n; i++)
        if (batch->questions[i].kind == STORE_LIST_MATCH)
            pending->tries[i].kinds = store_list_hints_get(
                &pending->redis->hints, batch->questions[i].list.scope);
}

static void redis_ask(struct store *store, struct store_batch *batch)
{
    struct store_redis *redis = redis_of(store);
    size_t n_commands = count_commands(batch);
    batch->fault = NULL;
    if (n_commands == 0) {
        batch->done(batch);
        return;
    }
    if (redis->is_closing || !redis_link_is_up(redis->link)) {
        answer_nothing(redis, batch, redis->is_closing ? "store closed" : "store down");
        return;
    }
    if (redis->n_pending >= PENDING_MAX || n_commands > BATCH_COMMANDS_MAX ||
        redis_link_waiting(redis->link) + n_commands > REDIS_LINK_COMMANDS_MAX) {
        answer_nothing(redis, batch, "store busy");
        return;
    }
    struct pending *pending =
        mx_xalloc(sizeof(*pending) + batch->n * sizeof(pending->tries[0]));
    pending->redis = redis;
    pending->batch = batch;
    follow_hints(pending);
    pending->deadline_ms = deadline_of(redis, batch);
    redis->n_pending++;
    redis->stats.round_trips++;
    enqueue(redis, pending);
    if (send_questions(pending) == 0)
        return;
    bool is_idle = pending->n_replies == 0;
    finish(pending, "store down");
    if (is_idle) {
        redis->n_pending--;
        free(pending);
    }
}

static void on_told(void *user, const struct redisReply *reply);

/* The source in place of its name, which is all that changes. */
static int send_told_whole(struct told *told)
{
    struct redis_args args;
    redis_args_init(&args, "EVAL");
    redis_args_text(&args, told->script->source);
    args.tail = mx_str_of(told->args, told->n);
    args.n_tail = told->n_args;
    return redis_link_send(told->redis->link, &args, on_told, told);
}

static struct told *told_new(struct store_redis *redis, const struct redis_args *args,
                             const struct redis_script *script)
{
    struct told *told = mx_xalloc(sizeof(*told) + (script ? redis_args_room(args) : 0));
    told->redis = redis;
    told->script = script;
    if (script) {
        told->n = redis_args_tail(args, SCRIPT_ARGS, told->args);
        told->n_args = args->n - SCRIPT_ARGS;
    }
    return told;
}

static void on_told(void *user, const struct redisReply *reply)
{
    struct told *told = user;
    struct store_redis *redis = told->redis;
    if (redis_reply_is_noscript(reply) && told->script && !told->is_again) {
        told->is_again = true;
        if (send_told_whole(told) == 0)
            return;
    }
    if (reply == NULL || redis_reply_error(reply).n > 0)
        redis->stats.lost++;
    redis->n_effects--;
    free(told);
}

static void redis_tell(struct store *store, const struct store_effect *effects, size_t n)
{
    struct store_redis *redis = redis_of(store);
    for (size_t i = 0; i < n; i++) {
        if (redis->is_closing || !redis_link_is_up(redis->link) ||
            redis->n_effects >= EFFECTS_MAX) {
            redis->stats.lost++;
            continue;
        }
        struct store_command command;
        const struct redis_script *script;
        store_effect_encode(&effects[i], redis->scripts, &command, &script);
        struct told *told = told_new(redis, &command.args, script);
        if (redis_link_send(redis->link, &command.args, on_told, told) != 0) {
            redis->stats.lost++;
            free(told);
            continue;
        }
        redis->n_effects++;
        redis->stats.effects++;
    }
}

static void redis_stats(const struct store *store, struct store_stats *out)
{
    *out = ((const struct store_redis *)store)->stats;
}

static bool redis_is_up(const struct store *store)
{
    const struct store_redis *redis = (const struct store_redis *)store;
    return !redis->is_closing && redis_link_is_up(redis->link);
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void redis_free(struct store *store)
{
    struct store_redis *redis = redis_of(store);
    if (redis->is_closing)
        return;
    redis->is_closing = true;
    redis_link_close(redis->link); /* finishes what is in flight */
    uv_close((uv_handle_t *)&redis->timer, on_closed);
}

int store_redis_new(struct uv_loop_s *loop, const struct store_redis_options *options,
                    struct store **out, struct mx_err *err)
{
    static const struct store_ops ops = {
        .ask = redis_ask,
        .tell = redis_tell,
        .stats = redis_stats,
        .is_up = redis_is_up,
        .free = redis_free,
    };
    struct store_redis *redis = mx_xalloc(sizeof(*redis));
    struct redis_link_options link = {
        .settings = options->settings,
        .scripts = redis->scripts,
        .n_scripts = options->settings->is_foreign ? 0 : STORE_SCRIPTS,
        .on_state = options->on_state,
        .user = options->user,
    };
    store_scripts_init(redis->scripts);
    redis->store.ops = &ops;
    redis->clock = options->clock;
    redis->timeout_ms = options->settings->timeout_ms;
    if (redis_link_open(loop, &link, &redis->link, err) != 0) {
        free(redis);
        return -1;
    }
    uv_timer_init(loop, &redis->timer);
    redis->timer.data = redis;
    *out = &redis->store;
    return 0;
}

void store_redis_dovecot(const struct store_redis_settings *settings,
                         struct store_redis_settings *out)
{
    *out = *settings;
    out->address = settings->dovecot.address;
    out->username = settings->dovecot.username;
    out->password = settings->dovecot.password;
    out->db = settings->dovecot.db;
    out->is_foreign = true;
}

int store_redis_check_conf(const struct mx_conf *conf, struct mx_err *err)
{
    const struct store_redis_settings *settings = mx_conf_get(conf, "redis");
    struct redis_address address;
    if (redis_address_parse(settings->address, &address, err) < 0)
        return mx_err_wrap(err, "%s: redis.address",
                           mx_conf_where(conf, "redis.address"));
    if (settings->dovecot.address[0] != '\0' &&
        redis_address_parse(settings->dovecot.address, &address, err) < 0)
        return mx_err_wrap(err, "%s: redis.dovecot.address",
                           mx_conf_where(conf, "redis.dovecot.address"));
    return 0;
}

int store_redis_check(const struct store_redis_settings *settings, struct mx_err *err)
{
    struct redis_sync *sync = NULL;
    if (redis_sync_open(settings, &sync, err) != 0)
        return -1;
    redis_sync_close(sync);
    return 0;
}

#define DOVECOT(member) offsetof(struct store_dovecot_settings, member)
#define KEY(member) offsetof(struct store_redis_settings, member)

static const struct mx_conf_key dovecot_keys[] = {
    {.name = "address",
     .type = MX_CONF_STRING,
     .offset = DOVECOT(address),
     .max = 300,
     .doc =
         "Where Dovecot's quota_clone writes: unix:/path or host:port. Empty: usage is "
         "what the site keeps in our own Redis."},
    {.name = "username",
     .type = MX_CONF_STRING,
     .offset = DOVECOT(username),
     .max = 256,
     .doc = "ACL user; empty for the default user."},
    {.name = "password",
     .type = MX_CONF_STRING,
     .offset = DOVECOT(password),
     .max = 512,
     .doc = "Password; empty where it asks for none."},
    {.name = "db",
     .type = MX_CONF_INT,
     .offset = DOVECOT(db),
     .max = 65535,
     .def = "0",
     .doc = "Number of the database."},
    {.name = "prefix",
     .type = MX_CONF_STRING,
     .offset = DOVECOT(prefix),
     .max = 128,
     .doc = "Dovecot's redis_key_prefix."},
    {.type = MX_CONF_END},
};

static const struct mx_conf_key keys[] = {
    {.name = "address",
     .type = MX_CONF_STRING,
     .offset = KEY(address),
     .max = 300,
     .def = "127.0.0.1:6379",
     .doc = "Where Redis listens: unix:/path/of/socket or host:port."},
    {.name = "username",
     .type = MX_CONF_STRING,
     .offset = KEY(username),
     .max = 256,
     .doc = "ACL user (Redis 6 and later); empty for the default user."},
    {.name = "password",
     .type = MX_CONF_STRING,
     .offset = KEY(password),
     .max = 512,
     .doc = "Password; empty where Redis asks for none."},
    {.name = "db",
     .type = MX_CONF_INT,
     .offset = KEY(db),
     .max = 65535,
     .def = "0",
     .doc = "Number of the database."},
    {.name = "timeout",
     .type = MX_CONF_DURATION,
     .offset = KEY(timeout_ms),
     .min = 1,
     .max = 10000,
     .def = "50ms",
     .doc = "Longest wait for the answers of one check; later ones are unknown."},
    {.name = "connect_timeout",
     .type = MX_CONF_DURATION,
     .offset = KEY(connect_timeout_ms),
     .min = 10,
     .max = 60000,
     .def = "2s",
     .doc = "Longest wait for name, connection and greeting."},
    {.name = "backoff_min",
     .type = MX_CONF_DURATION,
     .offset = KEY(backoff_min_ms),
     .min = 1,
     .max = 60000,
     .def = "100ms",
     .doc = "Pause before the first new attempt to connect; doubles each time."},
    {.name = "backoff_max",
     .type = MX_CONF_DURATION,
     .offset = KEY(backoff_max_ms),
     .min = 1,
     .max = 600000,
     .def = "5s",
     .doc = "Longest pause between attempts to connect."},
    {.name = "dovecot",
     .type = MX_CONF_GROUP,
     .offset = KEY(dovecot),
     .sub = dovecot_keys,
     .doc = "Live mailbox usage from Dovecot, read only."},
    {.type = MX_CONF_END},
};

const struct mx_conf_section store_redis_section = {
    .name = "redis",
    .doc = "The shared state. All nodes of a cluster use the same.",
    .size = sizeof(struct store_redis_settings),
    .keys = keys,
};
