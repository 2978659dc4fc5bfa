/*
 * Evals on addresses at free mail providers (FreeMail): who wrote, who is to be answered,
 * and which such addresses the body holds. Providers are `freemail_domains`; addresses
 * that stand for a role or that machines make up are none.
 *
 * The body is looked through once per message, and only for the few rules that come so
 * far. Addresses inside URLs, in <>, and in front of "wrote:" are left out: they are what
 * a program or a quotation put there.
 */
#include "eval_family.h"

#include <ctype.h>
#include <string.h>

#include "mx_arena.h"

#include "text/text_chars.h"
#include "text/text_domain.h"

#include "eval_util.h"

#define URI_ADDRESSES_MAX 20
#define BODY_ADDRESSES_MAX 40

/* What the body holds. */
struct found {
    struct text_lister all, freemail;
    bool is_too_many; /* a list of addresses, nobody's mail */
};

static struct mx_str domain_of(struct mx_str address)
{
    ptrdiff_t at = mx_str_rchr(address, '@');

    return at < 0 ? address : mx_str_sub(address, (size_t)at + 1, address.n);
}

static const struct eval_words *words(const struct eval_context *context,
                                      const char *directive)
{
    return eval_shared_words(context->shared, directive, MX_STR(""));
}

/* `freemail_import_LIST 1`, and LIST has the address. */
static bool is_imported(const struct eval_context *context, const char *list,
                        struct mx_str address)
{
    const char *setting = mx_arena_printf(context->arena, "freemail_import_%s", list);

    return eval_shared_number(context->shared, setting, 0) != 0 &&
           eval_words_match(words(context, list), address);
}

/* ${address} is in lower case. */
static bool is_freemail(const struct eval_context *context, struct mx_str address)
{
    const struct eval_words *welcome = words(context, "freemail_welcomelist");
    struct mx_str domain = domain_of(address);

    return address.n > 0 &&
           eval_words_match_labels(words(context, "freemail_domains"), domain) &&
           eval_words_has(welcome, address) != 1 &&
           eval_words_has(welcome, domain) != 1 &&
           !eval_hit(context, EVAL_FREEMAIL_ROLE, address) &&
           !is_imported(context, "welcomelist_auth", address) &&
           !is_imported(context, "def_welcomelist_auth", address);
}

static struct text_list lower_all(struct mx_arena *arena, struct text_list list)
{
    struct mx_str *v = mx_arena_array(arena, list.n + 1, sizeof(*v));

    for (size_t i = 0; i < list.n; i++) {
        v[i] = mx_str_lower(arena, list.v[i]);
    }
    return (struct text_list){v, list.n};
}

static bool has(const struct text_list *list, struct mx_str s)
{
    for (size_t i = 0; i < list->n; i++) {
        if (mx_str_eq(list->v[i], s)) {
            return true;
        }
    }
    return false;
}

/* Some address is freemail, and matches the rule's pattern where it has one. */
static bool any_freemail(struct eval_context *context, struct text_list list,
                         bool has_pattern)
{
    const struct eval_regex *regex = eval_shared_argument(context);

    for (size_t i = 0; i < list.n; i++) {
        if (is_freemail(context, list.v[i]) &&
            (!has_pattern || eval_argument_hit(context, regex, list.v[i]))) {
            return true;
        }
    }
    return false;
}

static int check_freemail_from(struct eval_context *context, const struct mx_str *args,
                               size_t n_args)
{
    (void)args;
    return any_freemail(context, lower_all(context->arena, eval_senders(context)),
                        n_args > 0);
}

/* (HEADER[, PATTERN]) */
static int check_freemail_header(struct eval_context *context, const struct mx_str *args,
                                 size_t n_args)
{
    bool is_address = mx_str_iends(args[0], MX_STR(":addr"));
    const char *selector = mx_arena_printf(context->arena, "%.*s%s", MX_STR_FMT(args[0]),
                                           is_address ? "" : ":addr");
    struct text_list list = eval_addresses(context, mx_str(selector));

    return any_freemail(context, lower_all(context->arena, list), n_args > 1);
}

static void note(struct eval_context *context, struct mx_str address, size_t max,
                 struct found *found)
{
    struct text_list all = text_lister_list(&found->all);
    struct mx_str lower = mx_str_lower(context->arena, address);

    if (found->all.n < max && !has(&all, lower)) {
        text_lister_add(context->arena, &found->all, lower);
    }
}

/* An address in ${s} at or behind ${*at}, which moves behind it: its name ends in a known
   top-level domain. */
static bool next_address(const struct eval_context *context, struct mx_str s, size_t *at,
                         struct mx_str *out)
{
    const struct eval_regex *regex = eval_shared_fixed(context->shared, EVAL_EMAIL);
    struct mx_str groups[EVAL_REGEX_CAPTURES];

    while (eval_regex_find(regex, s, *at, groups)) {
        *at = (size_t)(groups[0].p - s.p) + groups[0].n;
        if (text_domain_is_valid(&context->texts->settings->lists,
                                 domain_of(groups[1]))) {
            *out = groups[1];
            return true;
        }
    }
    return false;
}

/* mailto: in HTML does not show in the body. */
static void search_uris(struct eval_context *context, struct found *found)
{
    for (size_t i = 0; i < context->texts->n_uri_details; i++) {
        const struct text_uri *uri = &context->texts->uri_details[i];
        struct mx_str rest = mx_str_sub(uri->raw, 7, uri->raw.n), address;
        size_t at = 0;

        if ((uri->kinds & (TEXT_URI_A | TEXT_URI_PARSED)) == TEXT_URI_A &&
            mx_str_istarts(uri->raw, MX_STR("mailto:")) &&
            next_address(context, rest, &at, &address) && address.p == rest.p) {
            note(context, address, URI_ADDRESSES_MAX, found);
        }
    }
}

