/*
 * uri_detail rules (plugin URIDetail): each address of a message with where it was, its
 * cleaned forms, their hosts and domains, and the texts of links to it. A rule hits if
 * one address meets all its criteria; a criterion on several texts (forms, hosts) is met
 * by any of them, also with "!~".
 *
 * What has to be made is made once a message, whatever the number of rules: a message has
 * up to TEXT_URIS_MAX addresses.
 */
#include "eval_uri_detail.h"

#include <stdlib.h>

#include "mx_arena.h"
#include "mx_err.h"

#include "text/text_chars.h"
#include "text/text_domain.h"
#include "text/text_uri.h"

#include "eval_family.h"
#include "eval_shared.h"
#include "rule_names.h"
#include "rule_read_criteria.h"

#define FUNCTION "check_uri_detail"
#define CRITERIA_MAX 6
#define HOSTS_MAX 100 /* of the forms of one address */
#define TEXTS_MAX 100 /* of links to one address */

struct criterion {
    struct text_list (*texts_of)(struct eval_context *, size_t uri);
    struct eval_regex *regex;
    bool is_negated;
};

struct eval_uri_detail {
    struct criterion v[CRITERIA_MAX];
    size_t n;
};

/* Of each address, worked out when something is asked first. */
struct known {
    struct text_list *hosts, *domains;
    struct text_lister *texts; /* of links whose address was written just so */
};

/* ---- what there is to ask ---------------------------------------------------------- */

static const struct text_uri *uri_at(const struct eval_context *context, size_t uri)
{
    return &context->texts->uri_details[uri];
}

static struct text_list raw_of(struct eval_context *context, size_t uri)
{
    const struct mx_str *raw = &uri_at(context, uri)->raw;

    return (struct text_list){(struct mx_str *)(uintptr_t)raw, 1};
}

static struct text_list list_types(struct eval_context *context, size_t uri)
{
    struct text_lister types = {.max = TEXT_URI_KINDS};

    for (unsigned i = 0; i < TEXT_URI_KINDS; i++) {
        if (uri_at(context, uri)->kinds & (1u << i)) {
            text_lister_add(context->arena, &types, mx_str(text_uri_kind_name(i)));
        }
    }
    return text_lister_list(&types);
}

static struct text_list types_of(struct eval_context *context, size_t uri)
{
    struct text_list *types = context->cache[EVAL_CACHE_URI_TYPES];

    if (!types) {
        types =
            mx_arena_array(context->arena, context->texts->n_uri_details, sizeof(*types));
        context->cache[EVAL_CACHE_URI_TYPES] = types;
    }
    if (types[uri].n == 0) {
        types[uri] = list_types(context, uri);
    }
    return types[uri];
}

static struct text_list cleaned_of(struct eval_context *context, size_t uri)
{
    return uri_at(context, uri)->cooked;
}

static void find_hosts(struct eval_context *context, struct known *known, size_t uri)
{
    struct text_lister hosts = {.max = HOSTS_MAX}, domains = {.max = HOSTS_MAX};
    struct text_list cooked = uri_at(context, uri)->cooked;
    struct mx_str host, domain;

    for (size_t i = 0; i < cooked.n; i++) {
        if (text_domain_of_uri(context->arena, &context->texts->settings->lists,
                               cooked.v[i], &host, &domain)) {
            text_lister_add(context->arena, &hosts, host);
            text_lister_add(context->arena, &domains, domain);
        }
    }
    known->hosts[uri] = text_lister_list(&hosts);
    known->domains[uri] = text_lister_list(&domains);
}

static void find_texts(struct eval_context *context, struct known *known)
{
    const struct texts *texts = context->texts;
    struct rule_names *uris = rule_names_new(context->arena);

    for (size_t i = 0; i < texts->n_uri_details; i++) {
        known->texts[i].max = TEXTS_MAX;
        rule_names_set(uris, uri_at(context, i)->raw, i);
    }
    for (size_t i = 0; i < texts->tree.n_parts; i++) {
        const struct html_result *html = texts->tree.parts[i].html;

        for (size_t j = 0; html && j < html->n_anchors; j++) {
            ptrdiff_t uri = rule_names_find(uris, html->anchors[j].href);

            if (uri >= 0) {
                text_lister_add(context->arena, &known->texts[uri],
                                html->anchors[j].text);
            }
        }
    }
    rule_names_free(uris);
}

