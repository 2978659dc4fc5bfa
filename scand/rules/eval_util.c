/*
 * Shared by the families of eval functions: header values as Perl's get() returns them,
 * the addresses of sender and recipients, numbers as Perl reads them. Everything is
 * bounded by the header's size, as the texts bound it.
 */
#include "eval_util.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "mx_arena.h"

#include "mx_err.h"

#include "text/text_chars.h"
#include "text/text_domain.h"

#define ADDRESSES_MAX 1000 /* of one message; spam lists hundreds */

struct mx_str eval_header(struct eval_context *context, const char *selector)
{
    struct mx_str value;

    return text_header_get(context->arena, context->texts, mx_str(selector), &value)
               ? value
               : MX_STR("");
}

bool eval_has_header(struct eval_context *context, const char *selector)
{
    struct mx_str value;

    return text_header_get(context->arena, context->texts, mx_str(selector), &value);
}

static void add_lines(struct mx_arena *arena, struct text_lister *lister, struct mx_str s)
{
    struct mx_str line;

    while (mx_str_next(&s, '\n', &line) == 0) {
        if (line.n > 0) {
            text_lister_add(arena, lister, line);
        }
    }
}

struct text_list eval_addresses(struct eval_context *context, struct mx_str selector)
{
    struct text_lister lister = {.max = ADDRESSES_MAX};
    struct mx_str value;

    if (text_header_get(context->arena, context->texts, selector, &value)) {
        add_lines(context->arena, &lister, value);
    }
    return text_lister_list(&lister);
}

struct mx_str eval_address(struct eval_context *context, const char *selector)
{
    struct mx_str value = eval_header(context, selector), line;

    return mx_str_next(&value, '\n', &line) ? MX_STR("") : line;
}

static bool has_word(const struct text_lister *lister, struct mx_str word)
{
    for (size_t i = 0; i < lister->n; i++) {
        if (mx_str_eq(lister->v[i], word)) {
            return true;
        }
    }
    return false;
}

/* "a@b..c" is meant to be a@b.c. */
static struct mx_str single_dots(struct mx_arena *arena, struct mx_str s)
{
    char *out = mx_arena_alloc(arena, s.n + 1);
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] != '.' || i == 0 || s.p[i - 1] != '.') {
            out[n++] = s.p[i];
        }
    }
    return mx_str_of(out, n);
}

static void add_addresses(struct eval_context *context, struct text_lister *lister,
                          const char *selector)
{
    struct text_list found = eval_addresses(context, mx_str(selector));

    for (size_t i = 0; i < found.n; i++) {
        struct mx_str address = single_dots(context->arena, found.v[i]);

        if (!has_word(lister, address)) {
            text_lister_add(context->arena, lister, address);
        }
    }
}

struct text_list eval_senders(struct eval_context *context)
{
    static const char *const selectors[] = {"From:addr", "Envelope-Sender:addr",
                                            "Resent-Sender:addr", "X-Envelope-From:addr",
                                            "EnvelopeFrom:addr"};
    struct text_lister lister = {.max = ADDRESSES_MAX};
    struct text_list *senders = context->cache[EVAL_CACHE_SENDERS];

    if (senders) {
        return *senders;
    }
    add_addresses(context, &lister, "Resent-From:first:addr");
    if (lister.n == 0) {
        for (size_t i = 0; i < sizeof(selectors) / sizeof(*selectors); i++) {
            add_addresses(context, &lister, selectors[i]);
        }
    }
    senders = mx_arena_alloc(context->arena, sizeof(*senders));
    *senders = text_lister_list(&lister);
    context->cache[EVAL_CACHE_SENDERS] = senders;
    return *senders;
}

/* " for <user@host>;" of the three newest Received lines: sendmail names the recipient
   nowhere else. */
static void add_received(struct eval_context *context, struct text_lister *lister)
{
    struct mx_str rest = eval_header(context, "Received"), line;
    struct mx_str groups[EVAL_REGEX_CAPTURES];
    const struct eval_regex *regex =
        eval_shared_fixed(context->shared, EVAL_RECEIVED_FOR);

    for (int i = 0; i < 3 && mx_str_next(&rest, '\n', &line) == 0; i++) {
        if (eval_regex_find(regex, line, 0, groups) && !has_word(lister, groups[1])) {
            text_lister_add(context->arena, lister, groups[1]);
        }
    }
}

