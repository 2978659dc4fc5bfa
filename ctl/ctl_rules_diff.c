/*
 * mxdropctl rules diff: two sets of rules side by side, as files and, with a sample, as
 * scores. The sample is scored as a scanner's trial of new rules does it: by every
 * detector that is configured but clamav, with the scores of the configuration.
 */
#include <math.h>
#include <string.h>

#include "ctl.h"
#include "ctl_rules.h"
#include "ctl_scanner.h"
#include "mx_arena.h"
#include "mx_conf.h"
#include "mx_err.h"
#include "mx_mail.h"
#include "mx_time.h"
#include "scan_compare.h"
#include "scan_rules.h"

#define CURRENT "current"              /* the name of what is configured */
#define ARENA_MAX ((size_t)512 << 20)  /* bytes: scores of a sample, twice; its texts */
#define SHOWN_MAX 20                   /* of a table, without --all */
#define SHOWN_HITS_MAX 4               /* of a line */
#define SHOWN_DEFINITION ((size_t)500) /* octets of a definition */

struct diff {
    const struct ctl_rules *options;
    struct ctl *ctl;
    struct mx_arena *arena;
    struct mx_conf *conf;
    const char *names[2]; /* old, new */
    const char *const *dirs[2];
    const char *overlay;         /* of both; NULL: none */
    struct scan_rules *rules[2]; /* as they are read */
    const struct scan_rules_change *changes;
    size_t n_changes, n_new, n_gone;
    struct ctl_scanner *scanner;
    struct scan_sample samples[2];
    struct scan_sample *sample; /* that is being scored */
    int64_t now_ms;             /* one clock for both */
    double required;
    size_t n_failed, n_degraded;
    struct scan_comparison all;
};

/* ---- rules ------------------------------------------------------------------------- */

/* Directories that are named, or those of the configuration. The score file of the
   configuration belongs to its rules and to what is to replace them; two sets that are
   both named are compared as they are. */
static void choose_rules(struct diff *diff)
{
    const char **configured =
        mx_arena_array(diff->arena, SCAN_RULES_DIRS_MAX + 1, sizeof(*configured));
    bool has_current = false;

    scan_rules_conf_dirs(diff->conf, configured, &diff->overlay);
    for (size_t side = 0; side < 2; side++) {
        bool is_current = strcmp(diff->names[side], CURRENT) == 0;

        has_current |= is_current;
        diff->dirs[side] =
            is_current ? configured : ctl_scanner_dirs(diff->arena, diff->names[side]);
    }
    if (!has_current)
        diff->overlay = NULL;
    if (diff->options->overlay)
        diff->overlay = diff->options->overlay;
}

static int read_rules(struct diff *diff, size_t side, struct mx_err *err)
{
    if (scan_rules_open(diff->dirs[side], diff->overlay, &diff->rules[side], err) != 0)
        return mx_err_wrap(err, "%s", diff->names[side]);
    return 0;
}

static void count_changes(struct diff *diff)
{
    diff->n_changes =
        scan_rules_diff(diff->rules[0], diff->rules[1], diff->arena, &diff->changes);
    for (size_t i = 0; i < diff->n_changes; i++) {
        diff->n_new += !diff->changes[i].old.definition;
        diff->n_gone += !diff->changes[i].now.definition;
    }
}

/* ---- scores ------------------------------------------------------------------------ */

static void tell_progress(const struct diff *diff)
{
    if (diff->ctl->is_progress)
        fprintf(diff->ctl->info, "\r%s: %zu scored",
                diff->sample == &diff->samples[0] ? "old" : "new", diff->sample->n);
}

static int score_one(void *user, const char *name, struct mx_str text, const char *fault)
{
    struct diff *diff = user;
    Mxp__ScanRequest request = MXP__SCAN_REQUEST__INIT;
    struct mx_arena *arena;
    Mxp__ScanReply *reply;
    struct mx_err err;

    if (fault) {
        diff->n_failed += diff->sample == &diff->samples[0]; /* once for both */
        fprintf(diff->ctl->info, "%s: %s\n", ctl_text(diff->arena, mx_str(name)), fault);
        return 0;
    }
    request.id = (char *)(uintptr_t) "ctl";
    request.size = text.n;
    request.received_at_ms = diff->now_ms;
    arena = ctl_scanner_arena(diff->scanner, text.n);
    if (ctl_scanner_run(diff->scanner, arena, &request, text, &reply, &err) == 0) {
        scan_sample_add(diff->sample, name, reply);
        diff->n_degraded += reply->n_degraded > 0;
        if (diff->options->required < 0)
            diff->required = reply->required;
    }
    mx_arena_free(arena);
    tell_progress(diff);
    return 0;
}

