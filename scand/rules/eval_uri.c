/*
 * Evals on URIs (URIEval, HTTPSMismatch, and of WLBLEval the lists of hosts): links whose
 * text names another place than they lead to, redirectors, listed hosts.
 */
#include "eval_family.h"

#include "mx_arena.h"

#include "text/text_chars.h"
#include "text/text_domain.h"

#include "eval_util.h"

#define HOSTS_MAX 5000   /* different ones that are looked up */
#define LABELS_MAX 11    /* of a host, from its end */
#define ANCHORS_MAX 1000 /* different addresses in one part */

static bool has(const struct text_lister *lister, struct mx_str s)
{
    for (size_t i = 0; i < lister->n; i++) {
        if (mx_str_eq(lister->v[i], s)) {
            return true;
        }
    }
    return false;
}

/* Neighbours that are the same count once: a URI's forms mostly share their host. */
static void add_host(struct eval_context *context, struct mx_str uri,
                     struct text_lister *hosts)
{
    struct mx_str host, domain;

    if (text_domain_of_uri(context->arena, &context->texts->settings->lists, uri, &host,
                           &domain) &&
        (hosts->n == 0 || !mx_str_eq(hosts->v[hosts->n - 1], host))) {
        text_lister_add(context->arena, hosts, host);
    }
}

/* Domains that signed (d= of DKIM, RFC 6376 3.5) count as linked to. */
static void add_signers(struct eval_context *context, const char *selector,
                        struct text_lister *hosts)
{
    const struct eval_regex *regex = eval_shared_fixed(context->shared, EVAL_DKIM_DOMAIN);
    struct mx_str s = eval_header(context, selector), groups[EVAL_REGEX_CAPTURES];

    for (size_t at = 0; eval_regex_find(regex, s, at, groups);
         at = (size_t)(groups[0].p - s.p) + groups[0].n) {
        add_host(context, text_trim(groups[1], false), hosts);
    }
}

/* Hosts of all URIs but mail addresses. */
static const struct text_list *hosts_of(struct eval_context *context)
{
    const struct texts *texts = context->texts;
    struct text_lister lister = {.max = HOSTS_MAX};
    struct text_list *hosts = context->cache[EVAL_CACHE_URI_HOST];

    if (hosts) {
        return hosts;
    }
    for (size_t i = 0; i < texts->n_uri_details; i++) {
        const struct text_uri *uri = &texts->uri_details[i];
        size_t n = mx_str_istarts(uri->raw, MX_STR("mailto:")) ? 0 : uri->cooked.n;

        for (size_t j = 0; j < n; j++) {
            add_host(context, uri->cooked.v[j], &lister);
        }
    }
    if (eval_shared_number(context->shared, "parse_dkim_uris", 1) != 0) {
        add_signers(context, "DomainKey-Signature", &lister);
        add_signers(context, "DKIM-Signature", &lister);
    }
    hosts = mx_arena_alloc(context->arena, sizeof(*hosts));
    *hosts = text_lister_list(&lister);
    context->cache[EVAL_CACHE_URI_HOST] = hosts;
    return hosts;
}

/* The host itself, else its parents; the first that the list knows decides. */
static bool is_host_listed(const struct eval_words *words, struct mx_str host)
{
    unsigned labels = 1;
    int verdict = -1;
    ptrdiff_t dot;

    for (size_t i = 0; i < host.n; i++) {
        labels += host.p[i] == '.';
    }
    while (verdict < 0 && host.n > 0) {
        if (labels-- <= LABELS_MAX || text_host_is_ip(host)) {
            verdict = eval_words_has(words, host);
        }
        dot = text_host_is_ip(host) ? -1 : mx_str_chr(host, '.');
        host = dot < 0 ? MX_STR("") : mx_str_sub(host, (size_t)dot + 1, host.n);
    }
    return verdict == 1;
}

static int is_any_host_in(struct eval_context *context, struct mx_str name)
{
    const struct eval_words *words =
        eval_shared_words(context->shared, "enlist_uri_host", name);
    const struct text_list *hosts;

    if (!words) {
        return 0;
    }
    hosts = hosts_of(context);
    for (size_t i = 0; i < hosts->n; i++) {
        if (is_host_listed(words, hosts->v[i])) {
            return 1;
        }
    }
    return 0;
}

static int check_uri_host_listed(struct eval_context *context, const struct mx_str *args,
                                 size_t n_args)
{
    (void)n_args;
    return is_any_host_in(context, args[0]);
}

static int check_uri_host_in_blocklist(struct eval_context *context,
                                       const struct mx_str *args, size_t n_args)
{
    (void)args;
    (void)n_args;
    return is_any_host_in(context, MX_STR("BLOCK"));
}

static int check_uri_host_in_welcomelist(struct eval_context *context,
                                         const struct mx_str *args, size_t n_args)
{
    (void)args;
    (void)n_args;
    return is_any_host_in(context, MX_STR("WELCOME"));
}

static int check_uri_truncated(struct eval_context *context, const struct mx_str *args,
                               size_t n_args)
{
    (void)args;
    (void)n_args;
    return context->texts->uri_truncated;
}

/* ---- anchors ------------------------------------------------------------------------
 */

/* The registrable domain that an http or https link leads to; "" for addresses. */
static struct mx_str link_domain(struct eval_context *context, struct mx_str href)
{
    const struct text_lists *lists = &context->texts->settings->lists;
    struct mx_str host, domain;
    size_t n = 0;

