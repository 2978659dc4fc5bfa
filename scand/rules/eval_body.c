/*
 * Evals on the body (BodyEval): its length, blank lines, words far apart, stock tips,
 * signatures. How much two alternatives differ is eval_body_diff.c's.
 */
#include "eval_family.h"

#include <math.h>

#include "mx_arena.h"

#include "text/text_chars.h"
#include "text/text_tree.h"

#include "eval_mime_text.h"
#include "eval_util.h"

static int check_body_length(struct eval_context *context, const struct mx_str *args,
                             size_t n_args)
{
    (void)n_args;
    return (double)context->texts->tree.pristine_body.n <= eval_number(args[0]);
}

static bool is_blank(struct mx_str line)
{
    return text_trim(line, false).n == 0;
}

/* (MIN, MAX[, LINES]): percent of blank lines, where there are LINES at least. */
static int check_blank_line_ratio(struct eval_context *context, const struct mx_str *args,
                                  size_t n_args)
{
    const struct text_list *rawbody = &context->texts->rawbody;
    double min_lines = n_args > 2 ? fmax(eval_number(args[2]), 1) : 1;
    double blank = 0, lines = 0, percent;

    for (size_t i = 0; i < rawbody->n; i++) {
        struct mx_str rest = rawbody->v[i], line;

        while (eval_line_next(&rest, &line)) {
            lines++;
            blank += is_blank(line);
        }
    }
    percent = lines < min_lines ? -1 : 100 * blank / lines;
    return percent <= eval_number(args[1]) &&
           (eval_number(args[0]) == 0 || percent > eval_number(args[0]));
}

/* How much of ${s} is spaces, in percent of what is not; at most 100. */
static double space_percent(struct mx_str s)
{
    size_t spaces = 0;

    for (size_t i = 0; i < s.n; i++) {
        spaces += s.p[i] == ' ';
    }
    if (spaces * 2 >= s.n) {
        return 100;
    }
    return floor(100 * (double)spaces / (double)(s.n - spaces));
}

static int tvd_vertical_words(struct eval_context *context, const struct mx_str *args,
                              size_t n_args)
{
    const struct text_list *body = &context->texts->body;
    double largest = -1, max = eval_number(args[1]);

    (void)n_args;
    for (size_t i = 0; i < body->n; i++) {
        if (body->v[i].n > 5) {
            largest = fmax(largest, space_percent(body->v[i]));
        }
    }
    return largest >= eval_number(args[0]) && (largest < max || max >= 100);
}

/* The first part of ${type}, or NULL. */
static const struct text_part *find_part(const struct text_tree *tree, const char *type)
{
    for (size_t i = 0; i < tree->n_parts; i++) {
        if (mx_str_eq(tree->parts[i].declared_type, mx_str(type))) {
            return &tree->parts[i];
        }
    }
    return NULL;
}

#define STOCK_WORDS_MAX 64 /* a rule asks for two */

/* "Target Price" -> "targetprice" */
static struct mx_str letters_of(struct mx_arena *arena, struct mx_str s)
{
    char *out = mx_arena_alloc(arena, s.n + 1);
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i] | 0x20;

        if (c >= 'a' && c <= 'z') {
            out[n++] = (char)c;
        }
    }
    return mx_str_of(out, n);
}

static void note_stock_word(struct eval_context *context, struct mx_str label,
                            struct text_lister *seen)
{
    struct mx_str groups[EVAL_REGEX_CAPTURES];
    struct mx_str word = letters_of(context->arena, label);
    const struct eval_regex *regex = eval_shared_fixed(context->shared, EVAL_STOCK_WORD);

    if (!eval_regex_find(regex, word, 0, groups)) {
        return;
    }
    for (size_t i = 0; i < seen->n; i++) {
        if (mx_str_eq(seen->v[i], groups[1])) {
            return;
        }
    }
    text_lister_add(context->arena, seen, groups[1]);
}

/* "Ticker: ABCD" and the like: how many different labels of a stock tip. */
static int check_stock_info(struct eval_context *context, const struct mx_str *args,
                            size_t n_args)
{
    const struct text_part *part = find_part(&context->texts->tree, "text/plain");
    const struct eval_regex *regex = eval_shared_fixed(context->shared, EVAL_STOCK_LINE);
    struct text_lister seen = {.max = STOCK_WORDS_MAX};
    struct mx_str groups[EVAL_REGEX_CAPTURES];

    (void)n_args;
    for (size_t at = 0; part && seen.n < STOCK_WORDS_MAX &&
                        eval_regex_find(regex, part->rendered, at, groups);) {
        note_stock_word(context, groups[1], &seen);
        at = (size_t)(groups[0].p - part->rendered.p) + groups[0].n;
    }
    return (double)seen.n >= eval_number(args[0]);
}

struct signature {
    double body, signature; /* bytes */
};

/* Where the last "-- " line parts the first text/plain leaf. */
static bool split_signature(struct eval_context *context, struct signature *out)
{
    const struct text_part *part = find_part(&context->texts->tree, "text/plain");
    const struct eval_regex *regex = eval_shared_fixed(context->shared, EVAL_SIGNATURE);
    struct mx_str groups[EVAL_REGEX_CAPTURES], text;

    if (!part) {
        return false;
    }
    text = text_part_decoded(context->arena, part);
    *out = (struct signature){.body = (double)text.n};
    for (size_t at = 0; eval_regex_find(regex, text, at, groups);) {
        size_t from = (size_t)(groups[0].p - text.p);

        at = from + groups[0].n;
        if (text.n - at > 4) { /* else a decoy at the end */
            *out = (struct signature){(double)from, (double)(text.n - at)};
        }
    }
    return true;
}

/* MIN <= value [<= MAX] */
static int in_bounds(double value, const struct mx_str *args, size_t n_args)
{
    return value >= eval_number(args[0]) && (n_args < 2 || value <= eval_number(args[1]));
}

static int plaintext_body_length(struct eval_context *context, const struct mx_str *args,
                                 size_t n_args)
{
    struct signature parts;

    return split_signature(context, &parts) && in_bounds(parts.body, args, n_args);
}

static int plaintext_sig_length(struct eval_context *context, const struct mx_str *args,
                                size_t n_args)
{
    struct signature parts;

    return split_signature(context, &parts) && in_bounds(parts.signature, args, n_args);
}

static int plaintext_body_sig_ratio(struct eval_context *context,
                                    const struct mx_str *args, size_t n_args)
{
    struct signature parts;

    if (!split_signature(context, &parts)) {
        return 0;
    }
    return in_bounds(parts.signature > 0 ? parts.body / parts.signature : 1e6, args,
                     n_args);
}

const struct eval_function eval_body_functions[] = {
    {"check_body_length", check_body_length, false, 0, 1},
    {"check_blank_line_ratio", check_blank_line_ratio, false, 0, 2},
    {"tvd_vertical_words", tvd_vertical_words, false, 0, 2},
    {"check_stock_info", check_stock_info, false, 0, 1},
    {"plaintext_body_length", plaintext_body_length, false, 0, 1},
    {"plaintext_sig_length", plaintext_sig_length, false, 0, 1},
    {"plaintext_body_sig_ratio", plaintext_body_sig_ratio, false, 0, 1},
    {NULL, NULL, false, 0, 0},
};
