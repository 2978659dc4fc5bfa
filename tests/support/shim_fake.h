/*
 * A shim with everything around it faked: the cluster answers as the test has set, the
 * MTA records what it was told. Included by the tests and fuzz targets of the shim.
 */
#ifndef SHIM_FAKE_H
#define SHIM_FAKE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "mx_health.h"
#include "mx_metric.h"
#include "mx_time.h"
#include "mxp_client.h"
#include "mxp_pack.h"
#include "shim_session.h"

#define FAKE_EDITS 256

struct fake_edit {
    char kind; /* 'a' 'i' 'm' headers, '+' '-' recipients, 'q' */
    int index;
    char name[128], value[512];
};

struct fake {
    struct shim shim;
    struct mx_conf *conf;
    struct shim_conf *tuned; /* a copy that a test may change before a session */
    struct mx_metrics *metrics;
    struct mx_clock_fake clock;
    struct mx_arena *arena; /* of what the test answers with */
    /* The cluster. */
    Mxp__PolicyReply policy[MXP__STAGE__STAGE_CONTENT + 1];
    bool is_policyd_down, is_scand_down;
    struct shim_load load;
    Mxp__ScanReply scan;
    unsigned policy_calls[MXP__STAGE__STAGE_CONTENT + 1], scan_calls;
    struct mx_str last_policy, last_scan, last_body; /* encoded; in arena */
    /* The MTA. */
    struct shim_mta mta;
    const char *macros[16]; /* name, value by turns */
    struct shim_reply reply;
    bool has_reply;
    struct fake_edit edits[FAKE_EDITS];
    unsigned n_edits, progress;
    char refuses; /* edit kind that the MTA does not let us do */
};

static inline int fake_policy(void *user, struct mx_arena *arena,
                              const Mxp__PolicyRequest *request,
                              const struct shim_patience *patience,
                              Mxp__PolicyReply **out, struct mx_err *err)
{
    struct fake *fake = user;
    (void)patience;
    fake->policy_calls[request->stage]++;
    fake->last_policy = mxp_pack(fake->arena, &request->base);
    if (fake->is_policyd_down)
        return mx_err_set(err, MX_ERR_DOWN, "no policyd");
    struct mx_str bytes = mxp_pack(arena, &fake->policy[request->stage].base);
    *out =
        (Mxp__PolicyReply *)mxp_unpack(arena, &mxp__policy_reply__descriptor, bytes, err);
    return *out ? 0 : -1;
}

static inline int fake_scan(void *user, struct mx_arena *arena,
                            const Mxp__ScanRequest *request, struct mxp_body *body,
                            const struct shim_patience *patience, Mxp__ScanReply **out,
                            struct mx_err *err)
{
    struct fake *fake = user;
    (void)body;
    fake->scan_calls++;
    fake->last_scan = mxp_pack(fake->arena, &request->base);
    if (patience->on_tick)
        patience->on_tick(patience->user);
    if (fake->is_scand_down)
        return mx_err_set(err, MX_ERR_TIMEOUT, "no scanner");
    struct mx_str bytes = mxp_pack(arena, &fake->scan.base);
    *out = (Mxp__ScanReply *)mxp_unpack(arena, &mxp__scan_reply__descriptor, bytes, err);
    return *out ? 0 : -1;
}

static inline void fake_topology(void *user, uint64_t version)
{
    (void)user;
    (void)version;
}

static inline uint64_t fake_topology_held(void *user)
{
    (void)user;
    return 1;
}

static inline void fake_load(void *user, struct shim_load *out)
{
    *out = ((struct fake *)user)->load;
}

static inline const char *fake_macro(void *ctx, const char *name)
{
    struct fake *fake = ctx;
    for (size_t i = 0; i + 1 < 16 && fake->macros[i]; i += 2)
        if (strcmp(fake->macros[i], name) == 0)
            return fake->macros[i + 1];
    return NULL;
}

static inline int fake_reply(void *ctx, const struct shim_reply *reply)
{
    struct fake *fake = ctx;
    fake->reply = *reply;
    for (unsigned i = 0; i < reply->n; i++) /* libmilter copies them as well */
        fake->reply.lines[i] =
            mx_arena_dup(fake->arena, reply->lines[i], strlen(reply->lines[i]));
    fake->has_reply = true;
    return 0;
}

static inline int fake_progress(void *ctx)
{
    ((struct fake *)ctx)->progress++;
    return 0;
}

static inline int fake_edit(struct fake *fake, char kind, int index, const char *name,
                            const char *value)
{
    if (fake->refuses == kind)
        return -1;
    struct fake_edit *edit = &fake->edits[fake->n_edits++ % FAKE_EDITS];
    *edit = (struct fake_edit){.kind = kind, .index = index};
    snprintf(edit->name, sizeof(edit->name), "%s", name);
    snprintf(edit->value, sizeof(edit->value), "%s", value ? value : "(none)");
    return 0;
}

static inline int fake_insert(void *ctx, int index, const char *name, const char *value)
{
    return fake_edit(ctx, 'i', index, name, value);
}

static inline int fake_add(void *ctx, const char *name, const char *value)
{
    return fake_edit(ctx, 'a', 0, name, value);
}

