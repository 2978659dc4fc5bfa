/*
 * Health: one flag and a short sorted table of degraded checks under one lock. Readers
 * work on a copy, so that a callback may call back. It holds no history and judges
 * nothing: who serves /healthz or STATUS decides what a state means.
 */
#include "mx_health.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "mx_arena.h"
#include "mx_str.h"

#define CHECKS_MAX 32
#define CHECK_MAX 32   /* bytes of a name, as in the header */
#define REASON_MAX 200 /* bytes of a reason, as in the header */

struct degraded {
    char check[CHECK_MAX + 1];
    char reason[REASON_MAX + 1];
};

/* What readers copy. */
struct state {
    bool is_ready, has_more; /* has_more: a check found no room in the table */
    size_t n;
    struct degraded checks[CHECKS_MAX]; /* sorted by check */
};

struct mx_health {
    pthread_mutex_t lock;
    struct state state;
};

struct mx_health *mx_health_new(void)
{
    struct mx_health *health = mx_xalloc(sizeof(*health));
    pthread_mutex_init(&health->lock, NULL);
    return health;
}

void mx_health_free(struct mx_health *health)
{
    if (health == NULL)
        return;
    pthread_mutex_destroy(&health->lock);
    free(health);
}

static void copy_cut(char *to, size_t room, const char *text)
{
    size_t n = strnlen(text, room - 1);
    memcpy(to, text, n);
    to[n] = '\0';
}

/* The lock protects the reading as well, and locking is no change that a caller sees. */
static struct state copy_state(const struct mx_health *health)
{
    pthread_mutex_t *lock = (pthread_mutex_t *)(uintptr_t)&health->lock;
    pthread_mutex_lock(lock);
    struct state state = health->state;
    pthread_mutex_unlock(lock);
    return state;
}

void mx_health_ready(struct mx_health *health, bool is_ready)
{
    pthread_mutex_lock(&health->lock);
    health->state.is_ready = is_ready;
    pthread_mutex_unlock(&health->lock);
}

bool mx_health_is_ready(const struct mx_health *health)
{
    return copy_state(health).is_ready;
}

static void remove_at(struct state *state, size_t at)
{
    state->n--;
    memmove(&state->checks[at], &state->checks[at + 1],
            (state->n - at) * sizeof(state->checks[0]));
    /* There is room again: a check that found none comes back with its next report. */
    state->has_more = false;
}

static bool insert_at(struct state *state, size_t at, const char *check)
{
    if (state->n == CHECKS_MAX) {
        bool is_news = !state->has_more;
        state->has_more = true;
        return is_news;
    }
    memmove(&state->checks[at + 1], &state->checks[at],
            (state->n - at) * sizeof(state->checks[0]));
    state->checks[at] = (struct degraded){.reason = ""};
    copy_cut(state->checks[at].check, sizeof(state->checks[at].check), check);
    state->n++;
    return true;
}

static bool update(struct state *state, const char *name, const char *reason)
{
    char check[CHECK_MAX + 1];
    size_t at = 0;
    bool is_change = false;
    copy_cut(check, sizeof(check), name);
    while (at < state->n && strcmp(state->checks[at].check, check) < 0)
        at++;
    bool is_known = at < state->n && strcmp(state->checks[at].check, check) == 0;
    if (reason == NULL) {
        if (is_known)
            remove_at(state, at);
        return is_known;
    }
    if (!is_known)
        is_change = insert_at(state, at, check);
    if (at < state->n && strcmp(state->checks[at].check, check) == 0)
        copy_cut(state->checks[at].reason, sizeof(state->checks[at].reason), reason);
    return is_change;
}

bool mx_health_degraded(struct mx_health *health, const char *check, const char *reason)
{
    pthread_mutex_lock(&health->lock);
    bool is_change = update(&health->state, check, reason);
    pthread_mutex_unlock(&health->lock);
    return is_change;
}

void mx_health_each(struct mx_health *health,
                    void (*fn)(void *user, const char *check, const char *reason),
                    void *user)
{
    struct state state = copy_state(health);
    for (size_t i = 0; i < state.n; i++)
        fn(user, state.checks[i].check, state.checks[i].reason);
    if (state.has_more)
        fn(user, "more", "further checks are degraded");
}

struct json {
    struct mx_buf *out;
    struct mx_arena *arena;
    const char *separator;
};

static void put_check(void *user, const char *check, const char *reason)
{
    struct json *json = user;
    mx_buf_printf(json->out, "%s%s:%s", json->separator,
                  mx_str_json(json->arena, mx_str(check)),
                  mx_str_json(json->arena, mx_str(reason)));
    json->separator = ",";
}

void mx_health_format(struct mx_health *health, struct mx_buf *out)
{
    /* Each byte takes at most six in JSON. */
    struct json json = {.out = out, .separator = ""};
    json.arena = mx_arena_new((CHECKS_MAX + 1) * (CHECK_MAX + REASON_MAX + 64) * 8);
    mx_buf_printf(out, "{\"live\":true,\"ready\":%s,\"degraded\":{",
                  mx_health_is_ready(health) ? "true" : "false");
    mx_health_each(health, put_check, &json);
    mx_buf_str(out, "}}");
    mx_arena_free(json.arena);
}
