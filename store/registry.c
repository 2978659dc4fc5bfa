/*
 * The registry. Per role there are two keys: when each node's entry ends (a sorted set)
 * and what it says (a hash); scripts keep the two in step by Redis' own clock, so that
 * the clocks of the nodes need not agree. Every round is one pipeline: announce, then
 * look at both lists.
 *
 * A round that fails changes nothing: the last topology stays with whoever got it. And a
 * Redis that has restarted may have forgotten everybody, so for one time to live after
 * each connection we drop nobody who was known before, unless he was about to leave.
 * What cannot be decoded or checked is left out of the lists (registry_node.c).
 */
#include "registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "redis_link.h"
#include "redis_reply.h"
#include "redis_sync.h"
#include "registry_node.h"
#include "store_keys.h"
#include "store_redis.h"

#define ARENA_MAX (32u << 20) /* 1024 nodes of both roles, several times over */
#define ID_MAX (REGISTRY_TEXT_MAX + 1)

extern const char script_registry_announce_lua[];
extern const char script_registry_look_lua[];
extern const char script_registry_leave_lua[];

enum script { ANNOUNCE, LOOK, SCRIPTS };
enum role { SCANNERS, POLICYDS, ROLES };

static const char *const role_names[] = {[SCANNERS] = "scand", [POLICYDS] = "policyd"};

struct registry {
    struct registry_options options;
    struct redis_link *link;
    struct redis_script scripts[SCRIPTS];
    uv_timer_t timer;
    /* The lists of the last round, and those of this one in the other arena. */
    struct mx_arena *arenas[2];
    Mxp__TopologyReply last, next;
    unsigned current;     /* index of the arena of ->next */
    unsigned rounds_held; /* so many rounds nobody is dropped */
    unsigned n_looks;     /* replies of this round still to come */
    bool is_look_bad;
    bool is_left, is_leaving, is_stopped;
    bool is_refused; /* on_state was told that we cannot be announced */
    char id[ID_MAX]; /* as last announced; "" never */
};

static void look_args(struct redis_args *args, const struct redis_script *script,
                      const char *role, struct store_key keys[static 2])
{
    redis_args_script(args, script, 2);
    redis_args_str(args, store_keys_due(&keys[0], role));
    redis_args_str(args, store_keys_node(&keys[1], role));
}

/* The nodes of a reply that can be used, in its order (by id). */
static void read_nodes(struct mx_arena *arena, const struct redisReply *reply,
                       Mxp__Node ***out, size_t *out_n)
{
    size_t n = redis_reply_count(reply), kept = 0;
    size_t room = mx_arena_left(arena) / 2 / sizeof(Mxp__Node *);
    if (n > REGISTRY_NODES_MAX)
        n = REGISTRY_NODES_MAX;
    if (n > room)
        n = room;
    Mxp__Node **nodes = mx_arena_array(arena, n, sizeof(nodes[0]));
    for (size_t i = 0; i < n; i++) {
        struct mx_str bytes = redis_reply_str(redis_reply_at(reply, i));
        if (bytes.n > 0 && registry_node_decode(arena, bytes, &nodes[kept], NULL) == 0)
            kept++;
    }
    *out = nodes;
    *out_n = kept;
}

static void read_role(struct mx_arena *arena, const struct redisReply *reply,
                      enum role role, Mxp__TopologyReply *out)
{
    if (role == SCANNERS)
        read_nodes(arena, reply, &out->scanners, &out->n_scanners);
    else
        read_nodes(arena, reply, &out->policyds, &out->n_policyds);
}

static void tell_state(struct registry *registry, bool is_up, const char *reason)
{
    if (registry->options.on_state && !registry->is_stopped)
        registry->options.on_state(registry->options.user, is_up, reason);
}

static void on_round(uv_timer_t *timer);

/* A script that Redis has forgotten is sent whole next time, which is at once. */
static void on_noscript(struct registry *registry, enum script script)
{
    registry->scripts[script].sha[0] = '\0';
    if (!registry->is_stopped)
        uv_timer_start(&registry->timer, on_round, 0,
                       (uint64_t)registry->options.period_ms);
}

