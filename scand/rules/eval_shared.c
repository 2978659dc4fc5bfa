/*
 * Prepared once for a rule set: the fixed patterns, the pattern arguments of rules, the
 * lists that functions look words up in. Nothing here changes afterwards.
 */
#include "eval_shared.h"

#include <stdlib.h>

#include "mx_arena.h"
#include "mx_err.h"

#include "eval_uri_detail.h"
#include "eval_util.h"

#define SHARED_BYTES_MAX ((size_t)1 << 30) /* lists are bounded by the reader */

/* Directives whose words are looked up; others are only read in order. */
static const char *const hashed[] = {
    "freemail_domains",
    "freemail_welcomelist",
    "enlist_uri_host",
    "enlist_addrlist",
    "welcomelist_from",
    "welcomelist_to",
    "blocklist_from",
    "blocklist_to",
    "more_spam_to",
    "all_spam_to",
    "welcomelist_auth",
    "def_welcomelist_auth",
    "welcomelist_subject",
    "blocklist_subject",
    "util_rb_tld",
    "welcomelist_allows_relays",
    "welcomelist_bounce_relays",
};

struct eval_shared {
    const struct rule_set *set;
    struct mx_arena *arena;
    struct eval_regex *fixed[EVAL_PATTERNS];
    struct eval_regex **arguments;        /* by rule */
    struct eval_uri_detail **uri_details; /* by rule */
    struct eval_words **words;            /* by list */
};

static bool is_eval(const struct rule *rule)
{
    return rule->kind == RULE_HEADER_EVAL || rule->kind == RULE_BODY_EVAL ||
           rule->kind == RULE_RAWBODY_EVAL || rule->kind == RULE_FULL_EVAL;
}

static unsigned pattern_flags(const struct eval_function *function)
{
    return mx_str_starts(mx_str(function->name), MX_STR("html_")) ? EVAL_REGEX_WIDE : 0;
}

/* The pattern argument of ${rule}; leaves ${out} alone where it has none. */
static int compile_argument(const struct rule *rule, struct eval_regex **out,
                            struct mx_err *err)
{
    const struct eval_function *function = rule_eval_find(rule->function);

    if (!function || function->pattern == 0 || rule->n_args < function->pattern) {
        return 0;
    }
    return eval_regex_new(rule->args[function->pattern - 1], pattern_flags(function), out,
                          err);
}

int rule_eval_check(const struct rule *rule, struct mx_err *err)
{
    const struct eval_function *function = rule_eval_find(rule->function);
    struct eval_regex *regex = NULL;
    int rc;

    if (!function) {
        return mx_err_set(err, MX_ERR_INPUT, "no eval function %.*s",
                          MX_STR_FMT(rule->function));
    }
    if (rule->n_args < function->min_args) {
        return mx_err_set(err, MX_ERR_INPUT, "%s needs %u arguments", function->name,
                          function->min_args);
    }
    if (eval_is_uri_detail(rule)) {
        struct eval_uri_detail *detail = NULL;

        rc = eval_uri_detail_new(rule, &detail, err);
        eval_uri_detail_free(detail);
        return rc;
    }
    rc = compile_argument(rule, &regex, err);
    eval_regex_free(regex);
    return rc;
}

static void compile_patterns(struct eval_shared *shared)
{
    struct mx_err unused;

    for (unsigned i = 0; i < EVAL_PATTERNS; i++) {
        const struct eval_pattern_row *row = eval_pattern_row(i);

        /* Ours all compile: a unit test sees to it. */
        if (eval_regex_new(mx_str(row->text), row->flags, &shared->fixed[i], &unused)) {
            shared->fixed[i] = NULL;
        }
    }
    for (size_t i = 0; i < shared->set->n_rules; i++) {
        const struct rule *rule = &shared->set->rules[i];

        /* What does not compile was reported by rule_eval_check, and never matches. */
        if (is_eval(rule) && compile_argument(rule, &shared->arguments[i], &unused)) {
            shared->arguments[i] = NULL;
        }
        if (eval_is_uri_detail(rule) &&
            eval_uri_detail_new(rule, &shared->uri_details[i], &unused)) {
            shared->uri_details[i] = NULL;
        }
    }
}

static void hash_lists(struct eval_shared *shared)
{
    for (size_t i = 0; i < shared->set->n_lists; i++) {
        const struct rule_list *list = &shared->set->lists[i];

        for (size_t j = 0; j < sizeof(hashed) / sizeof(*hashed); j++) {
            if (mx_str_eq(list->directive, mx_str(hashed[j]))) {
                shared->words[i] = eval_words_new(shared->arena, list);
            }
        }
    }
}

struct eval_shared *eval_shared_new(const struct rule_set *set)
{
    struct mx_arena *arena = mx_arena_new(SHARED_BYTES_MAX);
    struct eval_shared *shared = mx_arena_alloc(arena, sizeof(*shared));

    shared->set = set;
    shared->arena = arena;
    shared->arguments =
        mx_arena_array(arena, set->n_rules + 1, sizeof(*shared->arguments));
    shared->uri_details =
        mx_arena_array(arena, set->n_rules + 1, sizeof(*shared->uri_details));
    shared->words = mx_arena_array(arena, set->n_lists + 1, sizeof(*shared->words));
    compile_patterns(shared);
    hash_lists(shared);
    return shared;
}

void eval_shared_free(struct eval_shared *shared)
{
    if (!shared) {
        return;
    }
    for (unsigned i = 0; i < EVAL_PATTERNS; i++) {
        eval_regex_free(shared->fixed[i]);
    }
    for (size_t i = 0; i < shared->set->n_rules; i++) {
        eval_regex_free(shared->arguments[i]);
        eval_uri_detail_free(shared->uri_details[i]);
    }
    for (size_t i = 0; i < shared->set->n_lists; i++) {
        eval_words_free(shared->words[i]);
    }
    mx_arena_free(shared->arena);
}

const struct eval_regex *eval_shared_fixed(const struct eval_shared *shared,
                                           enum eval_pattern pattern)
{
    return shared->fixed[pattern];
}

const struct eval_regex *eval_shared_argument(const struct eval_context *context)
{
    return context->shared->arguments[context->rule - context->set->rules];
}

bool eval_argument_hit(struct eval_context *context, const struct eval_regex *regex,
                       struct mx_str subject)
{
    return !context->is_limited && eval_regex_try(regex, subject, &context->is_limited);
}

const struct eval_uri_detail *eval_shared_uri_detail(const struct eval_context *context)
{
    return context->shared->uri_details[context->rule - context->set->rules];
}

const struct eval_words *eval_shared_words(const struct eval_shared *shared,
                                           const char *directive, struct mx_str name)
{
    const struct rule_list *list = rule_list_find(shared->set, directive, name);

    return list ? shared->words[list - shared->set->lists] : NULL;
}

double eval_shared_number(const struct eval_shared *shared, const char *directive,
                          double missing)
{
    const struct rule_list *list = rule_list_find(shared->set, directive, MX_STR(""));

    if (!list || list->entries.n == 0) {
        return missing;
    }
    return eval_number(list->entries.v[list->entries.n - 1]);
}
