/*
 * What a recipient chose: the choices, their words, and which scope's word counts. One
 * table tells tools what may be set and policyd what a stored value means.
 */
#ifndef STORE_PREFS_H
#define STORE_PREFS_H

#include <stdbool.h>
#include <stddef.h>

#include "mx_str.h"

struct mx_arena;
struct mx_err;

enum store_pref {
    STORE_PREF_SPAM_ACTION,
    STORE_PREF_TAG_SCORE,
    STORE_PREF_REFUSE_SCORE,
    STORE_PREF_GREYLIST,
    STORE_PREFS,
};

/* What spam gets, most severe first. */
enum store_spam_action {
    STORE_SPAM_REFUSE,
    STORE_SPAM_DISCARD,
    STORE_SPAM_QUARANTINE,
    STORE_SPAM_FOLDER,
    STORE_SPAM_TAG,
    STORE_SPAM_OFF,
};
extern const char *const store_spam_words[]; /* by that enum; ends with NULL */

#define STORE_SCORE_MIN (-1000)
#define STORE_SCORE_MAX 100000
#define STORE_PREF_VALUE_MAX 32 /* bytes of a value as it is stored */

/* Zeroed: nothing was chosen. */
struct store_prefs {
    unsigned has;    /* 1u << enum store_pref */
    int spam_action; /* enum store_spam_action */
    int greylist;    /* 0: mail is not delayed for this recipient */
    double tag_score, refuse_score;
};

#define STORE_PREFS_ALL ((1u << STORE_PREFS) - 1)

static inline bool store_prefs_has(const struct store_prefs *prefs, enum store_pref pref)
{
    return (prefs->has & 1u << pref) != 0;
}

/** store_pref_name(pref), store_pref_doc(pref): for keys in Redis, tools and manuals. */
const char *store_pref_name(enum store_pref pref);
const char *store_pref_doc(enum store_pref pref);

/** store_pref_find(name, out, err): by name. Fails: no such choice (-1, lists them). */
int store_pref_find(struct mx_str name, enum store_pref *out, struct mx_err *err);

/**
 * store_prefs_parse(pref, text, io_prefs, err):
 * Take over one choice from text; scores are rounded to thousandths.
 * Fails:  not one of its words, no number, out of range (-1, untouched; says what may
 *         stand there).
 */
int store_prefs_parse(enum store_pref pref, struct mx_str text,
                      struct store_prefs *io_prefs, struct mx_err *err);

/** store_prefs_format(arena, prefs, pref): as store_prefs_parse reads it; NULL: not
 * chosen. */
const char *store_prefs_format(struct mx_arena *arena, const struct store_prefs *prefs,
                               enum store_pref pref);

/** store_prefs_pick(prefs, which, out): only those of ${which} (1u << enum store_pref).
 */
void store_prefs_pick(const struct store_prefs *prefs, unsigned which,
                      struct store_prefs *out);

/** store_prefs_fill(io_prefs, wider): what is not chosen yet comes from ${wider}. */
void store_prefs_fill(struct store_prefs *io_prefs, const struct store_prefs *wider);

/**
 * store_prefs_check(prefs, err):
 * Choices of one scope agree: refuse_score is not below tag_score.
 * Fails:  they do not (-1).
 */
int store_prefs_check(const struct store_prefs *prefs, struct mx_err *err);

#endif
