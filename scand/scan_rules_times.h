/* Where the time of the rules detector goes, for those who ask. */
#ifndef SCAN_RULES_TIMES_H
#define SCAN_RULES_TIMES_H

struct rule_set;
struct rule_times;
struct scan_result;
struct text_times;

/**
 * scan_rules_times(set, texts, rules, result):
 * Tell stages, and each rule that took time, as scan_spent.
 * Owner:  names are copied to the arena of ${result}.
 */
void scan_rules_times(const struct rule_set *set, const struct text_times *texts,
                      const struct rule_times *rules, struct scan_result *result);

#endif
