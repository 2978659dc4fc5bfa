/*
 * PCRE2 for eval functions. Patterns come from rule files and from eval_pattern.c;
 * subjects from mail. Each match has a bound on its steps, so that a pattern that
 * backtracks for ever costs some milliseconds and counts as no hit. Just-in-time code
 * where the machine has it. Rules with a pattern of their own are rule_match's business,
 * not ours.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "eval_regex.h"

#include <pcre2.h>
#include <stdlib.h>

#include "mx_arena.h"
#include "mx_err.h"

#define PATTERN_BYTES_MAX 65536
#define MATCH_STEPS_MAX 1000000 /* some 10 ms */
#define MATCH_DEPTH_MAX 10000
#define MATCH_HEAP_KIB_MAX 4096

struct eval_regex {
    pcre2_code *code;
    pcre2_match_context *limits;
};

static uint32_t compile_options(unsigned flags)
{
    uint32_t options = PCRE2_NEVER_BACKSLASH_C;

    options |= flags & EVAL_REGEX_CASELESS ? PCRE2_CASELESS : 0;
    options |= flags & EVAL_REGEX_LINES ? PCRE2_MULTILINE : 0;
    options |= flags & EVAL_REGEX_WIDE ? PCRE2_UTF | PCRE2_MATCH_INVALID_UTF
                                       : PCRE2_NEVER_UTF | PCRE2_NEVER_UCP;
    return options;
}

int eval_regex_new(struct mx_str pattern, unsigned flags, struct eval_regex **out,
                   struct mx_err *err)
{
    int code;
    PCRE2_SIZE at;
    pcre2_code *compiled;
    struct eval_regex *regex;

    if (pattern.n > PATTERN_BYTES_MAX) {
        return mx_err_set(err, MX_ERR_LIMIT, "pattern too long");
    }
    compiled = pcre2_compile((PCRE2_SPTR)(pattern.p ? pattern.p : ""), pattern.n,
                             compile_options(flags), &code, &at, NULL);
    if (!compiled) {
        PCRE2_UCHAR text[128] = "";

        pcre2_get_error_message(code, text, sizeof(text));
        return mx_err_set(err, MX_ERR_INPUT, "pattern: %s at byte %zu",
                          (const char *)text, (size_t)at);
    }
    /* Without just-in-time code pcre2_match interprets: slower, the same answer. */
    pcre2_jit_compile(compiled, PCRE2_JIT_COMPLETE);
    regex = mx_xalloc(sizeof(*regex));
    regex->code = compiled;
    regex->limits = pcre2_match_context_create(NULL);
    if (regex->limits) {
        pcre2_set_match_limit(regex->limits, MATCH_STEPS_MAX);
        pcre2_set_depth_limit(regex->limits, MATCH_DEPTH_MAX);
        pcre2_set_heap_limit(regex->limits, MATCH_HEAP_KIB_MAX);
    }
    *out = regex;
    return 0;
}

void eval_regex_free(struct eval_regex *regex)
{
    if (regex) {
        pcre2_match_context_free(regex->limits);
        pcre2_code_free(regex->code);
        free(regex);
    }
}

/* 0 or more: a match; negative: why not, as PCRE2 has it. */
static int match(const struct eval_regex *regex, struct mx_str subject, size_t from,
                 struct mx_str groups[static EVAL_REGEX_CAPTURES])
{
    pcre2_match_data *data;
    const PCRE2_SIZE *at;
    int n = PCRE2_ERROR_NOMATCH;

    if (!regex || from > subject.n) {
        return n;
    }
    data = pcre2_match_data_create(EVAL_REGEX_CAPTURES, NULL);
    if (data) {
        n = pcre2_match(regex->code, (PCRE2_SPTR)(subject.p ? subject.p : ""), subject.n,
                        from, 0, data, regex->limits);
    }
    for (int i = 0; n >= 0 && i < EVAL_REGEX_CAPTURES; i++) {
        at = pcre2_get_ovector_pointer(data) + 2 * i;
        groups[i] = MX_STR_NONE;
        /* 0: more groups than we look at, and all of ours are set. */
        if ((n == 0 || i < n) && at[0] != PCRE2_UNSET && at[1] >= at[0]) {
            groups[i] = mx_str_sub(subject, at[0], at[1] - at[0]);
        }
    }
    pcre2_match_data_free(data);
    return n;
}

bool eval_regex_find(const struct eval_regex *regex, struct mx_str subject, size_t from,
                     struct mx_str groups[static EVAL_REGEX_CAPTURES])
{
    return match(regex, subject, from, groups) >= 0;
}

bool eval_regex_try(const struct eval_regex *regex, struct mx_str subject,
                    bool *is_limited)
{
    struct mx_str groups[EVAL_REGEX_CAPTURES];
    int n = match(regex, subject, 0, groups);

    if (n == PCRE2_ERROR_MATCHLIMIT || n == PCRE2_ERROR_DEPTHLIMIT ||
        n == PCRE2_ERROR_HEAPLIMIT || n == PCRE2_ERROR_JIT_STACKLIMIT) {
        *is_limited = true;
    }
    return n >= 0;
}

bool eval_regex_hit(const struct eval_regex *regex, struct mx_str subject)
{
    struct mx_str groups[EVAL_REGEX_CAPTURES];

    return eval_regex_find(regex, subject, 0, groups);
}