static int score_side(struct diff *diff, size_t side, struct mx_err *err)
{
    const struct ctl_scanner_options where = {.is_local = true,
                                              .is_for_scores = true,
                                              .dirs = diff->dirs[side],
                                              .overlay =
                                                  diff->overlay ? diff->overlay : ""};
    char *names[] = {(char *)(uintptr_t)diff->options->sample};
    int status;

    ctl_scanner_tell_loading(diff->ctl, side == 0 ? "old: " : "new: ");
    if (ctl_scanner_open(diff->ctl, &where, &diff->scanner, err) != 0)
        return -1;
    diff->sample = &diff->samples[side];
    diff->sample->arena = diff->arena;
    status = mx_mail_each(names, 1, score_one, diff, err);
    ctl_scanner_close(diff->scanner);
    if (diff->ctl->is_progress)
        fputs("\n", diff->ctl->info);
    if (status == 0 && diff->sample->n == 0)
        status = mx_err_set(err, MX_ERR_INPUT, "--sample %s: no message in it", names[0]);
    return status;
}

static int score(struct diff *diff, struct mx_err *err)
{
    diff->now_ms = mx_wall_ms(&mx_clock_real);
    diff->required = diff->options->required;
    if (score_side(diff, 0, err) != 0 || score_side(diff, 1, err) != 0)
        return -1;
    if (diff->n_degraded > 0)
        fprintf(diff->ctl->info, "%zu of %zu scores lack a detector or came too late\n",
                diff->n_degraded, diff->samples[0].n + diff->samples[1].n);
    scan_compare(diff->arena, &diff->samples[0], &diff->samples[1], diff->required,
                 &diff->all);
    return 0;
}

/* ---- for people -------------------------------------------------------------------- */

/* "1.5", or all four where the score sets differ. */
static const char *scores(struct diff *diff, const struct scan_rules_side *side)
{
    const double *s = side->scores;

    if (side->is_subrule)
        return "sub-rule";
    if (s[0] == s[1] && s[0] == s[2] && s[0] == s[3])
        return mx_arena_printf(diff->arena, "%g", s[0]);
    return mx_arena_printf(diff->arena, "%g %g %g %g", s[0], s[1], s[2], s[3]);
}

static const char *definition(struct diff *diff, const struct scan_rules_side *side)
{
    return ctl_text(diff->arena,
                    mx_str_sub(mx_str(side->definition), 0, SHOWN_DEFINITION));
}

static void show_change(struct diff *diff, const struct scan_rules_change *change)
{
    FILE *out = diff->ctl->out;
    const struct scan_rules_side *old = &change->old, *now = &change->now;
    const struct scan_rules_side *one = now->definition ? now : old;
    const char *name = ctl_text(diff->arena, change->name);
    const char *file = ctl_text(diff->arena, one->file);

    if (!old->definition || !now->definition) {
        fprintf(out, "%c %s  %s  %s:%u\n    %s\n", now->definition ? '+' : '-', name,
                scores(diff, one), file, one->line, definition(diff, one));
        return;
    }
    fprintf(out, "~ %s  %s", name, scores(diff, old));
    if (change->is_rescored)
        fprintf(out, " -> %s", scores(diff, now));
    fprintf(out, "  %s:%u\n", file, now->line);
    if (change->is_redefined)
        fprintf(out, "  - %s\n  + %s\n", definition(diff, old), definition(diff, now));
}

static void show_rest(struct diff *diff, size_t n, size_t shown)
{
    if (n > shown)
        fprintf(diff->ctl->out, "  ... and %zu more (--all)\n", n - shown);
}

