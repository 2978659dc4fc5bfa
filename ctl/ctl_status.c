/*
 * The cluster on one page. Texts of nodes come from the network and pass ctl_text or JSON
 * escaping. Counters that the old installation had are summed up over all processes under
 * their old names, zeros too: who reads them from a script wants them to be there.
 *
 * Left out: asking (cmd_status.c).
 */
#include "ctl_status.h"

#include <string.h>

#include "ctl.h"
#include "mx_arena.h"

static const char *const historic_names[] = {
    "spam_scanned",   "spam_block", "spam_realdir",     "spam_realtag",
    "sa_spamnodnsbl", "virus",      "reject_tempquota", "reject_permquota",
};
#define HISTORIC (sizeof(historic_names) / sizeof(historic_names[0]))

static const char *safe(const struct ctl_status *status, const char *s)
{
    return ctl_text(status->arena, mx_str(s));
}

static const char *quoted(const struct ctl_status *status, const char *s)
{
    return mx_str_json(status->arena, mx_str(s));
}

static bool is_milter(const struct ctl_status_node *node)
{
    return strcmp(node->role, "milter") == 0;
}

static const char *state_of(const struct ctl_status_node *node)
{
    if (!node->reply && !is_milter(node))
        return "no answer";
    if (node->node->is_draining)
        return "draining";
    if (node->reply && !node->reply->is_ready)
        return "not ready";
    return (node->reply ? node->reply->n_degraded : node->node->n_degraded) ? "degraded"
                                                                            : "ready";
}

static int64_t uptime_of(const struct ctl_status *status,
                         const struct ctl_status_node *node)
{
    if (node->reply)
        return node->reply->uptime_ms;
    int64_t ms = status->now_ms - node->node->since_ms;
    return ms > 0 ? ms : 0; /* clocks of two hosts differ */
}

static int64_t sum_of(const struct ctl_status *status, const char *name)
{
    int64_t sum = 0;

    for (size_t i = 0; i < status->n; i++) {
        const struct ctl_status_node *node = &status->nodes[i];

        for (size_t k = 0; node->has_counters && k < node->reply->n_counters; k++)
            if (strcmp(node->reply->counters[k]->name, name) == 0)
                sum += node->reply->counters[k]->value;
    }
    return sum;
}

/* ---- for people ---- */

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

static const char *load(struct mx_arena *arena, const struct ctl_status_node *node)
{
    return mx_arena_printf(arena, is_milter(node) ? "%u msg of %u" : "%u of %u",
                           node->node->busy, node->node->workers);
}

static void print_degraded(const struct ctl_status *status,
                           const struct ctl_status_node *node, FILE *out)
{
    for (size_t i = 0; node->reply && i < node->reply->n_degraded; i++)
        fprintf(out, "         degraded: %s: %s\n",
                safe(status, node->reply->degraded[i]->check),
                safe(status, node->reply->degraded[i]->reason));
    for (size_t i = 0; !node->reply && i < node->node->n_degraded; i++)
        fprintf(out, "         degraded: %s\n", safe(status, node->node->degraded[i]));
}

static void print_counters(const struct ctl_status *status,
                           const struct ctl_status_node *node, FILE *out)
{
    for (size_t i = 0; node->has_counters && i < node->reply->n_counters; i++) {
        const Mxp__Counter *counter = node->reply->counters[i];
        bool has_labels = counter->labels && *counter->labels;

        if (counter->value != 0)
            fprintf(out, "         %s%s%s%s %lld\n", safe(status, counter->name),
                    has_labels ? "{" : "",
                    has_labels ? safe(status, counter->labels) : "",
                    has_labels ? "}" : "", (long long)counter->value);
    }
}

static void print_node(const struct ctl_status *status,
                       const struct ctl_status_node *node, FILE *out)
{
    const Mxp__Node *n = node->node;

    fprintf(out, "%-8s %-9s %-28s %7s  %-12s %s", node->role, state_of(node),
            safe(status, n->id), uptime(status->arena, uptime_of(status, node)),
            load(status->arena, node), safe(status, n->version));
    if (n->signatures && *n->signatures)
        fprintf(out, ", signatures %s", safe(status, n->signatures));
    if (n->rules && *n->rules)
        fprintf(out, ", rules %s", safe(status, n->rules));
    if (is_milter(node))
        fprintf(out, ", heard %llds ago", (long long)node->heard_ms / 1000);
    fputs("\n", out);
    if (node->error) {
        bool has_address = mx_str_starts(mx_str(node->error), mx_str(n->endpoint));
        fprintf(out, "         %s%s%s\n", has_address ? "" : safe(status, n->endpoint),
                has_address ? "" : ": ", safe(status, node->error));
    }
    print_degraded(status, node, out);
}

static void print_redis(const struct ctl_status *status, FILE *out)
{
    const struct store_info *info = status->redis;

    if (!info)
        fprintf(out, "%-8s %-9s %s\n", "redis", "down",
                safe(status, status->redis_error));
    else
        fprintf(out, "%-8s %-9s version %s, %s, %s, %lld keys, %.1f MiB\n", "redis", "up",
                safe(status, info->version), safe(status, info->role),
                safe(status, info->persistence), (long long)info->keys,
                (double)info->used_memory / (1 << 20));
}

