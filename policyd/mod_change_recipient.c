/*
 * change_recipient: which mailboxes an address means. Aliases come from local map files,
 * so that nothing has to be asked before the mailboxes are known: lists, quota, rate
 * limits and thresholds of later modules use the mailbox ids that this one yields.
 *
 * An entry maps an address (or its domain, or a pattern) to one address or several. The
 * results are looked up again, up to DEPTH_MAX times; an address that maps to itself is
 * final, as is one that was met before, so loops end. An address that means more than
 * MAILBOXES_MAX mailboxes, or is nested deeper, is a mistake in the maps: it is deferred
 * and shows in the log, and nothing is lost.
 *
 * MTAs expand aliases themselves. Only with "rewrite" is the envelope changed, at the end
 * of the message, by change_recipient_end.
 */
#include <stdio.h>
#include <string.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "policy.h"
#include "policy_maps.h"
#include "policy_verdict.h"

#define MAPS_MAX 8
#define DEPTH_MAX 10
#define MAILBOXES_MAX 64
#define VISITS_MAX 1000 /* addresses looked up for one recipient */
#define CHECK_ARENA_MAX (256u << 10)

struct change_settings {
    struct mx_conf_strings maps;
    bool is_rewriting;
};

struct change_recipient {
    const struct change_settings *settings;
    const struct policy_maps_entry *maps[MAPS_MAX];
    size_t n;
};

#define AT(member) offsetof(struct change_settings, member)

static const struct mx_conf_key keys[] = {
    {.name = "maps",
     .type = MX_CONF_STRINGS,
     .offset = AT(maps),
     .max = MAPS_MAX,
     .doc = "Alias files, \"address:/etc/mxdrop/aliases\" or \"regex:...\": lines of an "
            "address and what it means, one address or several with commas between."},
    {.name = "rewrite",
     .type = MX_CONF_BOOL,
     .offset = AT(is_rewriting),
     .def = "false",
     .doc = "Deliver to what an alias means, instead of leaving it to the MTA. Needs "
            "change_recipient_end in the content chain."},
    {0},
};

/* ---- maps
 * ------------------------------------------------------------------------------ */

/* Cuts the next address off a map's result. */
static int next_target(struct mx_str *rest, struct mx_arena *arena, struct mx_addr *out,
                       struct mx_err *err)
{
    struct mx_str word = MX_STR_NONE;
    if (mx_str_next(rest, ',', &word) < 0)
        return 1;
    if (mx_addr_parse(arena, mx_str_trim(word), out, err) < 0)
        return -1;
    if (out->domain.n == 0 || out->local.n == 0)
        return mx_err_set(err, MX_ERR_INPUT, "'%.*s' is not user@domain",
                          (int)(word.n < 80 ? word.n : 80), word.p ? word.p : "");
    return 0;
}

static int check_targets(struct mx_str value, struct mx_err *err)
{
    struct mx_arena *arena = mx_arena_new(CHECK_ARENA_MAX);
    struct mx_addr target;
    int rc, n = 0;
    while ((rc = next_target(&value, arena, &target, err)) == 0)
        n++;
    mx_arena_free(arena);
    if (rc > 0 && n == 0)
        return mx_err_set(err, MX_ERR_INPUT, "an alias for nothing");
    return rc < 0 ? -1 : 0;
}

static int open_map(struct change_recipient *self, const struct policy_env *env,
                    const char *text, struct mx_err *err)
{
    const char *path = strchr(text, ':');
    struct mx_str kind = path ? mx_str_of(text, (size_t)(path - text)) : MX_STR("");
    struct policy_map_spec spec = {.path = path ? path + 1 : NULL,
                                   .check = check_targets};
    if (mx_str_eq(kind, MX_STR("address")))
        spec.kind = POLICY_MAP_ADDRESS;
    else if (mx_str_eq(kind, MX_STR("regex")))
        spec.kind = POLICY_MAP_REGEX;
    else
        return mx_err_set(err, MX_ERR_INPUT,
                          "maps: '%s': write address: or regex: and a "
                          "path",
                          text);
    if (policy_maps_open(env->maps, &spec, &self->maps[self->n], err) < 0)
        return mx_err_wrap(err, "maps");
    self->n++;
    return 0;
}

static int start(void *state, const struct policy_env *env, struct mx_err *err)
{
    struct change_recipient *self = state;
    self->settings = env->settings;
    for (size_t i = 0; i < self->settings->maps.n; i++)
        if (open_map(self, env, self->settings->maps.v[i], err) < 0)
            return -1;
    return 0;
}

/* ---- expanding
 * --------------------------------------------------------------------------- */

struct expansion {
    const struct change_recipient *self;
    struct mx_arena *arena;
    struct mx_str mailboxes[MAILBOXES_MAX];
    struct mx_str visited[VISITS_MAX];
    size_t n, n_visited;
    bool is_too_much, is_broken;
};

