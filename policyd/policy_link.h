/* The inside of a chain; only policy_chain.c, policy_walk.c and their tests see it. */
#ifndef POLICY_LINK_H
#define POLICY_LINK_H

#include <stdbool.h>

#include "policy_chain.h"
#include "policy_table.h"
#include "policy_verdict.h"
#include "policyd_conf.h"

struct mx_counter;
struct mx_histogram;

/* A module in use, with its state. One per module, whatever stages it stands in. */
struct policy_link {
    const struct policy_module *module;
    enum policyd_mode mode;
    enum policyd_on_fail on_fail;
    void *state;        /* NULL: not started (off) */
    bool is_degraded;   /* as this worker saw it last */
    const char *notice; /* the same; NULL not yet */
    struct mx_counter *next, *fail, *would;
    struct mx_counter *done[POLICY_ACTIONS];
    struct mx_histogram *cost;
};

struct policy_stage_links {
    struct policy_link *v[POLICY_TABLE_MAX];
    size_t n;
};

struct policy_chain {
    struct policy_chain_env env;
    struct policy_maps *maps;
    unsigned refs;
    int64_t deadline_ms[POLICYD_STAGES];
    char delimiter[9];
    struct policy_link links[POLICY_TABLE_MAX]; /* by index of policy_table */
    struct policy_stage_links stages[POLICYD_STAGES];
};

#endif
