/*
 * Compiles a rule set for matching: judges for all patterns, then groups by text kind and
 * header selector with their databases, which come from the cache where it has them.
 *
 * A header that a message does not have is the empty string to its rules; what they say
 * of it is worked out here, once, as most headers are missing from most messages.
 */
#include "rule_match.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "mx_arena.h"
#include "mx_err.h"

#include "rule_match_cache.h"
#include "rule_match_coarse.h"
#include "rule_match_db.h"
#include "rule_match_group.h"
#include "rule_match_lazy.h"
#include "rule_names.h"

#define PLAN_VERSION 7 /* counts up when patterns are planned differently */

struct fault {
    size_t rule;
    char *text;
};

struct rule_match {
    const struct rule_set *set;
    struct rule_judge_factory *factory;
    struct rule_judge **judges; /* by rule */
    uint8_t *modes, *misses;    /* by rule */
    struct match_group *groups;
    size_t n_groups, groups_room;
    struct fault *faults;
    size_t n_faults, n_large;
    bool is_cached;
    char *cache_fault;
};

struct rule_match_scratch {
    struct rule_judge_scratch *judging;
    struct rule_db_scratch *db;
    struct rule_lazy **lazies; /* of all groups' large patterns, group after group */
    size_t n_lazies;
    struct rule_candidate *candidates;
    uint32_t *ids;
};

/* ---- judges ------------------------------------------------------------------------ */

static bool has_pattern(const struct rule *rule)
{
    switch (rule->kind) {
    case RULE_HEADER:
    case RULE_BODY:
    case RULE_RAWBODY:
    case RULE_URI:
    case RULE_FULL:
    case RULE_MIMEHEADER: return rule_is_active(rule, 0) || rule_is_active(rule, 2);
    default: return false;
    }
}

static void add_fault(struct rule_match *match, size_t rule, const char *text)
{
    match->faults =
        mx_xrealloc(match->faults, (match->n_faults + 1) * sizeof(*match->faults));
    match->faults[match->n_faults++] = (struct fault){rule, mx_xdup(text)};
}

static void compile_judge(struct rule_match *match, size_t i)
{
    const struct rule *rule = &match->set->rules[i];
    struct mx_err why = {0};
    if (rule->flags & RULE_NEEDS_CAPTURE)
        match->modes[i] = RULE_MATCH_LATER;
    else if (rule_judge_compile(match->factory, rule->pattern, &match->judges[i], &why) <
             0)
        add_fault(match, i, why.text);
    else
        match->modes[i] = RULE_MATCH_JUDGED;
}

/* What header rules say where there is no header. */
static void judge_missing(struct rule_match *match)
{
    struct rule_judge_scratch *scratch = rule_judge_scratch_new();
    for (size_t i = 0; i < match->set->n_rules; i++) {
        const struct rule *rule = &match->set->rules[i];
        struct rule_found found = {0};
        if (match->judges[i] == NULL ||
            (rule->kind != RULE_HEADER && rule->kind != RULE_MIMEHEADER))
            continue;
        rule_judge_text(scratch, rule->if_unset, 0);
        match->misses[i] =
            rule_judge_next(scratch, match->judges[i], &found) == RULE_JUDGED_YES;
    }
    rule_judge_scratch_free(scratch);
}

/* ---- groups ------------------------------------------------------------------------ */

struct rule_match_group rule_match_texts(const struct rule *rule)
{
    struct rule_match_group group = {.kind = rule->kind, .selector = rule->selector};
    if (rule->kind == RULE_MIMEHEADER) {
        group.is_raw = (rule->flags & RULE_RAW) != 0;
        group.is_concat = (rule->flags & RULE_CONCAT) != 0;
        group.part_from = rule->part_from;
        group.part_to = rule->part_to;
    }
    return group;
}

static struct match_group *add_group(struct rule_match *match, const struct rule *rule)
{
    if (match->n_groups == match->groups_room) {
        match->groups_room = match->groups_room * 2 + 64;
        match->groups =
            mx_xrealloc(match->groups, match->groups_room * sizeof(*match->groups));
    }
    struct match_group *group = &match->groups[match->n_groups++];
    *group = (struct match_group){.view = rule_match_texts(rule)};
    return group;
}

