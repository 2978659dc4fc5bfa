/*
 * mxdropctl quota: what policyd knows of a mailbox's quota, and the site's hand on it.
 * The limit is the site's to say; usage comes from the site, too, or live from Dovecot.
 */
#include <string.h>

#include "ctl.h"
#include "ctl_store.h"
#include "mx_arena.h"
#include "mx_err.h"
#include "mx_time.h"
#include "store_admin.h"
#include "store_redis.h"

struct quota {
    struct ctl *ctl;
    const char *action, *mailbox;
    struct store_quota_change change;
    bool has_change;
};

static const struct argp_option options[] = {CTL_OPTION_CONFIG, {0}};

/* "limit=2GiB", "used=100MiB", "active=now". */
static void take_setting(struct quota *q, const char *arg, struct argp_state *state)
{
    const char *value = strchr(arg, '=');
    struct mx_str name = mx_str_of(arg, value ? (size_t)(value - arg) : 0);
    struct mx_err err = {0};
    int64_t *out = mx_str_eq(name, MX_STR("limit"))  ? &q->change.limit
                   : mx_str_eq(name, MX_STR("used")) ? &q->change.used
                                                     : NULL;
    if (strcmp(arg, "active=now") == 0)
        q->change.active_ms = mx_wall_ms(&mx_clock_real);
    else if (out == NULL)
        argp_error(state, "%s: limit=SIZE, used=SIZE or active=now is wanted", arg);
    else if (mx_size_parse(mx_str(value + 1), out, &err) != 0)
        argp_error(state, "%s: %s", arg, err.text);
    q->has_change = true;
}

static void check_arguments(const struct quota *q, struct argp_state *state)
{
    bool is_set = q->action && strcmp(q->action, "set") == 0;
    if (!q->action || (!is_set && strcmp(q->action, "show") != 0))
        argp_error(state, "show or set?");
    else if (!q->mailbox)
        argp_error(state, "whose? user@dom");
    else if (is_set != q->has_change)
        argp_error(state, is_set ? "set what? limit=SIZE, used=SIZE, active=now"
                                 : "show takes a mailbox only");
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct quota *q = state->input;
    switch (key) {
    case ARGP_KEY_ARG:
        if (state->arg_num < 2)
            *(state->arg_num == 0 ? &q->action : &q->mailbox) = arg;
        else
            take_setting(q, arg, state);
        return 0;
    case ARGP_KEY_END: check_arguments(q, state); return 0;
    default: return ctl_option(q->ctl, key, arg);
    }
}

static const struct argp argp = {
    .options = options,
    .parser = parse_option,
    .args_doc = "show MAILBOX\nset MAILBOX [limit=SIZE] [used=SIZE] [active=now]",
    .doc = "The quota of a mailbox, as quota_check sees it.\v"
           "Sizes carry a unit: 500MiB, 2GiB. A limit or usage that is not known is no "
           "reason to refuse mail."};

static void show_size(struct quota *q, const char *name, bool is_known, int64_t bytes)
{
    fprintf(q->ctl->out, "%-8s %s\n", name,
            is_known ? mx_size_format(q->ctl->arena, bytes) : "not known");
}

static int show_dovecot(struct quota *q, const struct store_redis_settings *settings,
                        struct mx_err *err)
{
    int64_t used = 0;
    if (*settings->dovecot.address == '\0')
        return 0;
    int found = store_admin_dovecot_used(settings, mx_str(q->mailbox), &used, err);
    if (found < 0)
        return mx_err_wrap(err, "Dovecot's Redis, %s", settings->dovecot.address);
    show_size(q, "dovecot", found > 0, used);
    return 0;
}

static int show(struct quota *q, struct store_admin *admin, struct mx_err *err)
{
    const struct store_redis_settings *settings = NULL;
    struct store_answer answer;
    if (ctl_store_settings(q->ctl, &settings, err) != 0 ||
        store_admin_quota_get(admin, mx_str(q->mailbox), &answer, err) != 0)
        return -1;
    int64_t now_ms = mx_wall_ms(&mx_clock_real);
    show_size(q, "limit", answer.quota.has_limit, answer.quota.limit);
    show_size(q, "used", answer.quota.has_used, answer.quota.used);
    if (answer.quota.over_since_ms > 0)
        fprintf(q->ctl->out, "over     for %lld minutes\n",
                (long long)((now_ms - answer.quota.over_since_ms) / 60000));
    if (answer.quota.active_ms > 0)
        fprintf(q->ctl->out, "active   %lld hours ago\n",
                (long long)((now_ms - answer.quota.active_ms) / 3600000));
    return show_dovecot(q, settings, err);
}

static int set(struct quota *q, struct store_admin *admin, struct mx_err *err)
{
    if (store_admin_quota_set(admin, mx_str(q->mailbox), &q->change, err) != 0)
        return -1;
    return show(q, admin, err);
}

int cmd_quota(struct ctl *ctl, int argc, char **argv, struct mx_err *err)
{
    struct quota q = {.ctl = ctl, .change = {.limit = -1, .used = -1, .active_ms = -1}};
    struct store_admin *admin = NULL;
    int status;

    argp_parse(&argp, argc, argv, 0, NULL, &q);
    status = ctl_store_open(ctl, &admin, err);
    if (status == 0)
        status =
            strcmp(q.action, "show") == 0 ? show(&q, admin, err) : set(&q, admin, err);
    store_admin_close(admin);
    return status == 0 ? 0 : mx_err_wrap(err, "quota");
}
