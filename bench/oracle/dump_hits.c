/*
 * What our engine says of each message, in the columns of sa_golden.pl: path, score,
 * verdict, hits, sub-rule hits. agreement.py sets both side by side. Only texts and rules
 * run, nothing of a daemon; the clock stands still, as it did for the golden files.
 *
 *   dump_hits [-c CACHE_DIR] [-j] ROOT LIST RULE_DIR... > ours.tsv
 *
 * LIST names messages relative to ROOT, one a line. -j: judges alone, no prefilter.
 * A rule that met a limit, or a message out of time, is told on stderr; exit 1 then.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "mx_str.h"

#include "rules/rule_run.h"
#include "text/text.h"

#define NOW_S 1735689600        /* sa_golden.pl's clock */
#define ARENA_BYTES (1ul << 30) /* of one message; most of it is never touched */
#define MESSAGE_MAX (64u << 20)

struct dump {
    struct rule_set *set;
    struct rule_runner *runner;
    struct rule_match_scratch *scratch;
    struct mx_arena *arena;
    const char *root;
    size_t n_incomplete;
};

static int read_message(struct dump *dump, const char *path, struct mx_str *out)
{
    FILE *file = fopen(mx_arena_printf(dump->arena, "%s/%s", dump->root, path), "rb");
    if (file == NULL) {
        perror(path);
        return -1;
    }
    struct stat info;
    int rc = fstat(fileno(file), &info) < 0 || info.st_size > MESSAGE_MAX ? -1 : 0;
    if (rc == 0) {
        char *p = mx_arena_alloc(dump->arena, (size_t)info.st_size + 1);
        *out = mx_str_of(p, fread(p, 1, (size_t)info.st_size, file));
    } else {
        fprintf(stderr, "dump_hits: %s: no file of a plausible size\n", path);
    }
    fclose(file);
    return rc;
}

/* Three decimals, without zeros at the end. */
static void put_number(double value)
{
    char text[64];
    int n = snprintf(text, sizeof(text), "%.3f", value);
    while (n > 0 && text[n - 1] == '0')
        n--;
    if (n > 0 && text[n - 1] == '.')
        n--;
    printf("%.*s", n, strcmp(text, "-0.000") == 0 ? "0" : text);
}

static bool is_pattern(enum rule_kind kind)
{
    return kind == RULE_HEADER || (kind >= RULE_BODY && kind <= RULE_MIMEHEADER);
}

/* How often the original lists the name: functions and metas once, whatever they count.
 */
static unsigned times_of(const struct rule *rule, double count)
{
    return (rule->flags & RULE_MULTIPLE) && is_pattern(rule->kind) ? (unsigned)count : 1;
}

static void put_hits(const struct dump *dump, const struct rule_run_result *result,
                     const size_t *order, bool is_sub)
{
    const char *comma = "";
    for (size_t i = 0; i < result->n_hits; i++) {
        const struct rule_hit *hit = &result->hits[order[i]];
        const struct rule *rule = &dump->set->rules[hit->rule];
        unsigned times = times_of(rule, hit->count);
        if (((rule->flags & RULE_SUBRULE) != 0) != is_sub)
            continue;
        printf("%s%.*s", comma, MX_STR_FMT(rule->name));
        if (!is_sub) {
            putchar('=');
            put_number(rule->scores[result->score_set]);
        }
        if (times > 1)
            printf("*%u", times);
        comma = ",";
    }
}

struct sorted {
    const struct dump *dump;
    const struct rule_run_result *result;
};

static int by_name(const void *a, const void *b, void *user)
{
    const struct sorted *sorted = user;
    const struct rule *rules = sorted->dump->set->rules;
    struct mx_str x = rules[sorted->result->hits[*(const size_t *)a].rule].name;
    struct mx_str y = rules[sorted->result->hits[*(const size_t *)b].rule].name;
    int rc = memcmp(x.p, y.p, x.n < y.n ? x.n : y.n);
    return rc != 0 ? rc : (x.n > y.n) - (x.n < y.n);
}

