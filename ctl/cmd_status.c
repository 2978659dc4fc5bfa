/*
 * mxdropctl status: who is in the cluster, and how each one says that it is. The list
 * comes from the registry, and from a policyd where Redis is down; every policyd and
 * scanner on it is asked itself, with a short deadline, so that one that hangs is seen as
 * such. Shims are nowhere to be asked: policyds tell which ones asked them lately.
 */
#include <string.h>

#include "ctl.h"
#include "ctl_peers.h"
#include "ctl_status.h"
#include "ctl_store.h"
#include "mx_arena.h"
#include "mx_err.h"
#include "mx_time.h"
#include "store_admin.h"

#define ASK_MS 1000 /* for one node */
#define REPLIES_ARENA ((size_t)512 << 20)
#define NODES_MAX 8192u /* of all roles */
#define POLICYD_DEFAULT "ipc:///run/mxdrop/policyd.sock"

enum { OPT_JSON = 256, OPT_KEYS, OPT_COUNTERS, OPT_STRICT, OPT_POLICYD };

struct looking {
    struct ctl *ctl;
    bool is_json, has_counters, is_strict;
    const char *keys_path, *policyd;
    struct mxp_keys keys;
    struct ctl_status status;
    struct store_info info;
};

static const struct argp_option options[] = {
    {"json", OPT_JSON, NULL, 0, "One JSON object", 1},
    {"counters", OPT_COUNTERS, NULL, 0, "All counters of each process, too", 1},
    {"strict", OPT_STRICT, NULL, 0, "Exit 1 for a degraded check, too", 1},
    {"policyd", OPT_POLICYD, "ENDPOINT", 0,
     "Whom to ask for the lists when Redis is down (" POLICYD_DEFAULT ")", 1},
    {"keys", OPT_KEYS, "FILE", 0, CTL_PEERS_KEYS_DOC, 1},
    CTL_OPTION_CONFIG,
    {0},
};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct looking *looking = state->input;

    switch (key) {
    case OPT_JSON: looking->is_json = true; return 0;
    case OPT_COUNTERS: looking->has_counters = true; return 0;
    case OPT_STRICT: looking->is_strict = true; return 0;
    case OPT_POLICYD: looking->policyd = arg; return 0;
    case OPT_KEYS: looking->keys_path = arg; return 0;
    case ARGP_KEY_ARG: argp_error(state, "%s: no arguments are taken", arg); return 0;
    default: return ctl_option(looking->ctl, key, arg);
    }
}

static const struct argp argp = {
    .options = options,
    .parser = parse_option,
    .doc = "Nodes, scanners, Redis, degraded checks and counters of the cluster.\v"
           "Exit 1 where Redis is down, a node does not answer or is not ready, or no "
           "policyd or no scanner is known."};

/* ---- asking ---- */

/* What one node says of itself; NULL with the reason in ${err}. */
static Mxp__StatusReply *ask(struct looking *looking, const char *endpoint,
                             const char *public_key, struct mx_err *err)
{
    const Mxp__StatusRequest request = MXP__STATUS_REQUEST__INIT;
    const struct ctl_peers_call call = {.call = {.type = MXP_STATUS_REQUEST,
                                                 .payload = &request.base,
                                                 .reply_type = MXP_STATUS_REPLY,
                                                 .deadline_ms = ASK_MS},
                                        .descriptor = &mxp__status_reply__descriptor};
    struct mxp_client *client;
    ProtobufCMessage *reply = NULL;

    if (ctl_peers_open_one(endpoint, public_key, &looking->keys, &client, err) != 0)
        return NULL;
    ctl_peers_ask(client, looking->status.arena, &call, &reply, err);
    mxp_client_free(client);
    return (Mxp__StatusReply *)reply;
}

static struct ctl_status_node *add(struct ctl_status *status, const char *role,
                                   const Mxp__Node *node)
{
    struct ctl_status_node *entry;

    if (status->n == NODES_MAX)
        return NULL;
    entry = &status->nodes[status->n++];
    *entry = (struct ctl_status_node){.role = role, .node = node};
    return entry;
}

/* Workers of one process share counters: they are counted once. */
static bool is_first_of_process(const struct ctl_status *status,
                                const Mxp__StatusReply *reply)
{
    for (size_t i = 0; *reply->process && i < status->n; i++) {
        const Mxp__StatusReply *other = status->nodes[i].reply;

        if (other && other != reply && strcmp(other->process, reply->process) == 0)
            return false;
    }
    return true;
}

