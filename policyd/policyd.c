/*
 * The main thread. It answers nothing itself: it starts the workers, keeps their entries
 * in the registry, hands them the cluster's lists, watches the map files and carries out
 * signals.
 *
 * A reload builds one new chain per worker aside; only when all could be built are they
 * handed over, so that workers never differ and a bad file changes nothing. What chains
 * borrow from a configuration is counted in a snapshot, and the last chain frees it.
 */
#include "policyd.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <uv.h>

#include "mx_arena.h"
#include "mx_daemon.h"
#include "mx_err.h"
#include "mx_health.h"
#include "mx_log.h"
#include "mx_time.h"
#include "mxp_address.h"
#include "mxp_client.h"
#include "policy_chain.h"
#include "policy_maps.h"
#include "policy_topology.h"
#include "policy_worker.h"
#include "policyd_conf.h"
#include "registry.h"
#include "store_redis.h"

#define TICK_MS 1000 /* distance of looks at map files */
#define ENDPOINT_MAX 256
#define NODE_MAX 96
#define LINE_ARENA_MAX 65536 /* bytes, for escaping in log lines */

/* A configuration and how many chains (and we ourselves) still use it. */
struct snapshot {
    _Atomic unsigned refs;
    struct mx_conf *owned; /* NULL: the skeleton's */
    const struct mx_conf *conf;
};

struct policyd;

/* A worker and its entry in the registry. */
struct member {
    struct policyd *daemon;
    char node[NODE_MAX], endpoint[ENDPOINT_MAX], advertise[ENDPOINT_MAX];
    struct policy_worker *worker;
    struct registry *registry;
};

struct policyd {
    struct mx_daemon_env *env;
    const struct policyd_conf *own; /* as of start */
    struct snapshot *snapshot;      /* in use */
    struct policy_map_files *files;
    uv_loop_t loop;
    uv_poll_t signals;
    uv_timer_t tick;
    uv_async_t ended; /* some worker has */
    struct member members[POLICYD_WORKERS_MAX];
    unsigned n, n_started;
    _Atomic unsigned n_ended;
    const char **allowed_keys; /* ends with NULL */
    uint64_t topology;         /* version as handed out last */
    int64_t since_ms;
    bool is_draining;
};

/* ---- snapshots
 * ------------------------------------------------------------------------------ */

static struct snapshot *snapshot_new(const struct mx_conf *conf, struct mx_conf *owned)
{
    struct snapshot *snapshot = mx_xalloc(sizeof(*snapshot));
    atomic_init(&snapshot->refs, 1);
    snapshot->conf = conf;
    snapshot->owned = owned;
    return snapshot;
}

static void snapshot_unref(void *user)
{
    struct snapshot *snapshot = user;
    if (snapshot == NULL || atomic_fetch_sub(&snapshot->refs, 1) != 1)
        return;
    mx_conf_free(snapshot->owned);
    free(snapshot);
}

/* ---- chains
 * ----------------------------------------------------------------------------------- */

static int make_chain(struct policyd *d, struct snapshot *snapshot,
                      struct policy_chain **out, struct mx_err *err)
{
    const struct store_redis_settings *redis = mx_conf_get(snapshot->conf, "redis");
    struct policy_chain_env env = {.clock = d->env->clock,
                                   .log = d->env->log,
                                   .metrics = d->env->metrics,
                                   .health = d->env->health,
                                   .files = d->files,
                                   .store_timeout_ms = (unsigned)redis->timeout_ms,
                                   .on_free = snapshot_unref,
                                   .user = snapshot};
    atomic_fetch_add(&snapshot->refs, 1); /* the chain's; given back by on_free */
    return policy_chain_new(snapshot->conf, &env, out, err);
}

static int make_chains(struct policyd *d, struct snapshot *snapshot,
                       struct policy_chain **out, struct mx_err *err)
{
    for (unsigned i = 0; i < d->n; i++) {
        if (make_chain(d, snapshot, &out[i], err) < 0) {
            while (i-- > 0)
                policy_chain_unref(out[i]);
            return -1;
        }
    }
    return 0;
}

