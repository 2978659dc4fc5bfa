/*
 * Word lists of eval functions. Plain words are found by hash; those with wildcards are
 * few and tried one after the other. NULL stands for a list that no rule file has.
 */
#include "eval_words.h"

#include "mx_arena.h"

#include "rule_names.h"
#include "rule_text.h"

struct eval_words {
    struct rule_names *plain;  /* word -> 1, or 0 for "!word" */
    struct text_list patterns; /* entries with * or ? */
};

static bool has_wildcard(struct mx_str word)
{
    return mx_str_chr(word, '*') >= 0 || mx_str_chr(word, '?') >= 0;
}

struct eval_words *eval_words_new(struct mx_arena *arena, const struct rule_list *list)
{
    struct eval_words *words = mx_arena_alloc(arena, sizeof(*words));

    words->plain = rule_names_new(arena);
    words->patterns.v =
        mx_arena_array(arena, list->entries.n + 1, sizeof(*words->patterns.v));
    for (size_t i = 0; i < list->entries.n; i++) {
        struct mx_str word = list->entries.v[i];
        bool is_out = word.n > 1 && word.p[0] == '!';

        if (is_out) {
            word = mx_str_sub(word, 1, word.n);
        }
        rule_names_set(words->plain, word, is_out ? 0 : 1);
        if (!is_out && has_wildcard(word)) {
            words->patterns.v[words->patterns.n++] = word;
        }
    }
    return words;
}

void eval_words_free(struct eval_words *words)
{
    if (words) {
        rule_names_free(words->plain);
    }
}

int eval_words_has(const struct eval_words *words, struct mx_str word)
{
    return words ? (int)rule_names_find(words->plain, word) : -1;
}

bool eval_words_match(const struct eval_words *words, struct mx_str s)
{
    if (!words) {
        return false;
    }
    if (eval_words_has(words, s) == 1) {
        return true;
    }
    for (size_t i = 0; i < words->patterns.n; i++) {
        if (rule_text_glob(words->patterns.v[i], s)) {
            return true;
        }
    }
    return false;
}

/* Label by label; in one label a star never meets a dot. */
static bool match_labels(struct mx_str pattern, struct mx_str s)
{
    struct mx_str want, have;

    while (mx_str_next(&pattern, '.', &want) == 0) {
        if (mx_str_next(&s, '.', &have) || !rule_text_glob(want, have)) {
            return false;
        }
    }
    return s.n == 0;
}

bool eval_words_match_labels(const struct eval_words *words, struct mx_str s)
{
    if (!words) {
        return false;
    }
    if (eval_words_has(words, s) == 1) {
        return true;
    }
    for (size_t i = 0; i < words->patterns.n; i++) {
        if (match_labels(words->patterns.v[i], s)) {
            return true;
        }
    }
    return false;
}
