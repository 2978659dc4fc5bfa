/*
 * mxdropctl status: who is in the cluster, and how each one says that it is. The list
 * comes from the registry; every node on it is asked itself, with a short deadline, so
 * that one that hangs is seen as such and holds nobody up.
 */
#include <string.h>

#include "ctl.h"
#include "ctl_peers.h"
#include "ctl_store.h"
#include "mx_arena.h"
#include "mx_err.h"
#include "store_admin.h"

#define ASK_MS 1000 /* for one node */
#define REPLY_ARENA ((size_t)128 << 20)

enum { OPT_JSON = 256, OPT_KEYS, OPT_COUNTERS };

struct status {
    struct ctl *ctl;
    bool is_json, has_counters;
    const char *keys_path;
    struct mxp_keys keys;
    size_t n_nodes;
};

static const struct argp_option options[] = {
    {"json", OPT_JSON, NULL, 0, "One JSON object", 1},
    {"counters", OPT_COUNTERS, NULL, 0, "The counters of each node, too", 1},
    {"keys", OPT_KEYS, "FILE", 0, CTL_PEERS_KEYS_DOC, 1},
    CTL_OPTION_CONFIG,
    {0},
};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct status *status = state->input;

    switch (key) {
    case OPT_JSON: status->is_json = status->has_counters = true; return 0;
    case OPT_COUNTERS: status->has_counters = true; return 0;
    case OPT_KEYS: status->keys_path = arg; return 0;
    case ARGP_KEY_ARG: argp_error(state, "%s: no arguments are taken", arg); return 0;
    default: return ctl_option(status->ctl, key, arg);
    }
}

static const struct argp argp = {
    .options = options,
    .parser = parse_option,
    .doc = "Nodes, scanners, Redis, degraded checks and counters of the cluster."};

/* ---- asking ---- */

/* What one node says of itself; NULL with the reason in ${err}. */
static Mxp__StatusReply *ask(const struct status *status, const Mxp__Node *node,
                             struct mx_arena *arena, struct mx_err *err)
{
    const Mxp__StatusRequest request = MXP__STATUS_REQUEST__INIT;
    const struct ctl_peers_call call = {.call = {.type = MXP_STATUS_REQUEST,
                                                 .payload = &request.base,
                                                 .reply_type = MXP_STATUS_REPLY,
                                                 .deadline_ms = ASK_MS},
                                        .descriptor = &mxp__status_reply__descriptor};
    struct mxp_client *client;
    ProtobufCMessage *reply = NULL;

    if (ctl_peers_open_one(node->endpoint, node->public_key, &status->keys, &client,
                           err) != 0)
        return NULL;
    ctl_peers_ask(client, arena, &call, &reply, err);
    mxp_client_free(client);
    return (Mxp__StatusReply *)reply;
}

static const char *state_of(const Mxp__Node *node, const Mxp__StatusReply *reply)
{
    if (!reply)
        return "no answer";
    if (node->is_draining)
        return "draining";
    if (!reply->is_ready)
        return "not ready";
    return reply->n_degraded ? "degraded" : "ready";
}

/* ---- for people ---- */

static const char *text(struct mx_arena *arena, const char *s)
{
    return ctl_text(arena, mx_str(s));
}

static const char *uptime(struct mx_arena *arena, int64_t ms)
{
    int64_t minutes = ms / 60000;

    if (minutes < 1)
        return mx_arena_printf(arena, "%llds", (long long)ms / 1000);
    if (minutes < 120)
        return mx_arena_printf(arena, "%lldm", (long long)minutes);
    return mx_arena_printf(arena, "%lldh%02lldm", (long long)minutes / 60,
                           (long long)minutes % 60);
}

static void print_details(const struct status *status, const Mxp__StatusReply *reply,
                          struct mx_arena *arena)
{
    FILE *out = status->ctl->out;

    for (size_t i = 0; i < reply->n_degraded; i++)
        fprintf(out, "           degraded: %s: %s\n",
                text(arena, reply->degraded[i]->check),
                text(arena, reply->degraded[i]->reason));
    for (size_t i = 0; status->has_counters && i < reply->n_counters; i++) {
        const Mxp__Counter *counter = reply->counters[i];
        bool has_labels = counter->labels && *counter->labels;

        if (counter->value != 0)
            fprintf(out, "           %s%s%s%s %lld\n", text(arena, counter->name),
                    has_labels ? "{" : "", has_labels ? text(arena, counter->labels) : "",
                    has_labels ? "}" : "", (long long)counter->value);
    }
}

static void print_node(const struct status *status, const char *role,
                       const Mxp__Node *node, struct mx_arena *arena)
{
    FILE *out = status->ctl->out;
    struct mx_err err;
    const Mxp__StatusReply *reply = ask(status, node, arena, &err);
    const Mxp__Node *now = reply && reply->node ? reply->node : node;

    fprintf(out, "%-10s %-9s %s  %s", role, state_of(now, reply), text(arena, node->id),
            text(arena, node->endpoint));
    if (!reply) {
        fprintf(out, "\n           %s\n", text(arena, err.text));
        return;
    }
    fprintf(out, "  up %s", uptime(arena, reply->uptime_ms));
    if (now->workers)
        fprintf(out, "  workers %u, busy %u", now->workers, now->busy);
    if (now->signatures && *now->signatures)
        fprintf(out, "  signatures %s", text(arena, now->signatures));
    fputs("\n", out);
    print_details(status, reply, arena);
}