/* ${s} with a space for each URL that holds an "@". */
static struct mx_str without_urls(struct eval_context *context, struct mx_str s)
{
    const struct eval_regex *regex =
        eval_shared_fixed(context->shared, EVAL_URL_WITH_EMAIL);
    struct mx_str groups[EVAL_REGEX_CAPTURES];
    char *copy;
    size_t at = 0;

    if (!eval_regex_find(regex, s, 0, groups)) {
        return s;
    }
    copy = mx_arena_dup(context->arena, s.p, s.n);
    while (eval_regex_find(regex, s, at, groups)) {
        at = (size_t)(groups[0].p - s.p);
        memset(copy + at, ' ', groups[0].n);
        at += groups[0].n;
    }
    return mx_str_of(copy, s.n);
}

static void search_text(struct eval_context *context, struct mx_str element,
                        struct found *found)
{
    struct mx_str s = without_urls(context, element), address;

    for (size_t at = 0; next_address(context, s, &at, &address);) {
        size_t from = (size_t)(address.p - s.p);
        bool is_mailto = mx_str_iends(mx_str_sub(s, 0, from), MX_STR("mailto:"));

        if (is_mailto || !eval_hit(context, EVAL_QUOTE_WORD, mx_str_sub(s, at, s.n))) {
            note(context, address, BODY_ADDRESSES_MAX, found);
        }
    }
}

/* Which of all are freemail, unless there are too many of either. */
static void sort_out(struct eval_context *context, struct found *found)
{
    double skip = eval_shared_number(context->shared, "freemail_skip_when_over_max", 1);
    double max_all = eval_shared_number(context->shared, "freemail_max_body_emails", 5);
    double max_free =
        eval_shared_number(context->shared, "freemail_max_body_freemails", 3);

    for (size_t i = 0; i < found->all.n && !found->is_too_many; i++) {
        bool is_over = (double)i + 1 == max_all;

        if (!is_over && is_freemail(context, found->all.v[i])) {
            text_lister_add(context->arena, &found->freemail, found->all.v[i]);
            is_over = (double)found->freemail.n == max_free;
        }
        found->is_too_many = is_over && skip != 0;
    }
}

static const struct found *search_body(struct eval_context *context)
{
    const struct text_list *body = &context->texts->body;
    struct found *found = context->cache[EVAL_CACHE_FREEMAIL];

    if (found) {
        return found;
    }
    found = mx_arena_alloc(context->arena, sizeof(*found));
    found->all.max = found->freemail.max = BODY_ADDRESSES_MAX;
    search_uris(context, found);
    for (size_t i = 0; i < body->n && found->all.n < BODY_ADDRESSES_MAX; i++) {
        if (mx_str_chr(body->v[i], '@') >= 0) {
            search_text(context, body->v[i], found);
        }
    }
    sort_out(context, found);
    context->cache[EVAL_CACHE_FREEMAIL] = found;
    return found;
}

static int check_freemail_body(struct eval_context *context, const struct mx_str *args,
                               size_t n_args)
{
    const struct found *found = search_body(context);

    (void)args;
    return !found->is_too_many &&
           any_freemail(context, text_lister_list(&found->freemail), n_args > 0);
}

/* The envelope sender is a list's or a machine's. */
static bool is_bulk(struct eval_context *context)
{
    return eval_shared_number(context->shared, "freemail_skip_bulk_envfrom", 1) != 0 &&
           eval_hit(context, EVAL_FREEMAIL_BULK, eval_header(context, "EnvelopeFrom"));
}

static bool share_one(const struct text_list *a, const struct text_list *b)
{
    for (size_t i = 0; i < a->n; i++) {
        if (has(b, a->v[i])) {
            return true;
        }
    }
    return false;
}

/* Some freemail address of the body is not one that an answer goes to. */
static int body_differs(struct eval_context *context, const struct text_list *answer_to)
{
    const struct found *found = search_body(context);

    for (size_t i = 0; !found->is_too_many && i < found->freemail.n; i++) {
        for (size_t j = 0; j < answer_to->n; j++) {
            if (!mx_str_eq(found->freemail.v[i], answer_to->v[j])) {
                return 1;
            }
        }
    }
    return 0;
}

/* (["replyto" | "reply"]): "reply" takes From where there is no Reply-To. */
static int check_freemail_replyto(struct eval_context *context, const struct mx_str *args,
                                  size_t n_args)
{
    bool is_reply = n_args > 0 && mx_str_eq(args[0], MX_STR("reply"));
    struct text_list from, to;
    bool is_from, is_to;

    if ((n_args > 0 && !is_reply && !mx_str_eq(args[0], MX_STR("replyto"))) ||
        is_bulk(context)) {
        return 0;
    }
    from = lower_all(context->arena, eval_addresses(context, MX_STR("From:addr")));
    to = lower_all(context->arena, eval_addresses(context, MX_STR("Reply-To:addr")));
    is_from = any_freemail(context, from, false);
    is_to = any_freemail(context, to, false);
    if (is_from && is_to && !share_one(&from, &to)) {
        return 1;
    }
    if (is_reply ? (to.n > 0 && !is_to) || !is_from : !is_to) {
        return 0;
    }
    return body_differs(context, is_to ? &to : &from);
}

const struct eval_function eval_freemail_functions[] = {
    {"check_freemail_from", check_freemail_from, false, 1, 0},
    {"check_freemail_header", check_freemail_header, false, 2, 1},
    {"check_freemail_body", check_freemail_body, false, 1, 0},
    {"check_freemail_replyto", check_freemail_replyto, false, 0, 0},
    {NULL, NULL, false, 0, 0},
};