static size_t shown(const struct diff *diff, size_t n)
{
    return n > SHOWN_MAX && !diff->options->is_all ? SHOWN_MAX : n;
}

static void show_message(struct diff *diff, const struct scan_shift *shift)
{
    FILE *out = diff->ctl->out;
    const char *glue = "  ";

    fprintf(out, "  %8.2f %8.2f  %-5s %s", shift->before, shift->after,
            shift->is_new_spam  ? "SPAM"
            : shift->is_new_ham ? "ham"
                                : "",
            ctl_text(diff->arena, mx_str(shift->name)));
    for (size_t i = 0; i < shift->n_hits && i < SHOWN_HITS_MAX; i++) {
        fprintf(out, "%s%s %+g", glue,
                ctl_text(diff->arena, mx_str(shift->hits[i].symbol)),
                round((shift->hits[i].after - shift->hits[i].before) * 1e4) / 1e4);
        glue = ", ";
    }
    fputs(shift->n_hits > SHOWN_HITS_MAX ? ", ...\n" : "\n", out);
}

static void show_scores(struct diff *diff)
{
    FILE *out = diff->ctl->out;
    const struct scan_comparison *all = &diff->all;
    size_t n = shown(diff, all->n_symbols);

    fprintf(
        out,
        "\n%zu messages, required score %g: %zu moved, %zu are spam now, %zu no more\n"
        "scores move by %.3f on average, by %.2f at most\n",
        all->n, all->required, all->n_moved, all->n_new_spam, all->n_new_ham,
        all->mean_shift, all->max_shift);
    if (n > 0)
        fprintf(out, "\n  %8s %8s  %s\n", "messages", "sum", "symbol");
    for (size_t i = 0; i < n; i++)
        fprintf(out, "  %8zu %+8.2f  %s\n", all->symbols[i].n, all->symbols[i].sum,
                ctl_text(diff->arena, mx_str(all->symbols[i].symbol)));
    show_rest(diff, all->n_symbols, n);
    n = shown(diff, all->n_moved);
    if (n > 0)
        fprintf(out, "\n  %8s %8s  %-5s %s\n", "before", "after", "", "message");
    for (size_t i = 0; i < n; i++)
        show_message(diff, &all->moved[i]);
    show_rest(diff, all->n_moved, n);
}

/* What rules check would call faults. */
static size_t count_faults(const struct scan_rules *rules)
{
    struct scan_rules_totals totals;
    struct scan_rules_problem problem;
    size_t n = 0, n_idle = 0;

    scan_rules_totals(rules, &totals);
    for (; scan_rules_problem(rules, n, &problem); n++)
        n_idle += !problem.is_fault;
    return totals.n_problems - n_idle;
}

static void show(struct diff *diff)
{
    struct scan_rules_totals totals[2];
    size_t n = shown(diff, diff->n_changes);

    scan_rules_totals(diff->rules[0], &totals[0]);
    scan_rules_totals(diff->rules[1], &totals[1]);
    fprintf(diff->ctl->out,
            "%zu rules, then %zu: %zu new, %zu gone, %zu changed; faults %zu, then %zu\n",
            totals[0].n_rules, totals[1].n_rules, diff->n_new, diff->n_gone,
            diff->n_changes - diff->n_new - diff->n_gone, count_faults(diff->rules[0]),
            count_faults(diff->rules[1]));
    for (size_t i = 0; i < n; i++)
        show_change(diff, &diff->changes[i]);
    show_rest(diff, diff->n_changes, n);
    if (diff->options->sample)
        show_scores(diff);
}

/* ---- JSON -------------------------------------------------------------------------- */

static void json_side(struct diff *diff, const char *name,
                      const struct scan_rules_side *side)
{
    FILE *out = diff->ctl->out;

    if (!side->definition) {
        fprintf(out, ",\"%s\":null", name);
        return;
    }
    fprintf(out, ",\"%s\":{\"definition\":%s,\"scores\":[%.10g,%.10g,%.10g,%.10g]", name,
            mx_str_json(diff->arena, mx_str(side->definition)), side->scores[0],
            side->scores[1], side->scores[2], side->scores[3]);
    fprintf(out, ",\"file\":%s,\"line\":%u}", mx_str_json(diff->arena, side->file),
            side->line);
}

