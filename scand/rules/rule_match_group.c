/*
 * Plans a group. Each pattern goes to the database in the first of these forms that the
 * library takes: as it is, then sure; as it is with leave to match too much; spelled out
 * as byte sets (which also serves patterns that fold case of high bytes, as the library
 * folds ASCII only); coarse. A pattern of many positions is only tried coarse: one such
 * pattern can cost more than all others together, to compile and to scan. A coarse
 * pattern that would match nearly everywhere, and a group of a few rules, are left to the
 * judge.
 *
 * The very large ones, long lists of phrases in every spelling, are the judge's dearest,
 * and what is coarse of them matches in every other text. Each of these gets an automaton
 * of its own (rule_match_lazy).
 *
 * Coarse patterns have few fixed letters to look for, and many of them in one database
 * grow it out of all proportion (some hundred: minutes to compile), so they are spread
 * over several. Hostile rule files can make any number of patterns that compile slowly:
 * what there is no CPU time for is judged.
 *
 * If the library refuses a database because of one pattern, that one is judged and the
 * rest tried again.
 */
#include "rule_match_group.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "mx_arena.h"
#include "mx_err.h"

#include "rule_match_coarse.h"
#include "rule_match_db.h"
#include "rule_match_nfa.h"

#define GROUP_MIN 3       /* rules for which a database is worth its call */
#define GROUP_MAX 20000   /* rules in databases; the rest is judged */
#define POSITIONS_MAX 100 /* of a pattern that goes in as it is */
#define WHOLE_TOGETHER                                                                   \
    1500 /* whole ones: time to compile grows faster than their number */
#define COARSE_TOGETHER 16     /* coarse patterns of a database: more make it explode */
#define COARSE_BITS_GOOD 18.0  /* how rare matches of a coarse pattern should be */
#define COARSE_BITS_MIN 9.0    /* how rare matches of a coarse pattern must be */
#define COARSE_BYTES_MAX 65536 /* of its text; the library's bound is 16,000 */
#define LARGE_POSITIONS 1000   /* of a pattern, letters joined, that gets an automaton */

/* Budgets of a coarse pattern, tried in this order. */
static const size_t coarse_positions[] = {48, 300, 1200, 3000};

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

/* Coarse with a budget, if that comes out rare enough. */
static bool try_budget(struct choice *choice, struct mx_str pattern,
                       struct mx_arena *arena, size_t budget, double bits)
{
    struct rule_coarse coarse;
    mx_arena_reset(arena);
    if (rule_coarse_make(arena, pattern, budget, &coarse, NULL) < 0 ||
        coarse.bits < bits || coarse.pattern.n > COARSE_BYTES_MAX)
        return false;
    char *text = text_of(coarse.pattern);
    if (try_form(choice, text, false, RULE_MATCH_COARSE))
        return true;
    free(text);
    return false;
}

