/*
 * Plans a group. Each pattern goes to the database in the first of these forms that the
 * library takes: as it is, then sure; as it is with leave to match too much; spelled out
 * as byte sets (which also serves patterns that fold case of high bytes, as the library
 * folds ASCII only); coarse. A pattern of many positions is only tried coarse: one such
 * pattern can cost more than all others together, to compile and to scan. A coarse
 * pattern that would match nearly everywhere, and a group of a few rules, are left to the
 * judge.
 *
 * If the library refuses a database because of one pattern, that one is judged and the
 * rest tried again.
 */
#include "rule_match_group.h"

#include <stdlib.h>
#include <string.h>

#include "mx_arena.h"
#include "mx_err.h"

#include "rule_match_coarse.h"
#include "rule_match_db.h"

#define GROUP_MIN 3            /* rules for which a database is worth its call */
#define GROUP_MAX 20000        /* rules of one database; the rest is judged */
#define POSITIONS_MAX 160      /* of a pattern that goes in as it is */
#define COARSE_POSITIONS 48    /* of a coarse one */
#define COARSE_BITS_MIN 9.0    /* how rare matches of a coarse pattern must be */
#define COARSE_BYTES_MAX 65536 /* of its text; the library's bound is 16,000 */

uint64_t match_group_hash(const struct match_group *group, const struct rule_set *set)
{
    uint64_t hash = group->view.n;
    for (size_t i = 0; i < group->view.n; i++) {
        const struct rule *rule = &set->rules[group->rules[i]];
        hash = (hash ^ mx_str_hash(rule->pattern)) * UINT64_C(0x9E3779B97F4A7C15);
        hash ^= hash >> 29;
    }
    return hash;
}

/* ---- choosing a form --------------------------------------------------------------- */

struct choice {
    struct rule_db_pattern pattern; /* text NULL: judged */
    enum rule_match_mode mode;
};

static char *text_of(struct mx_str pattern)
{
    char *text = mx_xalloc(pattern.n + 1);
    if (pattern.n > 0)
        memcpy(text, pattern.p, pattern.n);
    return text;
}

static bool try_form(struct choice *choice, const char *text, bool is_loose,
                     enum rule_match_mode mode)
{
    struct rule_db_pattern pattern = {text, is_loose};
    if (!rule_db_takes(&pattern))
        return false;
    *choice = (struct choice){pattern, mode};
    return true;
}

static bool is_useful(const struct rule_coarse *coarse)
{
    return coarse->bits >= COARSE_BITS_MIN && coarse->cost <= 4 * COARSE_POSITIONS &&
           coarse->pattern.n <= COARSE_BYTES_MAX;
}

static void try_coarse(struct choice *choice, struct mx_str pattern,
                       struct mx_arena *arena)
{
    struct rule_coarse coarse;
    if (rule_coarse_make(arena, pattern, COARSE_POSITIONS, &coarse, NULL) < 0 ||
        !is_useful(&coarse))
        return;
    char *text = text_of(coarse.pattern);
    if (!try_form(choice, text, false, RULE_MATCH_FILTERED))
        free(text);
}

/* The pattern as it is. Understood patterns only: what the reader of patterns does not
   know might mean something else to the library. */
static void try_whole(struct choice *choice, struct mx_str pattern,
                      const struct rule_coarse *spelled)
{
    char *text = text_of(spelled->folds_high ? spelled->pattern : pattern);
    enum rule_match_mode mode = RULE_MATCH_SURE;
    if (spelled->folds_high && !spelled->is_exact)
        mode = RULE_MATCH_FILTERED;
    if (!try_form(choice, text, false, mode) &&
        !try_form(choice, text, true, RULE_MATCH_FILTERED))
        free(text);
}

static struct choice choose(struct mx_str pattern, struct mx_arena *arena)
{
    struct choice choice = {{NULL, false}, RULE_MATCH_JUDGED};
    struct rule_coarse spelled;
    mx_arena_reset(arena);
    if (mx_str_chr(pattern, '\0') >= 0 ||
        rule_coarse_make(arena, pattern, 0, &spelled, NULL) < 0)
        return choice;
    if (spelled.cost <= POSITIONS_MAX)
        try_whole(&choice, pattern, &spelled);
    mx_arena_reset(arena);
    if (choice.pattern.text == NULL)
        try_coarse(&choice, pattern, arena);
    return choice;
}

/* ---- compiling --------------------------------------------------------------------- */

