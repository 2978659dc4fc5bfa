/* The texts that a rule matches, by its kind. */
#ifndef RULE_RUN_TEXT_H
#define RULE_RUN_TEXT_H

#include "rule_match.h"

struct mx_arena;

struct rule_texts {
    struct text_list list;
    bool is_missing; /* the header is not there; ${list} is empty */
};

/**
 * rule_run_texts(arena, texts, group, out):
 * The texts of a kind and selector. For mimeheader: one for each part in the range, with
 * p NULL where the part has no such field; with "concat" all of them as one text.
 */
void rule_run_texts(struct mx_arena *arena, const struct texts *texts,
                    const struct rule_match_group *group, struct rule_texts *out);

#endif
