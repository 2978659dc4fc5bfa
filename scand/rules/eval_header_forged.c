/*
 * Evals on senders of big providers (HeaderEval): mail that claims to come from one of
 * them, and lacks the trace fields that it writes. The patterns are in eval_pattern.c.
 */
#include "eval_family.h"

#include "mx_arena.h"

#include "text/text_chars.h"

#include "eval_util.h"

#define GOOGLE_STATE_MIN 60 /* bytes of X-Gm-Message-State, X-Google-Smtp-Source */

static struct mx_str received(struct eval_context *context)
{
    return eval_squeeze(context->arena, eval_header(context, "Received"));
}

/* From ends in ${domain}, with a word boundary before it. */
static bool is_from(struct eval_context *context, const char *domain)
{
    struct mx_str from = eval_address(context, "From:addr"), end = mx_str(domain);
    size_t before = from.n - end.n;

    return mx_str_iends(from, end) &&
           (before == 0 || !text_char_word((unsigned char)from.p[before - 1]));
}

static bool has_address(struct eval_context *context, const char *selector)
{
    return eval_hit(context, EVAL_IP_ADDRESS, eval_header(context, selector));
}

static int check_for_fake_aol_relay_in_rcvd(struct eval_context *context,
                                            const struct mx_str *args, size_t n_args)
{
    struct mx_str trace = received(context);

    (void)args;
    (void)n_args;
    return eval_hit(context, EVAL_AOL_RELAY, trace) &&
           !eval_hit(context, EVAL_AOL_OWN, trace);
}

/* List software that takes Received lines away, or no such line at all. */
static bool is_gated(struct eval_context *context)
{
    struct mx_str trace = eval_header(context, "Received");

    if (eval_hit(context, EVAL_EZMLM_LIST, eval_header(context, "Mailing-List")) &&
        eval_hit(context, EVAL_EZMLM_DELIVERED, eval_header(context, "Delivered-To")) &&
        eval_hit(context, EVAL_QMAIL_INVOKED, trace)) {
        return true;
    }
    return !eval_has_header(context, "Received") ||
           eval_hit(context, EVAL_MSN_GROUPS_RELAY, trace);
}

static int gated_through_received_hdr_remover(struct eval_context *context,
                                              const struct mx_str *args, size_t n_args)
{
    (void)args;
    (void)n_args;
    return is_gated(context);
}

/* A message of MSN's groups: list, relay and ids name each other. */
static bool is_msn_groups(struct eval_context *context)
{
    struct mx_str to[EVAL_REGEX_CAPTURES], relay[EVAL_REGEX_CAPTURES];
    struct mx_str id = eval_header(context, "Message-Id");
    struct mx_str sender = eval_address(context, "EnvelopeFrom:addr"), wanted;

    if (!eval_regex_find(eval_shared_fixed(context->shared, EVAL_MSN_GROUPS_TO),
                         eval_header(context, "To"), 0, to) ||
        !eval_regex_find(eval_shared_fixed(context->shared, EVAL_MSN_GROUPS_PICKUP),
                         eval_header(context, "Received"), 0, relay)) {
        return false;
    }
    if (mx_str_eq(to[1], MX_STR("notifications"))) {
        wanted = mx_str(mx_arena_printf(context->arena, "@%.*s>", MX_STR_FMT(relay[1])));
        return mx_str_starts(id, MX_STR("<")) && mx_str_find(id, wanted) > 1;
    }
    wanted = mx_str(mx_arena_printf(context->arena, "<%.*s-", MX_STR_FMT(to[1])));
    if (!mx_str_starts(id, wanted) || mx_str_find(id, MX_STR("@groups.msn.com>")) < 0) {
        return false;
    }
    wanted = mx_str(
        mx_arena_printf(context->arena, "%.*s-bounce@groups.msn.com", MX_STR_FMT(to[1])));
    return mx_str_find(sender, wanted) >= 0;
}

static int check_for_msn_groups_headers(struct eval_context *context,
                                        const struct mx_str *args, size_t n_args)
{
    (void)args;
    (void)n_args;
    return is_msn_groups(context);
}

enum hotmail { HOTMAIL_FINE, HOTMAIL_FORGED, HOTMAIL_NOT_RECEIVED };

static enum hotmail judge_hotmail(struct eval_context *context)
{
    struct mx_str trace = received(context);

    if (mx_str_find(trace, MX_STR("from mail pickup service by hotmail.com with "
                                  "Microsoft SMTPSVC;")) >= 0 ||
        is_msn_groups(context) || is_gated(context)) {
        return HOTMAIL_FINE;
    }
    if (has_address(context, "X-Originating-Ip") &&
        eval_hit(context, EVAL_HOTMAIL_BY_IP, trace)) {
        return HOTMAIL_FINE;
    }
    if (eval_hit(context, EVAL_HOTMAIL_ORIGINATOR,
                 eval_header(context, "X-OriginatorOrg")) &&
        eval_hit(context, EVAL_HOTMAIL_BY_ORG, trace)) {
        return HOTMAIL_FINE;
    }
    if (eval_hit(context, EVAL_HOTMAIL_HELO, trace)) {
        return HOTMAIL_FORGED;
    }
    return is_from(context, "hotmail.com") ? HOTMAIL_NOT_RECEIVED : HOTMAIL_FINE;
}