/* All lists of a round are here. */
static void publish(struct registry *registry)
{
    struct mx_arena *arena = registry->arenas[registry->current];
    if (registry->rounds_held > 0) {
        registry->rounds_held--;
        registry_keep(arena, &registry->last, &registry->next);
    }
    registry->next.version = registry_version(&registry->next);
    registry->last = registry->next;
    registry->current = !registry->current;
    registry->options.on_topology(registry->options.user, &registry->last);
}

static void take_look(struct registry *registry, const struct redisReply *reply,
                      enum role role)
{
    if (redis_reply_is_noscript(reply))
        on_noscript(registry, LOOK);
    if (reply == NULL || redis_reply_error(reply).n > 0)
        registry->is_look_bad = true;
    else
        read_role(registry->arenas[registry->current], reply, role, &registry->next);
    if (--registry->n_looks == 0 && !registry->is_look_bad && !registry->is_stopped)
        publish(registry);
}

static void on_scanners(void *user, const struct redisReply *reply)
{
    take_look(user, reply, SCANNERS);
}

static void on_policyds(void *user, const struct redisReply *reply)
{
    take_look(user, reply, POLICYDS);
}

static void look(struct registry *registry)
{
    static redis_link_fn *const fns[] = {
        [SCANNERS] = on_scanners, [POLICYDS] = on_policyds};
    struct redis_args args;
    struct store_key keys[2];
    mx_arena_reset(registry->arenas[registry->current]);
    mxp__topology_reply__init(&registry->next);
    registry->is_look_bad = false;
    for (int role = 0; role < ROLES; role++) {
        look_args(&args, &registry->scripts[LOOK], role_names[role], keys);
        redis_args_int(&args, REGISTRY_NODES_MAX);
        if (redis_link_send(registry->link, &args, fns[role], registry) == 0)
            registry->n_looks++;
        else
            registry->is_look_bad = true;
    }
}

/* Say once that we are not on the list, and once that we are again. */
static void set_refused(struct registry *registry, const char *reason)
{
    bool was_refused = registry->is_refused;
    registry->is_refused = reason != NULL;
    if (reason && !was_refused)
        tell_state(registry, false, reason);
    else if (!reason && was_refused)
        tell_state(registry, true, "announced");
}

static void on_announced(void *user, const struct redisReply *reply)
{
    struct registry *registry = user;
    int64_t is_listed = 0;
    if (reply == NULL)
        return;
    if (redis_reply_is_noscript(reply))
        on_noscript(registry, ANNOUNCE);
    else if (redis_reply_int(reply, &is_listed) != 0)
        set_refused(registry, "announcing: unexpected reply");
    else
        set_refused(registry, is_listed ? NULL : "announcing: the list is full");
}

void registry_announce(struct registry *registry)
{
    const struct registry_options *options = &registry->options;
    struct redis_args args;
    struct store_key keys[2];
    struct mx_str bytes;
    struct mx_err err;
    Mxp__Node node;
    if (options->role == NULL || registry->is_left || registry->is_stopped ||
        !redis_link_is_up(registry->link))
        return;
    mxp__node__init(&node);
    options->describe(options->user, &node);
    struct mx_arena *arena = mx_arena_new(4 * REGISTRY_NODE_MAX);
    if (registry_node_encode(arena, &node, &bytes, &err) != 0) {
        set_refused(registry, err.text);
    } else {
        snprintf(registry->id, sizeof(registry->id), "%s", node.id);
        look_args(&args, &registry->scripts[ANNOUNCE], options->role, keys);
        redis_args_text(&args, registry->id);
        redis_args_str(&args, bytes);
        redis_args_int(&args, options->ttl_ms);
        redis_args_int(&args, REGISTRY_NODES_MAX);
        redis_link_send(registry->link, &args, on_announced, registry);
    }
    mx_arena_free(arena);
}

static void on_round(uv_timer_t *timer)
{
    struct registry *registry = timer->data;
    registry_announce(registry);
    /* Looks of the last round that are still out: the arena is theirs. */
    if (registry->options.on_topology && registry->n_looks == 0 && !registry->is_stopped)
        look(registry);
}

static void on_link_state(void *user, bool is_up, const char *reason)
{
    struct registry *registry = user;
    registry->is_refused = false;
    registry->rounds_held =
        (unsigned)(registry->options.ttl_ms / registry->options.period_ms) + 1;
    tell_state(registry, is_up, reason);
    if (is_up && !registry->is_stopped)
        uv_timer_start(&registry->timer, on_round, 0,
                       (uint64_t)registry->options.period_ms);
}

