/*
 * A choice is a row: its name, where it lives in struct store_prefs, and either the words
 * that it may be or that it is a score. Values are bounded here once, for tools that
 * write them and for policyd, which reads them as bytes from outside.
 */
#include "store_prefs.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mx_arena.h"
#include "mx_err.h"

#define ERR_SHOWN_MAX 80 /* bytes of a bad text in a message */

const char *const store_spam_words[] = {"refuse", "discard", "quarantine", "folder",
                                        "tag",    "off",     NULL};
static const char *const switch_words[] = {"off", "on", NULL};

struct row {
    const char *name;
    size_t offset;
    const char *const *words; /* NULL: a score */
    const char *doc;
};

#define AT(member) offsetof(struct store_prefs, member)

static const struct row rows[STORE_PREFS] = {
    [STORE_PREF_SPAM_ACTION] = {"spam_action", AT(spam_action), store_spam_words,
                                "what spam gets"},
    [STORE_PREF_TAG_SCORE] = {"tag_score", AT(tag_score), NULL,
                              "from this score on it is marked, or goes to the folder"},
    [STORE_PREF_REFUSE_SCORE] = {"refuse_score", AT(refuse_score), NULL,
                                 "from this score on it is refused, discarded, "
                                 "quarantined"},
    [STORE_PREF_GREYLIST] = {"greylist", AT(greylist), switch_words,
                             "whether unknown senders have to come back later"},
};

const char *store_pref_name(enum store_pref pref)
{
    return rows[pref].name;
}

const char *store_pref_doc(enum store_pref pref)
{
    return rows[pref].doc;
}

/* "a, b, c" into a buffer that holds all our words. */
static void join(char out[static 128], const char *word, size_t i)
{
    size_t n = i ? strlen(out) : 0;
    snprintf(out + n, 128 - n, "%s%s", i ? ", " : "", word);
}

int store_pref_find(struct mx_str name, enum store_pref *out, struct mx_err *err)
{
    char all[128] = "";
    for (size_t i = 0; i < STORE_PREFS; i++) {
        if (mx_str_eq(name, mx_str(rows[i].name))) {
            *out = (enum store_pref)i;
            return 0;
        }
        join(all, rows[i].name, i);
    }
    return mx_err_set(err, MX_ERR_INPUT, "'%.*s' is no choice; there are %s",
                      MX_STR_FMT(mx_str_sub(name, 0, ERR_SHOWN_MAX)), all);
}

static void *place(const struct row *row, struct store_prefs *prefs)
{
    return (char *)prefs + row->offset;
}

static const void *value_of(const struct row *row, const struct store_prefs *prefs)
{
    return (const char *)prefs + row->offset;
}

static int parse_word(const struct row *row, struct mx_str text, int *out,
                      struct mx_err *err)
{
    char all[128] = "";
    for (int i = 0; row->words[i]; i++) {
        if (mx_str_eq(text, mx_str(row->words[i]))) {
            *out = i;
            return 0;
        }
        join(all, row->words[i], (size_t)i);
    }
    return mx_err_set(err, MX_ERR_INPUT, "%s: '%.*s' is none of %s", row->name,
                      MX_STR_FMT(mx_str_sub(text, 0, ERR_SHOWN_MAX)), all);
}

/* Digits, sign and point only: strtod would take "nan", "inf" and hexadecimal, too.
   Thousandths are kept, as finer ones would be written back with an exponent. */
static int parse_score(const struct row *row, struct mx_str text, double *out,
                       struct mx_err *err)
{
    char copy[STORE_PREF_VALUE_MAX + 1] = "";
    char *end = copy;
    double value = 0;
    if (text.n > 0 && text.n <= STORE_PREF_VALUE_MAX) {
        memcpy(copy, text.p, text.n);
        if (strspn(copy, "+-.0123456789") == text.n)
            value = strtod(copy, &end);
    }
    if (end == copy || *end != '\0' || value < STORE_SCORE_MIN || value > STORE_SCORE_MAX)
        return mx_err_set(err, MX_ERR_INPUT, "%s: '%.*s' is no score between %d and %d",
                          row->name, MX_STR_FMT(mx_str_sub(text, 0, ERR_SHOWN_MAX)),
                          STORE_SCORE_MIN, STORE_SCORE_MAX);
    *out = round(value * 1000) / 1000;
    return 0;
}

int store_prefs_parse(enum store_pref pref, struct mx_str text,
                      struct store_prefs *io_prefs, struct mx_err *err)
{
    const struct row *row = &rows[pref];
    int status = row->words ? parse_word(row, text, place(row, io_prefs), err)
                            : parse_score(row, text, place(row, io_prefs), err);
    if (status == 0)
        io_prefs->has |= 1u << pref;
    return status;
}

const char *store_prefs_format(struct mx_arena *arena, const struct store_prefs *prefs,
                               enum store_pref pref)
{
    const struct row *row = &rows[pref];
    if (!store_prefs_has(prefs, pref))
        return NULL;
    if (row->words)
        return row->words[*(const int *)value_of(row, prefs)];
    return mx_arena_printf(arena, "%.10g", *(const double *)value_of(row, prefs));
}

void store_prefs_fill(struct store_prefs *io_prefs, const struct store_prefs *wider)
{
    for (size_t i = 0; i < STORE_PREFS; i++) {
        const struct row *row = &rows[i];
        enum store_pref pref = (enum store_pref)i;
        if (store_prefs_has(io_prefs, pref) || !store_prefs_has(wider, pref))
            continue;
        memcpy(place(row, io_prefs), value_of(row, wider),
               row->words ? sizeof(int) : sizeof(double));
        io_prefs->has |= 1u << pref;
    }
}

void store_prefs_pick(const struct store_prefs *prefs, unsigned which,
                      struct store_prefs *out)
{
    struct store_prefs wanted = *prefs;
    wanted.has &= which;
    *out = (struct store_prefs){.has = 0};
    store_prefs_fill(out, &wanted);
}

int store_prefs_check(const struct store_prefs *prefs, struct mx_err *err)
{
    if (store_prefs_has(prefs, STORE_PREF_TAG_SCORE) &&
        store_prefs_has(prefs, STORE_PREF_REFUSE_SCORE) &&
        prefs->refuse_score < prefs->tag_score)
        return mx_err_set(err, MX_ERR_INPUT,
                          "refuse_score (%g) would be below tag_score (%g)",
                          prefs->refuse_score, prefs->tag_score);
    return 0;
}
