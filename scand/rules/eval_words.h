/* Lists of words from rule files, hashed: domains, addresses, hosts, with wildcards. */
#ifndef EVAL_WORDS_H
#define EVAL_WORDS_H

#include <stdbool.h>

#include "mx_str.h"

#include "rule_set.h"

struct mx_arena;
struct eval_words;

/**
 * eval_words_new(arena, list):
 * Hash the entries of ${list}, which are lower case. "!word" takes a word out.
 * Owner:  eval_words_free, before the arena goes.
 */
struct eval_words *eval_words_new(struct mx_arena *arena, const struct rule_list *list);
void eval_words_free(struct eval_words *words);

/** eval_words_has(words, word): 1 listed, 0 listed as "!word", -1 not at all. */
int eval_words_has(const struct eval_words *words, struct mx_str word);

/**
 * eval_words_match(words, s):
 * ${s} is an entry, or what an entry with * and ? stands for.
 */
bool eval_words_match(const struct eval_words *words, struct mx_str s);

/**
 * eval_words_match_labels(words, s):
 * The same where * stands for bytes other than '.': "yahoo.*" is yahoo.fr, and not
 * yahoo.co.uk.
 */
bool eval_words_match_labels(const struct eval_words *words, struct mx_str s);

#endif
