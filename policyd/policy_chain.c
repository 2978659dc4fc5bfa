/*
 * The chain, built from configuration. This comment is the tour; the walk itself is in
 * policy_walk.c.
 *
 * A chain is what one worker decides by: the modules in use, each with its settings and
 * its state, and per stage the order in which they are asked. Everything in it is made at
 * once and does not change afterwards, but for map files, whose tables are swapped
 * between events. A reload makes a new chain aside; checks that are under way keep a
 * reference to the one they began with, and the last of them frees it.
 *
 * A check goes through these steps:
 *
 *   1. Modules that need no answers are walked at once, up to the first that asks. When
 *      one of them decides, the store is never bothered.
 *   2. All modules from there on name their questions (ask). They leave as one batch: one
 *      pipelined round trip, however long the chain is and however many recipients there
 *      are.
 *   3. With the answers (or the news that there are none) the walk goes on: each module
 *      says NEXT, DONE or FAIL (decide), until one is DONE.
 *   4. Modules that were walked name their effects (record), knowing how it ended. They
 *      are sent without waiting.
 *
 * At CONTENT the same chain is walked once per recipient, over one shared batch, as each
 * recipient may want something else; policy_outcome.c makes one SMTP reply of the
 * results.
 *
 * What modules do not do themselves:
 *
 *   mode     off: not asked. warn: asked, walked and recorded, but the verdict is only
 *            logged (policy.warn) and the walk goes on. on: decides.
 *   on_fail  FAIL marks the check as degraded by this module. next walks on; tempfail
 *            ends the walk with 451 4.3.0. The log gets one line when a module begins to
 *            fail and one when it can tell again (policy.degraded, policy.recovered).
 *   deadline A check whose time is up before the answers came is dropped: nobody waits
 *            for it, and nothing is recorded.
 *   metrics  Per module: outcomes and time spent.
 *   log      One line per decision (policy.verdict) that names the module.
 *
 * A module that says CONTINUE ends the walk in favour: what stands behind it is not
 * asked. So the order of a chain is a statement. What must hold for everybody (syntax,
 * relaying, unknown recipients, quota) stands before lists and other exemptions; what
 * they exempt from (greylisting) stands behind.
 */
#include "policy_chain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "mx_metric.h"
#include "policy_link.h"
#include "policy_maps.h"

/* "FILE:LINE: policyd.chain.rcpt: what". */
static int chain_error(const struct mx_conf *conf, size_t stage, struct mx_err *err)
{
    char dotted[64];
    snprintf(dotted, sizeof(dotted), "policyd.chain.%s",
             policy_stage_name(policyd_conf_stage(stage)));
    return mx_err_wrap(err, "%s: %s", mx_conf_where(conf, dotted), dotted);
}

static void make_metrics(struct policy_link *link, struct mx_metrics *metrics)
{
    static const char name[] = "mxdrop_policy_module_total";
    static const char help[] = "How walks left this module.";
    char labels[128];
    struct {
        const char *outcome;
        struct mx_counter **counter;
    } plain[] = {{"next", &link->next}, {"fail", &link->fail}, {"would", &link->would}};
    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
        snprintf(labels, sizeof(labels), "module=\"%s\",outcome=\"%s\"",
                 link->module->name, plain[i].outcome);
        *plain[i].counter = mx_metrics_counter(metrics, name, labels, help);
    }
    for (int action = 0; action < POLICY_ACTIONS; action++) {
        snprintf(labels, sizeof(labels), "module=\"%s\",outcome=\"%s\"",
                 link->module->name, policy_action_name((enum policy_action)action));
        link->done[action] = mx_metrics_counter(metrics, name, labels, help);
    }
    snprintf(labels, sizeof(labels), "module=\"%s\"", link->module->name);
    link->cost = mx_metrics_histogram(metrics, "mxdrop_policy_module_seconds", labels,
                                      "Time in this module's own code.");
}

static int start_module(struct policy_chain *chain, const struct mx_conf *conf,
                        size_t index, struct mx_err *err)
{
    struct policy_link *link = &chain->links[index];
    const void *settings;
    const struct policyd_module_conf *group =
        policyd_conf_module(policyd_conf_get(conf), index, &settings);
    if (link->module)
        return 0; /* stands in an earlier stage as well */
    link->module = policy_table[index];
    link->mode = (enum policyd_mode)group->mode;
    link->on_fail = (enum policyd_on_fail)group->on_fail;
    if (link->mode == POLICYD_OFF)
        return 0;
    make_metrics(link, chain->env.metrics);
    link->state = mx_xalloc(link->module->state_size ? link->module->state_size : 1);
    struct policy_env env = {
        .clock = chain->env.clock, .settings = settings, .maps = chain->maps};
    if (link->module->start && link->module->start(link->state, &env, err) < 0) {
        char dotted[128];
        snprintf(dotted, sizeof(dotted), "policyd.%s", link->module->name);
        return mx_err_wrap(err, "%s: %s", mx_conf_where(conf, dotted), dotted);
    }
    return 0;
}