static inline int fake_change(void *ctx, const char *name, int index, const char *value)
{
    return fake_edit(ctx, 'm', index, name, value);
}

static inline int fake_add_rcpt(void *ctx, const char *path, const char *args)
{
    return fake_edit(ctx, '+', 0, path, args);
}

static inline int fake_remove_rcpt(void *ctx, const char *path)
{
    return fake_edit(ctx, '-', 0, path, NULL);
}

static inline int fake_quarantine(void *ctx, const char *reason)
{
    return fake_edit(ctx, 'q', 0, reason, NULL);
}

static inline void fake_cluster_init(struct fake *fake)
{
    for (int i = 0; i <= MXP__STAGE__STAGE_CONTENT; i++)
        mxp__policy_reply__init(&fake->policy[i]);
    mxp__scan_reply__init(&fake->scan);
    fake->shim.backend = (struct shim_backend){.user = fake,
                                               .policy = fake_policy,
                                               .scan = fake_scan,
                                               .topology = fake_topology,
                                               .topology_held = fake_topology_held,
                                               .load = fake_load};
}

static inline void fake_settings_init(struct fake *fake)
{
    static const struct mx_conf_section *const sections[] = {&shim_conf_section, NULL};
    static const char *const foreign[] = {NULL};
    struct mx_err err;
    if (mx_conf_load(NULL, sections, foreign, &fake->conf, &err) < 0 ||
        shim_settings_new(fake->conf, NULL, &fake->shim.settings, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        abort();
    }
    fake->tuned = mx_xalloc(sizeof(*fake->tuned));
    *fake->tuned = *fake->shim.settings->conf;
    fake->shim.settings->conf = fake->tuned;
}

/* Default configuration, everybody answers "continue", no log. */
static inline struct fake *fake_new(void)
{
    struct fake *fake = mx_xalloc(sizeof(*fake));
    mx_clock_fake_init(&fake->clock, 1000);
    fake->metrics = mx_metrics_new();
    fake->arena = mx_arena_new((size_t)1 << 30);
    fake->shim.clock = &fake->clock.clock;
    fake->shim.health = mx_health_new();
    fake->shim.serial = 0xabc;
    pthread_mutex_init(&fake->shim.lock, NULL);
    shim_alarm_init(&fake->shim.alarm);
    shim_stats_init(&fake->shim.stats, fake->metrics);
    fake_cluster_init(fake);
    fake_settings_init(fake);
    fake->shim.budget.max = fake->tuned->body_budget;
    fake->mta = (struct shim_mta){.ctx = fake,
                                  .macro = fake_macro,
                                  .reply = fake_reply,
                                  .progress = fake_progress,
                                  .insert_header = fake_insert,
                                  .add_header = fake_add,
                                  .change_header = fake_change,
                                  .add_rcpt = fake_add_rcpt,
                                  .remove_rcpt = fake_remove_rcpt,
                                  .quarantine = fake_quarantine};
    return fake;
}

static inline void fake_free(struct fake *fake)
{
    shim_settings_drop(fake->shim.settings);
    mx_conf_free(fake->conf);
    pthread_mutex_destroy(&fake->shim.lock);
    shim_alarm_end(&fake->shim.alarm);
    mx_health_free(fake->shim.health);
    mx_metrics_free(fake->metrics);
    mx_arena_free(fake->arena);
    free(fake->tuned);
    free(fake);
}

/* A verdict for one stage; the texts are literals. */
static inline void fake_says(struct fake *fake, Mxp__Stage stage, Mxp__Action action,
                             unsigned code, const char *enhanced, const char *text)
{
    Mxp__PolicyReply *reply = &fake->policy[stage];
    reply->action = action;
    reply->reply = mx_arena_alloc(fake->arena, sizeof(*reply->reply));
    mxp__smtp_reply__init(reply->reply);
    reply->reply->code = code;
    reply->reply->enhanced = mx_arena_dup(fake->arena, enhanced, strlen(enhanced));
    reply->reply->text = mxp_bytes(mx_str(text));
}

/* One more edit of the CONTENT reply. */
static inline void fake_wants(struct fake *fake, Mxp__EditKind kind, const char *name,
                              const char *value, unsigned index)
{
    Mxp__PolicyReply *reply = &fake->policy[MXP__STAGE__STAGE_CONTENT];
    if (reply->edits == NULL)
        reply->edits = mx_arena_array(fake->arena, FAKE_EDITS, sizeof(*reply->edits));
    Mxp__Edit *edit = mx_arena_alloc(fake->arena, sizeof(*edit));
    mxp__edit__init(edit);
    edit->kind = kind;
    edit->name = mxp_bytes(mx_str(name));
    edit->value = mxp_bytes(mx_str(value));
    edit->index = index;
    reply->edits[reply->n_edits++] = edit;
}

static inline bool fake_has_edit(const struct fake *fake, char kind, const char *name,
                                 int index)
{
    for (unsigned i = 0; i < fake->n_edits && i < FAKE_EDITS; i++)
        if (fake->edits[i].kind == kind && strcmp(fake->edits[i].name, name) == 0 &&
            fake->edits[i].index == index)
            return true;
    return false;
}

#endif