/* Two functions ask. */
static enum hotmail hotmail_verdict(struct eval_context *context)
{
    enum hotmail *verdict = context->cache[EVAL_CACHE_HOTMAIL];

    if (!verdict) {
        verdict = mx_arena_alloc(context->arena, sizeof(*verdict));
        *verdict = judge_hotmail(context);
        context->cache[EVAL_CACHE_HOTMAIL] = verdict;
    }
    return *verdict;
}

static int check_for_forged_hotmail_received_headers(struct eval_context *context,
                                                     const struct mx_str *args,
                                                     size_t n_args)
{
    (void)args;
    (void)n_args;
    return hotmail_verdict(context) == HOTMAIL_FORGED;
}

static int check_for_no_hotmail_received_headers(struct eval_context *context,
                                                 const struct mx_str *args, size_t n_args)
{
    (void)args;
    (void)n_args;
    return hotmail_verdict(context) == HOTMAIL_NOT_RECEIVED;
}

static int check_for_forged_eudoramail_received_headers(struct eval_context *context,
                                                        const struct mx_str *args,
                                                        size_t n_args)
{
    (void)args;
    (void)n_args;
    return is_from(context, "eudoramail.com") && !is_gated(context) &&
           !(eval_hit(context, EVAL_EUDORAMAIL_BY, received(context)) &&
             has_address(context, "X-Sender-Ip"));
}

static int check_for_forged_yahoo_received_headers(struct eval_context *context,
                                                   const struct mx_str *args,
                                                   size_t n_args)
{
    const struct text_relays *relays = &context->texts->relays;
    struct mx_str trace = eval_header(context, "Received");

    (void)args;
    (void)n_args;
    if (!is_from(context, "yahoo.com") || is_gated(context)) {
        return 0;
    }
    if (eval_header(context, "Resent-From").n > 0 &&
        eval_header(context, "Resent-To").n > 0 &&
        eval_header(context, "X-Received").n > 0) {
        trace = eval_header(context, "X-Received");
    }
    trace = eval_squeeze(context->arena, trace);
    return !eval_hit(context, EVAL_YAHOO_RDNS_TRUSTED, relays->trusted) &&
           !eval_hit(context, EVAL_YAHOO_RDNS_UNTRUSTED, relays->untrusted) &&
           !eval_hit(context, EVAL_YAHOO_RECEIVED, trace) &&
           !(eval_hit(context, EVAL_YAHOO_MAILER, trace) &&
             mx_str_iends(eval_address(context, "From:addr"),
                          MX_STR("@reply.yahoo.com")));
}

static int check_for_forged_juno_received_headers(struct eval_context *context,
                                                  const struct mx_str *args,
                                                  size_t n_args)
{
    struct mx_str trace = eval_header(context, "Received");
    struct mx_str mailer = eval_header(context, "X-Mailer");

    (void)args;
    (void)n_args;
    if (!is_from(context, "juno.com") || is_gated(context)) {
        return 0;
    }
    if (eval_header(context, "X-Originating-IP").n > 0) {
        return !eval_hit(context, EVAL_JUNO_RECEIVED, trace) ||
               mx_str_find(mailer, MX_STR("Juno ")) < 0;
    }
    /* Older mail of theirs had that field; without it nothing is right. */
    return 1;
}

static int check_for_forged_gmail_received_headers(struct eval_context *context,
                                                   const struct mx_str *args,
                                                   size_t n_args)
{
    (void)args;
    (void)n_args;
    return is_from(context, "gmail.com") &&
           !eval_hit(context, EVAL_GMAIL_X_RECEIVED,
                     eval_header(context, "X-Received")) &&
           !eval_hit(context, EVAL_GMAIL_RECEIVED, eval_header(context, "Received")) &&
           !(eval_header(context, "X-Gm-Message-State").n >= GOOGLE_STATE_MIN &&
             eval_header(context, "X-Google-Smtp-Source").n >= GOOGLE_STATE_MIN);
}

static int check_for_forged_gw05_received_headers(struct eval_context *context,
                                                  const struct mx_str *args,
                                                  size_t n_args)
{
    (void)args;
    (void)n_args;
    return eval_hit(context, EVAL_GW05, eval_header(context, "Received"));
}

const struct eval_function eval_header_forged_functions[] = {
    {"check_for_fake_aol_relay_in_rcvd", check_for_fake_aol_relay_in_rcvd, false, 0, 0},
    {"gated_through_received_hdr_remover", gated_through_received_hdr_remover, false, 0,
     0},
    {"check_for_msn_groups_headers", check_for_msn_groups_headers, false, 0, 0},
    {"check_for_forged_hotmail_received_headers",
     check_for_forged_hotmail_received_headers, false, 0, 0},
    {"check_for_no_hotmail_received_headers", check_for_no_hotmail_received_headers,
     false, 0, 0},
    {"check_for_forged_eudoramail_received_headers",
     check_for_forged_eudoramail_received_headers, false, 0, 0},
    {"check_for_forged_yahoo_received_headers", check_for_forged_yahoo_received_headers,
     false, 0, 0},
    {"check_for_forged_juno_received_headers", check_for_forged_juno_received_headers,
     false, 0, 0},
    {"check_for_forged_gmail_received_headers", check_for_forged_gmail_received_headers,
     false, 0, 0},
    {"check_for_forged_gw05_received_headers", check_for_forged_gw05_received_headers,
     false, 0, 0},
    {NULL, NULL, false, 0, 0},
};