int policyd_check(const struct mx_conf *conf, struct mx_err *err)
{
    struct policy_chain *chain = NULL;
    char endpoint[ENDPOINT_MAX];
    const struct policyd_conf *own = policyd_conf_get(conf);
    const struct mxp_keys keys = {own->public_key, own->secret_key};
    if (mxp_address_check_server(conf, "policyd", own->endpoint, &keys, err) < 0 ||
        store_redis_check_conf(conf, err) < 0)
        return -1;
    struct policy_map_files *files = policy_map_files_new();
    int result = policy_chain_new(
        conf, &(struct policy_chain_env){.clock = &mx_clock_real, .files = files}, &chain,
        err);
    policy_chain_unref(chain);
    policy_map_files_free(files);
    if (result < 0)
        return -1;
    unsigned last = own->workers > 0 ? (unsigned)own->workers - 1 : 0;
    if (policyd_endpoint(last, own->endpoint, endpoint, sizeof(endpoint), err) < 0)
        return mx_err_wrap(err, "%s: policyd.endpoint",
                           mx_conf_where(conf, "policyd.endpoint"));
    return 0;
}

/* ---- map files
 * --------------------------------------------------------------------------------- */

static void on_map_loaded(void *user, size_t file, struct policy_map *map)
{
    struct policyd *d = user;
    for (unsigned i = 0; i < d->n_started; i++)
        policy_worker_use_map(d->members[i].worker, file, map);
    mx_log(d->env->log, MX_LOG_INFO, "maps.loaded", "file=%s entries=%zu",
           policy_map_files_path(d->files, file), policy_map_entries(map));
}

static void on_map_broken(void *user, const char *path, const char *reason)
{
    struct policyd *d = user;
    struct mx_arena *arena = mx_arena_new(LINE_ARENA_MAX);
    mx_health_degraded(d->env->health, "maps", reason);
    mx_log(d->env->log, MX_LOG_ERROR, "maps.broken", "file=%s instead=old error=%s", path,
           mx_str_esc(arena, mx_str(reason)));
    mx_arena_free(arena);
}

static void poll_maps(struct policyd *d, bool is_forced)
{
    size_t broken = policy_map_files_poll(
        d->files, is_forced,
        &(struct policy_map_watch){
            .on_loaded = on_map_loaded, .on_broken = on_map_broken, .user = d});
    if (broken == 0 && mx_health_degraded(d->env->health, "maps", NULL))
        mx_log(d->env->log, MX_LOG_INFO, "maps.recovered", "broken=0");
}

/* ---- reload
 * --------------------------------------------------------------------------------------
 */

static void note_restart_needed(struct policyd *d, const struct policyd_conf *now)
{
    if (strcmp(d->own->endpoint, now->endpoint) != 0 || d->own->workers != now->workers)
        mx_log(d->env->log, MX_LOG_WARN, "policy.reload",
               "ignored=endpoint,workers why=\"a change needs a restart\"");
}

static void reload(struct policyd *d, struct mx_conf *conf)
{
    struct snapshot *snapshot = snapshot_new(conf, conf);
    struct policy_chain *chains[POLICYD_WORKERS_MAX];
    struct mx_err err;
    poll_maps(d, true);
    if (make_chains(d, snapshot, chains, &err) < 0) {
        struct mx_arena *arena = mx_arena_new(LINE_ARENA_MAX);
        mx_health_degraded(d->env->health, "reload", err.text);
        mx_log(d->env->log, MX_LOG_ERROR, "policy.reload",
               "result=failed instead=old error=%s", mx_str_esc(arena, mx_str(err.text)));
        mx_arena_free(arena);
        snapshot_unref(snapshot);
        return;
    }
    for (unsigned i = 0; i < d->n_started; i++)
        policy_worker_use_chain(d->members[i].worker, chains[i]);
    snapshot_unref(d->snapshot);
    d->snapshot = snapshot;
    note_restart_needed(d, policyd_conf_get(conf));
    mx_health_degraded(d->env->health, "reload", NULL);
    mx_log(d->env->log, MX_LOG_INFO, "policy.reload", "result=ok");
}

