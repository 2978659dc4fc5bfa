/* A rule in words, as a rule file would have it. */
#ifndef SCAN_RULES_TEXT_H
#define SCAN_RULES_TEXT_H

#include <stddef.h>

struct mx_arena;
struct rule;
struct rule_set;

/** scan_rules_definition(arena, rule): what stands behind its kind and name. */
const char *scan_rules_definition(struct mx_arena *arena, const struct rule *rule);

/** scan_rules_flags(arena, rule): "nice net maxhits=3"; "" none. */
const char *scan_rules_flags(struct mx_arena *arena, const struct rule *rule);

/** scan_rules_how(set, index): how rule ${index} is matched or worked out. */
const char *scan_rules_how(const struct rule_set *set, size_t index);

#endif
