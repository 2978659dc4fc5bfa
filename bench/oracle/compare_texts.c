/*
 * compare_texts: our texts against those that SpamAssassin formed of the same messages.
 *
 *   sa_golden.pl --list FILES --root DIR --texts TEXTS ...
 *   compare_texts [-v N] [-f FIELD] [-t] DIR TEXTS < FILES
 *
 * FILES lists messages, one path a line, below DIR; TEXTS holds <path below DIR>.json as
 * sa_golden.pl --texts writes it (each byte of a text one character). Every header
 * selector that occurs in some message is asked of every message, so one that we find
 * and SpamAssassin does not is a difference, too. For each field: on how many messages
 * it was there on one side at least, how many of those are identical, and the first
 * differences (-v, default 3). -f: this field only. -t: CPU time of forming, no
 * comparison. Top level domains come from "util_rb_tld" lines of the files in -r DIR.
 *
 * Leaves with 0 where every field is identical on 99 % of all messages.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "text/text.h"

#define ARENA_BYTES ((size_t)512 << 20)
#define FIELDS_MAX 256
#define SHOWN_BYTES 60 /* of context around a difference */
#define GATE 0.99

struct field {
    char name[80];
    unsigned present, equal, shown;
};

struct compare {
    struct field fields[FIELDS_MAX];
    size_t n;
    const char *only;
    unsigned verbose, messages;
    const char *path;
};

/* ---- JSON, as far as sa_golden.pl writes it ------------------------------------------
 */

struct json {
    struct mx_arena *arena;
    char *p, *end; /* ended by NUL */
};

static void skip(struct json *j, const char *set)
{
    while (j->p < j->end && (isspace((unsigned char)*j->p) || strchr(set, *j->p)))
        j->p++;
}

/* Decoded in place, as a text is never longer than its JSON. */
static struct mx_str json_string(struct json *j)
{
    char *out = j->p + 1;
    size_t n = 0;
    if (strncmp(j->p, "null", 4) == 0) {
        j->p += 4;
        return MX_STR("");
    }
    for (j->p++; j->p < j->end && *j->p != '"'; j->p++) {
        if (*j->p != '\\') {
            out[n++] = *j->p;
        } else if (*++j->p == 'u') {
            char hex[5] = {j->p[1], j->p[2], j->p[3], j->p[4], '\0'};
            out[n++] = (char)strtoul(hex, NULL, 16);
            j->p += 4;
        } else {
            out[n++] = *j->p;
        }
    }
    j->p++;
    return mx_str_of(out, n);
}

/* Values of one key: a string gives one, a list its strings. */
struct oracle {
    struct mx_str key;
    struct text_list list;
};

static struct text_list json_values(struct json *j)
{
    struct text_list list = {.v = NULL};
    size_t room = 0;
    bool is_list = *j->p == '[';
    j->p += is_list;
    for (skip(j, ","); j->p < j->end && *j->p != ']'; skip(j, ",")) {
        if (list.n == room) {
            struct mx_str *v = mx_arena_array(j->arena, room = 2 * room + 8, sizeof(*v));
            if (list.n)
                memcpy(v, list.v, list.n * sizeof(*v));
            list.v = v;
        }
        list.v[list.n++] = json_string(j);
        if (!is_list)
            break;
    }
    j->p += is_list;
    return list;
}

/* All keys, those inside "hdr" as if they stood outside. */
static size_t json_read(struct json *j, struct oracle *out, size_t room)
{
    size_t n = 0;
    for (skip(j, "{,"); j->p < j->end && *j->p == '"'; skip(j, "{},")) {
        struct mx_str key = json_string(j);
        skip(j, ":");
        if (mx_str_eq(key, MX_STR("hdr")) || n == room)
            continue;
        out[n++] = (struct oracle){.key = key, .list = json_values(j)};
    }
    return n;
}

/* ---- comparison ----------------------------------------------------------------------
 */

