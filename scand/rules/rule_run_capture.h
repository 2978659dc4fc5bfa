/* Named captures: what (?<NAME>...) of one rule found, for %{NAME} of others. */
#ifndef RULE_RUN_CAPTURE_H
#define RULE_RUN_CAPTURE_H

#include <stdbool.h>

#include "rule_match_judge.h"

struct mx_arena;

#define RULE_CAPTURES_MAX 256       /* values of one message */
#define RULE_CAPTURE_BYTES_MAX 1024 /* of one value; longer ones are not taken */

struct rule_capture {
    struct mx_str name, value;
};

struct rule_captures {
    struct rule_capture v[RULE_CAPTURES_MAX];
    size_t n;
};

/** rule_captures_take(captures, arena, scratch, judge): after a match of ${judge}. */
void rule_captures_take(struct rule_captures *captures, struct mx_arena *arena,
                        const struct rule_judge_scratch *scratch,
                        const struct rule_judge *judge);

/**
 * rule_captures_fill(captures, arena, pattern, out):
 * ${pattern} with each %{NAME} replaced by its values, quoted, as alternatives.
 * Returns false where a name has no value: the rule does not run.
 */
bool rule_captures_fill(const struct rule_captures *captures, struct mx_arena *arena,
                        struct mx_str pattern, struct mx_str *out);

#endif
