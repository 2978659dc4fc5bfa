/*
 * A rule set while it is being read: what the units rule_read_* share. Outside, only
 * rule_set_read is called.
 *
 *   rule_read           files in order, lines, conditions, who takes a directive
 *   rule_read_file      which files, their text, includes
 *   rule_read_rule      directives that define rules
 *   rule_read_about     directives that say something about rules, tags
 *   rule_read_draft     rules as far as they are known
 *   rule_read_pattern   /regex/mods to a pattern
 *   rule_read_finish    what can only be said when all files are read
 */
#ifndef RULE_READ_H
#define RULE_READ_H

#include <stdbool.h>
#include <stddef.h>

#include "mx_str.h"

#include "rule_cond.h"
#include "rule_list.h"
#include "rule_replace.h"
#include "rule_set.h"

struct mx_arena;
struct mx_err;
struct rule_judge_factory;

#define RULE_ARENA_BYTES_MAX (1024u << 20)   /* all memory of one rule set */
#define RULE_ARENA_RESERVE (384u << 20)      /* of it for what finishing needs */
#define RULE_PATTERNS_BYTES_MAX (128u << 20) /* all patterns, tags replaced */

/* What a definition sets; the other flags come from tflags. */
#define RULE_FLAGS_OF_DEFINITION                                                         \
    (RULE_NEGATED | RULE_RAW | RULE_HAS_CAPTURE | RULE_NEEDS_CAPTURE)

/* A rule as far as it is known. Scores and flags may come before its definition. */
struct rule_draft {
    struct rule rule;
    bool is_defined;
    bool has_priority;
    bool wants_replace;
};

struct rule_reader {
    const struct rule_read_options *options;
    struct rule_set *set;
    struct mx_arena *arena;   /* of the set */
    struct rule_names *names; /* rule name -> draft */
    struct rule_draft *drafts;
    size_t n_drafts, drafts_room;
    struct rule_problem *problems;
    size_t n_problems, problems_room;
    struct rule_cond cond;
    struct rule_lists lists;
    struct rule_replace replace;
    struct rule_judge_factory *judges; /* NULL until a definition is replaced */
    size_t judged;                     /* bytes of patterns compiled for that */
    size_t bytes;                      /* read so far */
    bool is_full;                      /* a bound was reached: the rest is left out */
    unsigned depth;                    /* of includes */
    struct mx_str file;                /* the current one */
    unsigned line;
    bool is_version_wrong; /* require_version: skip what is left of the file */
};

/**
 * rule_read_file_text(reader, path, out, out_n, err):
 * Text of ${path}, in the arena; the reader may change it in place.
 * Fails:  cannot be read, not a file, a bound on files (-1).
 */
int rule_read_file_text(struct rule_reader *reader, const char *path, char **out,
                        size_t *out_n, struct mx_err *err);

/**
 * rule_read_list_dir(reader, dir, suffix, out, n, err):
 * Paths of the files of ${dir} that end in ${suffix}, sorted by name.
 * Fails:  ${dir} cannot be read (-1).
 */
int rule_read_list_dir(struct rule_reader *reader, const char *dir, const char *suffix,
                       struct text_list *out, struct mx_err *err);

/**
 * rule_read_include_path(reader, value, out, err):
 * The file that `include ${value}` of the current file names.
 * Fails:  it is not inside one of the directories of rules (-1).
 */
int rule_read_include_path(struct rule_reader *reader, struct mx_str value,
                           const char **out, struct mx_err *err);

/** rule_read_problem(reader, kind, about, text): note one at the current line. */
void rule_read_problem(struct rule_reader *reader, enum rule_problem_kind kind,
                       struct mx_str about, const char *text);

/**
 * rule_read_rule(reader, directive, value, err):
 * Take a directive about rules.
 * Returns false where ${directive} is none; a broken one is noted as a problem.
 */
bool rule_read_rule(struct rule_reader *reader, struct mx_str directive,
                    struct mx_str value);

/**
 * rule_read_about(reader, directive, value, err):
 * Take a directive that says something about a rule or a tag.
 * Fails:  broken (-1). Returns 1 where ${directive} is none of these.
 */
int rule_read_about(struct rule_reader *reader, struct mx_str directive,
                    struct mx_str value, struct mx_err *err);

/** rule_read_draft(reader, name): made where there is none; NULL: too many rules. */
struct rule_draft *rule_read_draft(struct rule_reader *reader, struct mx_str name);

/** rule_read_no_room(err): -1, saying that there are too many rules. */
int rule_read_no_room(struct mx_err *err);

/**
 * rule_read_define(reader, name, rule, err):
 * Make ${rule} (its kind and what goes with it) the definition of ${name}.
 * Fails:  not a name, too many rules, a pattern that does not compile where there is a
 *         definition already (-1).
 */
int rule_read_define(struct rule_reader *reader, struct mx_str name,
                     const struct rule *rule, struct mx_err *err);

/** rule_read_is_ignored(directive): a setting of SpamAssassin that is not ours. */
bool rule_read_is_ignored(struct mx_str directive);

/**
 * rule_read_pattern(arena, literal, out, err):
 * "/re/mods" to "(?mods)re".
 * Fails:  delimiters or modifiers that SpamAssassin refuses, code in the pattern, a
 *         bound (-1).
 */
int rule_read_pattern(struct mx_arena *arena, struct mx_str literal, struct mx_str *out,
                      struct mx_err *err);

/** rule_read_captures(pattern): RULE_HAS_CAPTURE, RULE_NEEDS_CAPTURE as it has them. */
unsigned rule_read_captures(struct mx_str pattern);

/** rule_read_finish(reader): drafts to the rules of reader->set. */
void rule_read_finish(struct rule_reader *reader);

#endif