static void group_rules(struct rule_match *match, struct mx_arena *arena)
{
    struct rule_names *names = rule_names_new(arena);
    uint32_t *group_of = mx_xalloc((match->set->n_rules + 1) * sizeof(*group_of));
    for (size_t i = 0; i < match->set->n_rules; i++) {
        const struct rule *rule = &match->set->rules[i];
        if (match->modes[i] != RULE_MATCH_JUDGED)
            continue;
        struct rule_match_group texts = rule_match_texts(rule);
        struct mx_str key = mx_str(mx_arena_printf(
            arena, "%d:%d:%d:%u-%u:%.*s", (int)rule->kind, texts.is_raw, texts.is_concat,
            texts.part_from, texts.part_to, MX_STR_FMT(rule->selector)));
        ptrdiff_t at = rule_names_find(names, key);
        if (at < 0) {
            at = (ptrdiff_t)match->n_groups;
            add_group(match, rule);
            rule_names_set(names, key, (size_t)at);
        }
        group_of[i] = (uint32_t)at;
        match->groups[at].view.n++;
    }
    for (size_t i = 0; i < match->n_groups; i++) {
        struct match_group *group = &match->groups[i];
        size_t n = group->view.n;
        group->view.rules = group->rules = mx_xalloc(n * sizeof(*group->rules));
        group->in_db = mx_xalloc(n * sizeof(*group->in_db));
        group->judged = mx_xalloc(n * sizeof(*group->judged));
        group->modes = mx_xalloc(n);
        group->view.n = 0;
    }
    for (size_t i = 0; i < match->set->n_rules; i++) {
        if (match->modes[i] != RULE_MATCH_JUDGED)
            continue;
        struct match_group *group = &match->groups[group_of[i]];
        group->rules[group->view.n++] = (uint32_t)i;
    }
    free(group_of);
    rule_names_free(names);
}

/* ---- databases --------------------------------------------------------------------- */

static uint64_t cache_key(const struct rule_match *match, bool has_prefilter)
{
    const char *library = rule_db_library();
    uint64_t key = mx_str_hash(mx_str(library != NULL && has_prefilter ? library : ""));
    key ^= rule_db_platform() + PLAN_VERSION;
    for (size_t i = 0; i < match->n_groups; i++) {
        key = (key ^ match_group_hash(&match->groups[i], match->set)) *
              UINT64_C(0x9E3779B97F4A7C15);
        key ^= key >> 31;
    }
    return key;
}

static void drop_databases(struct rule_match *match)
{
    for (size_t i = 0; i < match->n_groups; i++)
        match_group_drop(&match->groups[i]);
}

static int read_cache(struct rule_match *match, const char *dir, uint64_t key,
                      struct mx_err *err)
{
    struct rule_cache_file file = {0};
    if (rule_cache_open(dir, key, &file, err) < 0)
        return -1;
    struct mx_str rest = file.payload;
    int rc = 0;
    for (size_t i = 0; i < match->n_groups && rc == 0; i++)
        rc = match_group_unpack(&match->groups[i], &rest, err);
    if (rc == 0 && rest.n > 0)
        rc = mx_err_set(err, MX_ERR_INPUT, "something is behind the last group");
    rule_cache_close(&file);
    if (rc < 0) {
        drop_databases(match);
        return mx_err_wrap(err, "cache in %s", dir);
    }
    match->is_cached = true;
    return 0;
}

static int write_cache(const struct rule_match *match, const char *dir, uint64_t key,
                       struct mx_err *err)
{
    struct mx_buf buf = {.max = RULE_CACHE_BYTES_MAX - 4096};
    int rc = 0;
    for (size_t i = 0; i < match->n_groups && rc == 0; i++)
        rc = match_group_pack(&match->groups[i], &buf, err);
    if (rc == 0 && buf.is_overflown)
        rc = mx_err_set(err, MX_ERR_LIMIT, "databases are too large to keep");
    if (rc == 0)
        rc = rule_cache_write(dir, key, mx_str_of(buf.p, buf.n), err);
    mx_buf_fini(&buf);
    return rc;
}

static void note_cache_fault(struct rule_match *match, const struct mx_err *why)
{
    free(match->cache_fault);
    match->cache_fault = mx_xdup(why->text);
}

static int64_t cpu_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void compile_groups(struct rule_match *match, bool has_prefilter,
                           int64_t compile_ms)
{
    struct mx_arena *arena = mx_arena_new(RULE_COARSE_ARENA);
    int64_t until = cpu_ms() + (compile_ms != 0 ? compile_ms : RULE_MATCH_COMPILE_MS);
    for (size_t i = 0; i < match->n_groups; i++)
        match_group_compile(&match->groups[i], match->set, has_prefilter ? arena : NULL,
                            until);
    mx_arena_free(arena);
}