/* ---- registry
 * --------------------------------------------------------------------------------------
 */

/* registry_describe borrows until its next call; the wire's code wants char *. */
static char *borrowed(const char *text)
{
    union {
        const char *in;
        char *out;
    } u = {text};
    return u.out;
}

static void describe(void *user, Mxp__Node *node)
{
    struct member *m = user;
    struct policyd *d = m->daemon;
    node->id = borrowed(m->node);
    node->endpoint = borrowed(m->advertise);
    node->public_key = borrowed(d->own->public_key);
    node->workers = 1;
    node->busy = m->worker ? policy_worker_busy(m->worker) : 0;
    node->is_draining = d->is_draining;
    node->version = borrowed(MX_VERSION);
    node->since_ms = d->since_ms;
}

static void on_topology(void *user, const Mxp__TopologyReply *lists)
{
    struct policyd *d = ((struct member *)user)->daemon;
    if (lists->version == d->topology)
        return;
    struct policy_topology *topology = policy_topology_new(lists);
    for (unsigned i = 0; i < d->n_started; i++)
        policy_worker_use_topology(d->members[i].worker, topology);
    policy_topology_unref(topology);
    d->topology = lists->version;
    mx_log(d->env->log, MX_LOG_INFO, "topology.changed", "scanners=%zu policyds=%zu",
           lists->n_scanners, lists->n_policyds);
}

static void on_registry_state(void *user, bool is_up, const char *reason)
{
    struct policyd *d = ((struct member *)user)->daemon;
    const char *why = reason ? reason : "down";
    if (!mx_health_degraded(d->env->health, "registry", is_up ? NULL : why))
        return;
    mx_log(d->env->log, is_up ? MX_LOG_INFO : MX_LOG_WARN,
           is_up ? "registry.up" : "registry.down", "reason=\"%s\"", is_up ? "-" : why);
}

static int start_registry(struct policyd *d, struct member *m, struct mx_err *err)
{
    struct registry_options options = {.settings = mx_conf_get(d->env->conf, "redis"),
                                       .role = "policyd",
                                       .describe = describe,
                                       .on_topology =
                                           m == &d->members[0] ? on_topology : NULL,
                                       .on_state = on_registry_state,
                                       .user = m};
    return registry_start(&d->loop, &options, &m->registry, err);
}

/* ---- workers
 * -----------------------------------------------------------------------------------------
 */

int policyd_endpoint(unsigned index, const char *endpoint, char *out, unsigned room,
                     struct mx_err *err)
{
    struct mx_str text = mx_str(endpoint);
    int64_t port;
    int n = -1;
    if (index == 0) {
        n = snprintf(out, room, "%s", endpoint);
    } else if (mx_str_starts(text, MX_STR("ipc://"))) {
        n = snprintf(out, room, "%s-%u", endpoint, index);
    } else {
        ptrdiff_t colon = mx_str_rchr(text, ':');
        struct mx_str digits = mx_str_sub(text, (size_t)(colon + 1), text.n);
        if (!mx_str_starts(text, MX_STR("tcp://")) ||
            mx_str_to_int(digits, 1, 65535 - (int64_t)index, &port, NULL) < 0)
            return mx_err_set(
                err, MX_ERR_INPUT,
                "'%s': more than one worker needs ipc:// or tcp:// with a port",
                endpoint);
        n = snprintf(out, room, "%.*s:%u", (int)colon, endpoint, (unsigned)port + index);
    }
    if (n < 0 || (unsigned)n >= room)
        return mx_err_set(err, MX_ERR_LIMIT, "endpoint over %u bytes", room);
    return 0;
}

static void name_members(struct policyd *d)
{
    char host[65] = "localhost", base[NODE_MAX - 16];
    gethostname(host, sizeof(host) - 1);
    if (d->own->node[0])
        snprintf(base, sizeof(base), "%s", d->own->node);
    else
        snprintf(base, sizeof(base), "policyd@%s-%d", host, (int)getpid());
    for (unsigned i = 0; i < d->n; i++) {
        if (i == 0)
            snprintf(d->members[i].node, NODE_MAX, "%s", base);
        else
            snprintf(d->members[i].node, NODE_MAX, "%s-%u", base, i);
        d->members[i].daemon = d;
    }
}

