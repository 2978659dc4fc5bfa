/*
 * The judge: PCRE2 with JIT, over bytes, with Perl's /aa meaning. What it says counts.
 */
#ifndef RULE_MATCH_JUDGE_H
#define RULE_MATCH_JUDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mx_str.h"

struct mx_arena;
struct mx_err;
struct rule_judge;         /* a compiled pattern: immutable, shared */
struct rule_judge_factory; /* what compiling needs */
struct rule_judge_scratch; /* what matching needs: one for each thread */

/* Bounds of one search. Stock rules stay below a tenth of the first on all test mail. */
#define RULE_JUDGE_STEPS_MAX 200000u    /* of PCRE2 at one place of the text */
#define RULE_JUDGE_DEPTH_MAX 20000u     /* without JIT: nested backtracking points */
#define RULE_JUDGE_HEAP_KIB_MAX 16384u  /* without JIT */
#define RULE_JUDGE_STACK_MAX (4u << 20) /* JIT */
#define RULE_JUDGE_PLACES 4096u         /* of a text, between looks at the clock */

/** rule_judge_factory_new(): character tables and contexts. Owner: the caller frees. */
struct rule_judge_factory *rule_judge_factory_new(void);
void rule_judge_factory_free(struct rule_judge_factory *factory);

/**
 * rule_judge_compile(factory, pattern, out, err):
 * Compile ${pattern}; where it is too large for the 8-bit library, with the 32-bit one.
 * Owner:  rule_judge_free.
 * Fails:  not a pattern (-1, the text says where).
 */
int rule_judge_compile(const struct rule_judge_factory *factory, struct mx_str pattern,
                       struct rule_judge **out, struct mx_err *err);
void rule_judge_free(struct rule_judge *judge);

/** rule_judge_is_wide(judge), _is_jit(judge): how it is compiled. */
bool rule_judge_is_wide(const struct rule_judge *judge);
bool rule_judge_is_jit(const struct rule_judge *judge);

/** rule_judge_scratch_new(): match data and stack of one thread. Owner: the caller frees.
 */
struct rule_judge_scratch *rule_judge_scratch_new(void);
void rule_judge_scratch_free(struct rule_judge_scratch *scratch);

/**
 * rule_judge_text(scratch, text, deadline_ms):
 * The text of the searches that follow, and when they must have ended (mx_mono_us() /
 * 1000; 0: never).
 */
void rule_judge_text(struct rule_judge_scratch *scratch, struct mx_str text,
                     int64_t deadline_ms);

enum rule_judged { RULE_JUDGED_NO, RULE_JUDGED_YES, RULE_JUDGED_LIMIT, RULE_JUDGED_LATE };

struct rule_found {
    size_t from, to; /* in the text; a next search begins at ${to} */
    bool is_empty;   /* and must not find the same empty place again */
};

/**
 * rule_judge_next(scratch, judge, found):
 * The first match behind ${found}, as Perl's /g has it; begin with a zeroed one.
 */
enum rule_judged rule_judge_next(struct rule_judge_scratch *scratch,
                                 const struct rule_judge *judge,
                                 struct rule_found *found);

/**
 * rule_judge_group(scratch, judge, nth, out_name, out):
 * After RULE_JUDGED_YES: the nth (from 0) group that has a name, and what it took, ""
 * where it took no part.
 * Returns false behind the last one.
 */
bool rule_judge_group(const struct rule_judge_scratch *scratch,
                      const struct rule_judge *judge, size_t nth, struct mx_str *out_name,
                      struct mx_str *out);

/** rule_judge_library(): name and version. */
const char *rule_judge_library(void);

#endif
