/* The patterns of a regex map; only policy_map.c uses this. */
#ifndef POLICY_MAP_REGEX_H
#define POLICY_MAP_REGEX_H

#include "mx_str.h"
#include "policy_map.h"

struct mx_err;
struct policy_map_regex;

/**
 * policy_map_regex_new(room):
 * An empty list for at most ${room} patterns.
 * Owner:  policy_map_regex_free.
 */
struct policy_map_regex *policy_map_regex_new(size_t room);
void policy_map_regex_free(struct policy_map_regex *list);

/**
 * policy_map_regex_add(list, line, out_value, err):
 * Compile the pattern that ${line} begins with; what is behind it is ${out_value}.
 * Fails:  syntax (-1).
 */
int policy_map_regex_add(struct policy_map_regex *list, struct mx_str line,
                         struct mx_str *out_value, struct mx_err *err);

/** policy_map_regex_find(list, text, out): index of the first pattern that matches. */
enum policy_map_result policy_map_regex_find(const struct policy_map_regex *list,
                                             struct mx_str text, size_t *out);

#endif