static struct field *find_field(struct compare *c, struct mx_str name)
{
    for (size_t i = 0; i < c->n; i++)
        if (mx_str_eq(mx_str(c->fields[i].name), name))
            return &c->fields[i];
    if (c->n == FIELDS_MAX)
        return NULL;
    struct field *field = &c->fields[c->n++];
    *field = (struct field){.present = 0};
    snprintf(field->name, sizeof(field->name), "%.*s", MX_STR_FMT(name));
    return field;
}

static void show(const char *label, struct mx_str s, size_t at)
{
    size_t from = at > SHOWN_BYTES / 2 ? at - SHOWN_BYTES / 2 : 0;
    printf("    %-6s ", label);
    for (size_t i = from; i < s.n && i < from + 2 * SHOWN_BYTES; i++) {
        unsigned char b = (unsigned char)s.p[i];
        printf(b >= 0x20 && b < 0x7f ? "%c" : "\\x%02x", b);
    }
    printf("%s (%zu bytes)\n", from + 2 * SHOWN_BYTES < s.n ? "..." : "", s.n);
}

/* Lists as one text: equal texts are equal lists, as no element holds 0x1e. */
static struct mx_str flatten(struct mx_arena *arena, struct text_list list)
{
    size_t size = 0, n = 0;
    for (size_t i = 0; i < list.n; i++)
        size += list.v[i].n + 1;
    char *p = mx_arena_alloc(arena, size + 1);
    for (size_t i = 0; i < list.n; i++) {
        if (list.v[i].n)
            memcpy(p + n, list.v[i].p, list.v[i].n);
        n += list.v[i].n;
        if (i + 1 < list.n)
            p[n++] = 0x1e;
    }
    return mx_str_of(p, n);
}

static void compare_field(struct compare *c, struct mx_arena *arena, struct mx_str name,
                          const struct text_list *ours, const struct text_list *theirs)
{
    struct field *field = find_field(c, name);
    if (field == NULL || (c->only && strcmp(c->only, field->name) != 0) ||
        (!ours && !theirs))
        return;
    field->present++;
    struct mx_str a = ours ? flatten(arena, *ours) : MX_STR("<missing>");
    struct mx_str b = theirs ? flatten(arena, *theirs) : MX_STR("<missing>");
    if (mx_str_eq(a, b)) {
        field->equal++;
        return;
    }
    if (field->shown++ >= c->verbose)
        return;
    size_t at = 0;
    while (at < a.n && at < b.n && a.p[at] == b.p[at])
        at++;
    printf("%s: %s at byte %zu\n", c->path, field->name, at);
    show("ours", a, at);
    show("theirs", b, at);
}

static int by_text(const void *a, const void *b)
{
    const struct mx_str *x = a, *y = b;
    int order = memcmp(x->p ? x->p : "", y->p ? y->p : "", x->n < y->n ? x->n : y->n);
    return order ? order : x->n < y->n ? -1 : x->n > y->n;
}

static const struct text_list *find_list(const struct oracle *v, size_t n,
                                         struct mx_str key)
{
    for (size_t i = 0; i < n; i++)
        if (mx_str_eq(v[i].key, key))
            return &v[i].list;
    return NULL;
}

static void compare_lists(struct compare *c, struct mx_arena *arena,
                          const struct texts *texts, const struct oracle *v, size_t n)
{
    struct text_list uris = texts->uris;
    if (uris.n)
        qsort(uris.v, uris.n, sizeof(*uris.v), by_text);
    const struct {
        struct mx_str key;
        struct text_list list;
    } lists[] = {{MX_STR("body"), texts->body},
                 {MX_STR("rawbody"), texts->rawbody},
                 {MX_STR("uri"), uris}};
    const struct {
        struct mx_str key, text;
    } relays[] = {{MX_STR("relays_trusted"), texts->relays.trusted},
                  {MX_STR("relays_untrusted"), texts->relays.untrusted},
                  {MX_STR("relays_internal"), texts->relays.internal},
                  {MX_STR("relays_external"), texts->relays.external}};
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
        compare_field(c, arena, lists[i].key, &lists[i].list,
                      find_list(v, n, lists[i].key));
    for (size_t i = 0; i < sizeof(relays) / sizeof(relays[0]); i++) {
        struct mx_str text = relays[i].text;
        compare_field(c, arena, relays[i].key, &(struct text_list){.v = &text, .n = 1},
                      find_list(v, n, relays[i].key));
    }
}

