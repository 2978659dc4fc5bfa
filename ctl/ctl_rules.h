/* What the verbs of mxdropctl rules share. */
#ifndef CTL_RULES_H
#define CTL_RULES_H

#include <stdbool.h>
#include <stddef.h>

struct ctl;
struct mx_err;
struct scan_rules;

struct ctl_rules {
    struct ctl *ctl;
    bool is_all, is_json;
    const char *overlay; /* NULL: as configured */
    const char *sample;  /* messages: a file or a directory; NULL: none */
    double required;     /* score; negative: as configured */
};

#define CTL_RULES_DIFFER 3 /* exit code of rules diff */

/**
 * ctl_rules_explain(options, name, dirs, err):
 * What rule ${name} of ${dirs} (ends with NULL) is, and with a sample what it costs.
 * Fails:  no such rule, rules or sample cannot be read (-1).
 */
int ctl_rules_explain(const struct ctl_rules *options, const char *name,
                      const char *const *dirs, struct mx_err *err);

/**
 * ctl_rules_diff(options, old, new, err):
 * What differs between two sets of rules, "DIR[:DIR]..." each or "current", and with a
 * sample whose scores.
 * Returns 0, or CTL_RULES_DIFFER: rules differ, or with a sample: messages cross.
 * Fails:  rules or sample cannot be read (-1).
 */
int ctl_rules_diff(const struct ctl_rules *options, const char *old, const char *new,
                   struct mx_err *err);

#endif
