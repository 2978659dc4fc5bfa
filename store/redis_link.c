/*
 * The connection that mends itself. It is always in one phase; one timer means "try now",
 * "that took too long" or "look whether it still answers", by phase:
 *
 *   WAIT -> RESOLVE -> GREET -> UP        and from each of them, on trouble, back to WAIT
 *
 * Two owners meet in a command: hiredis, which calls on_reply once for each command even
 * while it tears a connection down, and our caller, who must hear at once. So a command
 * is told (->fn called, then NULL) when the link drops, and freed when hiredis lets go.
 * hiredis frees a connection that fails by itself; ->context is cleared before anything
 * else happens then, and redisAsyncFree is only called on one that we give up.
 *
 * A stuck server is seen by ticks without progress, not by a clock, so that a loop which
 * was held up itself does not blame Redis.
 */
#include "redis_link.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <hiredis/hiredis.h>
#include <hiredis/async.h>
#include <utlist.h>
#include <uv.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "redis_address.h"
#include "redis_reply.h"
#include "redis_uv.h"
#include "store_redis.h"

#define TICK_MS 250
#define STUCK_TICKS (REDIS_LINK_STUCK_MS / TICK_MS)
#define STABLE_TICKS (REDIS_LINK_STABLE_MS / TICK_MS)
#define IDLE_TICKS 20 /* then a probe shows whether the server still serves */
#define REASON_MAX 256
#define DOUBLINGS_MAX 20 /* of the back-off; the configured maximum comes first */

enum phase { PHASE_WAIT, PHASE_RESOLVE, PHASE_GREET, PHASE_UP, PHASE_CLOSED };

struct command {
    struct command *prev, *next;
    struct redis_link *link;
    redis_link_fn *fn; /* NULL once its owner was told */
    void *user;
};

struct redis_link {
    struct redis_link_options options;
    struct redis_address address;
    uv_loop_t *loop;
    uv_timer_t timer;
    uv_getaddrinfo_t lookup;
    bool is_looking_up;
    enum phase phase;
    redisAsyncContext *context;
    char *text; /* the command that is being sent */
    size_t text_room;
    struct command *waiting; /* in the order of their replies */
    size_t n_waiting;
    size_t n_refs; /* the timer, a lookup, each command that hiredis still holds */
    size_t n_scripts_loaded;
    unsigned failures;              /* in a row, for the back-off */
    unsigned ticks_up, ticks_quiet; /* quiet: without a reply */
    bool was_told;                  /* of any state yet */
    bool is_told_up;
    char told_reason[REASON_MAX];
};

static void unref(struct redis_link *link)
{
    if (--link->n_refs > 0)
        return;
    free(link->text);
    free(link);
}

static void tell_state(struct redis_link *link, bool is_up, const char *reason)
{
    bool is_news = !link->was_told || link->is_told_up != is_up ||
                   (!is_up && strcmp(link->told_reason, reason) != 0);
    if (!is_news || link->phase == PHASE_CLOSED)
        return;
    link->was_told = true;
    link->is_told_up = is_up;
    snprintf(link->told_reason, sizeof(link->told_reason), "%s", reason);
    if (link->options.on_state)
        link->options.on_state(link->options.user, is_up, link->told_reason);
}

/* Between half of the back-off and all of it, so that a cluster does not knock at once.
 */
static uint64_t back_off_ms(const struct redis_link *link)
{
    uint64_t least = (uint64_t)link->options.settings->backoff_min_ms;
    uint64_t most = (uint64_t)link->options.settings->backoff_max_ms;
    unsigned doublings = link->failures < DOUBLINGS_MAX ? link->failures : DOUBLINGS_MAX;
    uint64_t delay = least << doublings;
    uint64_t dice = 0;
    if (delay > most)
        delay = most;
    if (getrandom(&dice, sizeof(dice), GRND_NONBLOCK) != (ssize_t)sizeof(dice))
        dice = uv_hrtime();
    return delay / 2 + dice % (delay / 2 + 1);
}

static void on_timer(uv_timer_t *timer);

