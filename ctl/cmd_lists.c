/*
 * mxdropctl lists: the allow and deny lists that policyd's user_lists asks, of one user,
 * one domain or the system. Changes count from the next RCPT on, on all nodes.
 */
#include <string.h>
#include <time.h>

#include "ctl.h"
#include "ctl_store.h"
#include "mx_arena.h"
#include "mx_err.h"
#include "store_admin.h"

enum { OPT_JSON = 256 };

struct lists {
    struct ctl *ctl;
    const char *action, *scope, *pattern;
    bool is_json;
    size_t n; /* entries shown */
};

static const struct argp_option options[] = {
    {"json", OPT_JSON, NULL, 0, "show: one JSON object a line", 1},
    CTL_OPTION_CONFIG,
    {0},
};

static const struct {
    const char *action;
    enum store_listing listing;
    const char *said; /* what is printed when it is done */
} changes[] = {
    {"allow", STORE_ALLOWED, "allowed"},
    {"deny", STORE_DENIED, "denied"},
    {"remove", STORE_NOT_LISTED, "no longer listed"},
    {0},
};

/* Index into changes; the end for "show" and unknown words. */
static size_t find_change(const char *action)
{
    size_t i = 0;

    while (changes[i].action && strcmp(changes[i].action, action) != 0)
        i++;
    return i;
}

static void check_arguments(const struct lists *lists, struct argp_state *state)
{
    bool is_show = lists->action && strcmp(lists->action, "show") == 0;

    if (!lists->action)
        argp_error(state, "show, allow, deny or remove?");
    else if (!is_show && !changes[find_change(lists->action)].action)
        argp_error(state, "%s: no such action: show, allow, deny, remove", lists->action);
    else if (!lists->scope)
        argp_error(state, "whose list? user@dom, @dom or system");
    else if (!is_show && !lists->pattern)
        argp_error(state, "which PATTERN?");
    else if (is_show && lists->pattern)
        argp_error(state, "show takes no PATTERN");
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct lists *lists = state->input;
    const char **words[] = {&lists->action, &lists->scope, &lists->pattern};

    switch (key) {
    case OPT_JSON: lists->is_json = true; return 0;
    case ARGP_KEY_ARG:
        if (state->arg_num >= sizeof(words) / sizeof(words[0]))
            argp_error(state, "%s: one argument too many", arg);
        else
            *words[state->arg_num] = arg;
        return 0;
    case ARGP_KEY_END: check_arguments(lists, state); return 0;
    default: return ctl_option(lists->ctl, key, arg);
    }
}

static const struct argp argp = {
    .options = options,
    .parser = parse_option,
    .args_doc =
        "show SCOPE\nallow SCOPE PATTERN\ndeny SCOPE PATTERN\nremove SCOPE PATTERN",
    .doc =
        "Allow and deny lists. SCOPE is a mailbox (user@dom), a domain (@dom) or "
        "\"system\".\v"
        "PATTERN is a sender's address (a@b), a domain (b), a domain's subdomains (.b), "
        "or a client's network (192.0.2.0/24, 2001:db8::/32). The most specific pattern "
        "of the most specific scope decides."};

static void show_entry(void *user, struct mx_str pattern, enum store_listing listing,
                       int64_t since_ms)
{
    struct lists *lists = user;
    const char *word = listing == STORE_ALLOWED ? "allow" : "deny";
    time_t since = (time_t)(since_ms / 1000);
    struct tm tm;
    char when[32];

    lists->n++;
    gmtime_r(&since, &tm);
    strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm);
    if (lists->is_json)
        fprintf(lists->ctl->out, "{\"pattern\":%s,\"listing\":\"%s\",\"since\":\"%s\"}\n",
                mx_str_json(lists->ctl->arena, pattern), word, when);
    else
        fprintf(lists->ctl->out, "%-5s  %-40s  since %s\n", word,
                ctl_text(lists->ctl->arena, pattern), when);
}

static int show(struct lists *lists, struct store_admin *admin, struct mx_err *err)
{
    if (store_admin_list_each(admin, mx_str(lists->scope), show_entry, lists, err) != 0)
        return -1;
    if (lists->n == 0 && !lists->is_json)
        fprintf(lists->ctl->info, "The list of %s is empty.\n",
                ctl_text(lists->ctl->arena, mx_str(lists->scope)));
    return 0;
}

static int change(struct lists *lists, struct store_admin *admin, struct mx_err *err)
{
    size_t i = find_change(lists->action);

    if (store_admin_list_set(admin, mx_str(lists->scope), mx_str(lists->pattern),
                             changes[i].listing, err) != 0)
        return -1;
    fprintf(lists->ctl->out, "%s: %s is %s\n",
            ctl_text(lists->ctl->arena, mx_str(lists->scope)),
            ctl_text(lists->ctl->arena, mx_str(lists->pattern)), changes[i].said);
    return 0;
}

int cmd_lists(struct ctl *ctl, int argc, char **argv, struct mx_err *err)
{
    struct lists lists = {.ctl = ctl};
    struct store_admin *admin = NULL;
    int status;

    argp_parse(&argp, argc, argv, 0, NULL, &lists);
    status = ctl_store_open(ctl, &admin, err);
    if (status == 0)
        status = strcmp(lists.action, "show") == 0 ? show(&lists, admin, err)
                                                   : change(&lists, admin, err);
    store_admin_close(admin);
    return status == 0 ? 0 : mx_err_wrap(err, "lists");
}
