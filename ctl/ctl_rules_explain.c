/*
 * mxdropctl rules explain: what one rule is: where it stands, what it says, what it
 * scores, whom it reads and who reads it, how it is matched, and what it costs on a
 * sample of messages.
 */
#include "ctl.h"
#include "ctl_profile.h"
#include "ctl_rules.h"
#include "ctl_scanner.h"
#include "mx_arena.h"
#include "mx_err.h"
#include "mx_mail.h"
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
    fprintf(out, "%-12s %s\n", "matched", rule.how);
    print_names(ctl, "reads", rule.reads, rule.n_reads);
    print_names(ctl, "read by", rule.read_by, rule.n_read_by);
    return 0;
}

/* ---- cost -------------------------------------------------------------------------- */

struct measuring {
    struct ctl *ctl;
    struct ctl_scanner *scanner;
    struct ctl_profile *profile;
    size_t n;
};

static int measure_one(void *user, const char *name, struct mx_str text,
                       const char *fault)
{
    struct measuring *measuring = user;
    Mxp__ScanRequest request = MXP__SCAN_REQUEST__INIT;
    char id[] = "ctl", rules[] = "rules", *only[] = {rules};
    struct ctl *ctl = measuring->ctl;
    struct mx_arena *arena;
    Mxp__ScanReply *reply;
    struct mx_err err;

    if (fault) {
        fprintf(ctl->info, "%s: %s\n", ctl_text(ctl->arena, mx_str(name)), fault);
        return 0;
    }
    request.id = id;
    request.size = text.n;
    request.only = only;
    request.n_only = 1;
    request.profile = true;
    arena = ctl_scanner_arena(measuring->scanner, text.n);
    if (ctl_scanner_run(measuring->scanner, arena, &request, text, &reply, &err) == 0) {
        ctl_profile_add(measuring->profile, reply);
        measuring->n++;
    }
    mx_arena_free(arena);
    if (ctl->is_progress)
        fprintf(ctl->info, "\r%zu scanned", measuring->n);
    return 0;
}

static void show_cost(struct ctl *ctl, const char *name,
                      const struct ctl_profile *profile)
{
    struct ctl_profile_rule cost;

    ctl_profile_rule(profile, name, &cost);
    if (cost.rank == 0)
        fprintf(ctl->out, "%-12s nothing of its own in %zu messages\n", "cost",
                cost.n_messages_all);
    else
        fprintf(ctl->out,
                "%-12s %.2f us a message, %.2f%% of the rules' time, number %zu; in %zu "
                "of %zu messages\n",
                "cost", cost.us, 100 * cost.share, cost.rank, cost.n_messages,
                cost.n_messages_all);
}

/* What the rule takes of its own on the sample, beside its part of the prefilter. */
static int measure(const struct ctl_rules *options, const char *name,
                   const char *const *dirs, struct mx_err *err)
{
    struct ctl *ctl = options->ctl;
    const struct ctl_scanner_options where = {
        .is_local = true,
        .is_for_scores = true,
        .dirs = dirs,
        .overlay = options->overlay ? options->overlay : ""};
    struct measuring measuring = {.ctl = ctl};
    char *names[] = {(char *)(uintptr_t)options->sample};
    int status;

    ctl_scanner_tell_loading(ctl, "");
    if (ctl_scanner_open(ctl, &where, &measuring.scanner, err) != 0)
        return -1;
    measuring.profile = ctl_profile_new();
    status = mx_mail_each(names, 1, measure_one, &measuring, err);
    if (ctl->is_progress)
        fputs("\n", ctl->info);
    if (status == 0 && measuring.n == 0)
        status = mx_err_set(err, MX_ERR_INPUT, "--sample %s: no message in it", names[0]);
    if (status == 0)
        show_cost(ctl, name, measuring.profile);
    ctl_profile_free(measuring.profile);
    ctl_scanner_close(measuring.scanner);
    return status;
}

int ctl_rules_explain(const struct ctl_rules *options, const char *name,
                      const char *const *dirs, struct mx_err *err)
{
    struct scan_rules *read = NULL;
    int status = scan_rules_open(dirs, options->overlay, &read, err);

    if (status == 0)
        status = show(options, name, read, err);
    scan_rules_close(read);
    if (status == 0 && options->sample)
        return measure(options, name, dirs, err);
    if (status == 0)
        fprintf(options->ctl->out, "%-12s not measured: --sample FILE|DIR\n", "cost");
    return status;
}
