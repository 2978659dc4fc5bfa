/*
 * mxdropctl prefs: what recipients chose: what spam gets, from which score on,
 * greylisting or not. Of one mailbox, one domain or the system; policyd's spam and
 * greylist ask for all three and take each choice from the most specific that made it.
 * Changes count from the next message on, on all nodes.
 */
#include <string.h>

#include "ctl.h"
#include "ctl_store.h"
#include "mx_arena.h"
#include "mx_err.h"
#include "store_admin.h"
#include "store_pattern.h"
#include "store_prefs.h"

#define LIST_DEFAULT 1000 /* scopes that list shows */
#define SCOPES 3

enum { OPT_JSON = 256, OPT_MAX };

enum action { SHOW, SET, UNSET, LIST, ACTIONS };
static const char *const action_names[ACTIONS] = {"show", "set", "unset", "list"};

struct prefs {
    struct ctl *ctl;
    enum action action;
    const char *scope;
    struct store_prefs set; /* of set */
    unsigned unset;         /* of unset */
    int64_t max;
    size_t n; /* scopes listed */
    bool is_json, has_action;
};

static const struct argp_option options[] = {
    {"json", OPT_JSON, NULL, 0, "show, list: one JSON object a line", 1},
    {"max", OPT_MAX, "N", 0, "list: at most so many scopes (1000)", 1},
    CTL_OPTION_CONFIG,
    {0},
};

static void take_action(struct prefs *prefs, const char *word, struct argp_state *state)
{
    for (int i = 0; i < ACTIONS && !prefs->has_action; i++) {
        if (strcmp(word, action_names[i]) != 0)
            continue;
        prefs->action = (enum action)i;
        prefs->has_action = true;
    }
    if (!prefs->has_action)
        argp_error(state, "%s: no such action: show, set, unset, list", word);
}

/* "KEY=VALUE" to set, "KEY" to unset. */
static void take_choice(struct prefs *prefs, const char *word, struct argp_state *state)
{
    struct mx_str text = mx_str(word);
    ptrdiff_t at = mx_str_chr(text, '=');
    struct mx_str name = at < 0 ? text : mx_str_sub(text, 0, (size_t)at);
    enum store_pref pref = STORE_PREF_SPAM_ACTION;
    struct mx_err err = {.code = MX_ERR_NONE};

    if (prefs->action != SET && prefs->action != UNSET)
        argp_error(state, "%s: one argument too many", word);
    else if ((at >= 0) != (prefs->action == SET))
        argp_error(state, "%s: set takes KEY=VALUE, unset takes KEY", word);
    else if (store_pref_find(name, &pref, &err) != 0 ||
             (at >= 0 && store_prefs_parse(pref, mx_str_sub(text, (size_t)at + 1, text.n),
                                           &prefs->set, &err) != 0))
        argp_error(state, "%s", err.text);
    else if (at < 0)
        prefs->unset |= 1u << pref;
}

static void check_arguments(const struct prefs *prefs, struct argp_state *state)
{
    if (!prefs->has_action)
        argp_error(state, "show, set, unset or list?");
    else if (prefs->action == LIST ? prefs->scope != NULL : prefs->scope == NULL)
        argp_error(state, prefs->scope ? "list takes no SCOPE"
                                       : "whose? user@dom, @dom or system");
    else if (prefs->action == SET && prefs->set.has == 0)
        argp_error(state, "set what? KEY=VALUE...");
    else if (prefs->action == UNSET && prefs->unset == 0)
        argp_error(state, "unset what? KEY...");
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct prefs *prefs = state->input;

    switch (key) {
    case OPT_JSON: prefs->is_json = true; return 0;
    case OPT_MAX:
        if (mx_str_to_int(mx_str(arg), 1, 1000000000, &prefs->max, NULL) != 0)
            argp_error(state, "--max: how many?");
        return 0;
    case ARGP_KEY_ARG:
        if (state->arg_num == 0)
            take_action(prefs, arg, state);
        else if (state->arg_num == 1)
            prefs->scope = arg;
        else
            take_choice(prefs, arg, state);
        return 0;
    case ARGP_KEY_END: check_arguments(prefs, state); return 0;
    default: return ctl_option(prefs->ctl, key, arg);
    }
}

/* The choices, from their table, behind the text of --help. */
static char *help(int key, const char *text, void *input)
{
    char *out = NULL;
    size_t n = 0;
    FILE *to;

    (void)input;
    if (key != ARGP_KEY_HELP_POST_DOC || (to = open_memstream(&out, &n)) == NULL)
        return (char *)(uintptr_t)text;
    fprintf(to, "%s\n\n", text);
    for (int i = 0; i < STORE_PREFS; i++)
        fprintf(to, "  %-13s %s\n", store_pref_name((enum store_pref)i),
                store_pref_doc((enum store_pref)i));
    fputs("\nspam_action is one of", to);
    for (int i = 0; store_spam_words[i]; i++)
        fprintf(to, "%s %s", i ? "," : "", store_spam_words[i]);
    fprintf(to, "; greylist is on or off; a score is a number from %d to %d.\n",
            STORE_SCORE_MIN, STORE_SCORE_MAX);
    fclose(to);
    return out;
}

