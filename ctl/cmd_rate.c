/*
 * mxdropctl rate: the buckets of rate_limit that are not empty. What policyd named a
 * bucket is read back: "client messages 100/3600000 192.0.2.1".
 */
#include <stdio.h>
#include <string.h>

#include "ctl.h"
#include "ctl_store.h"
#include "mx_arena.h"
#include "mx_err.h"
#include "mx_time.h"
#include "store_admin.h"

#define SHOW_MAX 10000 /* buckets that are shown at most; the default is 1000 */

enum { OPT_JSON = 256, OPT_LIMIT };

struct rate {
    struct ctl *ctl;
    const char *action;
    bool is_json;
    int64_t limit;
    size_t n;
    int64_t now_ms;
    struct mx_arena *scratch; /* of one line */
};

static const struct argp_option options[] = {
    {"json", OPT_JSON, NULL, 0, "one JSON object a line", 1},
    {"limit", OPT_LIMIT, "N", 0, "at most so many buckets (default 1000)", 1},
    CTL_OPTION_CONFIG,
    {0},
};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct rate *rate = state->input;

    switch (key) {
    case OPT_JSON: rate->is_json = true; return 0;
    case OPT_LIMIT:
        if (mx_str_to_int(mx_str(arg), 1, SHOW_MAX, &rate->limit, NULL) != 0)
            argp_error(state, "%s: a number from 1 to %d is wanted", arg, SHOW_MAX);
        return 0;
    case ARGP_KEY_ARG:
        if (state->arg_num > 0 || strcmp(arg, "show") != 0)
            argp_error(state, "%s: only \"show\" is known", arg);
        rate->action = arg;
        return 0;
    case ARGP_KEY_END:
        if (!rate->action)
            argp_error(state, "show?");
        return 0;
    default: return ctl_option(rate->ctl, key, arg);
    }
}

static const struct argp argp = {
    .options = options,
    .parser = parse_option,
    .args_doc = "show",
    .doc = "Rate limits that somebody has used lately: whose, of what, and how much of "
           "it.\vUsers are listed by what they used, as far as Redis remembers: a bucket "
           "that is empty again is gone.",
};

/* A bucket's name taken apart; false where it is none of ours. */
static bool parse_name(struct mx_str name, struct mx_str words[3], struct mx_str *who,
                       int64_t *limit, int64_t *period_ms)
{
    for (int i = 0; i < 3; i++)
        if (mx_str_next(&name, ' ', &words[i]) != 0)
            return false;
    ptrdiff_t slash = mx_str_chr(words[2], '/');
    *who = name;
    return slash > 0 &&
           mx_str_to_int(mx_str_sub(words[2], 0, (size_t)slash), 1, INT64_MAX, limit,
                         NULL) == 0 &&
           mx_str_to_int(mx_str_sub(words[2], (size_t)slash + 1, words[2].n), 1,
                         INT64_MAX / 1000, period_ms, NULL) == 0;
}

static void show_bucket(void *user, struct mx_str name, int64_t tat_us)
{
    struct rate *rate = user;
    struct mx_arena *arena = rate->scratch;
    struct mx_str words[3], who;
    int64_t limit, period_ms, ahead_us = tat_us - rate->now_ms * 1000;

    mx_arena_reset(arena);
    if (!parse_name(name, words, &who, &limit, &period_ms) || ahead_us <= 0)
        return;
    rate->n++;
    double used = (double)ahead_us / 1000 / (double)period_ms;
    if (rate->is_json)
        fprintf(rate->ctl->out,
                "{\"who\":%s,\"key\":%s,\"what\":%s,\"limit\":%lld,\"period_ms\":%lld,"
                "\"used\":%.4f}\n",
                mx_str_json(arena, words[0]), mx_str_json(arena, who),
                mx_str_json(arena, words[1]), (long long)limit, (long long)period_ms,
                used);
    else
        fprintf(rate->ctl->out, "%-10s %-40s %3.0f%% of %lld %s in %s\n",
                ctl_text(arena, words[0]), ctl_text(arena, who), used * 100,
                (long long)limit, ctl_text(arena, words[1]),
                mx_duration_format(arena, period_ms));
}

static int show(struct rate *rate, struct store_admin *admin, struct mx_err *err)
{
    rate->now_ms = mx_wall_ms(&mx_clock_real);
    rate->scratch = mx_arena_new(1 << 20);
    int status =
        store_admin_rate_each(admin, (size_t)rate->limit, show_bucket, rate, err);
    mx_arena_free(rate->scratch);
    if (status == 0 && rate->n == 0 && !rate->is_json)
        fprintf(rate->ctl->info, "Nobody has used any of a rate limit lately.\n");
    return status;
}

int cmd_rate(struct ctl *ctl, int argc, char **argv, struct mx_err *err)
{
    struct rate rate = {.ctl = ctl, .limit = 1000};
    struct store_admin *admin = NULL;
    int status;

    argp_parse(&argp, argc, argv, 0, NULL, &rate);
    status = ctl_store_open(ctl, &admin, err);
    if (status == 0)
        status = show(&rate, admin, err);
    store_admin_close(admin);
    return status == 0 ? 0 : mx_err_wrap(err, "rate");
}