static void put_line(struct dump *dump, const char *path,
                     const struct rule_run_result *result)
{
    size_t *order = mx_arena_array(dump->arena, result->n_hits + 1, sizeof(*order));
    for (size_t i = 0; i < result->n_hits; i++)
        order[i] = i;
    struct sorted sorted = {dump, result};
    qsort_r(order, result->n_hits, sizeof(*order), by_name, &sorted);
    bool is_spam = result->score > dump->set->required_score - 1e-6;
    printf("%s\t%.3f\t%c\t", path, result->score, is_spam ? 'S' : 'H');
    put_hits(dump, result, order, false);
    putchar('\t');
    put_hits(dump, result, order, true);
    putchar('\n');
}

static int dump_one(struct dump *dump, const char *path)
{
    struct text_connection unknown = {.is_known = false};
    struct mx_str raw;
    struct texts texts;
    struct rule_run_result result;
    struct mx_err err = {0};
    mx_arena_reset(dump->arena);
    if (read_message(dump, path, &raw) < 0)
        return -1;
    if (texts_form(dump->arena, &dump->set->text, raw, &unknown, &texts, &err) < 0) {
        fprintf(stderr, "dump_hits: %s: %s\n", path, err.text);
        return -1;
    }
    texts.now_s = NOW_S;
    struct rule_run_input input = {.texts = &texts, .bayes = -1};
    rule_run(dump->runner, dump->scratch, dump->arena, &input, &result);
    for (size_t i = 0; i < result.n_limited; i++)
        fprintf(stderr, "dump_hits: %s: %.*s met a limit\n", path,
                MX_STR_FMT(dump->set->rules[result.limited[i]].name));
    dump->n_incomplete += result.n_limited > 0 || result.is_late;
    put_line(dump, path, &result);
    return 0;
}

static int dump_list(struct dump *dump, const char *list)
{
    FILE *file = fopen(list, "r");
    char *line = NULL;
    size_t room = 0;
    ssize_t n;
    int rc = 0;
    if (file == NULL) {
        perror(list);
        return -1;
    }
    while (rc == 0 && (n = getline(&line, &room, file)) > 0) {
        line[strcspn(line, "\r\n")] = '\0';
        if (*line != '\0')
            rc = dump_one(dump, line);
    }
    free(line);
    fclose(file);
    return rc;
}

int main(int argc, char **argv)
{
    struct rule_match_options match = {.has_prefilter = true};
    struct dump dump = {.set = NULL};
    struct mx_err err = {0};
    int option, rc = 2;
    while ((option = getopt(argc, argv, "c:j")) != -1) {
        if (option == 'c')
            match.cache_dir = optarg;
        else if (option == 'j')
            match.has_prefilter = false;
        else
            return 2;
    }
    if (argc - optind < 3) {
        fprintf(stderr, "usage: dump_hits [-c CACHE_DIR] [-j] ROOT LIST RULE_DIR...\n");
        return 2;
    }
    struct rule_read_options read = {.dirs = (const char *const *)argv + optind + 2};
    dump.root = argv[optind];
    dump.arena = mx_arena_new(ARENA_BYTES);
    if (rule_set_read(&read, &dump.set, &err) < 0 ||
        rule_runner_new(dump.set, &match, &dump.runner, &err) < 0 ||
        rule_match_scratch_new(rule_runner_match(dump.runner), &dump.scratch, &err) < 0)
        fprintf(stderr, "dump_hits: %s\n", err.text);
    else if (dump_list(&dump, argv[optind + 1]) == 0)
        rc = dump.n_incomplete > 0;
    rule_match_scratch_free(dump.scratch);
    rule_runner_free(dump.runner);
    rule_set_free(dump.set);
    mx_arena_free(dump.arena);
    return rc;
}
