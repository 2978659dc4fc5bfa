/*
 * The chain of detectors.
 *
 * It knows three moments. In the engine parent it is made and loaded: each detector reads
 * what is large. After the fork each worker starts it: detectors open what they need
 * for themselves. Then it runs once for each message, in order of the detectors' typical
 * cost, so that a cheap final finding (a virus is the usual one) saves the dear ones.
 *
 * A detector can fail at each of the moments. None of these failures is the message's:
 * the chain goes on without the detector and the result names it, so that policyd sees
 * "degraded: clamav" rather than a clean message. Time is treated alike: what was not
 * reached before the deadline is named, and what was found until then counts.
 *
 * The chain does the timing, and the scoring at its end (scan_score). It does not parse
 * (message), does not encode (scan_once) and knows no detector by name (scan_table).
 */
#include "scan_chain.h"

#include <stdlib.h>
#include <string.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "mx_time.h"
#include "scan_table.h"

struct link {
    const struct scan_detector *detector;
    void *state;
    struct scan_env env;
    bool is_off; /* could not load or start: reason says why */
    char *reason;
};

struct scan_chain {
    const struct scan_conf *conf;
    struct scan_weights *weights;
    size_t n;
    struct link links[SCAN_DETECTORS_MAX]; /* in order of cost */
};

/* Symbols that come from no detector. */
static const struct scan_symbol own_symbols[] = {
    {"MX_TRUNCATED", 0, "only the first part of the message was scanned"},
    {0},
};

static int link_add(struct scan_chain *chain, const char *name, struct mx_err *err)
{
    const struct scan_detector *detector = scan_table_find(name);
    if (detector == NULL)
        return mx_err_set(err, MX_ERR_INPUT,
                          "detectors: no detector \"%.64s\": mxdrop-scand -V names them",
                          name);
    for (size_t i = 0; i < chain->n; i++)
        if (chain->links[i].detector == detector)
            return mx_err_set(err, MX_ERR_INPUT, "detectors: %s stands twice", name);
    if (chain->n >= SCAN_DETECTORS_MAX)
        return mx_err_set(err, MX_ERR_LIMIT, "detectors: more than %d",
                          SCAN_DETECTORS_MAX);
    size_t at = chain->n++;
    while (at > 0 && chain->links[at - 1].detector->cost > detector->cost) {
        chain->links[at] = chain->links[at - 1];
        at--;
    }
    const char *settings = (const char *)chain->conf + detector->settings_offset;
    chain->links[at] = (struct link){
        .detector = detector,
        .state = mx_xalloc(detector->state_size + 1),
        .env.settings = detector->settings_offset > 0 ? settings : NULL,
    };
    return 0;
}

int scan_chain_new(const struct scan_conf *conf, struct scan_chain **out,
                   struct mx_err *err)
{
    struct scan_chain *chain = mx_xalloc(sizeof(*chain));
    chain->conf = conf;
    for (size_t i = 0; i < conf->detectors.n; i++) {
        if (link_add(chain, conf->detectors.v[i], err) < 0) {
            scan_chain_free(chain);
            return -1;
        }
    }
    *out = chain;
    return 0;
}

void scan_chain_free(struct scan_chain *chain)
{
    if (chain == NULL)
        return;
    for (size_t i = chain->n; i-- > 0;) {
        struct link *link = &chain->links[i];
        if (link->detector->stop != NULL)
            link->detector->stop(link->state);
        free(link->state);
        free(link->reason);
    }
    scan_weights_free(chain->weights);
    free(chain);
}

static void link_off(struct link *link, const struct mx_err *why)
{
    link->is_off = true;
    free(link->reason);
    link->reason = mx_xdup(why->text);
}

static int weights_of(struct scan_weights *weights, const struct scan_symbol *symbols,
                      struct mx_err *err)
{
    for (size_t i = 0; symbols != NULL && symbols[i].name != NULL; i++)
        if (scan_weights_add(weights, &symbols[i], false, err) < 0)
            return -1;
    return 0;
}

/* Symbols from files: a bad one is a fault of its file, and of its detector. */
static int weights_of_files(struct scan_weights *weights, const struct link *link,
                            struct mx_err *err)
{
    const struct scan_symbol *more = NULL;
    if (link->detector->more_symbols == NULL || link->is_off)
        return 0;
    size_t n = link->detector->more_symbols(link->state, &more);
    for (size_t i = 0; i < n; i++)
        if (scan_weights_add(weights, &more[i], true, err) < 0)
            return mx_err_wrap(err, "%s", link->detector->name);
    return 0;
}

static int make_weights(struct scan_chain *chain, struct mx_err *err)
{
    scan_weights_free(chain->weights);
    chain->weights = scan_weights_new();
    if (weights_of(chain->weights, own_symbols, err) < 0)
        return -1;
    for (size_t i = 0; i < chain->n; i++)
        if (weights_of(chain->weights, chain->links[i].detector->symbols, err) < 0)
            return -1;
    for (size_t i = 0; i < chain->n; i++)
        if (weights_of_files(chain->weights, &chain->links[i], err) < 0)
            return -1;
    for (size_t i = 0; i < chain->conf->scores.n; i++)
        if (scan_weights_override(chain->weights, chain->conf->scores.v[i], err) < 0)
            return -1;
    return 0;
}