static void set_phase(struct redis_link *link, enum phase phase)
{
    uint64_t limit = (uint64_t)link->options.settings->connect_timeout_ms;
    link->phase = phase;
    link->ticks_quiet = 0;
    switch (phase) {
    case PHASE_WAIT: uv_timer_start(&link->timer, on_timer, back_off_ms(link), 0); break;
    case PHASE_RESOLVE: uv_timer_start(&link->timer, on_timer, limit, 0); break;
    case PHASE_UP: uv_timer_start(&link->timer, on_timer, TICK_MS, TICK_MS); break;
    case PHASE_GREET: /* the limit runs on from resolving */
    case PHASE_CLOSED: /* the timer is closing */ break;
    }
}

static void tell_waiting_none(struct redis_link *link)
{
    while (link->waiting) {
        struct command *command = link->waiting;
        redis_link_fn *fn = command->fn;
        DL_DELETE(link->waiting, command);
        link->n_waiting--;
        command->fn = NULL;
        fn(command->user, NULL);
    }
}

/* Let hiredis have its connection back; its callbacks find nobody from now on. */
static void give_up_context(struct redis_link *link)
{
    redisAsyncContext *context = link->context;
    link->context = NULL;
    if (context == NULL)
        return;
    context->data = NULL;
    redisAsyncFree(context);
}

/* Trouble of any kind: down, tell everybody, try again later. ->context is NULL already
   where hiredis frees it. */