/* As small as tells enough, or else as tells something. */
static void try_coarse(struct choice *choice, struct mx_str pattern,
                       struct mx_arena *arena)
{
    static const double bits[] = {COARSE_BITS_GOOD, COARSE_BITS_MIN};
    for (size_t b = 0; b < 2; b++)
        for (size_t i = 0; i < sizeof(coarse_positions) / sizeof(coarse_positions[0]);
             i++)
            if (try_budget(choice, pattern, arena, coarse_positions[i], bits[b]))
                return;
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

static bool is_large(struct mx_str pattern, struct mx_arena *arena)
{
    struct rule_coarse loose;
    mx_arena_reset(arena);
    return rule_coarse_loosen(arena, pattern, &loose, NULL) == 0 && loose.min > 0 &&
           loose.bits >= COARSE_BITS_MIN && loose.cost >= LARGE_POSITIONS &&
           loose.cost <= RULE_NFA_NODES_MAX / 2;
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
    else if (is_large(pattern, arena))
        choice.mode = RULE_MATCH_LAZY;
    if (choice.mode == RULE_MATCH_JUDGED && rule_db_library() != NULL)
        try_coarse(&choice, pattern, arena);
    return choice;
}

/* ---- compiling --------------------------------------------------------------------- */

/* Which rules are in databases, and which are not, from their modes. */
static void index_modes(struct match_group *group)
{
    group->n_in_db = group->n_judged = 0;
    for (size_t i = 0; i < group->view.n; i++) {
        if (group->modes[i] == RULE_MATCH_JUDGED)
            group->judged[group->n_judged++] = (uint32_t)i;
        else if (group->modes[i] != RULE_MATCH_COARSE &&
                 group->modes[i] != RULE_MATCH_LAZY)
            group->in_db[group->n_in_db++] = (uint32_t)i;
    }
    group->n_whole = group->n_in_db;
    for (size_t i = 0; i < group->view.n; i++)
        if (group->modes[i] == RULE_MATCH_COARSE)
            group->in_db[group->n_in_db++] = (uint32_t)i;
}

static void judge_all(struct match_group *group)
{
    memset(group->modes, RULE_MATCH_JUDGED, group->view.n);
    index_modes(group);
}

static size_t pieces(size_t n, size_t together)
{
    return (n + together - 1) / together;
}

/* How many databases there are to be. */
static size_t count_dbs(const struct match_group *group)
{
    return pieces(group->n_whole, WHOLE_TOGETHER) +
           pieces(group->n_in_db - group->n_whole, COARSE_TOGETHER);
}

size_t match_group_db_start(const struct match_group *group, size_t nth)
{
    size_t n_whole_dbs = pieces(group->n_whole, WHOLE_TOGETHER);
    if (nth < n_whole_dbs)
        return nth * WHOLE_TOGETHER;
    return group->n_whole + (nth - n_whole_dbs) * COARSE_TOGETHER;
}

void match_group_drop(struct match_group *group)
{
    for (size_t i = 0; i < group->n_dbs; i++)
        rule_db_free(group->dbs[i]);
    free(group->dbs);
    group->dbs = NULL;
    group->n_dbs = 0;
}

/* The nth database; on failure the pattern that is to blame is judged from now on. */
static int compile_db(struct match_group *group, const struct choice *choices, size_t nth)
{
    size_t from = match_group_db_start(group, nth);
    size_t to = match_group_db_start(group, nth + 1);
    size_t n = (to < group->n_in_db ? to : group->n_in_db) - from;
    struct rule_db_pattern *patterns = mx_xalloc(n * sizeof(*patterns));
    for (size_t i = 0; i < n; i++)
        patterns[i] = choices[group->in_db[from + i]].pattern;
    int bad = -1;
    int rc = rule_db_compile(patterns, n, &group->dbs[nth], &bad, NULL);
    free(patterns);
    if (rc == 0)
        group->n_dbs++;
    else if (bad >= 0 && (size_t)bad < n)
        group->modes[group->in_db[from + (size_t)bad]] = RULE_MATCH_JUDGED;
    else
        memset(group->modes, RULE_MATCH_JUDGED, group->view.n);
    return rc;
}

static bool is_over(int64_t until_cpu_ms)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 >= until_cpu_ms;
}

/* Patterns from ${from} of in_db on are judged; the databases before them stay valid. */
static void judge_rest(struct match_group *group, size_t from)
{
    for (size_t i = from; i < group->n_in_db; i++)
        group->modes[group->in_db[i]] = RULE_MATCH_JUDGED;
    index_modes(group);
}

/* Databases of what is chosen, as long as there is time; false: some pattern is judged
   now, try again. */
static bool compile_dbs(struct match_group *group, const struct choice *choices,
                        int64_t until_cpu_ms)
{
    size_t n = count_dbs(group);
    group->dbs = mx_xalloc((n + 1) * sizeof(struct rule_db *));
    for (size_t i = 0; i < n; i++) {
        if (is_over(until_cpu_ms)) {
            judge_rest(group, match_group_db_start(group, i));
            return true;
        }
        if (compile_db(group, choices, i) < 0) {
            match_group_drop(group);
            index_modes(group);
            return false;
        }
    }
    return true;
}

void match_group_compile(struct match_group *group, const struct rule_set *set,
                         struct mx_arena *arena, int64_t until_cpu_ms)
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
    while (group->n_in_db > 0 && !compile_dbs(group, choices, until_cpu_ms))
        ;
    for (size_t i = 0; i < group->view.n; i++)
        free((char *)(uintptr_t)choices[i].pattern.text);
    free(choices);
}