void ctl_status_text(const struct ctl_status *status, bool has_counters, FILE *out)
{
    fprintf(out, "%-8s %-9s %-28s %7s  %-12s %s\n", "ROLE", "STATE", "NODE", "UP", "BUSY",
            "VERSION");
    print_redis(status, out);
    for (size_t i = 0; i < status->n; i++) {
        print_node(status, &status->nodes[i], out);
        if (has_counters)
            print_counters(status, &status->nodes[i], out);
    }
    fputs("\nCOUNTERS since the policyds started\n", out);
    for (size_t i = 0; i < HISTORIC; i++)
        fprintf(out, "%-18s %lld\n", historic_names[i],
                (long long)sum_of(status, historic_names[i]));
}

/* ---- JSON ---- */

static void json_degraded(const struct ctl_status *status,
                          const struct ctl_status_node *node, FILE *out)
{
    fputs(",\"degraded\":{", out);
    for (size_t i = 0; node->reply && i < node->reply->n_degraded; i++)
        fprintf(out, "%s%s:%s", i ? "," : "",
                quoted(status, node->reply->degraded[i]->check),
                quoted(status, node->reply->degraded[i]->reason));
    for (size_t i = 0; !node->reply && i < node->node->n_degraded; i++) {
        struct mx_str reason = mx_str(node->node->degraded[i]), check = reason;

        if (mx_str_next(&reason, ':', &check) < 0)
            reason = check;
        fprintf(out, "%s%s:%s", i ? "," : "", mx_str_json(status->arena, check),
                mx_str_json(status->arena, mx_str_trim(reason)));
    }
    fputs("}", out);
}

static void json_counters(const struct ctl_status *status, const Mxp__StatusReply *reply,
                          FILE *out)
{
    fputs(",\"counters\":[", out);
    for (size_t i = 0; i < reply->n_counters; i++)
        fprintf(out, "%s{\"name\":%s,\"labels\":%s,\"value\":%lld}", i ? "," : "",
                quoted(status, reply->counters[i]->name),
                quoted(status, reply->counters[i]->labels),
                (long long)reply->counters[i]->value);
    fputs("]", out);
}

static void json_node(const struct ctl_status *status, const struct ctl_status_node *node,
                      FILE *out)
{
    const Mxp__Node *n = node->node;

    fprintf(out, "{\"role\":\"%s\",\"id\":%s,\"endpoint\":%s,\"state\":\"%s\"",
            node->role, quoted(status, n->id), quoted(status, n->endpoint),
            state_of(node));
    fprintf(out,
            ",\"workers\":%u,\"busy\":%u,\"version\":%s,\"signatures\":%s,\"rules\":%s",
            n->workers, n->busy, quoted(status, n->version),
            quoted(status, n->signatures), quoted(status, n->rules));
    if (node->error) {
        fprintf(out, ",\"error\":%s}", quoted(status, node->error));
        return;
    }
    fprintf(out, ",\"uptime_ms\":%lld", (long long)uptime_of(status, node));
    if (is_milter(node))
        fprintf(out, ",\"heard_ms\":%lld", (long long)node->heard_ms);
    json_degraded(status, node, out);
    if (node->has_counters)
        json_counters(status, node->reply, out);
    fputs("}", out);
}

static void json_redis(const struct ctl_status *status, FILE *out)
{
    const struct store_info *info = status->redis;

    if (!info) {
        fprintf(out, "{\"redis\":{\"state\":\"down\",\"error\":%s}",
                quoted(status, status->redis_error));
        return;
    }
    fprintf(out,
            "{\"redis\":{\"state\":\"up\",\"version\":%s,\"role\":%s,\"persistence\":%s,"
            "\"keys\":%lld,\"used_memory\":%lld,\"since_ms\":%lld}",
            quoted(status, info->version), quoted(status, info->role),
            quoted(status, info->persistence), (long long)info->keys,
            (long long)info->used_memory, (long long)info->since_ms);
}

void ctl_status_json(const struct ctl_status *status, FILE *out)
{
    json_redis(status, out);
    fputs(",\"nodes\":[", out);
    for (size_t i = 0; i < status->n; i++) {
        fputs(i ? "," : "", out);
        json_node(status, &status->nodes[i], out);
    }
    fputs("],\"counters\":{", out);
    for (size_t i = 0; i < HISTORIC; i++)
        fprintf(out, "%s\"%s\":%lld", i ? "," : "", historic_names[i],
                (long long)sum_of(status, historic_names[i]));
    fputs("}}\n", out);
}

/* ---- judging ---- */

static size_t count_role(const struct ctl_status *status, const char *role)
{
    size_t n = 0;

    for (size_t i = 0; i < status->n; i++)
        n += strcmp(status->nodes[i].role, role) == 0;
    return n;
}

static size_t count_state(const struct ctl_status *status, const char *state)
{
    size_t n = 0;

    for (size_t i = 0; i < status->n; i++)
        n += strcmp(state_of(&status->nodes[i]), state) == 0;
    return n;
}

const char *ctl_status_problem(const struct ctl_status *status, bool is_strict)
{
    const struct {
        size_t n;
        const char *words;
    } problems[] = {
        {status->redis == NULL, "Redis is down"},
        {count_role(status, "policyd") == 0, "no policyd is known"},
        {count_role(status, "scand") == 0, "no scanner is known"},
        {count_state(status, "no answer"), "no answer from a node"},
        {count_state(status, "not ready"), "a node is not ready"},
        {is_strict ? count_state(status, "degraded") : 0, "a check is degraded"},
    };
    const char *all = "";

    for (size_t i = 0; i < sizeof(problems) / sizeof(problems[0]); i++)
        if (problems[i].n > 0)
            all = mx_arena_printf(status->arena, "%s%s%s", all, *all ? ", " : "",
                                  problems[i].words);
    return all;
}
