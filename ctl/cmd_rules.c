/*
 * mxdropctl rules: SpamAssassin rule files as the scanner reads them. "check" lists what
 * it does not take, with file and line; "explain" says what one rule is.
 */
#include <string.h>

#include "ctl.h"
#include "mx_arena.h"
#include "mx_err.h"
#include "scan_rules.h"

#define DIRS_MAX 64
#define DEFINITION_MAX 2000 /* bytes shown of a definition */

enum { OPT_ALL = 256, OPT_OVERLAY };

struct rules {
    struct ctl *ctl;
    bool is_all;
    const char *overlay;
    const char *verb;
    const char *args[DIRS_MAX + 2]; /* ends with NULL */
    size_t n_args;
};

static const struct argp_option options[] = {
    {"all", OPT_ALL, NULL, 0, "check: rules that only lack the network, too", 1},
    {"overlay", OPT_OVERLAY, "FILE", 0, "Scores that are read after all rules", 1},
    CTL_OPTION_CONFIG,
    {0},
};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct rules *rules = state->input;

    switch (key) {
    case OPT_ALL: rules->is_all = true; return 0;
    case OPT_OVERLAY: rules->overlay = arg; return 0;
    case ARGP_KEY_ARG:
        if (!rules->verb)
            rules->verb = arg;
        else if (rules->n_args <= DIRS_MAX)
            rules->args[rules->n_args++] = arg;
        else
            argp_error(state, "more than %d directories", DIRS_MAX);
        return 0;
    case ARGP_KEY_END:
        if (!rules->verb ||
            (strcmp(rules->verb, "check") != 0 && strcmp(rules->verb, "explain") != 0))
            argp_error(state, "check or explain?");
        if (strcmp(rules->verb, "explain") == 0 && rules->n_args == 0)
            argp_error(state, "explain: which rule?");
        return 0;
    default: return ctl_option(rules->ctl, key, arg);
    }
}

static const struct argp argp = {
    .options = options,
    .parser = parse_option,
    .args_doc = "check [DIR...]\nexplain NAME [DIR...]",
    .doc = "SpamAssassin rule files as the scanner reads them.\v"
           "Without DIR: those of the update channel, or of the package, and the site's. "
           "check ends with 1 where anything is wrong; rules that only lack the network "
           "are counted and no fault."};

/* ---- check ---- */

static void print_totals(const struct rules *rules, const struct scan_rules *read)
{
    FILE *out = rules->ctl->out;
    struct scan_rules_totals totals;
    struct scan_rules_kind kind;

    scan_rules_totals(read, &totals);
    fprintf(out, "%zu files, %zu lines, %zu rules, %zu lists, required score %g\n",
            totals.n_files, totals.n_lines, totals.n_rules, totals.n_lists,
            totals.required_score);
    fprintf(out, "%zu lines set what is not ours (reports, learning, databases)\n\n",
            totals.n_ignored);
    fprintf(out, "%-14s %7s %7s %9s\n", "kind", "rules", "scored", "sub-rules");
    for (size_t i = 0; scan_rules_kind(read, i, &kind); i++) {
        if (kind.n > 0)
            fprintf(out, "%-14s %7zu %7zu %9zu\n", kind.name, kind.n, kind.n_scored,
                    kind.n_subrules);
    }
}

/* Prints problems; how many are faults. */
static size_t print_problems(const struct rules *rules, const struct scan_rules *read)
{
    struct scan_rules_totals totals;
    struct scan_rules_problem problem;
    struct ctl *ctl = rules->ctl;
    size_t n_faults = 0, n = 0;

    fprintf(ctl->out, "\n");
    for (; scan_rules_problem(read, n, &problem); n++) {
        n_faults += problem.is_fault;
        if (!problem.is_fault && !rules->is_all)
            continue;
        fprintf(ctl->out, "%s:%u: %s: %s: %s\n", ctl_text(ctl->arena, problem.file),
                problem.line, ctl_text(ctl->arena, problem.about), problem.kind,
                ctl_text(ctl->arena, problem.text));
    }
    scan_rules_totals(read, &totals);
    if (totals.n_problems > n)
        fprintf(ctl->out, "... and %zu more\n", totals.n_problems - n);
    fprintf(ctl->out, "%zu faults, %zu rules idle without the network\n",
            n_faults + totals.n_problems - n, n - n_faults);
    return n_faults + totals.n_problems - n;
}

static int check(const struct rules *rules, const struct scan_rules *read,
                 struct mx_err *err)
{
    size_t n_faults;

    print_totals(rules, read);
    n_faults = print_problems(rules, read);
    return n_faults == 0 ? 0
                         : mx_err_set(err, MX_ERR_INPUT, "rules: %zu faults", n_faults);
}

/* ---- explain ---- */

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
    rest = mx_str_sub(rest, 0, DEFINITION_MAX);
    while (rest.n > 0) {
        fputs(ctl_text(ctl->arena, mx_str_sub(rest, 0, 500)), ctl->out);
        rest = mx_str_sub(rest, 500, rest.n);
    }
    if (n > DEFINITION_MAX)
        fprintf(ctl->out, "... (%zu bytes)", n);
    fprintf(ctl->out, "\n");
}

static int explain(const struct rules *rules, const struct scan_rules *read,
                   struct mx_err *err)
{
    struct ctl *ctl = rules->ctl;
    struct scan_rules_rule rule;
    FILE *out = ctl->out;

    if (!scan_rules_find(read, ctl->arena, mx_str(rules->args[0]), &rule))
        return mx_err_set(err, MX_ERR_INPUT, "rules: no rule %s", rules->args[0]);
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

int cmd_rules(struct ctl *ctl, int argc, char **argv, struct mx_err *err)
{
    struct rules rules = {.ctl = ctl};
    struct scan_rules *read = NULL;
    const char *standard[3];
    const char *const *dirs;
    bool is_check;
    int rc;

    argp_parse(&argp, argc, argv, 0, NULL, &rules);
    is_check = strcmp(rules.verb, "check") == 0;
    dirs = rules.args + (is_check ? 0 : 1);
    if (!*dirs) {
        scan_rules_default_dirs(standard);
        dirs = standard;
    }
    if (scan_rules_open(dirs, rules.overlay, &read, err))
        return mx_err_wrap(err, "rules");
    rc = is_check ? check(&rules, read, err) : explain(&rules, read, err);
    scan_rules_close(read);
    return rc;
}