static void json_rules(struct diff *diff)
{
    FILE *out = diff->ctl->out;

    fputs("{\"rules\":[", out);
    for (size_t i = 0; i < diff->n_changes; i++) {
        fprintf(out, "%s{\"name\":%s", i ? "," : "",
                mx_str_json(diff->arena, diff->changes[i].name));
        json_side(diff, "old", &diff->changes[i].old);
        json_side(diff, "new", &diff->changes[i].now);
        fputs("}", out);
    }
    fputs("]", out);
}

static void json_message(struct diff *diff, const struct scan_shift *shift)
{
    FILE *out = diff->ctl->out;

    fprintf(out, "{\"file\":%s,\"before\":%.10g,\"after\":%.10g",
            mx_str_json(diff->arena, mx_str(shift->name)), shift->before, shift->after);
    fprintf(out, ",\"is_new_spam\":%s,\"is_new_ham\":%s,\"symbols\":[",
            shift->is_new_spam ? "true" : "false", shift->is_new_ham ? "true" : "false");
    for (size_t i = 0; i < shift->n_hits; i++)
        fprintf(out, "%s{\"name\":%s,\"before\":%.10g,\"after\":%.10g}", i ? "," : "",
                mx_str_json(diff->arena, mx_str(shift->hits[i].symbol)),
                shift->hits[i].before, shift->hits[i].after);
    fputs("]}", out);
}

static void json_scores(struct diff *diff)
{
    FILE *out = diff->ctl->out;
    const struct scan_comparison *all = &diff->all;

    fprintf(out, ",\"messages\":%zu,\"required\":%.10g,\"new_spam\":%zu,\"new_ham\":%zu",
            all->n, all->required, all->n_new_spam, all->n_new_ham);
    fprintf(out, ",\"mean_shift\":%.10g,\"max_shift\":%.10g,\"symbols\":[",
            all->mean_shift, all->max_shift);
    for (size_t i = 0; i < all->n_symbols; i++)
        fprintf(out, "%s{\"name\":%s,\"messages\":%zu,\"sum\":%.10g}", i ? "," : "",
                mx_str_json(diff->arena, mx_str(all->symbols[i].symbol)),
                all->symbols[i].n, all->symbols[i].sum);
    fputs("],\"moved\":[", out);
    for (size_t i = 0; i < all->n_moved; i++) {
        fputs(i ? "," : "", out);
        json_message(diff, &all->moved[i]);
    }
    fputs("]", out);
}

static void show_json(struct diff *diff)
{
    json_rules(diff);
    if (diff->options->sample)
        json_scores(diff);
    fputs("}\n", diff->ctl->out);
}

/* ---- all --------------------------------------------------------------------------- */

static int run(struct diff *diff, struct mx_err *err)
{
    const struct ctl_rules *options = diff->options;

    if (ctl_scanner_conf(diff->ctl, &diff->conf, err) != 0)
        return -1;
    choose_rules(diff);
    if (read_rules(diff, 0, err) != 0 || read_rules(diff, 1, err) != 0)
        return -1;
    count_changes(diff);
    if (options->sample && score(diff, err) != 0)
        return -1;
    if (options->is_json)
        show_json(diff);
    else
        show(diff);
    if (diff->n_failed > 0)
        return mx_err_set(err, MX_ERR_INPUT, "%zu messages could not be read",
                          diff->n_failed);
    if (options->sample)
        return diff->all.n_new_spam + diff->all.n_new_ham > 0 ? CTL_RULES_DIFFER : 0;
    return diff->n_changes > 0 ? CTL_RULES_DIFFER : 0;
}

int ctl_rules_diff(const struct ctl_rules *options, const char *old, const char *new,
                   struct mx_err *err)
{
    struct diff diff = {.options = options,
                        .ctl = options->ctl,
                        .arena = mx_arena_new(ARENA_MAX),
                        .names = {old, new}};
    int status = run(&diff, err);

    scan_rules_close(diff.rules[0]);
    scan_rules_close(diff.rules[1]);
    mx_conf_free(diff.conf);
    mx_arena_free(diff.arena);
    return status;
}
