/*
 * Evals on relays (RelayEval): how many there are and which are trusted, HELO names that
 * lie, trails that do not fit together. "Untrusted" are the relays behind the first
 * n_trusted.
 */
#include "eval_family.h"

#include <ctype.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "mx_net.h"

#include "eval_util.h"

static int check_all_trusted(struct eval_context *context, const struct mx_str *args,
                             size_t n_args)
{
    const struct text_relays *relays = &context->texts->relays;

    (void)args;
    (void)n_args;
    return relays->n > 0 && relays->n_trusted == relays->n && relays->unparseable == 0;
}

static int check_no_relays(struct eval_context *context, const struct mx_str *args,
                           size_t n_args)
{
    const struct text_relays *relays = &context->texts->relays;

    (void)args;
    (void)n_args;
    return relays->n == 0 && relays->unparseable == 0;
}

static int check_relays_unparseable(struct eval_context *context,
                                    const struct mx_str *args, size_t n_args)
{
    (void)args;
    (void)n_args;
    return context->texts->relays.unparseable > 0;
}

/* An IPv4 address of the public internet. */
static bool is_public_ipv4(struct mx_str s)
{
    struct mx_net net;
    struct mx_err unused;

    return eval_is_ipv4(s) && mx_net_parse(s, &net, &unused) == 0 &&
           !mx_net_is_private(&net);
}

/* "192.0.2." of "192.0.2.1": ${dots} labels. */
static struct mx_str first_labels(struct mx_str ip, unsigned dots)
{
    for (size_t i = 0; i < ip.n; i++) {
        if (ip.p[i] == '.' && --dots == 0) {
            return mx_str_sub(ip, 0, i + 1);
        }
    }
    return ip;
}

/* The same /24 may well be one site. */
static int helo_ip_mismatch(struct eval_context *context, const struct mx_str *args,
                            size_t n_args)
{
    const struct text_relays *relays = &context->texts->relays;

    (void)args;
    (void)n_args;
    for (size_t i = relays->n_trusted; i < relays->n; i++) {
        const struct text_relay *relay = &relays->v[i];

        if (is_public_ipv4(relay->helo) && is_public_ipv4(relay->ip) &&
            !mx_str_starts(relay->ip, first_labels(relay->helo, 3))) {
            return 1;
        }
    }
    return 0;
}

static int check_for_numeric_helo(struct eval_context *context, const struct mx_str *args,
                                  size_t n_args)
{
    struct mx_str groups[EVAL_REGEX_CAPTURES];

    (void)args;
    (void)n_args;
    return eval_regex_find(eval_shared_fixed(context->shared, EVAL_HELO_IPV4),
                           context->texts->relays.untrusted, 0, groups) &&
           is_public_ipv4(groups[1]);
}

/* Gone from SpamAssassin; rules that still name it never hit. */
static int check_for_illegal_ip(struct eval_context *context, const struct mx_str *args,
                                size_t n_args)
{
    (void)context;
    (void)args;
    (void)n_args;
    return 0;
}

/* The oldest untrusted relay has a name, and no private address. */
static int check_for_sender_no_reverse(struct eval_context *context,
                                       const struct mx_str *args, size_t n_args)
{
    const struct text_relays *relays = &context->texts->relays;
    const struct text_relay *oldest;

    (void)args;
    (void)n_args;
    if (relays->n == relays->n_trusted) {
        return 0;
    }
    oldest = &relays->v[relays->n - 1];
    return mx_str_chr(oldest->rdns, '.') >= 0 && !oldest->is_private;
}

/* The last public relay decides. */
static int check_for_no_rdns_dotcom_helo(struct eval_context *context,
                                         const struct mx_str *args, size_t n_args)
{
    const struct text_relays *relays = &context->texts->relays;
    bool has_hit = false;

    (void)args;
    (void)n_args;
    for (size_t i = relays->n_trusted; i < relays->n; i++) {
        const struct text_relay *relay = &relays->v[i];

        if (!relay->is_private) {
            has_hit =
                relay->has_no_rdns && eval_hit(context, EVAL_DOTCOM_HELO, relay->helo);
        }
    }
    return has_hit;
}

static bool has_letter(struct mx_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (isalpha((unsigned char)s.p[i])) {
            return true;
        }
    }
    return false;
}

/* Where label ${n} from the end begins; 0 where there are no more. */
static size_t label_from_end(struct mx_str s, unsigned n)
{
    for (size_t i = s.n; i > 0; i--) {
        if (s.p[i - 1] == '.' && --n == 0) {
            return i;
        }
    }
    return 0;
}

/* Two labels where the last is long or one of a few, else three. Coarser than registrable
   domains, and what these two functions are tuned to. */
static struct mx_str coarse_domain(struct mx_arena *arena, struct mx_str host)
{
    struct mx_str s = mx_str_lower(arena, host), last;
    size_t from;
    bool is_short;

