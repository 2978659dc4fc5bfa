/*
 * Two rule sets, rule by rule and by name. Rules that a score or description declares and
 * nothing defines are none. That a rule stands in another file, or has another
 * description, is no change: it hits and scores as before.
 */
#include "scan_rules.h"

#include <string.h>

#include "mx_arena.h"
#include "rules/rule_set.h"
#include "scan_rules_text.h"

static const struct rule *find(const struct rule_set *set, struct mx_str name)
{
    ptrdiff_t at = rule_set_find(set, name);
    return at >= 0 && set->rules[at].kind != RULE_EMPTY ? &set->rules[at] : NULL;
}

static bool has_same_args(const struct rule *a, const struct rule *b)
{
    if (a->n_args != b->n_args)
        return false;
    for (size_t i = 0; i < a->n_args; i++)
        if (!mx_str_eq(a->args[i], b->args[i]))
            return false;
    return true;
}

static bool is_redefined(const struct rule *a, const struct rule *b)
{
    return a->kind != b->kind || a->flags != b->flags || a->max_hits != b->max_hits ||
           a->priority != b->priority || a->has_if_unset != b->has_if_unset ||
           !mx_str_eq(a->selector, b->selector) || !mx_str_eq(a->pattern, b->pattern) ||
           !mx_str_eq(a->if_unset, b->if_unset) || !mx_str_eq(a->function, b->function) ||
           !has_same_args(a, b) || !mx_str_eq(a->expression, b->expression);
}

/* Only scores that count: a sub-rule has none. */
static bool is_rescored(const struct rule *a, const struct rule *b)
{
    return !(a->flags & b->flags & RULE_SUBRULE) &&
           memcmp(a->scores, b->scores, sizeof(a->scores)) != 0;
}

static struct scan_rules_side side_of(struct mx_arena *arena, const struct rule *rule)
{
    struct scan_rules_side side = {.scores = {0}};
    if (rule == NULL)
        return side;
    const char *flags = scan_rules_flags(arena, rule);
    side.definition = mx_arena_printf(
        arena, "%s %.*s%s%s", rule_kind_text(rule->kind), SCAN_RULES_DEFINITION_MAX,
        scan_rules_definition(arena, rule), *flags ? "; tflags " : "", flags);
    side.is_subrule = (rule->flags & RULE_SUBRULE) != 0;
    memcpy(side.scores, rule->scores, sizeof(side.scores));
    side.file = rule->file;
    side.line = rule->line;
    return side;
}

static struct scan_rules_change change_of(struct mx_arena *arena, struct mx_str name,
                                          const struct rule *old, const struct rule *now)
{
    bool is_both = old != NULL && now != NULL;
    return (struct scan_rules_change){
        .name = name,
        .old = side_of(arena, old),
        .now = side_of(arena, now),
        .is_redefined = is_both && is_redefined(old, now),
        .is_rescored = is_both && is_rescored(old, now),
    };
}

size_t scan_rules_diff(const struct scan_rules *old_rules,
                       const struct scan_rules *new_rules, struct mx_arena *arena,
                       const struct scan_rules_change **out)
{
    const struct rule_set *old = scan_rules_set(old_rules);
    const struct rule_set *now = scan_rules_set(new_rules);
    struct scan_rules_change *changes =
        mx_arena_array(arena, old->n_rules + now->n_rules + 1, sizeof(*changes));
    size_t n = 0;
    for (size_t i = 0; i < now->n_rules; i++) {
        struct mx_str name = now->rules[i].name;
        const struct rule *a = find(old, name), *b = find(now, name);
        if (b != NULL && (a == NULL || is_redefined(a, b) || is_rescored(a, b)))
            changes[n++] = change_of(arena, name, a, b);
    }
    for (size_t i = 0; i < old->n_rules; i++) {
        struct mx_str name = old->rules[i].name;
        if (find(old, name) != NULL && find(now, name) == NULL)
            changes[n++] = change_of(arena, name, find(old, name), NULL);
    }
    *out = changes;
    return n;
}