static bool stands_already(const struct policy_stage_links *stage,
                           const struct policy_link *link)
{
    for (size_t i = 0; i < stage->n; i++)
        if (stage->v[i] == link)
            return true;
    return false;
}

static bool asks_before(const struct policy_stage_links *stage)
{
    for (size_t i = 0; i < stage->n; i++)
        if (stage->v[i]->module->ask)
            return true;
    return false;
}

static void no_module(const char *name, struct mx_err *err)
{
    char known[400] = "";
    for (size_t i = 0, n = 0; policy_table[i] && n < sizeof(known); i++)
        n += (size_t)snprintf(known + n, sizeof(known) - n, "%s%s", i ? ", " : "",
                              policy_table[i]->name);
    mx_err_set(err, MX_ERR_INPUT, "there is no module '%s'; known here: %s", name, known);
}

static int add_link(struct policy_chain *chain, const struct mx_conf *conf, size_t stage,
                    const char *name, struct mx_err *err)
{
    struct policy_stage_links *links = &chain->stages[stage];
    size_t index = 0;
    const struct policy_module *module = policy_table_find(name, &index);
    if (module == NULL) {
        no_module(name, err);
        return chain_error(conf, stage, err);
    }
    if ((module->stages & (unsigned)policyd_conf_stage(stage)) == 0) {
        mx_err_set(err, MX_ERR_INPUT, "module '%s' cannot work at this stage", name);
        return chain_error(conf, stage, err);
    }
    if (stands_already(links, &chain->links[index])) {
        mx_err_set(err, MX_ERR_INPUT, "module '%s' stands here twice", name);
        return chain_error(conf, stage, err);
    }
    if (module->rewrites && asks_before(links)) {
        mx_err_set(err, MX_ERR_INPUT,
                   "module '%s' changes what the modules before it ask about: put it "
                   "before them",
                   name);
        return chain_error(conf, stage, err);
    }
    links->v[links->n++] = &chain->links[index];
    return start_module(chain, conf, index, err);
}

static int add_stages(struct policy_chain *chain, const struct mx_conf *conf,
                      struct mx_err *err)
{
    const struct policyd_conf *own = policyd_conf_get(conf);
    for (size_t stage = 0; stage < POLICYD_STAGES; stage++)
        for (size_t i = 0; i < own->chain[stage].n; i++)
            if (add_link(chain, conf, stage, own->chain[stage].v[i], err) < 0)
                return -1;
    return 0;
}

int policy_chain_new(const struct mx_conf *conf, const struct policy_chain_env *env,
                     struct policy_chain **out, struct mx_err *err)
{
    const struct policyd_conf *own = policyd_conf_get(conf);
    struct policy_chain *chain = mx_xalloc(sizeof(*chain));
    chain->env = *env;
    chain->refs = 1;
    chain->maps = policy_maps_new(env->files);
    memcpy(chain->deadline_ms, own->deadline_ms, sizeof(chain->deadline_ms));
    snprintf(chain->delimiter, sizeof(chain->delimiter), "%s", own->recipient_delimiter);
    if (add_stages(chain, conf, err) < 0) {
        policy_chain_unref(chain);
        return -1;
    }
    *out = chain;
    return 0;
}

struct policy_chain *policy_chain_ref(struct policy_chain *chain)
{
    chain->refs++;
    return chain;
}

void policy_chain_unref(struct policy_chain *chain)
{
    if (chain == NULL || --chain->refs > 0)
        return;
    for (size_t i = POLICY_TABLE_MAX; i-- > 0;) {
        struct policy_link *link = &chain->links[i];
        if (link->state && link->module->stop)
            link->module->stop(link->state);
        free(link->state);
    }
    policy_maps_free(chain->maps);
    if (chain->env.on_free)
        chain->env.on_free(chain->env.user);
    free(chain);
}

void policy_chain_swap(struct policy_chain *chain, size_t file, struct policy_map *map)
{
    policy_maps_swap(chain->maps, file, map);
}

int64_t policy_chain_deadline_ms(const struct policy_chain *chain,
                                 enum policy_stage stage)
{
    return chain->deadline_ms[policyd_conf_stage_index(stage)];
}

const char *policy_chain_delimiter(const struct policy_chain *chain)
{
    return chain->delimiter;
}
