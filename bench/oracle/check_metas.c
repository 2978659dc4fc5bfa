/*
 * Does our reading of meta rules and scores agree with SpamAssassin's? Takes a golden
 * file as sa_golden.pl prints it (path, score, verdict, hits, sub-rule hits), believes
 * its plain hits, evaluates every meta from them and sums the scores: both must come out
 * as the golden line says. No message is parsed and no pattern matched, so a difference
 * is one of the rule reader alone.
 *
 *   check_metas [--set N] GOLDEN.tsv DIR...     DIR: rule directories in load order
 *
 * Exit: 0 all agree, 1 differences (printed), 2 usage or files that cannot be read,
 * 77 (skipped) the first DIR is not there: SpamAssassin's rules are not installed.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "mx_str.h"

#include "rules/rule_meta.h"
#include "rules/rule_set.h"

#define EXIT_SKIPPED 77
#define SCORE_TOLERANCE 0.0015 /* goldens round to three decimals */

struct check {
    const struct rule_set *set;
    unsigned score_set;
    double *counts, *golden; /* by rule */
    size_t n_messages, n_hits, n_unknown, n_differences;
};

/* "NAME=score*N" or "NAME*N": the count of NAME. */
static void take_hit(struct check *check, struct mx_str hit)
{
    ptrdiff_t star = mx_str_rchr(hit, '*'), equal = mx_str_chr(hit, '=');
    size_t end = equal >= 0 ? (size_t)equal : star >= 0 ? (size_t)star : hit.n;
    int64_t n = 1;
    ptrdiff_t index = rule_set_find(check->set, mx_str_sub(hit, 0, end));

    if (star >= 0) {
        mx_str_to_int(mx_str_sub(hit, (size_t)star + 1, hit.n), 1, 1000000, &n, NULL);
    }
    if (index < 0) {
        printf("unknown rule %.*s\n", MX_STR_FMT(hit));
        check->n_unknown++;
        return;
    }
    check->golden[index] = (double)n;
}

/* Sum of the scores of what hit; a rule that may hit often counts each time. */
static double score_of(const struct check *check)
{
    double sum = 0;

    for (size_t i = 0; i < check->set->n_rules; i++) {
        const struct rule *rule = &check->set->rules[i];
        double n = rule->flags & RULE_MULTIPLE ? check->counts[i] : 1;

        if (check->counts[i] != 0 && !(rule->flags & RULE_SUBRULE)) {
            sum += n * rule->scores[check->score_set];
        }
    }
    return sum;
}

static void compare(struct check *check, struct mx_str path, struct mx_str score)
{
    double wanted = strtod(score.p, NULL), sum; /* ends at the tab */

    for (size_t i = 0; i < check->set->n_rules; i++) {
        bool is_meta = check->set->rules[i].kind == RULE_META;

        check->counts[i] = is_meta ? 0 : check->golden[i];
    }
    rule_meta_run(check->set, check->score_set, check->counts);
    for (size_t i = 0; i < check->set->n_rules; i++) {
        bool ours = check->counts[i] != 0, theirs = check->golden[i] != 0;

        check->n_hits += theirs && check->set->rules[i].kind == RULE_META;
        if (ours != theirs) {
            printf("%.*s: %.*s %s\n", MX_STR_FMT(path),
                   MX_STR_FMT(check->set->rules[i].name), ours ? "extra" : "missing");
            check->n_differences++;
        }
    }
    sum = score_of(check);
    if (fabs(sum - wanted) > SCORE_TOLERANCE) {
        printf("%.*s: score %.3f, not %.3f\n", MX_STR_FMT(path), sum, wanted);
        check->n_differences++;
    }
}

static void take_line(struct check *check, struct mx_str line)
{
    struct mx_str path, score, verdict, field, hit;

    memset(check->golden, 0, check->set->n_rules * sizeof(*check->golden));
    if (mx_str_next(&line, '\t', &path) || mx_str_next(&line, '\t', &score) ||
        mx_str_next(&line, '\t', &verdict)) {
        return;
    }
    for (int i = 0; i < 2 && mx_str_next(&line, '\t', &field) == 0; i++) {
        while (mx_str_next(&field, ',', &hit) == 0) {
            take_hit(check, hit);
        }
    }
    check->n_messages++;
    compare(check, path, score);
}

static int check_file(struct check *check, const char *path)
{
    FILE *file = fopen(path, "r");
    char *line = NULL;
    size_t room = 0;
    ssize_t n;

    if (!file) {
        perror(path);
        return -1;
    }
    while ((n = getline(&line, &room, file)) > 0) {
        take_line(check, mx_str_trim(mx_str_of(line, (size_t)n)));
    }
    free(line);
    fclose(file);
    return 0;
}

int main(int argc, char **argv)
{
    struct check check = {0};
    struct rule_read_options options = {0};
    struct rule_set *set = NULL;
    struct mx_err err = {0};
    int at = 1, rc = 2;

    if (argc > 2 && strcmp(argv[1], "--set") == 0) {
        check.score_set = (unsigned)strtoul(argv[2], NULL, 10) & 3;
        at = 3;
    }
    if (argc < at + 2) {
        fprintf(stderr, "usage: check_metas [--set N] GOLDEN.tsv DIR...\n");
        return 2;
    }
    options.dirs = (const char *const *)argv + at + 1;
    if (access(options.dirs[0], R_OK) != 0) {
        printf("skipped: no rules in %s\n", options.dirs[0]);
        return EXIT_SKIPPED;
    }
    if (rule_set_read(&options, &set, &err)) {
        fprintf(stderr, "check_metas: %s\n", err.text);
        return 2;
    }
    check.set = set;
    check.counts = mx_xalloc((set->n_rules + 1) * sizeof(*check.counts));
    check.golden = mx_xalloc((set->n_rules + 1) * sizeof(*check.golden));
    if (check_file(&check, argv[at]) == 0) {
        printf("messages %zu, golden meta hits %zu, unknown rules %zu, differences %zu\n",
               check.n_messages, check.n_hits, check.n_unknown, check.n_differences);
        rc = check.n_unknown + check.n_differences > 0 || check.n_messages == 0;
    }
    free(check.counts);
    free(check.golden);
    rule_set_free(set);
    return rc;
}
