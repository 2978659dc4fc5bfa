/*
 * Eval functions called as rules call them, on small messages formed as real ones are.
 *
 *     static const struct eval_case cases[] = {
 *         {"check_no_relays()", "Subject: a\n\nb\n", 1},
 *     };
 *     eval_case_run("freemail_domains example.org\n", cases, 1);
 *
 * A call may have the kind of its rule in front: "rawbody image_count('all','1')".
 */
#ifndef EVAL_CASE_H
#define EVAL_CASE_H

#include "rule_files.h"

#include "rules/rule_eval.h"

#define EVAL_CASE_NOW 1735689600 /* 2025-01-01 */
#define EVAL_CASES(cases) (cases), sizeof(cases) / sizeof(*(cases))

struct eval_case {
    const char *call, *message;
    int hits;
};

/* What a rule set needs to know of the world. */
#define EVAL_CASE_WORLD                                                                  \
    "util_rb_tld com org net uk de fr\nutil_rb_2tld co.uk\n"                             \
    "trusted_networks 192.0.2.1\n"

static inline void eval_case_files(struct rule_files *files, const char *data,
                                   const struct eval_case *cases, size_t n)
{
    struct mx_buf text = {0};

    mx_buf_str(&text, EVAL_CASE_WORLD);
    mx_buf_str(&text, data);
    for (size_t i = 0; i < n; i++) {
        bool is_rawbody = strncmp(cases[i].call, "rawbody ", 8) == 0;

        mx_buf_printf(&text, "%s T%zu eval:%s\n", is_rawbody ? "rawbody" : "header", i,
                      cases[i].call + (is_rawbody ? 8 : 0));
    }
    rule_files_one(files, text.p);
    mx_buf_fini(&text);
}

static inline int eval_case_one(struct mx_arena *arena, const struct rule_set *set,
                                const struct eval_shared *shared, size_t i,
                                const struct eval_case *one)
{
    struct texts texts;
    struct text_connection unknown = {0};
    struct eval_context context = {
        .arena = arena, .set = set, .shared = shared, .texts = &texts, .bayes = 0.5};
    const struct eval_function *function;
    struct mx_err err = {0};
    char name[32];

    snprintf(name, sizeof(name), "T%zu", i);
    context.rule = rule_named(set, name);
    assert_non_null(context.rule);
    if (rule_eval_check(context.rule, &err)) {
        fail_msg("%s: %s", one->call, err.text);
    }
    assert_int_equal(
        texts_form(arena, &set->text, mx_str(one->message), &unknown, &texts, &err), 0);
    texts.now_s = EVAL_CASE_NOW;
    function = rule_eval_find(context.rule->function);
    return function->run(&context, context.rule->args, context.rule->n_args);
}

/* Every case with ${data}, lines of a rule file. */
static inline void eval_case_run(const char *data, const struct eval_case *cases,
                                 size_t n)
{
    struct rule_files files;
    struct eval_shared *shared;
    struct mx_arena *arena = mx_arena_new((size_t)64 << 20);

    eval_case_files(&files, data, cases, n);
    shared = eval_shared_new(files.set);
    for (size_t i = 0; i < n; i++) {
        int hits = eval_case_one(arena, files.set, shared, i, &cases[i]);

        if (hits != cases[i].hits) {
            fail_msg("%s is %d, not %d, for:\n%s", cases[i].call, hits, cases[i].hits,
                     cases[i].message);
        }
        mx_arena_reset(arena);
    }
    eval_shared_free(shared);
    mx_arena_free(arena);
    rule_files_free(&files);
}

#endif