static enum policy_map_result look_up(const struct expansion *e,
                                      const struct mx_addr *addr, struct mx_str *out)
{
    struct mx_str keys_of[2] = {mx_str_lower(e->arena, addr->text), addr->domain};
    for (size_t k = 0; k < 2; k++) {
        for (size_t i = 0; i < e->self->n; i++) {
            enum policy_map_result found =
                policy_map_find_text(e->self->maps[i]->now, keys_of[k], out);
            if (found != POLICY_MAP_MISS)
                return found;
        }
    }
    return POLICY_MAP_MISS;
}

static bool has(const struct mx_str *v, size_t n, struct mx_str text)
{
    for (size_t i = 0; i < n; i++)
        if (mx_str_eq(v[i], text))
            return true;
    return false;
}

static void add_mailbox(struct expansion *e, struct mx_str text)
{
    if (has(e->mailboxes, e->n, text))
        return;
    if (e->n == MAILBOXES_MAX)
        e->is_too_much = true;
    else
        e->mailboxes[e->n++] = text;
}

static void expand(struct expansion *e, const struct mx_addr *addr, unsigned depth);

static void expand_all(struct expansion *e, struct mx_str targets, struct mx_str self,
                       unsigned depth)
{
    struct mx_addr target;
    targets = mx_str_dup(e->arena, targets);
    while (!e->is_too_much && next_target(&targets, e->arena, &target, NULL) == 0) {
        if (mx_str_ieq(target.text, self))
            add_mailbox(e, self);
        else
            expand(e, &target, depth + 1);
    }
}

/* Depth first; what was met before is not walked again. */
static void expand(struct expansion *e, const struct mx_addr *addr, unsigned depth)
{
    struct mx_str text = mx_str_lower(e->arena, addr->text), targets = MX_STR_NONE;
    if (has(e->visited, e->n_visited, text))
        return;
    if (depth > DEPTH_MAX || e->n_visited == VISITS_MAX) {
        e->is_too_much = true;
        return;
    }
    e->visited[e->n_visited++] = text;
    switch (look_up(e, addr, &targets)) {
    case POLICY_MAP_MISS: add_mailbox(e, text); break;
    case POLICY_MAP_HIT: expand_all(e, targets, text, depth); break;
    case POLICY_MAP_BROKEN: e->is_broken = true; break;
    }
}

/* ---- deciding
 * ----------------------------------------------------------------------------- */

/* "<a@b>,<c@d>" */
static struct mx_str paths_of(const struct expansion *e)
{
    const char *text = "";
    for (size_t i = 0; i < e->n; i++)
        text = mx_arena_printf(e->arena, "%s%s<%.*s>", text, i ? "," : "",
                               MX_STR_FMT(e->mailboxes[i]));
    return mx_str(text);
}

/* The address as its owner knows it: the mailbox id stands for "user+detail" too. */
static bool find_start(const struct expansion *e, const struct policy_rcpt *rcpt,
                       struct mx_addr *out)
{
    struct mx_str ignored;
    *out = rcpt->addr;
    if (look_up(e, out, &ignored) != POLICY_MAP_MISS)
        return true;
    return mx_addr_parse(e->arena, rcpt->mailbox, out, NULL) == 0 &&
           look_up(e, out, &ignored) != POLICY_MAP_MISS;
}

static enum policy_step decide(const void *state, const struct policy_req *req,
                               const struct policy_answers *answers,
                               struct policy_verdict *out)
{
    const struct change_recipient *self = state;
    struct mx_addr first;
    (void)answers;
    if (self->n == 0 || req->rcpt->is_bad)
        return POLICY_NEXT;
    struct expansion *e = mx_arena_alloc(req->arena, sizeof(*e));
    e->self = self;
    e->arena = req->arena;
    if (!find_start(e, req->rcpt, &first))
        return POLICY_NEXT;
    expand(e, &first, 0);
    if (e->is_broken) {
        out->reason = "a pattern hit its limits";
        return POLICY_FAIL;
    }
    if (e->is_too_much || e->n == 0) {
        policy_verdict_tempfail(
            out, "4.4.6", MX_STR("Alias is nested too deeply or loops"), "alias-loop");
        return POLICY_DONE;
    }
    struct policy_rewrite *rewrite = mx_arena_alloc(req->arena, sizeof(*rewrite));
    rewrite->mailboxes = e->mailboxes;
    rewrite->n_mailboxes = e->n;
    rewrite->paths = self->settings->is_rewriting ? paths_of(e) : MX_STR("");
    out->rewrite = rewrite;
    return POLICY_NEXT;
}

const struct policy_module mod_change_recipient = {
    .name = "change_recipient",
    .doc = "Aliases: which mailboxes an address means.",
    .stages = POLICY_AT_RCPT,
    .on_fail = POLICY_FAIL,
    .rewrites = true,
    .keys = keys,
    .settings_size = sizeof(struct change_settings),
    .state_size = sizeof(struct change_recipient),
    .start = start,
    .decide = decide,
};