static void print_redis(const struct status *status, const struct store_info *info)
{
    fprintf(status->ctl->out, "%-10s %-9s version %s, %s, %s, %lld keys, %.1f MiB\n",
            "redis", "up", info->version, info->role, info->persistence,
            (long long)info->keys, (double)info->used_memory / (1 << 20));
}

/* ---- JSON ---- */

static void json_details(const struct status *status, const Mxp__StatusReply *reply,
                         struct mx_arena *arena)
{
    FILE *out = status->ctl->out;

    fprintf(out, ",\"uptime_ms\":%lld,\"degraded\":{", (long long)reply->uptime_ms);
    for (size_t i = 0; i < reply->n_degraded; i++)
        fprintf(out, "%s%s:%s", i ? "," : "",
                mx_str_json(arena, mx_str(reply->degraded[i]->check)),
                mx_str_json(arena, mx_str(reply->degraded[i]->reason)));
    fputs("},\"counters\":[", out);
    for (size_t i = 0; i < reply->n_counters; i++)
        fprintf(out, "%s{\"name\":%s,\"labels\":%s,\"value\":%lld}", i ? "," : "",
                mx_str_json(arena, mx_str(reply->counters[i]->name)),
                mx_str_json(arena, mx_str(reply->counters[i]->labels)),
                (long long)reply->counters[i]->value);
    fputs("]", out);
}

static void json_node(const struct status *status, const char *role,
                      const Mxp__Node *node, struct mx_arena *arena)
{
    FILE *out = status->ctl->out;
    struct mx_err err;
    const Mxp__StatusReply *reply = ask(status, node, arena, &err);
    const Mxp__Node *now = reply && reply->node ? reply->node : node;

    fprintf(out, "%s{\"role\":\"%s\",\"id\":%s,\"endpoint\":%s,\"state\":\"%s\"",
            status->n_nodes ? "," : "", role, mx_str_json(arena, mx_str(node->id)),
            mx_str_json(arena, mx_str(node->endpoint)), state_of(now, reply));
    fprintf(out,
            ",\"workers\":%u,\"busy\":%u,\"version\":%s,\"signatures\":%s,\"rules\":%s",
            now->workers, now->busy, mx_str_json(arena, mx_str(now->version)),
            mx_str_json(arena, mx_str(now->signatures)),
            mx_str_json(arena, mx_str(now->rules)));
    if (reply)
        json_details(status, reply, arena);
    else
        fprintf(out, ",\"error\":%s", mx_str_json(arena, mx_str(err.text)));
    fputs("}", out);
}

static void json_redis(const struct status *status, const struct store_info *info)
{
    struct mx_arena *arena = status->ctl->arena;

    fprintf(status->ctl->out,
            "{\"redis\":{\"version\":%s,\"role\":%s,\"persistence\":%s,\"keys\":%lld,"
            "\"used_memory\":%lld,\"since_ms\":%lld},\"nodes\":[",
            mx_str_json(arena, mx_str(info->version)),
            mx_str_json(arena, mx_str(info->role)),
            mx_str_json(arena, mx_str(info->persistence)), (long long)info->keys,
            (long long)info->used_memory, (long long)info->since_ms);
}

/* ---- all of it ---- */

static void show_nodes(struct status *status, const char *role, Mxp__Node *const *nodes,
                       size_t n)
{
    struct mx_arena *arena = mx_arena_new(REPLY_ARENA);

    for (size_t i = 0; i < n; i++, status->n_nodes++) {
        mx_arena_reset(arena);
        if (status->is_json)
            json_node(status, role, nodes[i], arena);
        else
            print_node(status, role, nodes[i], arena);
    }
    mx_arena_free(arena);
}

static int show(struct status *status, struct store_admin *admin, struct mx_err *err)
{
    struct store_info info;
    Mxp__TopologyReply *topology;

    if (ctl_peers_keys(status->ctl->arena, status->keys_path, &status->keys, err) != 0 ||
        store_admin_info(admin, &info, err) != 0 ||
        ctl_store_topology(status->ctl, &topology, err) != 0)
        return -1;
    if (status->is_json)
        json_redis(status, &info);
    else
        print_redis(status, &info);
    show_nodes(status, "policyd", topology->policyds, topology->n_policyds);
    show_nodes(status, "scand", topology->scanners, topology->n_scanners);
    if (status->is_json)
        fputs("]}\n", status->ctl->out);
    else if (status->n_nodes == 0)
        fprintf(status->ctl->out, "No policyd and no scanner is registered.\n");
    return 0;
}

int cmd_status(struct ctl *ctl, int argc, char **argv, struct mx_err *err)
{
    struct status status = {.ctl = ctl};
    struct store_admin *admin = NULL;
    int result;

    argp_parse(&argp, argc, argv, 0, NULL, &status);
    result = ctl_store_open(ctl, &admin, err);
    if (result == 0)
        result = show(&status, admin, err);
    store_admin_close(admin);
    return result == 0 ? 0 : mx_err_wrap(err, "status");
}