static const struct argp argp = {
    .options = options,
    .parser = parse_option,
    .help_filter = help,
    .args_doc = "show SCOPE\nset SCOPE KEY=VALUE...\nunset SCOPE KEY...\nlist",
    .doc = "Recipients' choices. SCOPE is a mailbox (user@dom), a domain (@dom) or "
           "\"system\"; what none of them chose is as policyd's settings say.\v"
           "Choices:"};

/* ---- showing ---- */

/* {"scope": ..., "tag_score": 3} with words in quotes. */
static void print_json(const struct prefs *prefs, struct mx_str scope,
                       const struct store_prefs *chosen)
{
    struct mx_arena *arena = prefs->ctl->arena;
    FILE *out = prefs->ctl->out;

    fprintf(out, "{\"scope\":%s", mx_str_json(arena, scope));
    if (!chosen)
        fputs(",\"error\":\"a value that is none\"", out);
    for (int i = 0; chosen && i < STORE_PREFS; i++) {
        const char *value = store_prefs_format(arena, chosen, (enum store_pref)i);
        bool is_score = i == STORE_PREF_TAG_SCORE || i == STORE_PREF_REFUSE_SCORE;

        if (value)
            fprintf(out, ",\"%s\":%s", store_pref_name((enum store_pref)i),
                    is_score ? value : mx_str_json(arena, mx_str(value)));
    }
    fputs("}\n", out);
}

static void list_scope(void *user, struct mx_str scope, const struct store_prefs *chosen)
{
    struct prefs *prefs = user;
    struct mx_arena *arena = prefs->ctl->arena;
    FILE *out = prefs->ctl->out;

    prefs->n++;
    if (prefs->is_json) {
        print_json(prefs, scope, chosen);
        return;
    }
    fprintf(out, "%-32s", ctl_text(arena, scope));
    if (!chosen)
        fputs("  a value that is none: set or unset it", out);
    for (int i = 0; chosen && i < STORE_PREFS; i++) {
        const char *value = store_prefs_format(arena, chosen, (enum store_pref)i);

        if (value)
            fprintf(out, "  %s=%s", store_pref_name((enum store_pref)i), value);
    }
    fputs("\n", out);
}

static int list(struct prefs *prefs, struct store_admin *admin, struct mx_err *err)
{
    if (store_admin_prefs_each(admin, (size_t)prefs->max, list_scope, prefs, err) != 0)
        return -1;
    if (prefs->n == 0 && !prefs->is_json)
        fprintf(prefs->ctl->info, "Nobody has chosen anything.\n");
    return 0;
}

/* The scope itself and those behind it, as policyd asks them. Returns how many. */
static size_t scopes_of(struct mx_str scope, struct mx_str out[static SCOPES])
{
    size_t n = 0;

    out[n++] = scope;
    if (mx_str_chr(scope, '@') > 0)
        out[n++] = store_scope_domain(scope);
    if (!mx_str_eq(scope, MX_STR("system")))
        out[n++] = MX_STR("system");
    return n;
}

static int show(const struct prefs *prefs, struct store_admin *admin, struct mx_err *err)
{
    struct mx_arena *arena = prefs->ctl->arena;
    struct mx_str scopes[SCOPES], scope;
    struct store_prefs chosen[SCOPES], all = {0};

    if (store_scope_normalise(arena, mx_str(prefs->scope), &scope, err) != 0)
        return -1;
    size_t n = scopes_of(scope, scopes);
    for (size_t i = 0; i < n; i++) {
        if (store_admin_prefs_get(admin, scopes[i], &chosen[i], err) != 0)
            return mx_err_wrap(err, "%s", ctl_text(arena, scopes[i]));
        store_prefs_fill(&all, &chosen[i]);
    }
    if (prefs->is_json) {
        print_json(prefs, scope, &all);
        return 0;
    }
    for (int i = 0; i < STORE_PREFS; i++) {
        enum store_pref pref = (enum store_pref)i;
        const char *value = store_prefs_format(arena, &all, pref);
        size_t by = 0;

        while (by < n && !store_prefs_has(&chosen[by], pref))
            by++;
        fprintf(prefs->ctl->out, "%-13s %-11s %s\n", store_pref_name(pref),
                value ? value : "-",
                by == n ? "policyd's settings" : ctl_text(arena, scopes[by]));
    }
    return 0;
}

static int change(const struct prefs *prefs, struct store_admin *admin,
                  struct mx_err *err)
{
    if (store_admin_prefs_set(admin, mx_str(prefs->scope), &prefs->set, prefs->unset,
                              err) != 0)
        return -1;
    return show(prefs, admin, err);
}

int cmd_prefs(struct ctl *ctl, int argc, char **argv, struct mx_err *err)
{
    struct prefs prefs = {.ctl = ctl, .max = LIST_DEFAULT};
    struct store_admin *admin = NULL;
    int status;

    argp_parse(&argp, argc, argv, 0, NULL, &prefs);
    status = ctl_store_open(ctl, &admin, err);
    if (status == 0)
        status = prefs.action == LIST   ? list(&prefs, admin, err)
                 : prefs.action == SHOW ? show(&prefs, admin, err)
                                        : change(&prefs, admin, err);
    store_admin_close(admin);
    return status == 0 ? 0 : mx_err_wrap(err, "prefs");
}