struct text_list eval_recipients(struct eval_context *context)
{
    static const char *const selectors[] = {
        "To:addr",
        "Apparently-To:addr",
        "Delivered-To:addr",
        "Envelope-Recipients:addr",
        "Apparently-Resent-To:addr",
        "X-Envelope-To:addr",
        "Envelope-To:addr",
        "X-Delivered-To:addr",
        "X-Original-To:addr",
        "X-Rcpt-To:addr",
        "X-Real-To:addr",
        "Cc:addr",
    };
    struct text_lister lister = {.max = ADDRESSES_MAX};

    add_addresses(context, &lister, "Resent-To:first:addr");
    add_addresses(context, &lister, "Resent-Cc:first:addr");
    if (lister.n == 0) {
        add_received(context, &lister);
        for (size_t i = 0; i < sizeof(selectors) / sizeof(*selectors); i++) {
            add_addresses(context, &lister, selectors[i]);
        }
    }
    return text_lister_list(&lister);
}

struct mx_str eval_squeeze(struct mx_arena *arena, struct mx_str s)
{
    char *out = mx_arena_alloc(arena, s.n + 1);
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++) {
        bool is_space = text_char_space((unsigned char)s.p[i]);

        if (!is_space) {
            out[n++] = s.p[i];
        } else if (n == 0 || out[n - 1] != ' ') {
            out[n++] = ' ';
        }
    }
    return mx_str_of(out, n);
}

bool eval_hit(const struct eval_context *context, enum eval_pattern pattern,
              struct mx_str subject)
{
    return eval_regex_hit(eval_shared_fixed(context->shared, pattern), subject);
}

double eval_number(struct mx_str s)
{
    char text[64];
    size_t n = 0;

    if (mx_str_istarts(s, MX_STR("inf"))) {
        return INFINITY;
    }
    /* Only what a decimal number is made of: strtod knows hexadecimal and NAN too. */
    while (n < s.n && n < sizeof(text) - 1 && strchr("+-.0123456789eE", s.p[n]) &&
           s.p[n] != '\0') {
        text[n] = s.p[n];
        n++;
    }
    text[n] = '\0';
    return strtod(text, NULL);
}

bool eval_is_undef(const struct mx_str *args, size_t n_args, size_t i)
{
    return i >= n_args || mx_str_eq(args[i], MX_STR("undef"));
}

bool eval_above(double value, struct mx_str min, struct mx_str max)
{
    return value > eval_number(min) && value <= eval_number(max);
}

bool eval_compare(double value, struct mx_str text)
{
    struct mx_str s = mx_str_trim(text);
    size_t n = 0;
    struct mx_str sign;
    double other;

    while (n < s.n && strchr("<>=!", s.p[n]) && s.p[n] != '\0') {
        n++;
    }
    sign = mx_str_sub(s, 0, n);
    other = eval_number(mx_str_trim(mx_str_sub(s, n, s.n)));
    return (mx_str_eq(sign, MX_STR("==")) && value == other) ||
           (mx_str_eq(sign, MX_STR("!=")) && value != other) ||
           (mx_str_eq(sign, MX_STR("<")) && value < other) ||
           (mx_str_eq(sign, MX_STR("<=")) && value <= other) ||
           (mx_str_eq(sign, MX_STR(">")) && value > other) ||
           (mx_str_eq(sign, MX_STR(">=")) && value >= other);
}

struct mx_str eval_domain(struct eval_context *context, struct mx_str host)
{
    return text_domain_of(context->arena, &context->texts->settings->lists, host);
}

bool eval_is_ipv4(struct mx_str s)
{
    struct mx_str part;
    int64_t number;
    struct mx_err unused;
    unsigned n = 0;

    while (mx_str_next(&s, '.', &part) == 0) {
        bool has_zero = part.n > 1 && part.p[0] == '0';

        if (has_zero || ++n > 4 || mx_str_to_int(part, 0, 255, &number, &unused)) {
            return false;
        }
    }
    return n == 4;
}
