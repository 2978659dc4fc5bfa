/*
 * Topology. Shims are configured with policyd endpoints only; any policyd knows from the
 * store which scanners and policyds there are. This thread asks for that list every few
 * seconds, and at once when a reply names another version than ours.
 *
 * policyds asked = configured + announced, so that one wrong announcement cannot cut the
 * shim off; scanners asked = announced, less those that drain. When nobody answers the
 * lists stay as they are: the clients' own breakers know which of them are gone.
 *
 * Left out: judging who is alive; that is the time to live of the registry and the
 * clients' breakers.
 */
#include "shim_topology.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "mx_log.h"
#include "mx_str.h"
#include "mxp_client.h"
#include "mxp_pack.h"
#include "shim_self.h"

#include "admin.pb-c.h"

#define NODES_MAX 1024u         /* mxp_client_endpoints takes no more */
#define REPLY_ARENA (32u << 20) /* octets for one list, encoded and decoded */
#define ASK_MS 2000u            /* longest wait for a list */
#define HINT_PAUSE_MS 200       /* between two lists, however many hints there are */

struct shim_topology {
    struct mxp_client *policy, *scan;
    struct mx_log *log;
    const struct shim_self *self;
    pthread_t thread;
    bool is_running;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t wake;
    char **configured; /* "ADDRESS" or "ADDRESS KEY", owned */
    size_t n_configured;
    int64_t interval_ms;
    bool must_stop, is_hinted;
    _Atomic uint64_t version;
    _Atomic unsigned workers, busy; /* of the scanners announced */
    struct mx_throttle refused;
};

struct list {
    struct mxp_endpoint v[NODES_MAX];
    size_t n;
};

static void list_add(struct list *list, const char *address, const char *key)
{
    for (size_t i = 0; i < list->n; i++)
        if (strcmp(list->v[i].address, address) == 0)
            return;
    if (list->n < NODES_MAX && *address)
        list->v[list->n++] = (struct mxp_endpoint){address, key && *key ? key : NULL};
}

static void list_add_text(struct mx_arena *arena, struct list *list, const char *text)
{
    struct mx_str rest = mx_str(text), address = MX_STR_NONE;
    mx_str_next(&rest, ' ', &address);
    list_add(list, mx_str_cstr(arena, address), mx_str_cstr(arena, mx_str_trim(rest)));
}

static void list_add_nodes(struct list *list, Mxp__Node **nodes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!nodes[i]->is_draining)
            list_add(list, nodes[i]->endpoint, nodes[i]->public_key);
}

/* The configured policyds and those of ${reply} (NULL: none). */
static int set_policyds(struct shim_topology *topology, struct mx_arena *arena,
                        const Mxp__TopologyReply *reply, struct mx_err *err)
{
    struct list *list = mx_arena_alloc(arena, sizeof(*list));
    pthread_mutex_lock(&topology->lock);
    for (size_t i = 0; i < topology->n_configured; i++)
        list_add_text(arena, list, topology->configured[i]);
    pthread_mutex_unlock(&topology->lock);
    if (reply)
        list_add_nodes(list, reply->policyds, reply->n_policyds);
    return mxp_client_endpoints(topology->policy, list->v, list->n, err);
}

/* Endpoints one by one where the whole list is refused: one bad node spoils no other. */
static void set_sound(struct mxp_client *client, struct list *list, struct mx_err *err)
{
    if (mxp_client_endpoints(client, list->v, list->n, err) == 0)
        return;
    struct mx_err probe;
    size_t good = 0;
    for (size_t i = 0; i < list->n; i++) {
        list->v[good] = list->v[i];
        if (mxp_client_endpoints(client, list->v, good + 1, &probe) == 0)
            good++;
    }
    (void)mxp_client_endpoints(client, list->v, good, &probe);
}

static void note_load(struct shim_topology *topology, const Mxp__TopologyReply *reply)
{
    unsigned workers = 0, busy = 0;
    for (size_t i = 0; i < reply->n_scanners; i++) {
        if (reply->scanners[i]->is_draining)
            continue;
        workers += reply->scanners[i]->workers;
        busy += reply->scanners[i]->busy;
    }
    atomic_store(&topology->workers, workers);
    atomic_store(&topology->busy, busy);
}

static void apply(struct shim_topology *topology, struct mx_arena *arena,
                  const Mxp__TopologyReply *reply)
{
    struct mx_err err = {0};
    struct list *scanners = mx_arena_alloc(arena, sizeof(*scanners));
    list_add_nodes(scanners, reply->scanners, reply->n_scanners);
    note_load(topology, reply);
    set_sound(topology->scan, scanners, &err);
    if (err.code == MX_ERR_NONE)
        (void)set_policyds(topology, arena, reply, &err);
    if (err.code != MX_ERR_NONE)
        mx_log_throttled(topology->log, &topology->refused, MX_LOG_ERROR,
                         "shim.topology-refused", "error=%s",
                         mx_str_esc(arena, mx_str(err.text)));
    if (atomic_exchange(&topology->version, reply->version) != reply->version)
        mx_log(topology->log, MX_LOG_INFO, "shim.topology",
               "version=%016llx scanners=%zu policyds=%zu",
               (unsigned long long)reply->version, scanners->n, reply->n_policyds);
}