static void make_databases(struct rule_match *match,
                           const struct rule_match_options *options)
{
    struct mx_err why = {0};
    bool has_db = options->has_prefilter && rule_db_library() != NULL;
    const char *dir = has_db ? options->cache_dir : NULL;
    uint64_t key = cache_key(match, has_db);
    if (dir != NULL && read_cache(match, dir, key, &why) == 0)
        return;
    if (dir != NULL && why.code != MX_ERR_DOWN)
        note_cache_fault(match, &why);
    compile_groups(match, options->has_prefilter, options->compile_ms);
    if (dir != NULL && write_cache(match, dir, key, &why) < 0)
        note_cache_fault(match, &why);
}

static void make_automata(struct rule_match *match)
{
    struct mx_arena *arena = mx_arena_new(RULE_COARSE_ARENA);
    for (size_t i = 0; i < match->n_groups; i++) {
        match->groups[i].first_large = match->n_large;
        match_group_make_automata(&match->groups[i], match->set, arena,
                                  RULE_MATCH_LAZY_MAX - match->n_large);
        match->n_large += match->groups[i].n_large;
    }
    mx_arena_free(arena);
}

static void take_modes(struct rule_match *match)
{
    for (size_t i = 0; i < match->n_groups; i++)
        for (size_t k = 0; k < match->groups[i].view.n; k++)
            match->modes[match->groups[i].rules[k]] = match->groups[i].modes[k];
}

/* ---- all --------------------------------------------------------------------------- */

int rule_match_new(const struct rule_set *set, const struct rule_match_options *options,
                   struct rule_match **out, struct mx_err *err)
{
    struct rule_match *match = mx_xalloc(sizeof(*match));
    (void)err; /* a broken pattern is a fault of its rule only */
    match->set = set;
    match->factory = rule_judge_factory_new();
    match->judges = mx_xalloc((set->n_rules + 1) * sizeof(struct rule_judge *));
    match->modes = mx_xalloc(set->n_rules + 1);
    match->misses = mx_xalloc(set->n_rules + 1);
    for (size_t i = 0; i < set->n_rules; i++)
        if (has_pattern(&set->rules[i]))
            compile_judge(match, i);
    judge_missing(match);
    struct mx_arena *arena = mx_arena_new(RULE_COARSE_ARENA);
    group_rules(match, arena);
    mx_arena_free(arena);
    make_databases(match, options);
    make_automata(match);
    take_modes(match);
    *out = match;
    return 0;
}

void rule_match_free(struct rule_match *match)
{
    if (match == NULL)
        return;
    for (size_t i = 0; i < match->n_groups; i++)
        match_group_fini(&match->groups[i]);
    for (size_t i = 0; i < match->set->n_rules; i++)
        rule_judge_free(match->judges[i]);
    for (size_t i = 0; i < match->n_faults; i++)
        free(match->faults[i].text);
    rule_judge_factory_free(match->factory);
    free(match->groups);
    free(match->faults);
    free(match->judges);
    free(match->modes);
    free(match->misses);
    free(match->cache_fault);
    free(match);
}

void rule_match_summarise(const struct rule_match *match, struct rule_match_summary *out)
{
    *out = (struct rule_match_summary){.is_cached = match->is_cached,
                                       .cache_fault = match->cache_fault};
    for (size_t i = 0; i < match->set->n_rules; i++) {
        out->n_modes[match->modes[i]]++;
        if (match->judges[i] == NULL)
            continue;
        out->n_wide += rule_judge_is_wide(match->judges[i]);
        out->n_interpreted += !rule_judge_is_jit(match->judges[i]);
    }
    for (size_t i = 0; i < match->n_groups; i++)
        for (size_t k = 0; k < match->groups[i].n_dbs; k++)
            out->db_bytes += rule_db_size(match->groups[i].dbs[k]);
}

bool rule_match_fault(const struct rule_match *match, size_t nth, size_t *out_rule,
                      struct mx_str *out_text)
{
    if (nth >= match->n_faults)
        return false;
    *out_rule = match->faults[nth].rule;
    *out_text = mx_str(match->faults[nth].text);
    return true;
}

const struct rule_set *rule_match_set(const struct rule_match *match)
{
    return match->set;
}

enum rule_match_mode rule_match_mode(const struct rule_match *match, size_t rule)
{
    return (enum rule_match_mode)match->modes[rule];
}

const char *rule_match_mode_text(enum rule_match_mode mode)
{
    static const char *const texts[] = {
        [RULE_MATCH_NONE] = "no pattern that runs",
        [RULE_MATCH_SURE] = "sure: prefilter alone",
        [RULE_MATCH_FILTERED] = "filtered: prefilter, then judge",
        [RULE_MATCH_COARSE] = "coarse: prefilter by a wider pattern, then judge",
        [RULE_MATCH_LAZY] = "lazy: automaton of this rule, then judge",
        [RULE_MATCH_JUDGED] = "judged: judge on every text",
        [RULE_MATCH_LATER] = "later: compiled for each message",
    };
    return texts[mode];
}

