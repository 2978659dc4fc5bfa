/*
 * mxdropctl rules explain: what one rule is: where it stands, what it says, what it
 * scores, whom it reads and who reads it.
 */
#include "ctl.h"
#include "ctl_rules.h"
#include "mx_arena.h"
#include "mx_err.h"
#include "scan_rules.h"

static void print_names(struct ctl *ctl, const char *label, const struct mx_str *names,
                        size_t n)
{
    if (n == 0)
        return;
    fprintf(ctl->out, "%-12s", label);
    for (size_t i = 0; i < n; i++)
        fprintf(ctl->out, " %s", ctl_text(ctl->arena, names[i]));
    fprintf(ctl->out, "\n");
}

/* Definitions come from rule files: long ones are cut, and none reaches a terminal raw.
 */
static void print_definition(struct ctl *ctl, const char *definition)
{
    struct mx_str rest = mx_str(definition);
    size_t n = rest.n;

    fprintf(ctl->out, "%-12s ", "definition");
    rest = mx_str_sub(rest, 0, SCAN_RULES_DEFINITION_MAX);
    while (rest.n > 0) {
        fputs(ctl_text(ctl->arena, mx_str_sub(rest, 0, 500)), ctl->out);
        rest = mx_str_sub(rest, 500, rest.n);
    }
    if (n > SCAN_RULES_DEFINITION_MAX)
        fprintf(ctl->out, "... (%zu bytes)", n);
    fprintf(ctl->out, "\n");
}

static int show(const struct ctl_rules *options, const char *name,
                const struct scan_rules *read, struct mx_err *err)
{
    struct ctl *ctl = options->ctl;
    struct scan_rules_rule rule;
    FILE *out = ctl->out;

    if (!scan_rules_find(read, ctl->arena, mx_str(name), &rule))
        return mx_err_set(err, MX_ERR_INPUT, "no rule %s", name);
    fprintf(out, "%s: %s\n", ctl_text(ctl->arena, rule.name), rule.kind);
    fprintf(out, "%-12s %s:%u\n", "defined", ctl_text(ctl->arena, rule.file), rule.line);
    if (rule.description.n > 0)
        fprintf(out, "%-12s %s\n", "means", ctl_text(ctl->arena, rule.description));
    print_definition(ctl, rule.definition);
    fprintf(out, "%-12s %g %g %g %g%s%s\n", "scores", rule.scores[0], rule.scores[1],
            rule.scores[2], rule.scores[3], rule.has_score ? "" : " (default)",
            rule.is_active ? "" : "; not run in set 0");
    if (*rule.flags)
        fprintf(out, "%-12s %s\n", "flags", rule.flags);
    if (rule.priority != 0)
        fprintf(out, "%-12s %d\n", "priority", rule.priority);
    if (*rule.judge)
        fprintf(out, "%-12s %s\n", "judged by", rule.judge);
    print_names(ctl, "reads", rule.reads, rule.n_reads);
    print_names(ctl, "read by", rule.read_by, rule.n_read_by);
    return 0;
}

int ctl_rules_explain(const struct ctl_rules *options, const char *name,
                      const char *const *dirs, struct mx_err *err)
{
    struct scan_rules *read = NULL;
    int status = scan_rules_open(dirs, options->overlay, &read, err);

    if (status == 0)
        status = show(options, name, read, err);
    scan_rules_close(read);
    return status;
}