static bool is_list_key(struct mx_str key)
{
    return mx_str_eq(key, MX_STR("body")) || mx_str_eq(key, MX_STR("rawbody")) ||
           mx_str_eq(key, MX_STR("uri")) || mx_str_starts(key, MX_STR("relays_"));
}

static void compare_message(struct compare *c, struct mx_arena *arena,
                            const struct texts *texts, const struct oracle *v, size_t n)
{
    c->messages++;
    compare_lists(c, arena, texts, v, n);
    for (size_t i = 0; i < n; i++)
        find_field(c, v[i].key); /* selectors seen first here */
    for (size_t i = 0; i < c->n; i++) {
        struct mx_str name = mx_str(c->fields[i].name), value;
        if (is_list_key(name))
            continue;
        bool is_there = text_header_get(arena, texts, name, &value);
        struct text_list ours = {.v = &value, .n = 1};
        compare_field(c, arena, name, is_there ? &ours : NULL, find_list(v, n, name));
    }
}

/* ---- files ---------------------------------------------------------------------------
 */

static int read_file(struct mx_arena *arena, const char *path, struct mx_str *out)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) < 0) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        if (file)
            fclose(file);
        return -1;
    }
    long size = ftell(file);
    rewind(file);
    char *p = mx_arena_alloc(arena, (size_t)size + 1);
    *out = mx_str_of(p, fread(p, 1, (size_t)size, file));
    fclose(file);
    return 0;
}

/* The lists of rule files that forming texts needs. */
struct lists {
    struct mx_arena *arena;
    struct text_list tlds, two_level, three_level;
    size_t room[3];
};

static void add_words(struct lists *l, struct mx_str rest, struct text_list *out,
                      size_t *room)
{
    struct mx_str word;
    while (mx_str_next(&rest, ' ', &word) == 0) {
        if (word.n == 0)
            continue;
        if (out->n == *room) {
            struct mx_str *v =
                mx_arena_array(l->arena, *room = 2 * *room + 64, sizeof(*v));
            if (out->n)
                memcpy(v, out->v, out->n * sizeof(*v));
            out->v = v;
        }
        out->v[out->n++] = mx_str_lower(l->arena, word);
    }
}

static void read_rules(struct lists *l, const char *path)
{
    struct mx_str text, line, word;
    if (read_file(l->arena, path, &text) < 0)
        return;
    while (mx_str_next(&text, '\n', &line) == 0) {
        line = mx_str_trim(line);
        if (mx_str_next(&line, ' ', &word) < 0)
            continue;
        if (mx_str_eq(word, MX_STR("util_rb_tld")))
            add_words(l, line, &l->tlds, &l->room[0]);
        else if (mx_str_eq(word, MX_STR("util_rb_2tld")))
            add_words(l, line, &l->two_level, &l->room[1]);
        else if (mx_str_eq(word, MX_STR("util_rb_3tld")))
            add_words(l, line, &l->three_level, &l->room[2]);
    }
}

static void read_rule_dir(struct lists *l, const char *path)
{
    DIR *dir = opendir(path);
    for (struct dirent *entry; dir && (entry = readdir(dir)) != NULL;)
        if (mx_str_iends(mx_str(entry->d_name), MX_STR(".cf")))
            read_rules(l, mx_arena_printf(l->arena, "%s/%s", path, entry->d_name));
    if (dir)
        closedir(dir);
    struct text_list *all[] = {&l->tlds, &l->two_level, &l->three_level};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        if (all[i]->n)
            qsort(all[i]->v, all[i]->n, sizeof(*all[i]->v), by_text);
}

static double cpu_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- the run -------------------------------------------------------------------------
 */

struct run {
    struct compare compare;
    struct text_settings settings;
    const char *root, *texts;
    bool is_timed;
    double seconds;
};