static void on_closed(uv_handle_t *handle)
{
    struct registry *registry = handle->data;
    mx_arena_free(registry->arenas[0]);
    mx_arena_free(registry->arenas[1]);
    free(registry);
}

static void close_all(struct registry *registry)
{
    if (uv_is_closing((uv_handle_t *)&registry->timer))
        return;
    uv_close((uv_handle_t *)&registry->timer, on_closed);
    redis_link_close(registry->link); /* calls on_left where that still waits */
}

static void on_left(void *user, const struct redisReply *reply)
{
    struct registry *registry = user;
    (void)reply; /* without one our entry ends by itself */
    registry->is_leaving = false;
    if (registry->is_stopped)
        close_all(registry);
}

void registry_leave(struct registry *registry)
{
    struct redis_args args;
    struct store_key keys[2];
    struct redis_script whole = {.source = script_registry_leave_lua};
    if (registry->is_left || registry->id[0] == '\0')
        return;
    registry->is_left = true;
    /* Sent once in a life: whole, so that no forgotten script can keep us listed. */
    look_args(&args, &whole, registry->options.role, keys);
    redis_args_text(&args, registry->id);
    registry->is_leaving = redis_link_send(registry->link, &args, on_left, registry) == 0;
}

static void on_linger(uv_timer_t *timer)
{
    close_all(timer->data);
}

void registry_stop(struct registry *registry)
{
    if (registry == NULL || registry->is_stopped)
        return;
    registry->is_stopped = true;
    if (registry->is_leaving)
        uv_timer_start(&registry->timer, on_linger, REGISTRY_LEAVE_MS, 0);
    else
        close_all(registry);
}

static bool is_role(const char *role)
{
    for (int i = 0; i < ROLES; i++)
        if (strcmp(role, role_names[i]) == 0)
            return true;
    return false;
}

int registry_start(struct uv_loop_s *loop, const struct registry_options *options,
                   struct registry **out, struct mx_err *err)
{
    if (options->role && (!is_role(options->role) || !options->describe))
        return mx_err_set(err, MX_ERR_INPUT, "registry: no role '%s'", options->role);
    struct registry *registry = mx_xalloc(sizeof(*registry));
    struct redis_link_options link = {
        .settings = options->settings,
        .scripts = registry->scripts,
        .n_scripts = SCRIPTS,
        .on_state = on_link_state,
        .user = registry,
    };
    registry->options = *options;
    if (registry->options.ttl_ms == 0)
        registry->options.ttl_ms = REGISTRY_TTL_MS;
    if (registry->options.period_ms == 0)
        registry->options.period_ms = REGISTRY_PERIOD_MS;
    registry->scripts[ANNOUNCE].source = script_registry_announce_lua;
    registry->scripts[LOOK].source = script_registry_look_lua;
    if (redis_link_open(loop, &link, &registry->link, err) != 0) {
        free(registry);
        return -1;
    }
    registry->arenas[0] = mx_arena_new(ARENA_MAX);
    registry->arenas[1] = mx_arena_new(ARENA_MAX);
    mxp__topology_reply__init(&registry->last);
    uv_timer_init(loop, &registry->timer);
    registry->timer.data = registry;
    *out = registry;
    return 0;
}

int registry_read(const struct store_redis_settings *settings, struct mx_arena *arena,
                  Mxp__TopologyReply **out, struct mx_err *err)
{
    const struct redis_script whole = {.source = script_registry_look_lua};
    Mxp__TopologyReply *topology = mx_arena_alloc(arena, sizeof(*topology));
    struct redis_sync *sync = NULL;
    struct redis_args args;
    struct store_key keys[2];
    int status = -1;
    mxp__topology_reply__init(topology);
    if (redis_sync_open(settings, &sync, err) != 0)
        return -1;
    for (int role = 0; role < ROLES; role++) {
        struct redisReply *reply = NULL;
        look_args(&args, &whole, role_names[role], keys);
        redis_args_int(&args, REGISTRY_NODES_MAX);
        if (redis_sync_run(sync, &args, &reply, err) != 0)
            goto done;
        read_role(arena, reply, (enum role)role, topology);
        redis_sync_free_reply(reply);
    }
    topology->version = registry_version(topology);
    *out = topology;
    status = 0;
done:
    redis_sync_close(sync);
    return status;
}
