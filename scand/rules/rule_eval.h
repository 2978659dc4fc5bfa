/*
 * Eval functions: by name, in families (eval_header.c, eval_html.c, eval_mime.c,
 * eval_body.c, eval_relay.c, eval_freemail.c, eval_wlbl.c, eval_image.c ...). Each family
 * is one table of rows; rule_eval.c joins them.
 *
 * A function sees the texts and its own arguments, nothing else, and returns its count:
 * 0 no hit, 1 hit, more where SpamAssassin's returns more.
 */
#ifndef RULE_EVAL_H
#define RULE_EVAL_H

#include "rule_set.h"

/* What is worked out once per message and shared by functions of one family; each family
   has a slot, filled on first use. */
enum eval_cache {
    EVAL_CACHE_HEADER,
    EVAL_CACHE_MIME,
    EVAL_CACHE_HTML,
    EVAL_CACHE_BODY,
    EVAL_CACHE_RELAY,
    EVAL_CACHE_FREEMAIL,
    EVAL_CACHE_WLBL,
    EVAL_CACHE_IMAGE,
    EVAL_CACHES
};

struct eval_context {
    struct mx_arena *arena;
    const struct rule_set *set;
    const struct texts *texts;
    void *cache[EVAL_CACHES];
    double bayes; /* probability, or negative: not known */
};

struct eval_function {
    const char *name;
    int (*run)(struct eval_context *context, const struct mx_str *args, size_t n_args);
    bool needs_network; /* present by name: reports "not run" */
};

/** rule_eval_find(name): the function, or NULL. */
const struct eval_function *rule_eval_find(struct mx_str name);

#endif
