/*
 * Evals on lists that a site keeps (WLBLEval, WelcomeListSubject): senders, recipients
 * and subjects that are welcome or not, senders tied to a relay, hosts in URIs. Addresses
 * are compared in lower case; * and ? stand for text.
 */
#include "eval_family.h"

#include "mx_arena.h"
#include "mx_err.h"
#include "mx_net.h"

#include "text/text_domain.h"

#include "eval_util.h"
#include "rule_text.h"

static bool is_any_listed(const struct eval_context *context, struct text_list addresses,
                          const struct eval_words *words)
{
    for (size_t i = 0; words && i < addresses.n; i++) {
        if (eval_words_match(words, mx_str_lower(context->arena, addresses.v[i]))) {
            return true;
        }
    }
    return false;
}

static int is_sender_in(struct eval_context *context, const char *directive,
                        struct mx_str name)
{
    const struct eval_words *words = eval_shared_words(context->shared, directive, name);

    return words && is_any_listed(context, eval_senders(context), words);
}

static int is_recipient_in(struct eval_context *context, const char *directive,
                           struct mx_str name)
{
    const struct eval_words *words = eval_shared_words(context->shared, directive, name);

    return words && is_any_listed(context, eval_recipients(context), words);
}

static int check_from_in_list(struct eval_context *context, const struct mx_str *args,
                              size_t n_args)
{
    (void)n_args;
    return is_sender_in(context, "enlist_addrlist", args[0]);
}

static int check_to_in_list(struct eval_context *context, const struct mx_str *args,
                            size_t n_args)
{
    (void)n_args;
    return is_recipient_in(context, "enlist_addrlist", args[0]);
}

static int check_replyto_in_list(struct eval_context *context, const struct mx_str *args,
                                 size_t n_args)
{
    struct mx_str address = eval_address(context, "Reply-To:addr");
    const struct eval_words *words =
        eval_shared_words(context->shared, "enlist_addrlist", args[0]);

    (void)n_args;
    return address.n > 0 &&
           is_any_listed(context, (struct text_list){&address, 1}, words);
}

static int check_from_in_blocklist(struct eval_context *context,
                                   const struct mx_str *args, size_t n_args)
{
    (void)args;
    (void)n_args;
    return is_sender_in(context, "blocklist_from", MX_STR(""));
}

static int check_to_in_blocklist(struct eval_context *context, const struct mx_str *args,
                                 size_t n_args)
{
    (void)args;
    (void)n_args;
    return is_recipient_in(context, "blocklist_to", MX_STR(""));
}

static int check_to_in_welcomelist(struct eval_context *context,
                                   const struct mx_str *args, size_t n_args)
{
    (void)args;
    (void)n_args;
    return is_recipient_in(context, "welcomelist_to", MX_STR(""));
}

static int check_to_in_more_spam(struct eval_context *context, const struct mx_str *args,
                                 size_t n_args)
{
    (void)args;
    (void)n_args;
    return is_recipient_in(context, "more_spam_to", MX_STR(""));
}

static int check_to_in_all_spam(struct eval_context *context, const struct mx_str *args,
                                size_t n_args)
{
    (void)args;
    (void)n_args;
    return is_recipient_in(context, "all_spam_to", MX_STR(""));
}

/* ---- senders tied to a relay --------------------------------------------------------
 */

enum tie { NOT_LISTED, LISTED, FORGED };

/* The relays whose word counts: the first untrusted one; where all are trusted, all. */
static void relays_to_ask(const struct text_relays *relays, size_t *from, size_t *to)
{
    bool has_untrusted = relays->n > relays->n_trusted;

    *from = has_untrusted ? relays->n_trusted : 0;
    *to = has_untrusted ? relays->n_trusted + 1 : relays->n;
}

/* "192.0.2.1", "192.0.2", "192.0.2.0/24" or IPv6, as it stood in brackets. */
static bool is_relay_ip(const struct text_relay *relay, struct mx_str ip)
{
    struct mx_net net;
    struct mx_err unused;
    bool is_partial =
        mx_str_chr(ip, ':') < 0 && mx_str_chr(ip, '/') < 0 && !eval_is_ipv4(ip);

    if (is_partial) {
        while (ip.n > 0 && ip.p[ip.n - 1] == '.') {
            ip.n--;
        }
        return ip.n > 0 && ip.n < relay->ip.n && relay->ip.p[ip.n] == '.' &&
               mx_str_starts(relay->ip, ip);
    }
    return mx_net_parse(ip, &net, &unused) == 0 && mx_net_contains(&net, &relay->net);
}

