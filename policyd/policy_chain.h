/*
 * The chain: modules in the configured order, walked until one takes action.
 */
#ifndef POLICY_CHAIN_H
#define POLICY_CHAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy.h"

struct mx_conf;
struct mx_health;
struct mx_log;
struct mx_metrics;
struct policy_chain;
struct policy_map;
struct policy_map_files;

/* What a chain works with; all borrowed, log, metrics and health may be NULL. */
struct policy_chain_env {
    const struct mx_clock *clock;
    struct mx_log *log;
    struct mx_metrics *metrics;
    struct mx_health *health;
    struct policy_map_files *files;
    unsigned store_timeout_ms; /* longest wait for the store */
    /* Called when the chain is freed, on its worker's thread: the configuration that its
       modules borrow from is not used any more. May be NULL. */
    void (*on_free)(void *user);
    void *user;
};

/**
 * policy_chain_new(conf, env, out, err):
 * Build from section "policyd": start every module that stands in a chain and is not off.
 * Owner:  one reference is the caller's. A chain belongs to one worker; it may be made on
 *         another thread (the owner of ${env}->files) and handed over.
 * Fails:  unknown module, one at a stage it cannot work at, listed twice, settings or
 *         files it cannot use (-1, "FILE:LINE: ...").
 */
int policy_chain_new(const struct mx_conf *conf, const struct policy_chain_env *env,
                     struct policy_chain **out, struct mx_err *err);

/** policy_chain_ref / policy_chain_unref: checks under way hold one. NULL is fine. */
struct policy_chain *policy_chain_ref(struct policy_chain *chain);
void policy_chain_unref(struct policy_chain *chain);

/** policy_chain_swap(chain, file, map): use a map file's new table from now on. */
void policy_chain_swap(struct policy_chain *chain, size_t file, struct policy_map *map);

/** policy_chain_deadline_ms(chain, stage): the stage's budget. */
int64_t policy_chain_deadline_ms(const struct policy_chain *chain,
                                 enum policy_stage stage);

/** policy_chain_delimiter(chain): characters before the detail of a mailbox. */
const char *policy_chain_delimiter(const struct policy_chain *chain);

/* The end of one walk: of the check, or at CONTENT of one recipient. */
struct policy_result {
    const struct policy_rcpt *rcpt;
    struct policy_verdict verdict;        /* zero: nobody objected */
    const char *module;                   /* that decided; NULL: end of the chain */
    const struct policy_rewrite *rewrite; /* the last one of the walk; NULL none */
    const struct mx_str *marks; /* "allow=user_lists", to be handed back at CONTENT */
    size_t n_marks;
};

/* For explain: what one module did in one walk. */
struct policy_trace {
    const char *module, *step, *mode;
    const char *verdict; /* "450 4.7.1 ...", or "" */
    const char *const *answers;
    size_t n_answers;
    uint64_t us;
    const struct policy_rcpt *rcpt; /* CONTENT; else NULL */
};

/* One check. The caller zeroes it, fills the first part and owns it until ->done. */
struct policy_check {
    struct policy_req *req; /* ->rcpt changes during a walk of CONTENT */
    struct store *store;
    int64_t deadline_ms; /* mono_ms: past it nobody wants the answer */
    int64_t arrived_us;  /* mx_mono_us, for the log */
    bool is_explain;     /* trace; record nothing */
    void (*done)(struct policy_check *check);
    void *user;

    /* Results, valid from ->done on; they live in the request's arena. */
    struct policy_result *results;
    size_t n_results;
    const char **degraded; /* modules that could not tell */
    size_t n_degraded;
    struct policy_trace *trace;
    size_t n_trace;
    bool is_late; /* the deadline passed: results are not to be used */

    struct policy_run *run; /* the walk's own */
};

/**
 * policy_chain_run(chain, check):
 * Ask, walk, record. ->done is called once, perhaps before this returns: at CONTENT with
 * one result per recipient, else with one.
 */
void policy_chain_run(struct policy_chain *chain, struct policy_check *check);

#endif
