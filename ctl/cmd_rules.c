/*
 * mxdropctl rules: SpamAssassin rule files as the scanner reads them. "check" lists what
 * it does not take, with file and line; "explain" says what one rule is and costs; "diff"
 * compares two sets.
 */
#include <stdlib.h>
#include <string.h>

#include "ctl.h"
#include "ctl_rules.h"
#include "ctl_scanner.h"
#include "mx_arena.h"
#include "mx_conf.h"
#include "mx_err.h"
#include "scan_rules.h"

enum { OPT_ALL = 256, OPT_OVERLAY, OPT_SAMPLE, OPT_REQUIRED, OPT_JSON };

struct rules {
    struct ctl_rules common;
    const char *verb;
    const char *args[SCAN_RULES_DIRS_MAX + 2]; /* ends with NULL */
    size_t n_args;
    unsigned given; /* options, BIT of each */
};

#define BIT(option) (1u << ((option)-OPT_ALL))

static const struct argp_option options[] = {
    {"all", OPT_ALL, NULL, 0,
     "check: rules that only lack the network, too; diff: every line", 1},
    {"overlay", OPT_OVERLAY, "FILE", 0, "Scores that are read after all rules", 1},
    {"sample", OPT_SAMPLE, "FILE|DIR", 0,
     "diff: messages that both score; explain: messages that the cost is measured on", 1},
    {"required", OPT_REQUIRED, "N", 0, "diff: the score of spam, if not as configured",
     1},
    {"json", OPT_JSON, NULL, 0, "diff: one JSON object", 1},
    CTL_OPTION_CONFIG,
    {0},
};

static void take_required(struct rules *rules, struct argp_state *state, const char *arg)
{
    char *end;

    rules->common.required = strtod(arg, &end);
    if (end == arg || *end || !(rules->common.required >= 0))
        argp_error(state, "--required: a score, 0 or more, is wanted");
}

/* How many arguments each verb has, and which options mean something to it. */
static void check_arguments(const struct rules *rules, struct argp_state *state)
{
    static const struct {
        const char *verb;
        size_t min, max;
        const char *fault;
        unsigned options;
    } verbs[] = {
        {"check", 0, SCAN_RULES_DIRS_MAX, "check: too many directories",
         BIT(OPT_ALL) | BIT(OPT_OVERLAY)},
        {"explain", 1, SCAN_RULES_DIRS_MAX + 1, "explain: which rule?",
         BIT(OPT_OVERLAY) | BIT(OPT_SAMPLE)},
        {"diff", 2, 2, "diff: which two? OLD NEW",
         BIT(OPT_ALL) | BIT(OPT_OVERLAY) | BIT(OPT_SAMPLE) | BIT(OPT_REQUIRED) |
             BIT(OPT_JSON)},
    };

    for (size_t i = 0; rules->verb && i < sizeof(verbs) / sizeof(*verbs); i++) {
        if (strcmp(rules->verb, verbs[i].verb) != 0)
            continue;
        if (rules->n_args < verbs[i].min || rules->n_args > verbs[i].max)
            argp_error(state, "%s", verbs[i].fault);
        if (rules->given & ~verbs[i].options)
            argp_error(state, "%s: an option of another verb: see --help", rules->verb);
        if (rules->common.required >= 0 && !rules->common.sample)
            argp_error(state, "--required is for the messages of a --sample");
        return;
    }
    argp_error(state, "check, explain or diff?");
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct rules *rules = state->input;

    if (key >= OPT_ALL && key <= OPT_JSON)
        rules->given |= BIT(key);
    switch (key) {
    case OPT_ALL: rules->common.is_all = true; return 0;
    case OPT_OVERLAY: rules->common.overlay = arg; return 0;
    case OPT_SAMPLE: rules->common.sample = arg; return 0;
    case OPT_REQUIRED: take_required(rules, state, arg); return 0;
    case OPT_JSON: rules->common.is_json = true; return 0;
    case ARGP_KEY_ARG:
        if (!rules->verb)
            rules->verb = arg;
        else if (rules->n_args <= SCAN_RULES_DIRS_MAX)
            rules->args[rules->n_args++] = arg;
        else
            argp_error(state, "more than %d directories", SCAN_RULES_DIRS_MAX);
        return 0;
    case ARGP_KEY_END: check_arguments(rules, state); return 0;
    default: return ctl_option(rules->common.ctl, key, arg);
    }
}

static const struct argp argp = {
    .options = options,
    .parser = parse_option,
    .args_doc = "check [DIR...]\nexplain NAME [DIR...]\ndiff OLD NEW",
    .doc = "SpamAssassin rule files as the scanner reads them.\v"
           "Without DIR: those of the configuration. check ends with 1 where anything is "
           "wrong; rules that only lack the network are counted and no fault.\n\n"
           "OLD and NEW are directories, DIR[:DIR]... in the order in which they are "
           "read, or \"current\": those of the configuration. diff shows rules that are "
           "new, gone or changed and, with --sample, whose scores move and by which "
           "rules. It ends with 3 where messages cross the required score, without "
           "--sample where rules differ, else with 0."};

/* ---- check ---- */

static void print_totals(const struct rules *rules, const struct scan_rules *read)
{
    FILE *out = rules->common.ctl->out;
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
    struct ctl *ctl = rules->common.ctl;
    size_t n_faults = 0, n = 0;

    fprintf(ctl->out, "\n");
    for (; scan_rules_problem(read, n, &problem); n++) {
        n_faults += problem.is_fault;
        if (!problem.is_fault && !rules->common.is_all)
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
    return n_faults == 0 ? 0 : mx_err_set(err, MX_ERR_INPUT, "%zu faults", n_faults);
}

/* ---- all ---- */

static int run_check(const struct rules *rules, const char *const *dirs,
                     const char *overlay, struct mx_err *err)
{
    struct scan_rules *read = NULL;
    int status = scan_rules_open(dirs, overlay, &read, err);

    if (status == 0)
        status = check(rules, read, err);
    scan_rules_close(read);
    return status;
}

/* The directories that are named, else those of the configuration with its overlay. */
static int run_dirs(struct rules *rules, struct mx_err *err)
{
    const char *configured[SCAN_RULES_DIRS_MAX + 1], *overlay = NULL;
    bool is_check = strcmp(rules->verb, "check") == 0;
    const char *const *dirs = rules->args + (is_check ? 0 : 1);
    struct mx_conf *conf = NULL;
    int status;

    if (!*dirs) {
        if (ctl_scanner_conf(rules->common.ctl, &conf, err) != 0)
            return -1;
        scan_rules_conf_dirs(conf, configured, &overlay);
        dirs = configured;
    }
    if (!rules->common.overlay)
        rules->common.overlay = overlay;
    status = is_check ? run_check(rules, dirs, rules->common.overlay, err)
                      : ctl_rules_explain(&rules->common, rules->args[0], dirs, err);
    mx_conf_free(conf);
    return status;
}

int cmd_rules(struct ctl *ctl, int argc, char **argv, struct mx_err *err)
{
    struct rules rules = {.common = {.ctl = ctl, .required = -1}};
    int status;

    argp_parse(&argp, argc, argv, 0, NULL, &rules);
    if (strcmp(rules.verb, "diff") == 0)
        status = ctl_rules_diff(&rules.common, rules.args[0], rules.args[1], err);
    else
        status = run_dirs(&rules, err);
    return status < 0 ? mx_err_wrap(err, "rules") : status;
}