static void drop(struct redis_link *link, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void drop(struct redis_link *link, const char *fmt, ...)
{
    char reason[REASON_MAX];
    va_list args;
    va_start(args, fmt);
    vsnprintf(reason, sizeof(reason), fmt, args);
    va_end(args);
    if (link->ticks_up >= STABLE_TICKS)
        link->failures = 0;
    link->ticks_up = 0;
    set_phase(link, PHASE_WAIT);
    link->failures++;
    tell_waiting_none(link);
    give_up_context(link);
    tell_state(link, false, reason);
}

/* hiredis is about to free ${context} by itself. */
static void lost(struct redis_link *link, redisAsyncContext *context, const char *what)
{
    context->data = NULL;
    link->context = NULL;
    drop(link, "%s: %.150s", what, context->c.err ? context->c.errstr : "closed");
}

static void release(struct command *command)
{
    struct redis_link *link = command->link;
    free(command);
    unref(link);
}

static void on_reply(redisAsyncContext *context, void *data, void *user)
{
    struct command *command = user;
    struct redis_link *link = command->link;
    const redisReply *reply = data;
    redis_link_fn *fn = command->fn;
    if (fn && reply == NULL) {
        lost(link, context, "connection lost"); /* tells this command as well */
    } else if (fn) {
        DL_DELETE(link->waiting, command);
        link->n_waiting--;
        link->ticks_quiet = 0;
        command->fn = NULL;
        fn(command->user, reply);
        /* ${fn} may have closed the link or dropped this connection. */
        if (redis_reply_is_down(reply) && link->context == context)
            drop(link, "%.200s", reply->str);
    }
    release(command);
}

static int send_command(struct redis_link *link, const struct redis_args *args,
                        redis_link_fn *fn, void *user)
{
    struct command *command = mx_xalloc(sizeof(*command));
    size_t room = redis_args_room(args);
    if (room > link->text_room) {
        link->text_room = 2 * room;
        link->text = mx_xrealloc(link->text, link->text_room);
    }
    *command = (struct command){.link = link, .fn = fn, .user = user};
    if (redisAsyncFormattedCommand(link->context, on_reply, command, link->text,
                                   redis_args_encode(args, link->text)) != REDIS_OK) {
        free(command);
        return -1;
    }
    link->n_refs++;
    link->n_waiting++;
    DL_APPEND(link->waiting, command);
    return 0;
}

/* Credentials and database: each must be taken. */
static void on_hello(void *user, const struct redisReply *reply)
{
    struct redis_link *link = user;
    struct mx_str error = redis_reply_error(reply);
    if (error.n > 0 && link->context)
        drop(link, "%.*s", MX_STR_FMT(mx_str_sub(error, 0, REASON_MAX - 1)));
}

/* The last step of the greeting: the server takes writes. */
static void on_probe(void *user, const struct redisReply *reply)
{
    struct redis_link *link = user;
    if (reply == NULL)
        return;
    if (redis_reply_error(reply).n > 0) {
        on_hello(link, reply);
        return;
    }
    set_phase(link, PHASE_UP);
    tell_state(link, true, "connected");
}

/* A script that could not be loaded is sent whole each time; see redis_args_script. */
static void on_script(void *user, const struct redisReply *reply)
{
    struct redis_link *link = user;
    struct mx_str sha = redis_reply_str(reply);
    if (reply == NULL)
        return;
    struct redis_script *script = &link->options.scripts[link->n_scripts_loaded++];
    bool is_sha = sha.n == REDIS_SHA_MAX - 1;
    snprintf(script->sha, sizeof(script->sha), "%.*s", MX_STR_FMT(sha));
    if (!is_sha)
        script->sha[0] = '\0';
}

static int greet_with(struct redis_link *link, enum redis_hello step, redis_link_fn *fn)
{
    struct redis_args args;
    if (redis_hello_step(link->options.settings, step, &args) != 0)
        return 0;
    return send_command(link, &args, fn, link);
}

static int greet_with_script(struct redis_link *link, const char *source)
{
    struct redis_args args;
    redis_args_init(&args, "SCRIPT");
    redis_args_text(&args, "LOAD");
    redis_args_text(&args, source);
    return send_command(link, &args, on_script, link);
}

/* All steps in one write; the replies come in the same order. */
static void greet(struct redis_link *link)
{
    link->n_scripts_loaded = 0;
    int failed = greet_with(link, REDIS_HELLO_AUTH, on_hello);
    failed |= greet_with(link, REDIS_HELLO_SELECT, on_hello);
    for (size_t i = 0; i < link->options.n_scripts && !failed; i++)
        failed = greet_with_script(link, link->options.scripts[i].source);
    if (!failed)
        failed = greet_with(link, REDIS_HELLO_PROBE, on_probe);
    /* hiredis refuses commands only on a connection that is on its way down; it tells
       that through on_disconnect, or the timer finds out. */
    (void)failed;
}

static void on_connect(const redisAsyncContext *context, int status)
{
    struct redis_link *link = context->data;
    if (link == NULL)
        return;
    if (status == REDIS_OK)
        greet(link);
    else
        lost(link, link->context, "cannot connect");
}

static void on_disconnect(const redisAsyncContext *context, int status)
{
    struct redis_link *link = context->data;
    (void)status;
    if (link)
        lost(link, link->context, "connection lost");
}

/* Takes over ${context}, which may have failed already. */
static void connect_on(struct redis_link *link, redisAsyncContext *context)
{
    if (context == NULL || context->err) {
        char why[128];
        snprintf(why, sizeof(why), "%s", context ? context->errstr : "out of memory");
        if (context)
            redisAsyncFree(context);
        drop(link, "cannot connect: %s", why);
        return;
    }
    link->context = context;
    context->data = link;
    if (redis_uv_attach(context, link->loop) != 0) {
        drop(link, "cannot connect: the loop refuses the descriptor");
        return;
    }
    redisAsyncSetConnectCallback(context, on_connect);
    redisAsyncSetDisconnectCallback(context, on_disconnect);
    set_phase(link, PHASE_GREET);
}

/* One of the addresses, another one each time. */
static const struct addrinfo *choose(const struct redis_link *link,
                                     const struct addrinfo *all)
{
    size_t n = 0;
    for (const struct addrinfo *a = all; a; a = a->ai_next)
        n++;
    size_t skip = n ? link->failures % n : 0;
    while (skip-- > 0)
        all = all->ai_next;
    return all;
}

static void on_resolved(uv_getaddrinfo_t *lookup, int status, struct addrinfo *all)
{
    struct redis_link *link = lookup->data;
    char host[REDIS_HOST_MAX] = "";
    link->is_looking_up = false;
    if (link->phase == PHASE_RESOLVE) {
        const struct addrinfo *one = status == 0 ? choose(link, all) : NULL;
        if (one && getnameinfo(one->ai_addr, one->ai_addrlen, host, sizeof(host), NULL, 0,
                               NI_NUMERICHOST) == 0)
            connect_on(link, redisAsyncConnect(host, link->address.port));
        else
            drop(link, "cannot resolve %.100s: %s", link->address.host,
                 status ? uv_strerror(status) : "no address");
    }
    uv_freeaddrinfo(all);
    unref(link);
}

static void resolve(struct redis_link *link)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    if (link->is_looking_up)
        return; /* the last one was slow; its answer is as good */
    link->lookup.data = link;
    int status = uv_getaddrinfo(link->loop, &link->lookup, on_resolved,
                                link->address.host, NULL, &hints);
    if (status != 0) {
        drop(link, "cannot resolve %.100s: %s", link->address.host, uv_strerror(status));
        return;
    }
    link->is_looking_up = true;
    link->n_refs++;
}