static bool make_automaton(struct match_group *group, size_t index, struct mx_str pattern,
                           struct mx_arena *arena)
{
    struct rule_coarse loose;
    struct match_large *large = &group->large[group->n_large];
    mx_arena_reset(arena);
    large->index = (uint32_t)index;
    if (rule_coarse_loosen(arena, pattern, &loose, NULL) == 0)
        large->nfa = rule_nfa_new(loose.root);
    group->n_large += large->nfa != NULL;
    return large->nfa != NULL;
}

void match_group_make_automata(struct match_group *group, const struct rule_set *set,
                               struct mx_arena *arena, size_t max)
{
    group->large = mx_xalloc((group->view.n + 1) * sizeof(*group->large));
    for (size_t i = 0; i < group->view.n; i++) {
        struct mx_str pattern = set->rules[group->rules[i]].pattern;
        if (group->modes[i] != RULE_MATCH_LAZY ||
            (group->n_large < max && make_automaton(group, i, pattern, arena)))
            continue;
        group->modes[i] = RULE_MATCH_JUDGED;
        group->judged[group->n_judged++] = (uint32_t)i;
    }
}

void match_group_fini(struct match_group *group)
{
    match_group_drop(group);
    for (size_t i = 0; i < group->n_large; i++)
        rule_nfa_free(group->large[i].nfa);
    free(group->large);
    free(group->rules);
    free(group->modes);
    free(group->in_db);
    free(group->judged);
}

/* ---- cache ------------------------------------------------------------------------- */

/* Before the modes of each group, and before each database: the cache never leaves its
   machine, so numbers are as they are in memory. */
int match_group_pack(const struct match_group *group, struct mx_buf *out,
                     struct mx_err *err)
{
    uint64_t n = group->view.n;
    mx_buf_add(out, &n, sizeof(n));
    mx_buf_add(out, group->modes, group->view.n);
    for (size_t i = 0; i < group->n_dbs; i++) {
        struct mx_buf bytes = {.max = out->max};
        int rc = rule_db_pack(group->dbs[i], &bytes, err);
        n = bytes.n;
        mx_buf_add(out, &n, sizeof(n));
        mx_buf_add(out, bytes.p, bytes.n);
        out->is_overflown |= bytes.is_overflown;
        mx_buf_fini(&bytes);
        if (rc < 0)
            return -1;
    }
    return 0;
}

/* A number, and so many bytes behind it, off the front of ${bytes}. */
static int take_block(struct mx_str *bytes, struct mx_str *out, struct mx_err *err)
{
    uint64_t n;
    if (bytes->n < sizeof(n))
        return mx_err_set(err, MX_ERR_INPUT, "ends early");
    memcpy(&n, bytes->p, sizeof(n));
    if (n > bytes->n - sizeof(n))
        return mx_err_set(err, MX_ERR_INPUT, "a block is longer than the file");
    *out = mx_str_sub(*bytes, sizeof(n), n);
    *bytes = mx_str_sub(*bytes, sizeof(n) + n, bytes->n);
    return 0;
}

static bool are_modes(struct mx_str modes)
{
    for (size_t i = 0; i < modes.n; i++)
        if (modes.p[i] < RULE_MATCH_SURE || modes.p[i] > RULE_MATCH_JUDGED)
            return false;
    return true;
}

int match_group_unpack(struct match_group *group, struct mx_str *bytes,
                       struct mx_err *err)
{
    struct mx_str block;
    if (take_block(bytes, &block, err) < 0)
        return -1;
    if (block.n != group->view.n || !are_modes(block))
        return mx_err_set(err, MX_ERR_INPUT, "not of these rules");
    memcpy(group->modes, block.p, block.n);
    index_modes(group);
    size_t n = count_dbs(group);
    group->dbs = mx_xalloc((n + 1) * sizeof(struct rule_db *));
    for (; group->n_dbs < n; group->n_dbs++) {
        if (take_block(bytes, &block, err) < 0 ||
            rule_db_unpack(block, &group->dbs[group->n_dbs], err) < 0)
            return -1;
    }
    return 0;
}
