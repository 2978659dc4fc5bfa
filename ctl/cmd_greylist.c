/*
 * mxdropctl greylist: what greylisting remembers, in words. A pool is a group of clients
 * that retry for each other (a network); a tuple is what one of them tried.
 */
#include <string.h>

#include "ctl.h"
#include "ctl_store.h"
#include "mx_arena.h"
#include "mx_err.h"
#include "mx_time.h"
#include "store_admin.h"

#define SHOW_MAX 10000 /* entries that are shown at most; a default is 1000 */

enum { OPT_JSON = 256, OPT_LIMIT };

struct greylist {
    struct ctl *ctl;
    const char *action, *pool;
    bool is_json;
    int64_t limit;
    size_t n;
    int64_t now_ms;
    struct mx_arena *scratch; /* of one line */
};

static const struct argp_option options[] = {
    {"json", OPT_JSON, NULL, 0, "show: one JSON object a line", 1},
    {"limit", OPT_LIMIT, "N", 0, "show: at most so many entries (default 1000)", 1},
    CTL_OPTION_CONFIG,
    {0},
};

static void check_arguments(const struct greylist *g, struct argp_state *state)
{
    if (!g->action || (strcmp(g->action, "show") != 0 && strcmp(g->action, "clear") != 0))
        argp_error(state, "show or clear?");
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct greylist *g = state->input;

    switch (key) {
    case OPT_JSON: g->is_json = true; return 0;
    case OPT_LIMIT:
        if (mx_str_to_int(mx_str(arg), 1, SHOW_MAX, &g->limit, NULL) != 0)
            argp_error(state, "%s: a number from 1 to %d is wanted", arg, SHOW_MAX);
        return 0;
    case ARGP_KEY_ARG:
        if (state->arg_num > 1)
            argp_error(state, "%s: one argument too many", arg);
        else
            *(state->arg_num == 0 ? &g->action : &g->pool) = arg;
        return 0;
    case ARGP_KEY_END: check_arguments(g, state); return 0;
    default: return ctl_option(g->ctl, key, arg);
    }
}

static const struct argp argp = {
    .options = options,
    .parser = parse_option,
    .args_doc = "show [POOL]\nclear [POOL]",
    .doc = "What greylisting remembers: who tried what, since when, and how often it "
           "passed.\v"
           "POOL is as \"show\" prints it: 192.0.2.0/24; without one, all of them."};

/* "3m ago", for people. */
static const char *ago(const struct greylist *g, int64_t then_ms)
{
    int64_t seconds = then_ms < g->now_ms ? (g->now_ms - then_ms) / 1000 : 0;
    int64_t unit = seconds < 120 ? 1 : seconds < 7200 ? 60 : 3600;

    return mx_arena_printf(g->scratch, "%lld%s ago", (long long)(seconds / unit),
                           unit == 1    ? "s"
                           : unit == 60 ? "m"
                                        : "h");
}

static void show_entry(void *user, const struct store_grey_entry *entry)
{
    struct greylist *g = user;

    g->n++;
    mx_arena_reset(g->scratch);
    if (g->is_json)
        fprintf(g->ctl->out,
                "{\"pool\":%s,\"tuple\":%s,\"first_ms\":%lld,\"last_ms\":%lld,"
                "\"passes\":%lld,\"pool_passes\":%lld,\"ttl_ms\":%lld}\n",
                mx_str_json(g->scratch, entry->pool),
                mx_str_json(g->scratch, entry->tuple), (long long)entry->first_ms,
                (long long)entry->last_ms, (long long)entry->passes,
                (long long)entry->pool_passes, (long long)entry->ttl_ms);
    else
        fprintf(g->ctl->out, "%-20s %-50s first %s, last %s, passed %lld (pool %lld)\n",
                ctl_text(g->scratch, entry->pool), ctl_text(g->scratch, entry->tuple),
                ago(g, entry->first_ms), ago(g, entry->last_ms), (long long)entry->passes,
                (long long)entry->pool_passes);
}

static int show(struct greylist *g, struct store_admin *admin, struct mx_err *err)
{
    struct mx_str pool = mx_str(g->pool ? g->pool : "");
    int status;

    g->now_ms = mx_wall_ms(&mx_clock_real);
    g->scratch = mx_arena_new(1 << 20);
    status = store_admin_grey_each(admin, pool, (size_t)g->limit, show_entry, g, err);
    mx_arena_free(g->scratch);
    if (status != 0)
        return -1;
    if (g->n == 0 && !g->is_json)
        fprintf(g->ctl->info, "Greylisting remembers nothing%s.\n",
                g->pool ? " of this pool" : "");
    if (g->n == (size_t)g->limit)
        fprintf(g->ctl->info, "There may be more: --limit\n");
    return 0;
}

static int clear(const struct greylist *g, struct store_admin *admin, struct mx_err *err)
{
    int64_t n;

    if (store_admin_grey_clear(admin, mx_str(g->pool ? g->pool : ""), &n, err) != 0)
        return -1;
    fprintf(g->ctl->out, "%lld forgotten\n", (long long)n);
    return 0;
}

int cmd_greylist(struct ctl *ctl, int argc, char **argv, struct mx_err *err)
{
    struct greylist g = {.ctl = ctl, .limit = 1000};
    struct store_admin *admin = NULL;
    int status;

    argp_parse(&argp, argc, argv, 0, NULL, &g);
    status = ctl_store_open(ctl, &admin, err);
    if (status == 0)
        status =
            strcmp(g.action, "show") == 0 ? show(&g, admin, err) : clear(&g, admin, err);
    store_admin_close(admin);
    return status == 0 ? 0 : mx_err_wrap(err, "greylist");
}
