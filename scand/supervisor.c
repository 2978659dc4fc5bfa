/*
 * The supervisor: one thread, one libuv loop, no parsing of mail, no libclamav. It owns
 * the server socket, the queue, the engines, the workers' sockets and the entry in the
 * registry, so that it is the one process that must not die, and does as little as
 * possible that could kill it.
 *
 * This file holds its start, its tick and its end; supervisor.h names what lies in which
 * sup_*.c. Deadlines are looked at every SUP_TICK_MS rather than with a timer each.
 *
 * The end: SIGTERM marks us as draining in the registry and refuses new work; when the
 * last message is answered (or drain_timeout has passed) workers and engines are closed,
 * and the loop runs out of handles.
 */
#include "supervisor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "mx_str.h"
#include "mx_time.h"
#include "poison_memory.h"
#include "registry.h"
#include "store_redis.h"

#define ARENA_MAX (64u << 20)  /* one decoded request, eight times its encoding */
#define REQUEST_MAX (4u << 20) /* octets of an encoded ScanRequest */
#define STOP_MS 2000           /* from closing an engine's channel to killing it */

static void on_fault(void *user, const char *peer, enum mx_err_code code,
                     const char *reason)
{
    struct supervisor *sup = user;
    mx_arena_reset(sup->arena);
    mx_log_throttled(sup->log,
                     code == MX_ERR_VERSION ? &sup->log_version : &sup->log_fault,
                     MX_LOG_WARN, "wire.fault", "peer=%s reason=\"%s\" action=ignored",
                     mx_str_esc(sup->arena, mx_str(peer)), reason);
}

static int open_server(struct supervisor *sup, struct mx_err *err)
{
    const struct scan_conf *conf = sup->conf;
    const char **allowed = mx_xalloc((conf->allowed_keys.n + 1) * sizeof(*allowed));
    for (size_t i = 0; i < conf->allowed_keys.n; i++)
        allowed[i] = conf->allowed_keys.v[i];
    bool has_keys = conf->public_key[0] != '\0' && conf->secret_key[0] != '\0';
    struct mxp_server_options options = {
        .endpoint = conf->endpoint,
        .keys = {has_keys ? conf->public_key : NULL, has_keys ? conf->secret_key : NULL},
        .allowed_keys = allowed,
        .payload_max = REQUEST_MAX,
        .body_max = (size_t)conf->max_body,
        .clock = sup->clock,
        .on_fault = on_fault,
        .user = sup,
    };
    int rc = mxp_server_open(&options, &sup->server, err);
    free(allowed);
    if (rc < 0)
        return mx_err_wrap(err, "%s: scand.endpoint",
                           mx_conf_where(sup->env->conf, "scand.endpoint"));
    return 0;
}

static void name_node(struct supervisor *sup)
{
    char host[65] = "localhost";
    gethostname(host, sizeof(host) - 1);
    if (sup->conf->node[0] != '\0')
        snprintf(sup->node, sizeof(sup->node), "%s", sup->conf->node);
    else
        snprintf(sup->node, sizeof(sup->node), "scand@%s-%d", host, (int)getpid());
}

/* Everything is answered, or time is up: close what keeps the loop alive. */
static void stop(struct supervisor *sup)
{
    sup->is_stopping = true;
    sup_jobs_drop(sup);
    sup_workers_drop(sup, NULL);
    sup_jobs_drop(sup); /* what workers still had */
    sup_engines_stop(sup);
    if (sup->registry != NULL)
        registry_leave(sup->registry);
    registry_stop(sup->registry);
    sup->registry = NULL;
    uv_close((uv_handle_t *)&sup->again, NULL);
    uv_close((uv_handle_t *)&sup->server_poll, NULL);
    uv_close((uv_handle_t *)&sup->signal_poll, NULL);
    sup->drain_until_ms = mx_mono_ms(sup->clock) + STOP_MS;
}

/* After stop: engines that do not end by themselves are killed. */
static void tick_stopping(struct supervisor *sup)
{
    size_t left = 0;
    for (size_t i = 0; i < SUP_ENGINES_MAX; i++) {
        struct sup_engine *engine = sup->engines[i];
        left += engine != NULL;
        if (engine != NULL && mx_mono_ms(sup->clock) > sup->drain_until_ms)
            sup_engine_kill(engine);
    }
    if (left == 0)
        uv_close((uv_handle_t *)&sup->tick, NULL);
}

