/*
 * Adds up what replies tell of CPU time. Each (detector, stage, item) is one entry of a
 * hash table; for paper the entries are sorted by time. The stage "" of a detector is all
 * of its time: what its other stages leave of that is shown as "other".
 */
#include "ctl_profile.h"

#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "ctl.h"
#include "mx_arena.h"

#define ARENA_MAX                                                                        \
    ((size_t)256 << 20) /* bytes: entries; rule files bound their number                 \
                         */
#define RULES "rules"   /* the detector that has items, */
#define RULE "rule"     /* and their stage */
#define SHOWN_RULES 25  /* of the table for people */

struct entry {
    const char *key; /* "detector LF stage LF item" */
    const char *detector, *stage, *item;
    uint64_t ns;
    size_t n; /* messages */
    UT_hash_handle hh;
};

struct ctl_profile {
    struct mx_arena *arena;
    struct entry *entries;
    size_t n_entries, n_messages;
};

struct ctl_profile *ctl_profile_new(void)
{
    struct ctl_profile *profile = mx_xalloc(sizeof(*profile));

    profile->arena = mx_arena_new(ARENA_MAX);
    return profile;
}

void ctl_profile_free(struct ctl_profile *profile)
{
    if (!profile)
        return;
    HASH_CLEAR(hh, profile->entries);
    mx_arena_free(profile->arena);
    free(profile);
}

static const char *copy(struct ctl_profile *profile, const char *text)
{
    return mx_arena_dup(profile->arena, text, strlen(text));
}

static struct entry *entry_of(struct ctl_profile *profile, const Mxp__Spent *spent)
{
    struct mx_buf key = {0};
    struct entry *entry = NULL;

    mx_buf_printf(&key, "%s\n%s\n%s", spent->detector, spent->stage, spent->item);
    HASH_FIND_STR(profile->entries, key.p, entry);
    if (!entry) {
        entry = mx_arena_alloc(profile->arena, sizeof(*entry));
        entry->key = copy(profile, key.p);
        entry->detector = copy(profile, spent->detector);
        entry->stage = copy(profile, spent->stage);
        entry->item = copy(profile, spent->item);
        HASH_ADD_KEYPTR(hh, profile->entries, entry->key, key.n, entry);
        profile->n_entries++;
    }
    mx_buf_fini(&key);
    return entry;
}

void ctl_profile_add(struct ctl_profile *profile, const Mxp__ScanReply *reply)
{
    profile->n_messages++;
    for (size_t i = 0; i < reply->n_spent; i++) {
        struct entry *entry = entry_of(profile, reply->spent[i]);

        entry->ns += reply->spent[i]->ns;
        entry->n++;
    }
}

/* ---- sums -------------------------------------------------------------------------- */

static bool is_stage(const struct entry *entry)
{
    return !*entry->item;
}

static bool is_rule(const struct entry *entry)
{
    return *entry->item && strcmp(entry->detector, RULES) == 0 &&
           strcmp(entry->stage, RULE) == 0;
}

/* All detectors; with ${detector} only that one. */
static uint64_t total(const struct ctl_profile *profile, const char *detector)
{
    uint64_t ns = 0;

    for (const struct entry *e = profile->entries; e; e = e->hh.next) {
        if (is_stage(e) && !*e->stage &&
            (!detector || strcmp(e->detector, detector) == 0))
            ns += e->ns;
    }
    return ns;
}

/* What the stages of ${whole}'s detector leave. */
static uint64_t rest_of(const struct ctl_profile *profile, const struct entry *whole)
{
    uint64_t ns = 0;

    for (const struct entry *e = profile->entries; e; e = e->hh.next) {
        if (is_stage(e) && *e->stage && strcmp(e->detector, whole->detector) == 0)
            ns += e->ns;
    }
    return ns < whole->ns ? whole->ns - ns : 0;
}

static bool has_stages(const struct ctl_profile *profile, const char *detector)
{
    for (const struct entry *e = profile->entries; e; e = e->hh.next) {
        if (is_stage(e) && *e->stage && strcmp(e->detector, detector) == 0)
            return true;
    }
    return false;
}

static int by_time(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;

    if (x->ns != y->ns)
        return x->ns > y->ns ? -1 : 1;
    return strcmp(x->key, y->key);
}

/* A list of entries, the costliest first. Of a detector with stages its whole becomes
   what these leave, so that a list of stages adds up to all. */