static void refresh(struct shim_topology *topology, struct mx_arena *arena)
{
    Mxp__TopologyRequest request = MXP__TOPOLOGY_REQUEST__INIT;
    struct mxp_call call = {.type = MXP_TOPOLOGY_REQUEST,
                            .payload = &request.base,
                            .reply_type = MXP_TOPOLOGY_REPLY,
                            .deadline_ms = ASK_MS,
                            .attempt_ms = ASK_MS / 3};
    struct mxp_answer answer;
    struct mx_err err;
    mx_arena_reset(arena);
    request.shim = topology->self ? shim_self_describe(topology->self, arena) : NULL;
    pthread_mutex_lock(&topology->lock);
    request.interval_ms = (uint32_t)topology->interval_ms;
    pthread_mutex_unlock(&topology->lock);
    if (mxp_client_call(topology->policy, arena, &call, &answer, &err) < 0)
        return; /* the next question of a session tells that nobody is there */
    ProtobufCMessage *reply =
        mxp_unpack(arena, &mxp__topology_reply__descriptor, answer.payload, &err);
    if (reply)
        apply(topology, arena, (const Mxp__TopologyReply *)reply);
}

static void after_ms(int64_t ms, struct timespec *out)
{
    clock_gettime(CLOCK_MONOTONIC, out);
    out->tv_sec += ms / 1000;
    out->tv_nsec += ms % 1000 * 1000000;
    if (out->tv_nsec >= 1000000000) {
        out->tv_sec++;
        out->tv_nsec -= 1000000000;
    }
}

/* Sleep until the next list is due; false: stop. */
static bool wait_turn(struct shim_topology *topology)
{
    struct timespec pause, due;
    after_ms(HINT_PAUSE_MS, &pause);
    pthread_mutex_lock(&topology->lock);
    after_ms(topology->interval_ms, &due);
    while (!topology->must_stop &&
           pthread_cond_timedwait(&topology->wake, &topology->lock, &pause) == 0)
        continue;
    while (!topology->must_stop && !topology->is_hinted &&
           pthread_cond_timedwait(&topology->wake, &topology->lock, &due) == 0)
        continue;
    topology->is_hinted = false;
    bool goes_on = !topology->must_stop;
    pthread_mutex_unlock(&topology->lock);
    return goes_on;
}

static void *run(void *user)
{
    struct shim_topology *topology = user;
    struct mx_arena *arena = mx_arena_new(REPLY_ARENA);
    do
        refresh(topology, arena);
    while (wait_turn(topology));
    mx_arena_free(arena);
    return NULL;
}

static void free_texts(char **texts, size_t n)
{
    for (size_t i = 0; texts && i < n; i++)
        free(texts[i]);
    free(texts);
}

static char **copy_texts(const struct mx_conf_strings *texts)
{
    char **copy = mx_xalloc(texts->n * sizeof(*copy));
    for (size_t i = 0; i < texts->n; i++)
        copy[i] = mx_xdup(texts->v[i]);
    return copy;
}

/* The list goes to the client first: what it refuses is not kept. */
static int check_configured(struct shim_topology *topology, const struct shim_conf *conf,
                            struct mx_err *err)
{
    struct mx_arena *arena = mx_arena_new(REPLY_ARENA);
    struct list *list = mx_arena_alloc(arena, sizeof(*list));
    for (size_t i = 0; i < conf->policyd.n; i++)
        list_add_text(arena, list, conf->policyd.v[i]);
    int rc = mxp_client_endpoints(topology->policy, list->v, list->n, err);
    mx_arena_free(arena);
    return rc;
}

int shim_topology_configure(struct shim_topology *topology, const struct shim_conf *conf,
                            struct mx_err *err)
{
    if (check_configured(topology, conf, err) < 0)
        return mx_err_wrap(err, "policyd");
    pthread_mutex_lock(&topology->lock);
    free_texts(topology->configured, topology->n_configured);
    topology->configured = copy_texts(&conf->policyd);
    topology->n_configured = conf->policyd.n;
    topology->interval_ms = conf->topology_ms;
    topology->is_hinted = true;
    pthread_cond_signal(&topology->wake);
    pthread_mutex_unlock(&topology->lock);
    return 0;
}

int shim_topology_start(const struct shim_topology_options *options,
                        const struct shim_conf *conf, struct shim_topology **out,
                        struct mx_err *err)
{
    struct shim_topology *topology = mx_xalloc(sizeof(*topology));
    topology->policy = options->policy;
    topology->scan = options->scan;
    topology->log = options->log;
    topology->self = options->self;
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_mutex_init(&topology->lock, NULL);
    pthread_cond_init(&topology->wake, &attr);
    pthread_condattr_destroy(&attr);
    int rc = shim_topology_configure(topology, conf, err);
    if (rc == 0 && (errno = pthread_create(&topology->thread, NULL, run, topology)) != 0)
        rc = mx_err_errno(err, "topology thread");
    topology->is_running = rc == 0;
    if (rc < 0)
        shim_topology_stop(topology);
    else
        *out = topology;
    return rc;
}

void shim_topology_stop(struct shim_topology *topology)
{
    if (topology == NULL)
        return;
    pthread_mutex_lock(&topology->lock);
    topology->must_stop = true;
    pthread_cond_signal(&topology->wake);
    pthread_mutex_unlock(&topology->lock);
    if (topology->is_running)
        pthread_join(topology->thread, NULL);
    free_texts(topology->configured, topology->n_configured);
    pthread_cond_destroy(&topology->wake);
    pthread_mutex_destroy(&topology->lock);
    free(topology);
}

void shim_topology_hint(struct shim_topology *topology, uint64_t version)
{
    if (version == atomic_load(&topology->version))
        return;
    pthread_mutex_lock(&topology->lock);
    topology->is_hinted = true;
    pthread_cond_signal(&topology->wake);
    pthread_mutex_unlock(&topology->lock);
}

uint64_t shim_topology_version(const struct shim_topology *topology)
{
    return atomic_load(&topology->version);
}

void shim_topology_scanners(const struct shim_topology *topology, unsigned *workers,
                            unsigned *busy)
{
    *workers = atomic_load(&topology->workers);
    *busy = atomic_load(&topology->busy);
}
