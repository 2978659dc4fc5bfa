/*
 * Evals on how a message reads (the rest of MIMEEval): share of capitals, far charsets,
 * length of base64 lines.
 */
#include "eval_mime_text.h"

#include <ctype.h>
#include <string.h>

#include "mx_arena.h"

#include "text/text_chars.h"
#include "text/text_tree.h"
#include "text/text_type.h"

#include "eval_family.h"
#include "eval_locale.h"
#include "eval_util.h"

#define UPPERCASE_BYTES_MIN 200 /* fewer say nothing */
#define MULTIPARTS_MAX 100      /* whose end is looked for */

bool eval_line_next(struct mx_str *rest, struct mx_str *line)
{
    const char *end = rest->n > 0 ? memchr(rest->p, '\n', rest->n) : NULL;
    size_t n = end ? (size_t)(end - rest->p) + 1 : rest->n;

    *line = mx_str_sub(*rest, 0, n);
    *rest = mx_str_sub(*rest, n, rest->n);
    return n > 0;
}

/* Which of "--boundary" and "--boundary--" are lines of ${body}. */
static void find_boundary(struct mx_str body, struct mx_str boundary, bool *is_begun,
                          bool *is_ended)
{
    struct mx_str line;

    while (eval_line_next(&body, &line)) {
        line = text_trim(line, false);
        if (line.n < boundary.n + 2 || !mx_str_starts(line, MX_STR("--")) ||
            !mx_str_starts(mx_str_sub(line, 2, line.n), boundary)) {
            continue;
        }
        line = mx_str_sub(line, boundary.n + 2, line.n);
        *is_begun |= line.n == 0;
        *is_ended |= mx_str_eq(line, MX_STR("--"));
    }
}

bool eval_mime_lacks_end(const struct text_tree *tree)
{
    unsigned tried = 0;

    for (size_t i = 0; i < tree->n_parts && tried < MULTIPARTS_MAX; i++) {
        bool is_begun = false, is_ended = false;

        if (tree->parts[i].is_leaf || tree->parts[i].boundary.n == 0) {
            continue;
        }
        tried++;
        find_boundary(tree->pristine_body, tree->parts[i].boundary, &is_begun, &is_ended);
        if (is_begun && !is_ended) {
            return true;
        }
    }
    return false;
}

/* charset= of the top Content-Type as it stands there; "" none. */
static struct mx_str top_charset(struct eval_context *context)
{
    struct mx_str groups[EVAL_REGEX_CAPTURES];
    const struct eval_regex *regex =
        eval_shared_fixed(context->shared, EVAL_CONTENT_TYPE_CHARSET);

    return eval_regex_find(regex, eval_header(context, "Content-Type"), 0, groups)
               ? groups[1]
               : MX_STR("");
}

/* Text in East Asian and Cyrillic charsets looks like capitals where it is 7 bits wide.
 */
static bool is_caps_charset(struct eval_context *context)
{
    const struct text_tree *tree = &context->texts->tree;

    if (eval_hit(context, EVAL_CAPS_CHARSET, top_charset(context))) {
        return true;
    }
    for (size_t i = 0; i < tree->n_parts; i++) {
        if (tree->parts[i].charset.n > 0 &&
            eval_hit(context, EVAL_CAPS_CHARSET, tree->parts[i].charset)) {
            return true;
        }
    }
    return false;
}

/* Two words with white space between them. */
static bool has_two_words(struct mx_str s)
{
    s = text_trim(s, false);
    for (size_t i = 0; i < s.n; i++) {
        if (text_char_space((unsigned char)s.p[i])) {
            return true;
        }
    }
    return false;
}

struct letters {
    size_t bytes, upper, lower;
};

static void count_letters(struct mx_str s, struct letters *letters)
{
    letters->bytes += s.n;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];

        letters->upper += c >= 'A' && c <= 'Z';
        letters->lower += (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    }
}