static int name_endpoints(struct policyd *d, struct mx_err *err)
{
    const char *advertise = d->own->advertise[0] ? d->own->advertise : d->own->endpoint;
    for (unsigned i = 0; i < d->n; i++) {
        struct member *m = &d->members[i];
        if (policyd_endpoint(i, d->own->endpoint, m->endpoint, ENDPOINT_MAX, err) < 0 ||
            policyd_endpoint(i, advertise, m->advertise, ENDPOINT_MAX, err) < 0)
            return -1;
    }
    return 0;
}

static void on_worker_end(void *user)
{
    struct policyd *d = user;
    atomic_fetch_add(&d->n_ended, 1);
    uv_async_send(&d->ended);
}

static int start_worker(struct policyd *d, unsigned index, struct policy_chain *chain,
                        struct mx_err *err)
{
    struct member *m = &d->members[index];
    bool has_keys = d->own->public_key[0] && d->own->secret_key[0];
    struct policy_worker_options options = {
        .index = index,
        .workers = d->n,
        .node = m->node,
        .process = d->members[0].node,
        .endpoint = m->endpoint,
        .advertise = m->advertise,
        .keys = {has_keys ? d->own->public_key : NULL,
                 has_keys ? d->own->secret_key : NULL},
        .allowed_keys = d->allowed_keys,
        .in_flight_max = (size_t)d->own->in_flight,
        .drain_timeout_ms = d->own->drain_timeout_ms,
        .since_ms = d->since_ms,
        .redis = mx_conf_get(d->env->conf, "redis"),
        .clock = d->env->clock,
        .log = d->env->log,
        .metrics = d->env->metrics,
        .health = d->env->health,
        .on_end = on_worker_end,
        .user = d};
    if (policy_worker_start(&options, chain, &m->worker, err) < 0)
        return mx_err_wrap(err, "%s: policyd.endpoint",
                           mx_conf_where(d->env->conf, "policyd.endpoint"));
    d->n_started++;
    return 0;
}

static int start_workers(struct policyd *d, struct mx_err *err)
{
    struct policy_chain *chains[POLICYD_WORKERS_MAX];
    if (make_chains(d, d->snapshot, chains, err) < 0)
        return -1;
    for (unsigned i = 0; i < d->n; i++) {
        if (start_worker(d, i, chains[i], err) < 0) {
            while (++i < d->n)
                policy_chain_unref(chains[i]);
            return -1;
        }
    }
    return 0;
}

/* ---- events
 * --------------------------------------------------------------------------------------------
 */

static void drain(struct policyd *d)
{
    if (d->is_draining)
        return;
    d->is_draining = true;
    mx_health_ready(d->env->health, false);
    mx_daemon_status(d->env, "draining");
    for (unsigned i = 0; i < d->n_started; i++) {
        if (d->members[i].registry)
            registry_announce(d->members[i].registry);
        policy_worker_drain(d->members[i].worker);
    }
}

/* Every worker has ended: leave, and let the loop run out of handles. */
static void close_all(struct policyd *d)
{
    for (unsigned i = 0; i < d->n; i++) {
        struct registry *registry = d->members[i].registry;
        if (registry) {
            registry_leave(registry);
            registry_stop(registry);
        }
        d->members[i].registry = NULL;
    }
    uv_close((uv_handle_t *)&d->signals, NULL);
    uv_close((uv_handle_t *)&d->tick, NULL);
    uv_close((uv_handle_t *)&d->ended, NULL);
}

static void on_ended(uv_async_t *async)
{
    struct policyd *d = async->data;
    if (atomic_load(&d->n_ended) == d->n_started)
        close_all(d);
}

static void on_signal(uv_poll_t *poll, int status, int events)
{
    struct policyd *d = poll->data;
    struct mx_conf *conf = NULL;
    (void)status, (void)events;
    switch (mx_daemon_signal(d->env, &conf)) {
    case MX_DAEMON_NOTHING: break;
    case MX_DAEMON_RELOAD: reload(d, conf); break;
    case MX_DAEMON_STOP: drain(d); break;
    }
}

