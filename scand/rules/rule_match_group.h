/* One group of patterns: its plan, its database, its bytes in the cache. */
#ifndef RULE_MATCH_GROUP_H
#define RULE_MATCH_GROUP_H

#include "rule_match.h"

struct mx_arena;
struct rule_db;
struct rule_nfa;

/* A large pattern. */
struct match_large {
    uint32_t index; /* in rules */
    struct rule_nfa *nfa;
};

struct match_group {
    struct rule_match_group view;
    uint32_t *rules;  /* of view */
    uint8_t *modes;   /* enum rule_match_mode, of each */
    uint32_t *in_db;  /* number in the database -> index in rules */
    uint32_t *judged; /* indexes in rules that the database does not know */
    size_t n_in_db, n_judged;
    struct match_large *large;
    size_t n_large, first_large; /* number of the first among all groups' */
    size_t n_whole;              /* of in_db, the first ones: not coarse */
    struct rule_db **dbs;        /* those of whole patterns, then those of coarse ones */
    size_t n_dbs;
};

/** match_group_hash(group, set): of all that its database is made of. */
uint64_t match_group_hash(const struct match_group *group, const struct rule_set *set);

/**
 * match_group_compile(group, set, arena, until_cpu_ms):
 * Decide how each pattern is matched and make the databases; none is begun once this
 * thread has used so much CPU time, and the rest is judged. ${arena} is for work, of at
 * least RULE_COARSE_ARENA; NULL: no database, all are judged.
 */
void match_group_compile(struct match_group *group, const struct rule_set *set,
                         struct mx_arena *arena, int64_t until_cpu_ms);

/**
 * match_group_make_automata(group, set, arena, max):
 * Of its large patterns, once modes are known; ${arena} as above. What goes beyond ${max}
 * automata is judged.
 */
void match_group_make_automata(struct match_group *group, const struct rule_set *set,
                               struct mx_arena *arena, size_t max);

/** match_group_pack(group, out), _unpack(group, bytes, err): to and from the cache. */
int match_group_pack(const struct match_group *group, struct mx_buf *out,
                     struct mx_err *err);

/**
 * match_group_unpack(group, bytes, err):
 * Take modes and database off the front of ${bytes}.
 * Fails:  bytes that are not of such a group (-1); compile it then, after _drop.
 */
int match_group_unpack(struct match_group *group, struct mx_str *bytes,
                       struct mx_err *err);

/** match_group_db_start(group, nth): the number that pattern 0 of the nth database has
 * in in_db. */
size_t match_group_db_start(const struct match_group *group, size_t nth);

/** match_group_drop(group): its databases. */
void match_group_drop(struct match_group *group);

/** match_group_fini(group): what it owns. */
void match_group_fini(struct match_group *group);

#endif