static const struct known *known_of(struct eval_context *context)
{
    size_t n = context->texts->n_uri_details;
    struct known *known = context->cache[EVAL_CACHE_URI_DETAIL];

    if (known) {
        return known;
    }
    known = mx_arena_alloc(context->arena, sizeof(*known));
    known->hosts = mx_arena_array(context->arena, n + 1, sizeof(*known->hosts));
    known->domains = mx_arena_array(context->arena, n + 1, sizeof(*known->domains));
    known->texts = mx_arena_array(context->arena, n + 1, sizeof(*known->texts));
    for (size_t i = 0; i < n; i++) {
        find_hosts(context, known, i);
    }
    find_texts(context, known);
    context->cache[EVAL_CACHE_URI_DETAIL] = known;
    return known;
}

static struct text_list hosts_of(struct eval_context *context, size_t uri)
{
    return known_of(context)->hosts[uri];
}

static struct text_list domains_of(struct eval_context *context, size_t uri)
{
    return known_of(context)->domains[uri];
}

static struct text_list link_texts_of(struct eval_context *context, size_t uri)
{
    return text_lister_list(&known_of(context)->texts[uri]);
}

/* In the order in which they are asked: the cheap ones first. */
static const struct {
    const char *name;
    struct text_list (*texts_of)(struct eval_context *, size_t uri);
} names[CRITERIA_MAX] = {
    {"raw", raw_of},         {"type", types_of},     {"cleaned", cleaned_of},
    {"text", link_texts_of}, {"domain", domains_of}, {"host", hosts_of},
};

/* ---- compiling --------------------------------------------------------------------- */

bool eval_is_uri_detail(const struct rule *rule)
{
    return mx_str_eq(rule->function, MX_STR(FUNCTION));
}

static int take(const struct mx_str *args, struct criterion *out, struct mx_err *err)
{
    for (size_t i = 0; i < CRITERIA_MAX; i++) {
        if (mx_str_eq(args[0], mx_str(names[i].name))) {
            out->texts_of = names[i].texts_of;
        }
    }
    if (!out->texts_of) {
        return mx_err_set(err, MX_ERR_INPUT, "no criterion %.*s", MX_STR_FMT(args[0]));
    }
    out->is_negated = mx_str_starts(args[1], MX_STR("!"));
    return eval_regex_new(args[2], 0, &out->regex, err);
}

int eval_uri_detail_new(const struct rule *rule, struct eval_uri_detail **out,
                        struct mx_err *err)
{
    struct eval_uri_detail *detail;

    if (rule->n_args == 0 || rule->n_args % RULE_CRITERION_ARGS != 0 ||
        rule->n_args / RULE_CRITERION_ARGS > CRITERIA_MAX) {
        return mx_err_set(err, MX_ERR_INPUT, FUNCTION " is of uri_detail rules");
    }
    detail = mx_xalloc(sizeof(*detail));
    for (size_t i = 0; i < rule->n_args; i += RULE_CRITERION_ARGS) {
        if (take(rule->args + i, &detail->v[detail->n++], err)) {
            eval_uri_detail_free(detail);
            return -1;
        }
    }
    *out = detail;
    return 0;
}

void eval_uri_detail_free(struct eval_uri_detail *detail)
{
    if (!detail) {
        return;
    }
    for (size_t i = 0; i < detail->n; i++) {
        eval_regex_free(detail->v[i].regex);
    }
    free(detail);
}

/* ---- asking ------------------------------------------------------------------------ */

static bool is_met(struct eval_context *context, const struct criterion *criterion,
                   size_t uri)
{
    struct text_list texts = criterion->texts_of(context, uri);

    for (size_t i = 0; i < texts.n; i++) {
        if (eval_argument_hit(context, criterion->regex, texts.v[i]) !=
            criterion->is_negated) {
            return true;
        }
    }
    return false;
}

static int check_uri_detail(struct eval_context *context, const struct mx_str *args,
                            size_t n_args)
{
    const struct eval_uri_detail *detail = eval_shared_uri_detail(context);

    (void)args;
    (void)n_args;
    for (size_t uri = 0;
         detail && !context->is_limited && uri < context->texts->n_uri_details; uri++) {
        size_t n = 0;

        while (n < detail->n && is_met(context, &detail->v[n], uri)) {
            n++;
        }
        if (n == detail->n) {
            return 1;
        }
    }
    return 0;
}

const struct eval_function eval_uri_detail_functions[] = {
    {FUNCTION, check_uri_detail, false, 0, RULE_CRITERION_ARGS},
    {NULL, NULL, false, 0, 0},
};