static void on_tick(uv_timer_t *timer)
{
    struct policyd *d = timer->data;
    mx_daemon_watchdog(d->env);
    poll_maps(d, false);
}

static void init_handles(struct policyd *d)
{
    uv_loop_init(&d->loop);
    uv_poll_init(&d->loop, &d->signals, d->env->signal_fd);
    uv_timer_init(&d->loop, &d->tick);
    uv_async_init(&d->loop, &d->ended, on_ended);
    d->signals.data = d->tick.data = d->ended.data = d;
    uv_poll_start(&d->signals, UV_READABLE, on_signal);
    uv_timer_start(&d->tick, on_tick, TICK_MS, TICK_MS);
}

/* ---- start and end
 * ---------------------------------------------------------------------------------------
 */

static unsigned count_workers(const struct policyd_conf *own)
{
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    if (own->workers > 0)
        return (unsigned)own->workers;
    return cpus < 1                     ? 1
           : cpus > POLICYD_WORKERS_MAX ? POLICYD_WORKERS_MAX
                                        : (unsigned)cpus;
}

/* Wrong credentials are told at once; a Redis that is away may come back. */
static int check_store(struct policyd *d, struct mx_err *err)
{
    struct mx_err why;
    struct mx_arena *arena;
    if (store_redis_check(mx_conf_get(d->env->conf, "redis"), &why) == 0)
        return 0;
    if (why.code == MX_ERR_INPUT)
        return mx_err_set(err, why.code, "%s: redis: %s",
                          mx_conf_where(d->env->conf, "redis"), why.text);
    arena = mx_arena_new(LINE_ARENA_MAX);
    mx_health_degraded(d->env->health, "store", why.text);
    mx_log(d->env->log, MX_LOG_WARN, "store.down", "at=start error=%s",
           mx_str_esc(arena, mx_str(why.text)));
    mx_arena_free(arena);
    return 0;
}

static void list_keys(struct policyd *d)
{
    const struct mx_conf_strings *keys = &d->own->allowed_keys;
    d->allowed_keys = mx_xalloc((keys->n + 1) * sizeof(*d->allowed_keys));
    for (size_t i = 0; i < keys->n; i++)
        d->allowed_keys[i] = keys->v[i];
}

static int start(struct policyd *d, struct mx_err *err)
{
    if (name_endpoints(d, err) < 0 || check_store(d, err) < 0 ||
        start_workers(d, err) < 0)
        return -1;
    for (unsigned i = 0; i < d->n; i++)
        if (start_registry(d, &d->members[i], err) < 0)
            return -1;
    mx_log(d->env->log, MX_LOG_INFO, "policy.ready", "endpoint=%s workers=%u",
           d->members[0].endpoint, d->n);
    mx_daemon_ready(d->env, "answering on %s with %u workers", d->members[0].endpoint,
                    d->n);
    return 0;
}

static void fini(struct policyd *d)
{
    for (unsigned i = 0; i < d->n; i++)
        policy_worker_join(d->members[i].worker);
    uv_loop_close(&d->loop);
    policy_map_files_free(d->files);
    snapshot_unref(d->snapshot);
    free(d->allowed_keys);
    free(d);
}

int policyd_run(struct mx_daemon_env *env, struct mx_err *err)
{
    struct policyd *d = mx_xalloc(sizeof(*d));
    d->env = env;
    d->own = policyd_conf_get(env->conf);
    d->n = count_workers(d->own);
    d->since_ms = mx_wall_ms(env->clock);
    d->files = policy_map_files_new();
    d->snapshot = snapshot_new(env->conf, NULL);
    list_keys(d);
    name_members(d);
    init_handles(d);
    int result = start(d, err);
    if (result < 0) {
        drain(d);
        if (d->n_started == 0)
            close_all(d);
    }
    uv_run(&d->loop, UV_RUN_DEFAULT);
    fini(d);
    return result;
}