static void start(struct redis_link *link)
{
    set_phase(link, PHASE_RESOLVE);
    if (link->address.path[0] != '\0')
        connect_on(link, redisAsyncConnectUnix(link->address.path));
    else
        resolve(link);
}

static void tick(struct redis_link *link)
{
    struct redis_args args;
    link->ticks_up++;
    link->ticks_quiet++;
    if (link->n_waiting > 0 && link->ticks_quiet >= STUCK_TICKS) {
        drop(link, "no reply for %d ms", REDIS_LINK_STUCK_MS);
        return;
    }
    if (link->n_waiting == 0 && link->ticks_quiet >= IDLE_TICKS) {
        link->ticks_quiet = 0;
        redis_hello_step(link->options.settings, REDIS_HELLO_PROBE, &args);
        send_command(link, &args, on_hello, link);
    }
}

static void on_timer(uv_timer_t *timer)
{
    struct redis_link *link = timer->data;
    switch (link->phase) {
    case PHASE_WAIT: start(link); break;
    case PHASE_RESOLVE:
    case PHASE_GREET:
        drop(link, "no answer within %lld ms",
             (long long)link->options.settings->connect_timeout_ms);
        break;
    case PHASE_UP: tick(link); break;
    case PHASE_CLOSED: break;
    }
}

int redis_link_open(struct uv_loop_s *loop, const struct redis_link_options *options,
                    struct redis_link **out, struct mx_err *err)
{
    struct redis_address address;
    if (redis_address_parse(options->settings->address, &address, err) != 0)
        return -1;
    struct redis_link *link = mx_xalloc(sizeof(*link));
    link->options = *options;
    link->address = address;
    link->loop = loop;
    link->n_refs = 1;
    uv_timer_init(loop, &link->timer);
    link->timer.data = link;
    /* From the loop, so that no callback comes before the caller has the link. */
    link->phase = PHASE_WAIT;
    uv_timer_start(&link->timer, on_timer, 0, 0);
    *out = link;
    return 0;
}

static void on_timer_closed(uv_handle_t *handle)
{
    unref(handle->data);
}

void redis_link_close(struct redis_link *link)
{
    if (link == NULL || link->phase == PHASE_CLOSED)
        return;
    link->phase = PHASE_CLOSED;
    uv_close((uv_handle_t *)&link->timer, on_timer_closed);
    if (link->is_looking_up)
        uv_cancel((uv_req_t *)&link->lookup);
    tell_waiting_none(link);
    give_up_context(link);
}

bool redis_link_is_up(const struct redis_link *link)
{
    return link->phase == PHASE_UP;
}

int redis_link_send(struct redis_link *link, const struct redis_args *args,
                    redis_link_fn *fn, void *user)
{
    if (link->phase != PHASE_UP || link->n_waiting >= REDIS_LINK_COMMANDS_MAX)
        return -1;
    if (link->n_waiting == 0)
        link->ticks_quiet = 0;
    return send_command(link, args, fn, user);
}

size_t redis_link_waiting(const struct redis_link *link)
{
    return link->n_waiting;
}
