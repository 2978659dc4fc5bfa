/*
 * A rule set: what the rule files say, read once, immutable, shared by all workers.
 *
 *   rule_read     files -> lines -> directives -> struct rule_set (reports what it skips)
 *   rule_meta     meta expressions
 *   rule_match    patterns of each text kind: prefilter and judge
 *   rule_eval     eval functions by name
 *   rule_run      one message's texts -> hits
 */
#ifndef RULE_SET_H
#define RULE_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mx_str.h"

#include "text/text.h"

struct mx_arena;
struct mx_err;
struct rule_names;

enum rule_kind {
    RULE_EMPTY, /* declared by score or describe only */
    RULE_HEADER,
    RULE_HEADER_EXISTS,
    RULE_BODY,
    RULE_RAWBODY,
    RULE_URI,
    RULE_FULL,
    RULE_MIMEHEADER,
    RULE_META,
    RULE_HEADER_EVAL,
    RULE_BODY_EVAL,
    RULE_RAWBODY_EVAL,
    RULE_FULL_EVAL,
    RULE_RBL_EVAL, /* check_rbl*: needs the network */
};

enum rule_flag {
    RULE_NICE = 1 << 0,
    RULE_NET = 1 << 1,
    RULE_LEARN = 1 << 2,
    RULE_USERCONF = 1 << 3,
    RULE_NOAUTOLEARN = 1 << 4,
    RULE_MULTIPLE = 1 << 5,
    RULE_NOSUBJECT = 1 << 6,
    RULE_NOTRIM = 1 << 7,
    RULE_DOMAINS_ONLY = 1 << 8,
    RULE_AUTOLEARN_BODY = 1 << 9,
    RULE_PUBLISH = 1 << 10,
    RULE_SUBRULE = 1 << 11,       /* __NAME: never scores */
    RULE_NEGATED = 1 << 12,       /* !~ */
    RULE_RAW = 1 << 13,           /* mimeheader :raw */
    RULE_HAS_CAPTURE = 1 << 14,   /* (?<NAME>...) */
    RULE_NEEDS_CAPTURE = 1 << 15, /* %{NAME} */
    RULE_CONCAT = 1 << 16,        /* mimeheader: all parts are one text */
};

struct rule {
    struct mx_str name;
    enum rule_kind kind;
    unsigned flags;              /* enum rule_flag */
    unsigned max_hits;           /* of RULE_MULTIPLE; 0 no bound */
    unsigned part_from, part_to; /* mimeheader: of the parts, from 1; 0 open */
    int priority;
    double scores[4];       /* by score set */
    bool has_score;         /* a score line exists; else the default */
    struct mx_str selector; /* header, mimeheader: "From:addr" */
    struct mx_str
        pattern; /* regex with its modifiers in front: "(?i)..."; ReplaceTags done */
    struct mx_str if_unset; /* header */
    bool has_if_unset;
    struct mx_str function; /* eval */
    const struct mx_str *args;
    size_t n_args;
    struct mx_str expression;     /* meta, as written */
    const struct rule_meta *meta; /* compiled */
    struct mx_str description;
    struct mx_str file;
    unsigned line;
};

/* What was not taken: listed by `mxdropctl rules check`, counted in metrics. */
enum rule_problem_kind {
    RULE_PROBLEM_UNKNOWN_DIRECTIVE,
    RULE_PROBLEM_SYNTAX,  /* a broken rule: skipped */
    RULE_PROBLEM_PATTERN, /* no engine compiles it */
    RULE_PROBLEM_UNKNOWN_EVAL,
    RULE_PROBLEM_NEEDS_NETWORK, /* present by name, not run */
    RULE_PROBLEM_META,          /* cycle, syntax */
    RULE_PROBLEM_LIMIT,         /* a bound of ours */
};

struct rule_problem {
    enum rule_problem_kind kind;
    struct mx_str rule; /* or the directive */
    struct mx_str file;
    unsigned line;
    struct mx_str text;
};

/* Named lists of the data directives; looked up by rule_list_find. */
struct rule_list {
    struct mx_str
        directive;      /* "freemail_domains", "enlist_uri_host", "enlist_addrlist" ... */
    struct mx_str name; /* "(NAME)" of enlist_*; "" otherwise */
    struct text_list entries; /* in file order */
};

struct rule_set {
    const struct rule *rules; /* in order of their first definition */
    size_t n_rules;
    const struct rule_list *lists;
    size_t n_lists;
    const struct rule_problem *problems;
    size_t n_problems;
    size_t n_problems_all;      /* with those past RULE_PROBLEMS_MAX */
    const uint32_t *meta_order; /* metas, each after those it reads; none of a cycle */
    size_t n_meta_order;
    double required_score;
    bool has_network;
    struct text_settings text;          /* trusted_networks and the lists for URIs */
    uint64_t digest;                    /* of everything that matters for compiling */
    size_t n_files, n_lines, n_ignored; /* lines that mean nothing to a filter */
    struct rule_names *names;           /* rule name -> index */
    struct rule_names *list_names;
    struct mx_arena *arena; /* owns it all */
};

/* Bounds of a rule set: hostile or broken files end in a report, not in memory. */
#define RULE_FILES_MAX 2000
#define RULE_FILE_BYTES_MAX (32u << 20)
#define RULE_TOTAL_BYTES_MAX (128u << 20)
#define RULE_LINE_BYTES_MAX (2u << 20)
#define RULE_RULES_MAX 200000
#define RULE_PROBLEMS_MAX 10000
#define RULE_INCLUDE_DEPTH_MAX 16
#define RULE_CONDITION_DEPTH_MAX 64

struct rule_read_options {
    const char *const *dirs; /* in load order, "/usr/share/spamassassin",
                                "/etc/spamassassin"; ends with NULL */
    const char *overlay;     /* a score file of our own, or NULL */
    const char *locale;      /* for "lang"; NULL: "C" (en_US) */
    bool has_network;        /* score sets 1 and 3; conditions on local_tests_only */
};

/**
 * rule_set_read(options, out, err):
 * Read every rule file: *.pre sorted, then *.cf sorted, of each directory.
 * Owner:  rule_set_free.
 * Fails:  a directory that cannot be read, or nothing in it (-1). Problems inside files
 *         never fail the set: they are reported in it.
 */
int rule_set_read(const struct rule_read_options *options, struct rule_set **out,
                  struct mx_err *err);
void rule_set_free(struct rule_set *set);

/** rule_set_find(set, name): index of a rule, or -1. */
ptrdiff_t rule_set_find(const struct rule_set *set, struct mx_str name);

/**
 * rule_is_active(rule, score_set):
 * Does ${rule} run in ${score_set} (0 to 3: 1 network, 2 Bayes)? Its score there is not
 * 0, and an eval function has what it is tagged to need.
 */
bool rule_is_active(const struct rule *rule, unsigned score_set);

/** rule_set_digest(set): of what matters for compiling its patterns. */
uint64_t rule_set_digest(const struct rule_set *set);

/** rule_kind_text(kind), rule_problem_text(kind): one word for people. */
const char *rule_kind_text(enum rule_kind kind);
const char *rule_problem_text(enum rule_problem_kind kind);

/** rule_list_find(set, directive, name): a list, or NULL. */
const struct rule_list *rule_list_find(const struct rule_set *set, const char *directive,
                                       struct mx_str name);

#endif