static struct entry *sorted(const struct ctl_profile *profile, struct mx_arena *arena,
                            bool (*is_wanted)(const struct entry *), size_t *n)
{
    struct entry *list = mx_arena_array(arena, profile->n_entries + 1, sizeof(*list));

    *n = 0;
    for (const struct entry *e = profile->entries; e; e = e->hh.next) {
        if (!is_wanted(e))
            continue;
        list[*n] = *e;
        if (!*e->item && !*e->stage && has_stages(profile, e->detector)) {
            list[*n].stage = "other";
            list[*n].ns = rest_of(profile, e);
        }
        ++*n;
    }
    qsort(list, *n, sizeof(*list), by_time);
    return list;
}

static double share(uint64_t ns, uint64_t all)
{
    return all > 0 ? (double)ns / (double)all : 0;
}

/* Microseconds a message. */
static double us(const struct ctl_profile *profile, uint64_t ns)
{
    return profile->n_messages > 0 ? (double)ns / 1000 / (double)profile->n_messages : 0;
}

void ctl_profile_rule(const struct ctl_profile *profile, const char *name,
                      struct ctl_profile_rule *out)
{
    struct mx_arena *arena = mx_arena_new(ARENA_MAX);
    size_t n;
    const struct entry *rules = sorted(profile, arena, is_rule, &n);

    *out = (struct ctl_profile_rule){.n_messages_all = profile->n_messages};
    for (size_t i = 0; i < n; i++) {
        if (strcmp(rules[i].item, name) != 0)
            continue;
        out->n_messages = rules[i].n;
        out->us = us(profile, rules[i].ns);
        out->share = share(rules[i].ns, total(profile, RULES));
        out->rank = i + 1;
    }
    mx_arena_free(arena);
}

/* ---- on paper ---------------------------------------------------------------------- */

void ctl_profile_text(const struct ctl_profile *profile, struct mx_arena *arena,
                      FILE *out)
{
    size_t n;
    const struct entry *list = sorted(profile, arena, is_stage, &n);
    uint64_t all = total(profile, NULL);

    fprintf(out, "%zu messages, %.1f us of CPU time each\n\n", profile->n_messages,
            us(profile, all));
    fprintf(out, "%7s %12s  %s\n", "share", "us/message", "stage");
    for (size_t i = 0; i < n; i++)
        fprintf(out, "%6.1f%% %12.1f  %s%s%s\n", 100 * share(list[i].ns, all),
                us(profile, list[i].ns), ctl_text(arena, mx_str(list[i].detector)),
                *list[i].stage ? ": " : "", ctl_text(arena, mx_str(list[i].stage)));
    list = sorted(profile, arena, is_rule, &n);
    if (n == 0)
        return;
    fprintf(out, "\n%7s %12s %8s  %s\n", "share", "us/message", "messages", "rule");
    for (size_t i = 0; i < n && i < SHOWN_RULES; i++)
        fprintf(out, "%6.1f%% %12.2f %8zu  %s\n", 100 * share(list[i].ns, all),
                us(profile, list[i].ns), list[i].n,
                ctl_text(arena, mx_str(list[i].item)));
    if (n > SHOWN_RULES)
        fprintf(out, "and %zu rules that took less (--json has all)\n", n - SHOWN_RULES);
}

static void json_entries(const struct ctl_profile *profile, struct mx_arena *arena,
                         bool is_rules, FILE *out)
{
    size_t n;
    const struct entry *list = sorted(profile, arena, is_rules ? is_rule : is_stage, &n);
    uint64_t all = total(profile, NULL);

    fputs("[", out);
    for (size_t i = 0; i < n; i++) {
        fputs(i ? ",{" : "{", out);
        if (is_rules)
            fprintf(out, "\"name\":%s", mx_str_json(arena, mx_str(list[i].item)));
        else
            fprintf(out, "\"detector\":%s,\"stage\":%s",
                    mx_str_json(arena, mx_str(list[i].detector)),
                    mx_str_json(arena, mx_str(list[i].stage)));
        fprintf(out, ",\"ns\":%llu,\"share\":%.6f,\"messages\":%zu}",
                (unsigned long long)list[i].ns, share(list[i].ns, all), list[i].n);
    }
    fputs("]", out);
}

void ctl_profile_json(const struct ctl_profile *profile, struct mx_arena *arena,
                      FILE *out)
{
    fprintf(out,
            "{\"profile\":{\"messages\":%zu,\"ns\":%llu,\"stages\":", profile->n_messages,
            (unsigned long long)total(profile, NULL));
    json_entries(profile, arena, false, out);
    fputs(",\"rules\":", out);
    json_entries(profile, arena, true, out);
    fputs("}}\n", out);
}