static void on_tick(uv_timer_t *timer)
{
    struct supervisor *sup = timer->data;
    if (sup->is_stopping) {
        tick_stopping(sup);
        return;
    }
    sup_jobs_expire(sup);
    sup_workers_tick(sup);
    sup_engines_tick(sup);
    sup_workers_fill(sup);
    sup_jobs_dispatch(sup);
    sup_status_gauges(sup);
    mx_daemon_watchdog(sup->env);
    if (sup->is_draining &&
        (sup->jobs == 0 || mx_mono_ms(sup->clock) >= sup->drain_until_ms))
        stop(sup);
}

static void drain(struct supervisor *sup)
{
    if (sup->is_draining) {
        sup->drain_until_ms = 0; /* asked twice: at once */
        return;
    }
    sup->is_draining = true;
    sup->drain_until_ms = mx_mono_ms(sup->clock) + sup->conf->drain_timeout_ms;
    mx_log(sup->log, MX_LOG_INFO, "draining", "jobs=%zu", sup->jobs);
    mx_daemon_status(sup->env, "draining, %zu messages", sup->jobs);
    if (sup->registry != NULL)
        registry_announce(sup->registry);
}

static void on_signal(uv_poll_t *poll, int status, int events)
{
    (void)status, (void)events;
    struct supervisor *sup = poll->data;
    struct mx_conf *conf = NULL;
    switch (mx_daemon_signal(sup->env, &conf)) {
    case MX_DAEMON_NOTHING: break;
    case MX_DAEMON_STOP: drain(sup); break;
    case MX_DAEMON_RELOAD:
        if (sup->is_draining)
            mx_conf_free(conf);
        else
            sup_engine_start(sup, conf);
        break;
    }
}

static void on_server(uv_poll_t *poll, int status, int events)
{
    (void)status, (void)events;
    sup_jobs_take(poll->data);
}

static void start_loop(struct supervisor *sup)
{
    uv_poll_init(&sup->loop, &sup->server_poll, mxp_server_fd(sup->server));
    uv_poll_init(&sup->loop, &sup->signal_poll, sup->env->signal_fd);
    uv_timer_init(&sup->loop, &sup->tick);
    uv_idle_init(&sup->loop, &sup->again);
    sup->server_poll.data = sup->signal_poll.data = sup;
    sup->tick.data = sup->again.data = sup;
    uv_poll_start(&sup->server_poll, UV_READABLE, on_server);
    uv_poll_start(&sup->signal_poll, UV_READABLE, on_signal);
    uv_timer_start(&sup->tick, on_tick, SUP_TICK_MS, SUP_TICK_MS);
    sup_jobs_wake(sup);
}

/* Refused credentials are told at once; a Redis that is away comes back by itself. */
static int check_redis(const struct supervisor *sup, struct mx_err *err)
{
    const struct mx_conf *conf = sup->env->conf;
    struct mx_err why = {0};
    if (store_redis_check(mx_conf_get(conf, "redis"), &why) == 0 ||
        why.code != MX_ERR_INPUT)
        return 0;
    return mx_err_set(err, why.code, "%s: redis.password: %s",
                      mx_conf_where(conf, "redis.password"), why.text);
}

static int start(struct supervisor *sup, struct mx_err *err)
{
    uint8_t key[16];
    if (getrandom(key, sizeof(key), 0) != (ssize_t)sizeof(key))
        return mx_err_errno(err, "random numbers");
    sup->poison = poison_memory_new(key);
    sup->arena = mx_arena_new(ARENA_MAX);
    name_node(sup);
    sup_status_init(sup);
    sup_status_resize(sup);
    if (check_redis(sup, err) < 0 || open_server(sup, err) < 0)
        return -1;
    start_loop(sup);
    sup_engine_start(sup, NULL);
    return 0;
}

static void finish(struct supervisor *sup)
{
    uv_loop_close(&sup->loop);
    mxp_server_close(sup->server);
    mx_conf_free(sup->own_conf);
    mx_conf_free(sup->wanted_conf);
    poison_memory_free(sup->poison);
    mx_arena_free(sup->arena);
}

int supervisor_run(struct mx_daemon_env *env, struct mx_err *err)
{
    struct supervisor *sup = mx_xalloc(sizeof(*sup));
    sup->env = env;
    sup->log = env->log;
    sup->clock = env->clock;
    sup->conf = mx_conf_get(env->conf, "scand");
    sup->since_ms = mx_wall_ms(env->clock);
    sup->started_ms = mx_mono_ms(env->clock);
    int rc = -1;
    if (uv_loop_init(&sup->loop) < 0) {
        mx_err_set(err, MX_ERR_SYSTEM, "libuv gives no loop");
    } else {
        rc = start(sup, err);
        uv_run(&sup->loop, UV_RUN_DEFAULT); /* until stop() has closed everything */
        finish(sup);
    }
    free(sup);
    return rc;
}
