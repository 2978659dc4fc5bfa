/*
 * Eval functions: by name, in families (eval_header.c, eval_html.c, eval_mime.c,
 * eval_body.c, eval_relay.c, eval_freemail.c, eval_wlbl.c, eval_image.c ...). Each family
 * is one table of rows; rule_eval.c joins them.
 *
 * A function sees the texts and its own arguments, nothing else, and returns its count:
 * 0 no hit, 1 hit, more where SpamAssassin's returns more.
 *
 *   load      rule_eval_find and rule_eval_check for each rule, eval_shared_new for all
 *   message   struct eval_context zeroed; arena, set, shared, texts, bayes filled;
 *             for each rule context.rule = rule, then function->run
 */
#ifndef RULE_EVAL_H
#define RULE_EVAL_H

#include <stdbool.h>
#include <stddef.h>

#include "rule_set.h"

struct mx_err;
struct eval_shared; /* compiled patterns and hashed lists; eval_shared.h */

/* What is worked out once per message and shared by functions of one family; each family
   has a slot, filled on first use. */
enum eval_cache {
    EVAL_CACHE_SENDERS,
    EVAL_CACHE_HOTMAIL,
    EVAL_CACHE_DATE,
    EVAL_CACHE_RECIPIENTS,
    EVAL_CACHE_MIME,
    EVAL_CACHE_UPPERCASE,
    EVAL_CACHE_ALTERNATIVE,
    EVAL_CACHE_FREEMAIL,
    EVAL_CACHE_URI_HOST,
    EVAL_CACHE_URI_DETAIL,
    EVAL_CACHE_URI_TYPES,
    EVAL_CACHE_IMAGE,
    EVAL_CACHES
};

struct eval_context {
    struct mx_arena *arena;
    const struct rule_set *set;
    const struct eval_shared *shared;
    const struct texts *texts;
    const struct rule *rule; /* the one that asks: its kind chooses the text */
    void *cache[EVAL_CACHES];
    double bayes;    /* probability, or negative: not known */
    bool is_limited; /* a pattern of the rule met a limit: it has not hit, whatever its
                        function says; set back before the next rule */
};

struct eval_function {
    const char *name;
    int (*run)(struct eval_context *context, const struct mx_str *args, size_t n_args);
    bool needs_network; /* present by name: reports "not run" */
    unsigned pattern;   /* which argument is a regex, from 1; 0 none. May be left out. */
    unsigned min_args;
};

/** rule_eval_find(name): the function, or NULL. */
const struct eval_function *rule_eval_find(struct mx_str name);

/**
 * rule_eval_check(rule, err):
 * Can the function of eval rule ${rule} run as it is called?
 * Fails:  no such function, too few arguments, a pattern that does not compile (-1).
 */
int rule_eval_check(const struct rule *rule, struct mx_err *err);

/**
 * eval_shared_new(set):
 * What eval functions prepare once for a rule set; read-only afterwards, so that all
 * workers share it. Rules that rule_eval_check refuses never hit.
 * Owner:  eval_shared_free, before ${set} goes.
 */
struct eval_shared *eval_shared_new(const struct rule_set *set);
void eval_shared_free(struct eval_shared *shared);

#endif
