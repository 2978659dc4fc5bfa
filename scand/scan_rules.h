/*
 * Rule files as people look at them: what was read, what was not taken and why, what one
 * rule is. For mxdropctl rules and for tests; the detector does not need it.
 */
#ifndef SCAN_RULES_H
#define SCAN_RULES_H

#include <stdbool.h>
#include <stddef.h>

#include "mx_str.h"

struct mx_arena;
struct mx_conf;
struct mx_err;
struct rule_set;
struct scan_rules;

/**
 * scan_rules_open(dirs, overlay, out, err):
 * Read the rule files of ${dirs} (in load order, ends with NULL), then the score file
 * ${overlay} (NULL: none), and compile every pattern as the judge does.
 * Owner:  scan_rules_close.
 * Fails:  a directory that cannot be read, or no rule file in any (-1).
 */
int scan_rules_open(const char *const *dirs, const char *overlay, struct scan_rules **out,
                    struct mx_err *err);
void scan_rules_close(struct scan_rules *rules);

/**
 * scan_rules_default_dirs(out):
 * Where SpamAssassin keeps its rules here: those of its update channel where there are
 * any, else those of the package; then the site's. Ends with NULL.
 */
void scan_rules_default_dirs(const char *out[static 3]);

#define SCAN_RULES_DIRS_MAX 64

/**
 * scan_rules_conf_dirs(conf, out, overlay):
 * What section "scand" of ${conf} says of rules: its directories, ends with NULL (none:
 * the default ones), and its score file or NULL.
 * Owner:  ${conf} must outlive both.
 */
void scan_rules_conf_dirs(const struct mx_conf *conf,
                          const char *out[static SCAN_RULES_DIRS_MAX + 1],
                          const char **overlay);

struct scan_rules_totals {
    size_t n_files, n_lines, n_rules, n_lists, n_ignored;
    size_t n_problems; /* with those that are not kept one by one */
    double required_score;
};

/** scan_rules_totals(rules, out): what was read, in numbers. */
void scan_rules_totals(const struct scan_rules *rules, struct scan_rules_totals *out);

struct scan_rules_kind {
    const char *name;
    size_t n, n_scored, n_subrules; /* scored: in score set 0, not a sub-rule */
};

/** scan_rules_kind(rules, nth, out): the nth kind of rule; false: no more. */
bool scan_rules_kind(const struct scan_rules *rules, size_t nth,
                     struct scan_rules_kind *out);

struct scan_rules_problem {
    const char *kind; /* "syntax", "pattern", "needs network" ... */
    struct mx_str about, file, text;
    unsigned line;
    bool is_fault; /* false: known, and idle without the network */
};

/** scan_rules_problem(rules, nth, out): the nth problem; false: no more. */
bool scan_rules_problem(const struct scan_rules *rules, size_t nth,
                        struct scan_rules_problem *out);

struct scan_rules_rule {
    struct mx_str name, description, file;
    const char *kind;
    unsigned line;
    const char *definition; /* as a rule file would have it, tags replaced */
    const char *flags;      /* "nice net", "" none */
    const char *how;        /* it is matched or worked out, in words */
    const char *judge;      /* what compiles its pattern; "" it has none */
    double scores[4];
    bool has_score; /* a score line exists; else they are the default */
    bool is_active; /* in score set 0 */
    int priority;
    const struct mx_str *reads, *read_by; /* rules, by metas */
    size_t n_reads, n_read_by;
};

/**
 * scan_rules_find(rules, arena, name, out):
 * What is known of rule ${name}.
 * Owner:  lists and texts in ${arena} or in ${rules}.
 * Fails:  no such rule (false).
 */
bool scan_rules_find(const struct scan_rules *rules, struct mx_arena *arena,
                     struct mx_str name, struct scan_rules_rule *out);

struct scan_rules_side {
    const char *definition; /* with its kind and tflags; NULL: there is no such rule */
    bool is_subrule;        /* scores nothing */
    double scores[4];
    struct mx_str file;
    unsigned line;
};
#define SCAN_RULES_DEFINITION_MAX 2000 /* octets of a definition */

struct scan_rules_change {
    struct mx_str name;
    struct scan_rules_side old, now;
    bool is_redefined, is_rescored; /* of a rule that both have */
};

/**
 * scan_rules_diff(old_rules, new_rules, arena, out):
 * Rules that are new, changed (both in the order of the new set), gone. Returns how many.
 * Owner:  ${out} lives in ${arena} and points into both.
 */
size_t scan_rules_diff(const struct scan_rules *old_rules,
                       const struct scan_rules *new_rules, struct mx_arena *arena,
                       const struct scan_rules_change **out);

/** scan_rules_set(rules): what was read. */
const struct rule_set *scan_rules_set(const struct scan_rules *rules);

#endif
