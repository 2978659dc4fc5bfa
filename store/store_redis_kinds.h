/* How each kind of question and effect is said in Redis: the tables behind store_redis.
 */
#ifndef STORE_REDIS_KINDS_H
#define STORE_REDIS_KINDS_H

#include <stddef.h>

#include "mx_net.h"
#include "redis_reply.h"
#include "store.h"
#include "store_keys.h"
#include "store_pattern.h"

/* A command with the memory that its arguments point into. */
struct store_command {
    struct redis_args args;
    struct store_key keys[2];
    union {
        char text[STORE_TUPLE_TEXT_MAX];
        char nets[STORE_NETWORKS_MAX][MX_NET_TEXT_MAX];
    };
};

/* One attempt at a question. */
struct store_try {
    uint64_t kinds; /* of a list: patterns of these kinds are asked for */
    uint64_t held;  /* the kinds that the list has, by its own words; from decode */
    unsigned step;  /* which of the commands */
    bool is_again;  /* the list has kinds that were not asked for */
};

struct store_question_kind {
    size_t n_commands; /* in a row, without a script: replicas may answer one day */
    void (*encode)(const struct store_question *question, const struct store_try *at,
                   struct store_command *out);
    /* Fails: the reply is not what the command returns (-1). */
    int (*decode)(const struct store_question *question, struct store_try *io_at,
                  const struct redisReply *reply, struct store_answer *out);
};

/** store_question_kind(kind): its row. */
const struct store_question_kind *store_question_kind(enum store_kind kind);

enum store_script {
    STORE_SCRIPT_GREY_FIRST,
    STORE_SCRIPT_GREY_PASS,
    STORE_SCRIPT_RATE_HIT,
    STORE_SCRIPTS
};

/** store_scripts_init(scripts): the sources; none is loaded yet. */
void store_scripts_init(struct redis_script scripts[static STORE_SCRIPTS]);

/**
 * store_effect_encode(effect, scripts, out, out_script):
 * The one command of an effect. ${out_script} is its script, or NULL.
 * Owner:  ${out} holds copies of all that it needs.
 */
void store_effect_encode(const struct store_effect *effect,
                         const struct redis_script scripts[static STORE_SCRIPTS],
                         struct store_command *out,
                         const struct redis_script **out_script);

#endif
