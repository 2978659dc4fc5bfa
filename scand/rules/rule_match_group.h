/* One group of patterns: its plan, its database, its bytes in the cache. */
#ifndef RULE_MATCH_GROUP_H
#define RULE_MATCH_GROUP_H

#include "rule_match.h"

struct mx_arena;
struct rule_db;

struct match_group {
    struct rule_match_group view;
    uint32_t *rules;  /* of view */
    uint8_t *modes;   /* enum rule_match_mode, of each */
    uint32_t *in_db;  /* number in the database -> index in rules */
    uint32_t *judged; /* indexes in rules that the database does not know */
    size_t n_in_db, n_judged;
    struct rule_db *db; /* NULL: all are judged */
};

/** match_group_hash(group, set): of all that its database is made of. */
uint64_t match_group_hash(const struct match_group *group, const struct rule_set *set);

/**
 * match_group_compile(group, set, arena):
 * Decide how each pattern is matched and make the database. ${arena} is for work, of at
 * least RULE_COARSE_ARENA; NULL: no database, all are judged.
 */
void match_group_compile(struct match_group *group, const struct rule_set *set,
                         struct mx_arena *arena);

/** match_group_pack(group, out), _unpack(group, bytes, err): to and from the cache. */
int match_group_pack(const struct match_group *group, struct mx_buf *out,
                     struct mx_err *err);

/**
 * match_group_unpack(group, bytes, err):
 * Take modes and database off the front of ${bytes}.
 * Fails:  bytes that are not of such a group (-1); the group is as before.
 */
int match_group_unpack(struct match_group *group, struct mx_str *bytes,
                       struct mx_err *err);

/** match_group_fini(group): what it owns. */
void match_group_fini(struct match_group *group);

#endif
