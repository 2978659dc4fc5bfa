/*
 * A rule set as everyone else sees it: lookups, words for people, the digest. It is
 * immutable once rule_set_read has returned it, so workers and threads share it.
 */
#include "rule_set.h"

#include <string.h>

#include "mx_arena.h"

#include "rule_names.h"
#include "rule_read.h"
#include "text/text_uri_redirect.h"

#define FNV_OFFSET 14695981039346656037u /* FNV-1a, 64 bits */
#define FNV_PRIME 1099511628211u

void rule_set_free(struct rule_set *set)
{
    if (set) {
        text_redirectors_free(set->text.lists.redirectors);
        rule_names_free(set->names);
        rule_names_free(set->list_names);
        mx_arena_free(set->arena);
    }
}

ptrdiff_t rule_set_find(const struct rule_set *set, struct mx_str name)
{
    return rule_names_find(set->names, name);
}

const struct rule_list *rule_list_find(const struct rule_set *set, const char *directive,
                                       struct mx_str name)
{
    for (size_t i = 0; i < set->n_lists; i++) {
        if (mx_str_eq(set->lists[i].directive, mx_str(directive)) &&
            mx_str_eq(set->lists[i].name, name)) {
            return &set->lists[i];
        }
    }
    return NULL;
}

static bool is_eval(const struct rule *rule)
{
    return rule->kind == RULE_HEADER_EVAL || rule->kind == RULE_BODY_EVAL ||
           rule->kind == RULE_RAWBODY_EVAL || rule->kind == RULE_FULL_EVAL ||
           rule->kind == RULE_RBL_EVAL;
}

bool rule_is_active(const struct rule *rule, unsigned score_set)
{
    if (rule->scores[score_set & 3] == 0) {
        return false;
    }
    if (!is_eval(rule)) {
        return true;
    }
    return !((rule->flags & RULE_NET) && !(score_set & 1)) &&
           !((rule->flags & RULE_LEARN) && !(score_set & 2));
}

const char *rule_kind_text(enum rule_kind kind)
{
    switch (kind) {
    case RULE_EMPTY: return "empty";
    case RULE_HEADER: return "header";
    case RULE_HEADER_EXISTS: return "header exists";
    case RULE_BODY: return "body";
    case RULE_RAWBODY: return "rawbody";
    case RULE_URI: return "uri";
    case RULE_FULL: return "full";
    case RULE_MIMEHEADER: return "mimeheader";
    case RULE_META: return "meta";
    case RULE_HEADER_EVAL: return "header eval";
    case RULE_BODY_EVAL: return "body eval";
    case RULE_RAWBODY_EVAL: return "rawbody eval";
    case RULE_FULL_EVAL: return "full eval";
    case RULE_RBL_EVAL: return "rbl eval";
    }
    return "?";
}

const char *rule_problem_text(enum rule_problem_kind kind)
{
    switch (kind) {
    case RULE_PROBLEM_UNKNOWN_DIRECTIVE: return "unknown directive";
    case RULE_PROBLEM_SYNTAX: return "syntax";
    case RULE_PROBLEM_PATTERN: return "pattern";
    case RULE_PROBLEM_UNKNOWN_EVAL: return "unknown eval function";
    case RULE_PROBLEM_NEEDS_NETWORK: return "needs network";
    case RULE_PROBLEM_META: return "meta";
    case RULE_PROBLEM_LIMIT: return "limit";
    }
    return "?";
}

static uint64_t mix(uint64_t hash, const void *p, size_t n)
{
    const unsigned char *bytes = p;

    for (size_t i = 0; i < n; i++) {
        hash = (hash ^ bytes[i]) * FNV_PRIME;
    }
    return hash;
}

/* With its length, so that "ab" "c" and "a" "bc" differ. */
static uint64_t mix_str(uint64_t hash, struct mx_str s)
{
    uint64_t n = s.n;

    return mix(mix(hash, &n, sizeof(n)), s.p, s.n);
}

uint64_t rule_set_digest(const struct rule_set *set)
{
    uint64_t hash = FNV_OFFSET;

    for (size_t i = 0; i < set->n_rules; i++) {
        const struct rule *rule = &set->rules[i];
        uint32_t numbers[] = {(uint32_t)rule->kind, rule->flags, rule->max_hits,
                              rule->part_from, rule->part_to};

        hash = mix_str(hash, rule->name);
        hash = mix(hash, numbers, sizeof(numbers));
        hash = mix(hash, rule->scores, sizeof(rule->scores));
        hash = mix_str(hash, rule->selector);
        hash = mix_str(hash, rule->pattern);
        hash = mix_str(hash, rule->if_unset);
    }
    return hash;
}