    if (mx_str_istarts(href, MX_STR("http://"))) {
        host = mx_str_sub(href, 7, href.n);
    } else if (mx_str_istarts(href, MX_STR("https://"))) {
        host = mx_str_sub(href, 8, href.n);
    } else {
        return MX_STR("");
    }
    while (n < host.n && host.p[n] != '/' && host.p[n] != ':' && host.p[n] != '?' &&
           host.p[n] != '#') {
        n++;
    }
    host = mx_str_sub(host, 0, n);
    if (n == 0 || text_host_is_ip(host)) {
        return MX_STR("");
    }
    domain = eval_domain(context, host);
    return text_domain_is_valid(lists, domain) ? domain : MX_STR("");
}

/* "https://HOST" in the text of a link, where HOST belongs to another domain. */
static bool shows_other(struct eval_context *context, struct mx_str text,
                        struct mx_str domain)
{
    struct mx_str groups[EVAL_REGEX_CAPTURES], shown;

    if (!eval_regex_find(eval_shared_fixed(context->shared, EVAL_HTTPS_TEXT), text, 0,
                         groups)) {
        return false;
    }
    shown = groups[1];
    if (!text_host_is_ip(shown)) {
        shown = eval_domain(context, shown);
        if (!text_domain_is_valid(&context->texts->settings->lists, shown)) {
            return false;
        }
    }
    return !mx_str_eq(shown, domain);
}

/* Anchors of one part with another address each, up to ${max}; some shows another place.
 */
static size_t count_anchors(struct eval_context *context, const struct html_result *html,
                            size_t max, bool *is_mismatch)
{
    struct text_lister seen = {.max = max};

    *is_mismatch = false;
    for (size_t i = 0; i < html->n_anchors && seen.n < max; i++) {
        const struct html_anchor *anchor = &html->anchors[i];
        struct mx_str domain = link_domain(context, anchor->href);

        if (domain.n == 0) {
            continue;
        }
        if (!has(&seen, anchor->href)) {
            text_lister_add(context->arena, &seen, anchor->href);
        }
        *is_mismatch = *is_mismatch || shows_other(context, anchor->text, domain);
    }
    return seen.n;
}

/* ([MIN[, MAX]]): with MIN to below MAX anchors. */
static int check_https_http_mismatch(struct eval_context *context,
                                     const struct mx_str *args, size_t n_args)
{
    const struct text_tree *tree = &context->texts->tree;
    double min = n_args > 0 && eval_number(args[0]) > 0 ? eval_number(args[0]) : 1;
    double max = n_args > 1 ? eval_number(args[1]) : ANCHORS_MAX + 1;
    size_t bound = max > 0 && max < ANCHORS_MAX ? (size_t)max : ANCHORS_MAX;

    for (size_t i = 0; i < tree->n_parts; i++) {
        bool is_mismatch = false;
        size_t n = 0;

        if (tree->parts[i].html) {
            n = count_anchors(context, tree->parts[i].html, bound, &is_mismatch);
        }
        if (is_mismatch && (double)n >= min && (double)n < max) {
            return 1;
        }
    }
    return 0;
}

/* A link to an address whose text shows https:, and no address. */
static int check_https_ip_mismatch(struct eval_context *context,
                                   const struct mx_str *args, size_t n_args)
{
    const struct text_tree *tree = &context->texts->tree;

    (void)args;
    (void)n_args;
    for (size_t i = 0; i < tree->n_parts; i++) {
        const struct html_result *html = tree->parts[i].html;

        for (size_t j = 0; html && j < html->n_anchors; j++) {
            struct mx_str text = mx_str_lower(context->arena, html->anchors[j].text);

            if (mx_str_find(text, MX_STR("https:")) >= 0 &&
                !eval_hit(context, EVAL_HTTPS_IP, text) &&
                eval_hit(context, EVAL_HTTP_IP, html->anchors[j].href)) {
                return 1;
            }
        }
    }
    return 0;
}

static struct mx_str domain_or_host(struct eval_context *context, struct mx_str host)
{
    struct mx_str whole, domain;

    return text_domain_of_uri(context->arena, &context->texts->settings->lists, host,
                              &whole, &domain)
               ? domain
               : host;
}

/* One URI inside another, of another domain. */
static int check_for_http_redirector(struct eval_context *context,
                                     const struct mx_str *args, size_t n_args)
{
    const struct text_list *uris = &context->texts->uris;
    struct mx_str groups[EVAL_REGEX_CAPTURES];

    (void)args;
    (void)n_args;
    for (size_t i = 0; i < uris->n; i++) {
        struct mx_str uri = uris->v[i];

        while (eval_regex_find(eval_shared_fixed(context->shared, EVAL_REDIRECTOR), uri,
                               0, groups)) {
            if (!mx_str_eq(domain_or_host(context, groups[1]),
                           domain_or_host(context, groups[3]))) {
                return 1;
            }
            uri = groups[2];
        }
    }
    return 0;
}

const struct eval_function eval_uri_functions[] = {
    {"check_uri_host_listed", check_uri_host_listed, false, 0, 1},
    {"check_uri_host_in_blocklist", check_uri_host_in_blocklist, false, 0, 0},
    {"check_uri_host_in_blacklist", check_uri_host_in_blocklist, false, 0, 0},
    {"check_uri_host_in_welcomelist", check_uri_host_in_welcomelist, false, 0, 0},
    {"check_uri_host_in_whitelist", check_uri_host_in_welcomelist, false, 0, 0},
    {"check_uri_truncated", check_uri_truncated, false, 0, 0},
    {"check_https_http_mismatch", check_https_http_mismatch, false, 0, 0},
    {"check_https_ip_mismatch", check_https_ip_mismatch, false, 0, 0},
    {"check_for_http_redirector", check_for_http_redirector, false, 0, 0},
    {NULL, NULL, false, 0, 0},
};
