/* ReplaceTags: names in <> inside patterns that stand for pieces of pattern. */
#ifndef RULE_REPLACE_H
#define RULE_REPLACE_H

#include <stdbool.h>

#include "mx_str.h"

struct mx_arena;
struct mx_err;
struct rule_names;

#define RULE_PATTERN_BYTES_MAX (1u << 20) /* of one pattern, tags replaced */

enum rule_tag_kind { RULE_TAG, RULE_TAG_PRE, RULE_TAG_INTER, RULE_TAG_POST, RULE_TAGS };

struct rule_replace {
    struct mx_arena *arena;
    struct mx_str start, end; /* "<" and ">" unless configured */
    struct rule_names *names[RULE_TAGS];
    struct mx_str *texts;
    size_t n, room;
};

/** rule_replace_init, _fini(replace): no tags yet; ${arena} outlives them. */
void rule_replace_init(struct rule_replace *replace, struct mx_arena *arena);
void rule_replace_fini(struct rule_replace *replace);

/** rule_replace_define(replace, kind, name, text): a later definition wins. */
void rule_replace_define(struct rule_replace *replace, enum rule_tag_kind kind,
                         struct mx_str name, struct mx_str text);

/**
 * rule_replace_apply(replace, pattern, out, err):
 * ${pattern} with its tags replaced, as often as the result still holds tags, at most
 * six times in all.
 * Owner:  ${out} in the arena.
 * Fails:  the result is longer than RULE_PATTERN_BYTES_MAX (-1).
 */
int rule_replace_apply(struct rule_replace *replace, struct mx_str pattern,
                       struct mx_str *out, struct mx_err *err);

#endif