/* Each policyd hears a shim now and then: its latest word counts. */
static void add_shims(struct ctl_status *status, const Mxp__StatusReply *reply)
{
    for (size_t i = 0; i < reply->n_shims; i++) {
        const Mxp__Shim *shim = reply->shims[i];
        struct ctl_status_node *entry = NULL;

        if (!shim->node)
            continue;
        for (size_t k = 0; k < status->n && !entry; k++)
            if (strcmp(status->nodes[k].role, "milter") == 0 &&
                strcmp(status->nodes[k].node->id, shim->node->id) == 0)
                entry = &status->nodes[k];
        if (entry && entry->heard_ms <= shim->heard_ms)
            continue;
        if (!entry && !(entry = add(status, "milter", shim->node)))
            return;
        entry->node = shim->node;
        entry->heard_ms = shim->heard_ms;
    }
}

static void ask_all(struct looking *looking, const char *role, Mxp__Node *const *nodes,
                    size_t n)
{
    struct ctl_status *status = &looking->status;

    for (size_t i = 0; i < n; i++) {
        struct ctl_status_node *entry = add(status, role, nodes[i]);
        struct mx_err err;

        if (!entry)
            return;
        entry->reply = ask(looking, nodes[i]->endpoint, nodes[i]->public_key, &err);
        if (!entry->reply) {
            entry->error = mx_arena_printf(status->arena, "%s", err.text);
            continue;
        }
        if (entry->reply->node)
            entry->node = entry->reply->node;
        entry->has_counters = is_first_of_process(status, entry->reply);
    }
}

/* ---- all of it ---- */

/* The lists out of Redis; NULL where it is down, with ->redis_error. */
static const Mxp__TopologyReply *look_into_redis(struct looking *looking)
{
    struct ctl_status *status = &looking->status;
    struct store_admin *admin = NULL;
    Mxp__TopologyReply *lists = NULL;
    struct mx_err err;

    if (ctl_store_open(looking->ctl, &admin, &err) == 0 &&
        store_admin_info(admin, &looking->info, &err) == 0 &&
        ctl_store_topology(looking->ctl, &lists, &err) == 0)
        status->redis = &looking->info;
    else
        status->redis_error = mx_arena_printf(status->arena, "%s", err.text);
    store_admin_close(admin);
    return status->redis ? lists : NULL;
}

/* Without Redis a policyd knows who was there. */
static const Mxp__TopologyReply *ask_policyd(struct looking *looking)
{
    struct mx_err err;
    const Mxp__StatusReply *reply = ask(looking, looking->policyd, NULL, &err);

    return reply ? reply->topology : NULL;
}

static void look(struct looking *looking)
{
    struct ctl_status *status = &looking->status;
    const Mxp__TopologyReply *lists = look_into_redis(looking);

    if (!lists)
        lists = ask_policyd(looking);
    if (!lists)
        return;
    ask_all(looking, "policyd", lists->policyds, lists->n_policyds);
    ask_all(looking, "scand", lists->scanners, lists->n_scanners);
    for (size_t i = 0, n = status->n; i < n; i++)
        if (status->nodes[i].reply)
            add_shims(status, status->nodes[i].reply);
}

static int show(struct looking *looking, struct mx_err *err)
{
    struct ctl_status *status = &looking->status;
    const struct store_redis_settings *settings;

    /* A file that is wrong is no state of the cluster. */
    if (ctl_store_settings(looking->ctl, &settings, err) != 0 ||
        ctl_peers_keys(status->arena, looking->keys_path, &looking->keys, err) != 0)
        return -1;
    look(looking);
    if (looking->is_json)
        ctl_status_json(status, looking->ctl->out);
    else
        ctl_status_text(status, looking->has_counters, looking->ctl->out);
    const char *problem = ctl_status_problem(status, looking->is_strict);
    return *problem ? mx_err_set(err, MX_ERR_DOWN, "%s", problem) : 0;
}

int cmd_status(struct ctl *ctl, int argc, char **argv, struct mx_err *err)
{
    struct looking looking = {.ctl = ctl, .policyd = POLICYD_DEFAULT};
    int result;

    argp_parse(&argp, argc, argv, 0, NULL, &looking);
    looking.status.arena = mx_arena_new(REPLIES_ARENA);
    looking.status.nodes =
        mx_arena_array(looking.status.arena, NODES_MAX, sizeof(*looking.status.nodes));
    looking.status.now_ms = mx_wall_ms(&mx_clock_real);
    result = show(&looking, err);
    mx_arena_free(looking.status.arena);
    return result == 0 ? 0 : mx_err_wrap(err, "status");
}