    if (!has_letter(s)) {
        return s;
    }
    from = label_from_end(s, 1);
    last = mx_str_sub(s, from, s.n);
    is_short = last.n < 3 && !mx_str_eq(last, MX_STR("ie")) &&
               !mx_str_eq(last, MX_STR("fr")) && !mx_str_eq(last, MX_STR("de"));
    from = from == 0 ? 0 : label_from_end(s, is_short ? 3 : 2);
    return mx_str_sub(s, from, s.n);
}

struct trail {
    unsigned mismatches, ip_mismatches;
};

static bool is_local_name(struct mx_str name)
{
    return mx_str_eq(name, MX_STR("localhost")) ||
           mx_str_eq(name, MX_STR("localhost.localdomain"));
}

/* Who wrote relay ${i} is not who handed it to relay ${i} - 1. */
static bool is_broken_at(struct eval_context *context, size_t i, struct mx_str by)
{
    const struct text_relays *relays = &context->texts->relays;
    const struct text_relay *before;
    struct mx_str from;

    if (i == relays->n_trusted) {
        return false;
    }
    before = &relays->v[i - 1];
    from = coarse_domain(context->arena, before->rdns);
    if (is_local_name(from) && mx_str_eq(before->ip, MX_STR("127.0.0.1"))) {
        return false;
    }
    return eval_hit(context, EVAL_TRAIL_HOST, from) && !mx_str_eq(by, from) &&
           !(mx_str_eq(by, MX_STR("msn.com")) && mx_str_eq(from, MX_STR("hotmail.com")));
}

/* A HELO of another /16 than the address; a private one may be a slip. */
static bool has_wrong_ip(struct eval_context *context, const struct text_relay *relay)
{
    struct mx_str helo = coarse_domain(context->arena, relay->helo);

    return is_public_ipv4(helo) && eval_is_ipv4(relay->ip) &&
           !mx_str_starts(relay->ip, first_labels(helo, 2));
}

static struct trail follow_trail(struct eval_context *context)
{
    const struct text_relays *relays = &context->texts->relays;
    struct trail trail = {0};

    for (size_t i = relays->n_trusted; i < relays->n; i++) {
        struct mx_str by = coarse_domain(context->arena, relays->v[i].by);

        if (eval_hit(context, EVAL_TRAIL_HOST, by)) {
            trail.ip_mismatches += has_wrong_ip(context, &relays->v[i]);
            trail.mismatches += is_broken_at(context, i, by);
        }
    }
    return trail;
}

static int check_for_forged_received_trail(struct eval_context *context,
                                           const struct mx_str *args, size_t n_args)
{
    (void)args;
    (void)n_args;
    return follow_trail(context).mismatches > 1;
}

static int check_for_forged_received_ip_helo(struct eval_context *context,
                                             const struct mx_str *args, size_t n_args)
{
    (void)args;
    (void)n_args;
    return follow_trail(context).ip_mismatches > 0;
}

/* ${domain} in ${s}, at the beginning of a word. */
static bool names_domain(struct mx_str s, struct mx_str domain)
{
    for (size_t i = 0; domain.n > 0 && i + domain.n <= s.n; i++) {
        if (mx_str_ieq(mx_str_sub(s, i, domain.n), domain) &&
            (i == 0 || !isalnum((unsigned char)s.p[i - 1]))) {
            return true;
        }
    }
    return false;
}

/* (DOMAIN, "true" or "false"): From names it; does a relay of it, too? */
static int check_for_from_domain_in_received_headers(struct eval_context *context,
                                                     const struct mx_str *args,
                                                     size_t n_args)
{
    const struct text_relays *relays = &context->texts->relays;
    bool is_wanted = mx_str_eq(args[1], MX_STR("true")), is_there = false;

    (void)n_args;
    if (!names_domain(eval_address(context, "From:addr"), args[0])) {
        return 0;
    }
    for (size_t i = 0; i < relays->n; i++) {
        is_there = is_there || (mx_str_iends(relays->v[i].rdns, args[0]) &&
                                mx_str_iends(relays->v[i].by, args[0]));
    }
    return is_there == is_wanted;
}

const struct eval_function eval_relay_functions[] = {
    {"check_all_trusted", check_all_trusted, false, 0, 0},
    {"check_no_relays", check_no_relays, false, 0, 0},
    {"check_relays_unparseable", check_relays_unparseable, false, 0, 0},
    {"helo_ip_mismatch", helo_ip_mismatch, false, 0, 0},
    {"check_for_numeric_helo", check_for_numeric_helo, false, 0, 0},
    {"check_for_illegal_ip", check_for_illegal_ip, false, 0, 0},
    {"check_for_sender_no_reverse", check_for_sender_no_reverse, false, 0, 0},
    {"check_for_no_rdns_dotcom_helo", check_for_no_rdns_dotcom_helo, false, 0, 0},
    {"check_for_forged_received_trail", check_for_forged_received_trail, false, 0, 0},
    {"check_for_forged_received_ip_helo", check_for_forged_received_ip_helo, false, 0, 0},
    {"check_for_from_domain_in_received_headers",
     check_for_from_domain_in_received_headers, false, 0, 2},
    {NULL, NULL, false, 0, 0},
};