/* "[192.0.2.0]/24" -> "192.0.2.0/24"; false where ${s} has no brackets. */
static bool take_brackets(struct mx_arena *arena, struct mx_str s, struct mx_str *out)
{
    ptrdiff_t end = mx_str_chr(s, ']');

    if (s.n == 0 || s.p[0] != '[' || end < 0) {
        return false;
    }
    *out = mx_str(mx_arena_printf(arena, "%.*s%.*s",
                                  MX_STR_FMT(mx_str_sub(s, 1, (size_t)end - 1)),
                                  MX_STR_FMT(mx_str_sub(s, (size_t)end + 1, s.n))));
    return true;
}

/* ${name} is the relay's name or a parent domain of it. */
static bool is_relay_name(const struct text_relay *relay, struct mx_str name)
{
    size_t before = relay->rdns.n - name.n;

    return name.n > 0 && mx_str_iends(relay->rdns, name) &&
           (before == 0 || relay->rdns.p[before - 1] == '.');
}

static bool is_any_relay(struct eval_context *context, struct mx_str wanted)
{
    const struct text_relays *relays = &context->texts->relays;
    struct mx_str ip = wanted;
    bool is_ip = take_brackets(context->arena, wanted, &ip);
    size_t i, to;

    for (relays_to_ask(relays, &i, &to); i < to; i++) {
        if (is_ip ? is_relay_ip(&relays->v[i], ip)
                  : is_relay_name(&relays->v[i], wanted)) {
            return true;
        }
    }
    return false;
}

/* Entries are "address relay". */
static enum tie find_tie(struct eval_context *context, const struct rule_list *list,
                         struct mx_str address)
{
    bool is_forged = false;

    for (size_t i = 0; i < list->entries.n; i++) {
        struct mx_str relay = list->entries.v[i];
        struct mx_str pattern = rule_text_word(&relay);

        if (!rule_text_glob(pattern, address)) {
            continue;
        }
        if (is_any_relay(context, relay)) {
            return LISTED;
        }
        is_forged = true;
    }
    if (is_forged &&
        eval_words_match(
            eval_shared_words(context->shared, "welcomelist_allows_relays", MX_STR("")),
            address)) {
        is_forged = false;
    }
    return is_forged ? FORGED : NOT_LISTED;
}

static enum tie find_sender_tie(struct eval_context *context, const char *directive)
{
    const struct rule_list *list = rule_list_find(context->set, directive, MX_STR(""));
    struct text_list senders = eval_senders(context);
    enum tie best = NOT_LISTED;

    for (size_t i = 0; list && context->texts->relays.n > 0 && i < senders.n; i++) {
        enum tie tie =
            find_tie(context, list, mx_str_lower(context->arena, senders.v[i]));

        if (tie == LISTED) {
            return LISTED;
        }
        best = tie == FORGED ? FORGED : best;
    }
    return best;
}

static enum tie sender_tie(struct eval_context *context)
{
    return is_sender_in(context, "welcomelist_from", MX_STR(""))
               ? LISTED
               : find_sender_tie(context, "welcomelist_from_rcvd");
}

static int check_from_in_welcomelist(struct eval_context *context,
                                     const struct mx_str *args, size_t n_args)
{
    (void)args;
    (void)n_args;
    return sender_tie(context) == LISTED;
}

static int check_from_in_default_welcomelist(struct eval_context *context,
                                             const struct mx_str *args, size_t n_args)
{
    (void)args;
    (void)n_args;
    return find_sender_tie(context, "def_welcomelist_from_rcvd") == LISTED;
}

static int check_forged_in_welcomelist(struct eval_context *context,
                                       const struct mx_str *args, size_t n_args)
{
    (void)args;
    (void)n_args;
    return sender_tie(context) == FORGED &&
           find_sender_tie(context, "def_welcomelist_from_rcvd") == NOT_LISTED;
}

static int check_forged_in_default_welcomelist(struct eval_context *context,
                                               const struct mx_str *args, size_t n_args)
{
    (void)args;
    (void)n_args;
    return find_sender_tie(context, "def_welcomelist_from_rcvd") == FORGED &&
           sender_tie(context) == NOT_LISTED;
}