int scan_chain_load(struct scan_chain *chain, struct mx_err *err)
{
    for (size_t i = 0; i < chain->n; i++) {
        struct link *link = &chain->links[i];
        struct mx_err why = {0};
        if (link->detector->load != NULL &&
            link->detector->load(link->state, &link->env, &why) < 0)
            link_off(link, &why);
    }
    return make_weights(chain, err);
}

void scan_chain_start(struct scan_chain *chain, const char *temp_dir)
{
    for (size_t i = 0; i < chain->n; i++) {
        struct link *link = &chain->links[i];
        struct mx_err why = {0};
        link->env.temp_dir = temp_dir;
        if (!link->is_off && link->detector->start != NULL &&
            link->detector->start(link->state, &link->env, &why) < 0)
            link_off(link, &why);
    }
}

int scan_chain_fault(const struct scan_chain *chain, size_t nth, struct scan_fault *out)
{
    for (size_t i = 0; i < chain->n; i++) {
        const struct link *link = &chain->links[i];
        if (link->is_off && nth-- == 0) {
            *out = (struct scan_fault){link->detector->name, link->reason};
            return 0;
        }
    }
    return -1;
}

static bool is_chosen(const struct scan_choice *choice, const char *name)
{
    if (choice == NULL || choice->n_only == 0)
        return true;
    for (size_t i = 0; i < choice->n_only; i++)
        if (mx_str_eq(choice->only[i], mx_str(name)))
            return true;
    return false;
}

/* One detector on one message, timed. */
static void run_link(struct link *link, const struct message *msg,
                     struct scan_result *result)
{
    const struct scan_detector *detector = link->detector;
    struct scan_cost *cost = &result->costs[result->n_costs++];
    cost->detector = result->detector = detector->name;
    if (link->is_off) {
        scan_result_fault(result, detector->name, link->reason);
        return;
    }
    if (scan_left_ms(msg) == 0) {
        scan_result_fault(result, detector->name, "not reached before the deadline");
        return;
    }
    struct mx_err why = {0};
    int64_t from_us = mx_mono_us();
    int64_t from_ns = result->is_profiled ? mx_cpu_ns() : 0;
    if (detector->run(link->state, msg, result, &why) < 0)
        scan_result_fault(
            result, detector->name,
            mx_str_dup(result->arena, mx_str_sub(mx_str(why.text), 0, 256)).p);
    else
        cost->is_finished = true;
    cost->us = (uint64_t)(mx_mono_us() - from_us);
    if (result->is_profiled)
        scan_spent(result, "", "", mx_cpu_ns() - from_ns);
}

/* A detector that was asked for by name and is not on must not look like "clean". */
static void name_missing(const struct scan_chain *chain, const struct scan_choice *choice,
                         struct scan_result *result)
{
    for (size_t k = 0; choice != NULL && k < choice->n_only; k++) {
        size_t i = 0;
        while (i < chain->n &&
               !mx_str_eq(choice->only[k], mx_str(chain->links[i].detector->name)))
            i++;
        if (i == chain->n)
            scan_result_fault(
                result, mx_str_cstr(result->arena, mx_str_sub(choice->only[k], 0, 64)),
                "no such detector is on");
    }
}

double scan_chain_run(struct scan_chain *chain, const struct message *msg,
                      const struct scan_choice *choice, struct scan_result *result)
{
    name_missing(chain, choice, result);
    result->detector = "chain";
    if (msg->is_truncated)
        scan_add(result, "MX_TRUNCATED", "%zu octets", msg->raw.n);
    for (size_t i = 0; i < chain->n && !result->is_final; i++)
        if (is_chosen(choice, chain->links[i].detector->name))
            run_link(&chain->links[i], msg, result);
    return scan_score(chain->weights, result->findings, result->n_findings);
}

struct scan_versions scan_chain_versions(const struct scan_chain *chain)
{
    struct scan_versions all = {0};
    for (size_t i = 0; i < chain->n; i++) {
        const struct link *link = &chain->links[i];
        struct scan_versions one = {0};
        if (link->detector->versions == NULL || link->is_off)
            continue;
        link->detector->versions(link->state, &one);
        all.signatures = one.signatures != NULL ? one.signatures : all.signatures;
        all.rules = one.rules != NULL ? one.rules : all.rules;
    }
    return all;
}

int scan_chain_check(const struct scan_conf *conf, struct mx_err *err)
{
    struct scan_chain *chain = NULL;
    if (scan_chain_new(conf, &chain, err) < 0)
        return -1;
    int rc = 0;
    for (size_t i = 0; i < chain->n && rc == 0; i++) {
        struct link *link = &chain->links[i];
        struct mx_err why = {0};
        if (link->detector->check == NULL ||
            link->detector->check(link->state, &link->env, &why) == 0)
            continue;
        link_off(link, &why);
        if (why.code == MX_ERR_INPUT)
            rc = mx_err_set(err, why.code, "%s: %s", link->detector->name, why.text);
    }
    if (rc == 0)
        rc = make_weights(chain, err);
    scan_chain_free(chain);
    return rc;
}

int scan_chain_check_names(const struct scan_conf *conf, struct mx_err *err)
{
    struct scan_chain *chain = NULL;
    if (scan_chain_new(conf, &chain, err) < 0)
        return -1;
    bool has_files = false;
    for (size_t i = 0; i < chain->n; i++)
        has_files |= chain->links[i].detector->check != NULL;
    int rc = has_files ? 0 : make_weights(chain, err);
    scan_chain_free(chain);
    return rc;
}