/* Which rules are in the database, and which are not, from their modes. */
static void index_modes(struct match_group *group)
{
    group->n_in_db = group->n_judged = 0;
    for (size_t i = 0; i < group->view.n; i++) {
        if (group->modes[i] == RULE_MATCH_JUDGED)
            group->judged[group->n_judged++] = (uint32_t)i;
        else
            group->in_db[group->n_in_db++] = (uint32_t)i;
    }
}

static void judge_all(struct match_group *group)
{
    memset(group->modes, RULE_MATCH_JUDGED, group->view.n);
    index_modes(group);
}

/* A database of what is chosen; false: try again, one pattern is out now. */
static bool compile_db(struct match_group *group, const struct choice *choices)
{
    struct rule_db_pattern *patterns =
        mx_xalloc((group->n_in_db + 1) * sizeof(*patterns));
    for (size_t i = 0; i < group->n_in_db; i++)
        patterns[i] = choices[group->in_db[i]].pattern;
    int bad = -1;
    int rc = rule_db_compile(patterns, group->n_in_db, &group->db, &bad, NULL);
    free(patterns);
    if (rc == 0)
        return true;
    if (bad < 0 || (size_t)bad >= group->n_in_db) {
        judge_all(group);
        return true;
    }
    group->modes[group->in_db[bad]] = RULE_MATCH_JUDGED;
    index_modes(group);
    return group->n_in_db == 0;
}

void match_group_compile(struct match_group *group, const struct rule_set *set,
                         struct mx_arena *arena)
{
    if (arena == NULL || group->view.n < GROUP_MIN) {
        judge_all(group);
        return;
    }
    struct choice *choices = mx_xalloc(group->view.n * sizeof(*choices));
    for (size_t i = 0; i < group->view.n; i++) {
        choices[i].mode = RULE_MATCH_JUDGED;
        if (i < GROUP_MAX)
            choices[i] = choose(set->rules[group->rules[i]].pattern, arena);
        group->modes[i] = (uint8_t)choices[i].mode;
    }
    index_modes(group);
    while (group->n_in_db > 0 && !compile_db(group, choices))
        ;
    for (size_t i = 0; i < group->view.n; i++)
        free((char *)(uintptr_t)choices[i].pattern.text);
    free(choices);
}

void match_group_fini(struct match_group *group)
{
    rule_db_free(group->db);
    free(group->rules);
    free(group->modes);
    free(group->in_db);
    free(group->judged);
}

/* ---- cache ------------------------------------------------------------------------- */

/* Before modes and database of each group; the cache never leaves its machine. */
struct packed {
    uint64_t n_rules, db_bytes;
};

int match_group_pack(const struct match_group *group, struct mx_buf *out,
                     struct mx_err *err)
{
    struct mx_buf bytes = {.max = out->max};
    if (group->db != NULL && rule_db_pack(group->db, &bytes, err) < 0) {
        mx_buf_fini(&bytes);
        return -1;
    }
    struct packed head = {group->view.n, bytes.n};
    mx_buf_add(out, &head, sizeof(head));
    mx_buf_add(out, group->modes, group->view.n);
    mx_buf_add(out, bytes.p, bytes.n);
    mx_buf_fini(&bytes);
    return 0;
}

static bool are_modes(struct mx_str modes, bool has_db)
{
    for (size_t i = 0; i < modes.n; i++) {
        bool is_in_db =
            modes.p[i] == RULE_MATCH_SURE || modes.p[i] == RULE_MATCH_FILTERED;
        if (modes.p[i] != RULE_MATCH_JUDGED && !(is_in_db && has_db))
            return false;
    }
    return true;
}

int match_group_unpack(struct match_group *group, struct mx_str *bytes,
                       struct mx_err *err)
{
    struct packed head;
    if (bytes->n < sizeof(head))
        return mx_err_set(err, MX_ERR_INPUT, "ends early");
    memcpy(&head, bytes->p, sizeof(head));
    struct mx_str rest = mx_str_sub(*bytes, sizeof(head), bytes->n);
    if (head.n_rules != group->view.n || rest.n < head.n_rules ||
        rest.n - head.n_rules < head.db_bytes)
        return mx_err_set(err, MX_ERR_INPUT, "sizes do not fit the rules");
    struct mx_str modes = mx_str_sub(rest, 0, head.n_rules);
    struct mx_str db = mx_str_sub(rest, head.n_rules, head.db_bytes);
    if (!are_modes(modes, db.n > 0))
        return mx_err_set(err, MX_ERR_INPUT, "unknown modes");
    if (db.n > 0 && rule_db_unpack(db, &group->db, err) < 0)
        return -1;
    memcpy(group->modes, modes.p, modes.n);
    index_modes(group);
    *bytes = mx_str_sub(rest, head.n_rules + head.db_bytes, rest.n);
    return 0;
}