/* Without what stands between the escapes of ISO-2022-JP. */
static void count_around_escapes(const struct eval_context *context, struct mx_str s,
                                 struct letters *letters)
{
    struct mx_str groups[EVAL_REGEX_CAPTURES];
    const struct eval_regex *regex = eval_shared_fixed(context->shared, EVAL_SHIFT_JIS);

    while (memchr(s.p ? s.p : "", 0x1b, s.n) && eval_regex_find(regex, s, 0, groups)) {
        size_t at = (size_t)(groups[0].p - s.p);

        count_letters(mx_str_sub(s, 0, at), letters);
        s = mx_str_sub(s, at + groups[0].n, s.n);
    }
    count_letters(s, letters);
}

/* Percent of letters and digits in the body that are capitals. */
static double upper_percent(struct eval_context *context)
{
    const struct text_list *body = &context->texts->body;
    struct letters letters = {0};

    if (is_caps_charset(context)) {
        return 0;
    }
    for (size_t i = 0; i < body->n; i++) {
        if (has_two_words(body->v[i]) &&
            !eval_hit(context, EVAL_BASE64_LINES, body->v[i])) {
            count_around_escapes(context, body->v[i], &letters);
        }
    }
    if (letters.bytes < UPPERCASE_BYTES_MIN || letters.upper + letters.lower == 0) {
        return 0;
    }
    return (double)letters.upper / (double)(letters.upper + letters.lower) * 100;
}

static int check_for_uppercase(struct eval_context *context, const struct mx_str *args,
                               size_t n_args)
{
    double *percent = context->cache[EVAL_CACHE_UPPERCASE];

    (void)n_args;
    if (!percent) {
        percent = mx_arena_alloc(context->arena, sizeof(*percent));
        *percent = upper_percent(context);
        context->cache[EVAL_CACHE_UPPERCASE] = percent;
    }
    return eval_above(*percent, args[0], args[1]);
}

static size_t longest_line(struct mx_str raw)
{
    struct mx_str line;
    size_t longest = 0;

    while (eval_line_next(&raw, &line)) {
        longest = line.n > longest ? line.n : longest;
    }
    return longest;
}

/* (MIN[, MAX]) */
static int check_base64_length(struct eval_context *context, const struct mx_str *args,
                               size_t n_args)
{
    const struct text_tree *tree = &context->texts->tree;
    size_t longest = 0;

    for (size_t i = 0; i < tree->n_parts; i++) {
        const struct text_part *part = &tree->parts[i];
        size_t line = 0;

        if (part->is_leaf && mx_str_eq(part->encoding, MX_STR("base64")) &&
            !mx_str_eq(part->declared_type, MX_STR("application/ics"))) {
            line = longest_line(part->raw);
        }
        longest = line > longest ? line : longest;
    }
    return (double)longest >= eval_number(args[0]) &&
           (n_args < 2 || (double)longest <= eval_number(args[1]));
}

/* A charset from far away, and a body that is mostly not ASCII. */
static int check_for_faraway_charset(struct eval_context *context,
                                     const struct mx_str *args, size_t n_args)
{
    struct mx_str charset = top_charset(context);
    const struct text_list *body = &context->texts->body;
    size_t high = 0, low = 0;

    (void)args;
    (void)n_args;
    if (charset.n == 0 || !eval_locale_is_faraway(context, charset)) {
        return 0;
    }
    for (size_t i = 0; i < body->n; i++) {
        for (size_t j = 0; j < body->v[i].n; j++) {
            high += (unsigned char)body->v[i].p[j] > 0x7f;
        }
        low += body->v[i].n + 1; /* and the newline that joins them */
    }
    low -= high;
    return high > 3 && low <= high;
}

const struct eval_function eval_mime_text_functions[] = {
    {"check_for_uppercase", check_for_uppercase, false, 0, 2},
    {"check_base64_length", check_base64_length, false, 0, 1},
    {"check_for_faraway_charset", check_for_faraway_charset, false, 0, 0},
    {NULL, NULL, false, 0, 0},
};
