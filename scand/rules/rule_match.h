/*
 * The patterns of a rule set, compiled: for each text kind and each header selector a
 * group of rules with a prefilter (rule_match_db) over them, and for each rule its judge.
 *
 * How a rule is matched:
 *   sure      the prefilter's pattern is the rule's own: its word is enough
 *   filtered  the prefilter says where the judge looks
 *   lazy      an automaton of this rule (rule_match_lazy) says where the judge looks
 *   judged    the judge looks at every text
 * All of them give the same hits; only the time differs.
 */
#ifndef RULE_MATCH_H
#define RULE_MATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mx_str.h"

#include "rule_match_judge.h"
#include "rule_set.h"

struct mx_err;
struct rule_match;
struct rule_match_scratch;

enum rule_match_mode {
    RULE_MATCH_NONE, /* not a rule with a pattern, not active, or its pattern is broken */
    RULE_MATCH_SURE,
    RULE_MATCH_FILTERED,
    RULE_MATCH_COARSE, /* filtered, by a coarse pattern of our making */
    RULE_MATCH_LAZY,   /* filtered, by an automaton of its own */
    RULE_MATCH_JUDGED,
    RULE_MATCH_LATER, /* holds %{NAME}: compiled for each message */
};

struct rule_match_group {
    enum rule_kind kind;
    struct mx_str selector; /* header, mimeheader */
    bool is_raw, is_concat; /* mimeheader */
    unsigned part_from, part_to;
    const uint32_t *rules;
    size_t n;
};

/** rule_match_texts(rule): a group, without rules, of those that see the same texts. */
struct rule_match_group rule_match_texts(const struct rule *rule);

struct rule_match_options {
    const char *cache_dir; /* of compiled databases; NULL: none is kept */
    bool has_prefilter;    /* false: judges alone, for comparison */
    int64_t compile_ms; /* CPU time for databases; 0: RULE_MATCH_COMPILE_MS; < 0: none */
};

/* Debian's rules take a fifth of it. A database that was begun is finished, in seconds.
 */
#define RULE_MATCH_COMPILE_MS 90000

/* Rules of mode lazy: each may take 11 MB of a worker (rule_match_lazy.h). Debian's rules
   have 6; what there is no room for is judged. */
#define RULE_MATCH_LAZY_MAX 64

struct rule_match_summary {
    size_t n_modes[RULE_MATCH_LATER + 1];
    size_t n_wide, n_interpreted; /* judges of the 32-bit library; without JIT */
    size_t db_bytes;
    bool is_cached;          /* databases came from the cache */
    const char *cache_fault; /* why the cache was not read or not written; NULL */
};

/**
 * rule_match_new(set, options, out, err):
 * Compile the patterns of all rules that are active without network.
 * Owner:  ${set} is borrowed for the life of ${out}; rule_match_free.
 * Fails:  never for a pattern: what no engine compiles is told by rule_match_fault.
 */
int rule_match_new(const struct rule_set *set, const struct rule_match_options *options,
                   struct rule_match **out, struct mx_err *err);
void rule_match_free(struct rule_match *match);

/** rule_match_library(): what matches, with versions. */
const char *rule_match_library(void);

/** rule_match_summarise(match, out): how many rules are matched how. */
void rule_match_summarise(const struct rule_match *match, struct rule_match_summary *out);

/** rule_match_fault(match, nth, out_rule, out_text): the nth rule whose pattern no engine
 * takes, and why; false: no more. */
bool rule_match_fault(const struct rule_match *match, size_t nth, size_t *out_rule,
                      struct mx_str *out_text);

/** rule_match_set(match): the rules that it was made of. */
const struct rule_set *rule_match_set(const struct rule_match *match);

/** rule_match_mode(match, rule): how this rule is matched. */
enum rule_match_mode rule_match_mode(const struct rule_match *match, size_t rule);

/** rule_match_mode_text(mode): in words, for people: "sure", "judged" ... */
const char *rule_match_mode_text(enum rule_match_mode mode);

/** rule_match_judge(match, rule): its compiled pattern; NULL in modes NONE and LATER. */
const struct rule_judge *rule_match_judge(const struct rule_match *match, size_t rule);

/** rule_match_factory(match): for patterns that are compiled for one message. */
const struct rule_judge_factory *rule_match_factory(const struct rule_match *match);

/** rule_match_misses(match, rule): does its pattern match where there is no such header
 * (against "", or what it says is to be taken instead)? */
bool rule_match_misses(const struct rule_match *match, size_t rule);

/** rule_match_n_groups(match): texts that have rules: body, uri, one a header ... */
size_t rule_match_n_groups(const struct rule_match *match);

/** rule_match_group(match, group): one of them, 0 to rule_match_n_groups - 1. */
const struct rule_match_group *rule_match_group(const struct rule_match *match,
                                                size_t group);

/**
 * rule_match_scratch_new(match, out, err):
 * What one thread (or process) needs to match.
 */
int rule_match_scratch_new(const struct rule_match *match,
                           struct rule_match_scratch **out, struct mx_err *err);
void rule_match_scratch_free(struct rule_match_scratch *scratch);
struct rule_judge_scratch *rule_match_judging(struct rule_match_scratch *scratch);

struct rule_candidate {
    uint32_t rule;
    bool is_sure;
};

/**
 * rule_match_scan(match, scratch, group, text, out_n):
 * Rules of a group that may match in ${text}: every one that does is among them.
 * Owner:  the result lives until the next call with ${scratch}.
 */
const struct rule_candidate *rule_match_scan(const struct rule_match *match,
                                             struct rule_match_scratch *scratch,
                                             size_t group, struct mx_str text,
                                             size_t *out_n);

#endif