const struct rule_judge *rule_match_judge(const struct rule_match *match, size_t rule)
{
    return match->judges[rule];
}

const struct rule_judge_factory *rule_match_factory(const struct rule_match *match)
{
    return match->factory;
}

bool rule_match_misses(const struct rule_match *match, size_t rule)
{
    return match->misses[rule];
}

size_t rule_match_n_groups(const struct rule_match *match)
{
    return match->n_groups;
}

const struct rule_match_group *rule_match_group(const struct rule_match *match,
                                                size_t group)
{
    return &match->groups[group].view;
}

/* ---- scanning ---------------------------------------------------------------------- */

int rule_match_scratch_new(const struct rule_match *match,
                           struct rule_match_scratch **out, struct mx_err *err)
{
    struct rule_match_scratch *scratch = mx_xalloc(sizeof(*scratch));
    size_t n = 1;
    scratch->judging = rule_judge_scratch_new();
    for (size_t i = 0; i < match->n_groups; i++) {
        const struct match_group *group = &match->groups[i];
        n = group->view.n > n ? group->view.n : n;
        for (size_t k = 0; k < group->n_dbs; k++) {
            if (rule_db_scratch_fit(&scratch->db, group->dbs[k], err) < 0) {
                rule_match_scratch_free(scratch);
                return -1;
            }
        }
    }
    scratch->lazies = mx_xalloc((match->n_large + 1) * sizeof(struct rule_lazy *));
    for (size_t i = 0; i < match->n_groups; i++)
        for (size_t k = 0; k < match->groups[i].n_large; k++)
            scratch->lazies[scratch->n_lazies++] =
                rule_lazy_new(match->groups[i].large[k].nfa);
    scratch->candidates = mx_xalloc(n * sizeof(*scratch->candidates));
    scratch->ids = mx_xalloc(n * sizeof(*scratch->ids));
    *out = scratch;
    return 0;
}

void rule_match_scratch_free(struct rule_match_scratch *scratch)
{
    if (scratch == NULL)
        return;
    rule_judge_scratch_free(scratch->judging);
    rule_db_scratch_free(scratch->db);
    for (size_t i = 0; i < scratch->n_lazies; i++)
        rule_lazy_free(scratch->lazies[i]);
    free(scratch->lazies);
    free(scratch->candidates);
    free(scratch->ids);
    free(scratch);
}

struct rule_judge_scratch *rule_match_judging(struct rule_match_scratch *scratch)
{
    return scratch->judging;
}

/* What the nth database names, or all it holds where its library fails. */
static size_t scan_db(const struct match_group *group, size_t nth,
                      struct rule_match_scratch *scratch, struct mx_str text,
                      bool *out_is_sound)
{
    size_t n = 0, from = match_group_db_start(group, nth);
    size_t to = match_group_db_start(group, nth + 1);
    *out_is_sound =
        rule_db_scan(group->dbs[nth], scratch->db, text, scratch->ids, &n) == 0;
    if (*out_is_sound)
        return n;
    to = to < group->n_in_db ? to : group->n_in_db;
    for (n = 0; from + n < to; n++)
        scratch->ids[n] = (uint32_t)n;
    return n;
}

const struct rule_candidate *rule_match_scan(const struct rule_match *match,
                                             struct rule_match_scratch *scratch,
                                             size_t at, struct mx_str text, size_t *out_n)
{
    const struct match_group *group = &match->groups[at];
    size_t n = 0;
    for (size_t nth = 0; nth < group->n_dbs; nth++) {
        const uint32_t *in_db = group->in_db + match_group_db_start(group, nth);
        bool is_sound;
        size_t n_ids = scan_db(group, nth, scratch, text, &is_sound);
        for (size_t i = 0; i < n_ids; i++) {
            uint32_t index = in_db[scratch->ids[i]];
            scratch->candidates[n++] = (struct rule_candidate){
                group->rules[index], is_sound && group->modes[index] == RULE_MATCH_SURE};
        }
    }
    for (size_t i = 0; i < group->n_large; i++)
        if (rule_lazy_may_match(scratch->lazies[group->first_large + i], text))
            scratch->candidates[n++] =
                (struct rule_candidate){group->rules[group->large[i].index], false};
    for (size_t i = 0; i < group->n_judged; i++)
        scratch->candidates[n++] =
            (struct rule_candidate){group->rules[group->judged[i]], false};
    *out_n = n;
    return scratch->candidates;
}

const char *rule_match_library(void)
{
    return rule_db_library() != NULL ? "PCRE2 with libhs" : "PCRE2 without libhs";
}