static void run_message(struct run *run, struct mx_arena *arena, const char *path)
{
    static const size_t oracle_max = FIELDS_MAX;
    struct mx_str raw, text;
    struct texts texts;
    struct mx_err err;
    const char *below = path;
    if (mx_str_starts(mx_str(path), mx_str(run->root)))
        below = path + strlen(run->root);
    while (*below == '/')
        below++;
    if (read_file(arena, path, &raw) < 0)
        return;
    double start = cpu_s();
    if (texts_form(arena, &run->settings, raw, NULL, &texts, &err) < 0) {
        printf("%s: %s\n", path, err.text);
        return;
    }
    run->seconds += cpu_s() - start;
    const char *json = mx_arena_printf(arena, "%s/%s.json", run->texts, below);
    if (run->is_timed || read_file(arena, json, &text) < 0)
        return;
    struct oracle *oracle = mx_arena_array(arena, oracle_max, sizeof(*oracle));
    char *copy = mx_arena_dup(arena, text.p, text.n);
    struct json j = {.arena = arena, .p = copy, .end = copy + text.n};
    run->compare.path = below;
    compare_message(&run->compare, arena, &texts, oracle,
                    json_read(&j, oracle, oracle_max));
}

static int by_share(const void *a, const void *b)
{
    const struct field *x = a, *y = b;
    unsigned different_x = x->present - x->equal, different_y = y->present - y->equal;
    return different_x != different_y
               ? (different_x < different_y) - (different_x > different_y)
               : strcmp(x->name, y->name);
}

static int report(struct run *run)
{
    struct compare *c = &run->compare;
    int failed = 0;
    qsort(c->fields, c->n, sizeof(c->fields[0]), by_share);
    printf("%-28s %8s %9s %9s %8s\n", "field", "present", "identical", "different",
           "of all");
    for (size_t i = 0; i < c->n; i++) {
        const struct field *field = &c->fields[i];
        unsigned different = field->present - field->equal;
        double share = c->messages ? 1 - (double)different / c->messages : 0;
        if (c->only && strcmp(c->only, field->name) != 0)
            continue;
        failed += share < GATE;
        printf("%-28s %8u %9u %9u %7.2f%%%s\n", field->name, field->present, field->equal,
               different, 100 * share, share < GATE ? " below gate" : "");
    }
    printf("%u messages, %zu fields, %d below %.0f %%; forming took %.3f ms a message\n",
           c->messages, c->n, failed, 100 * GATE,
           c->messages ? 1000 * run->seconds / c->messages : 0);
    return failed || c->messages == 0;
}

int main(int argc, char **argv)
{
    static struct run run = {.compare = {.verbose = 3}};
    struct mx_arena *arena = mx_arena_new(ARENA_BYTES),
                    *lists_arena = mx_arena_new(ARENA_BYTES);
    struct lists lists = {.arena = lists_arena};
    char line[4096];
    unsigned timed = 0;
    int option;
    while ((option = getopt(argc, argv, "v:f:r:t")) != -1) {
        switch (option) {
        case 'v': run.compare.verbose = (unsigned)strtoul(optarg, NULL, 10); break;
        case 'f': run.compare.only = optarg; break;
        case 'r': read_rule_dir(&lists, optarg); break;
        case 't': run.is_timed = true; break;
        default: return 2;
        }
    }
    if (argc - optind != 2) {
        fprintf(stderr, "usage: compare_texts [-t] [-v N] [-f FIELD] [-r RULES] DIR TEXTS"
                        " < FILES\n");
        return 2;
    }
    run.root = argv[optind];
    run.texts = argv[optind + 1];
    run.settings.lists = (struct text_lists){.tlds = &lists.tlds,
                                             .two_level = &lists.two_level,
                                             .three_level = &lists.three_level};
    for (; fgets(line, sizeof(line), stdin); timed++) {
        line[strcspn(line, "\n")] = '\0';
        run_message(&run, arena, line);
        mx_arena_reset(arena);
    }
    int rc = 0;
    if (run.is_timed)
        printf("%u messages, %.3f ms each\n", timed,
               1000 * run.seconds / (timed ? timed : 1));
    else
        rc = report(&run);
    mx_arena_free(arena);
    mx_arena_free(lists_arena);
    return rc;
}