/* The sender's domain is that of a relay's name. */
static int check_mailfrom_matches_rcvd(struct eval_context *context,
                                       const struct mx_str *args, size_t n_args)
{
    const struct text_relays *relays = &context->texts->relays;
    struct mx_str sender = eval_address(context, "EnvelopeFrom:addr"), domain;
    ptrdiff_t at = mx_str_rchr(sender, '@');
    size_t i, to;

    (void)args;
    (void)n_args;
    if (at < 0) {
        return 0;
    }
    domain = mx_str_sub(sender, (size_t)at + 1, sender.n);
    if (mx_str_chr(domain, '.') < 1 || domain.p[domain.n - 1] == '.') {
        return 0;
    }
    domain = eval_domain(context, domain);
    for (relays_to_ask(relays, &i, &to); i < to; i++) {
        if (relays->v[i].rdns.n > 0 &&
            mx_str_ieq(domain, eval_domain(context, relays->v[i].rdns))) {
            return 1;
        }
    }
    return 0;
}

/* ---- subjects -----------------------------------------------------------------------
 */

static int is_subject_in(struct eval_context *context, const char *directive)
{
    const struct rule_list *list = rule_list_find(context->set, directive, MX_STR(""));
    struct mx_str subject = mx_str_lower(context->arena, eval_header(context, "Subject"));

    for (size_t i = 0; list && subject.n > 0 && i < list->entries.n; i++) {
        const char *pattern =
            mx_arena_printf(context->arena, "*%.*s*", MX_STR_FMT(list->entries.v[i]));

        if (rule_text_glob(mx_str_lower(context->arena, mx_str(pattern)), subject)) {
            return 1;
        }
    }
    return 0;
}

static int check_subject_in_welcomelist(struct eval_context *context,
                                        const struct mx_str *args, size_t n_args)
{
    (void)args;
    (void)n_args;
    return is_subject_in(context, "welcomelist_subject");
}

static int check_subject_in_blocklist(struct eval_context *context,
                                      const struct mx_str *args, size_t n_args)
{
    (void)args;
    (void)n_args;
    return is_subject_in(context, "blocklist_subject");
}

/* Old names stay valid until SpamAssassin 4.1. */
const struct eval_function eval_wlbl_functions[] = {
    {"check_from_in_list", check_from_in_list, false, 0, 1},
    {"check_to_in_list", check_to_in_list, false, 0, 1},
    {"check_replyto_in_list", check_replyto_in_list, false, 0, 1},
    {"check_from_in_blocklist", check_from_in_blocklist, false, 0, 0},
    {"check_from_in_blacklist", check_from_in_blocklist, false, 0, 0},
    {"check_to_in_blocklist", check_to_in_blocklist, false, 0, 0},
    {"check_to_in_blacklist", check_to_in_blocklist, false, 0, 0},
    {"check_to_in_welcomelist", check_to_in_welcomelist, false, 0, 0},
    {"check_to_in_whitelist", check_to_in_welcomelist, false, 0, 0},
    {"check_to_in_more_spam", check_to_in_more_spam, false, 0, 0},
    {"check_to_in_all_spam", check_to_in_all_spam, false, 0, 0},
    {"check_from_in_welcomelist", check_from_in_welcomelist, false, 0, 0},
    {"check_from_in_whitelist", check_from_in_welcomelist, false, 0, 0},
    {"check_from_in_default_welcomelist", check_from_in_default_welcomelist, false, 0, 0},
    {"check_from_in_default_whitelist", check_from_in_default_welcomelist, false, 0, 0},
    {"check_forged_in_welcomelist", check_forged_in_welcomelist, false, 0, 0},
    {"check_forged_in_whitelist", check_forged_in_welcomelist, false, 0, 0},
    {"check_forged_in_default_welcomelist", check_forged_in_default_welcomelist, false, 0,
     0},
    {"check_forged_in_default_whitelist", check_forged_in_default_welcomelist, false, 0,
     0},
    {"check_mailfrom_matches_rcvd", check_mailfrom_matches_rcvd, false, 0, 0},
    {"check_subject_in_welcomelist", check_subject_in_welcomelist, false, 0, 0},
    {"check_subject_in_whitelist", check_subject_in_welcomelist, false, 0, 0},
    {"check_subject_in_blocklist", check_subject_in_blocklist, false, 0, 0},
    {"check_subject_in_blacklist", check_subject_in_blocklist, false, 0, 0},
    {NULL, NULL, false, 0, 0},
};
