/*
 * Conditions of rule files.
 *
 * Rule files are written for many versions of SpamAssassin and ask which one reads them:
 * by version, by loaded plugin, by feature functions of its modules. We answer as 4.0.1
 * would, from a table of the feature functions it has; a feature of a plugin exists only
 * while that plugin is loaded.
 */
#include "rule_cond.h"

#include <string.h>

#include "mx_arena.h"
#include "mx_err.h"

#include "rule_eval.h"
#include "rule_expr.h"
#include "rule_names.h"
#include "rule_text.h"

#define MODULE "Mail::SpamAssassin::"
#define PLUGIN MODULE "Plugin::"
#define VERSION 4.000001      /* SpamAssassin 4.0.1 */
#define PERL_VERSION 5.036000 /* of Debian 12 */

/* Plugins that come with SpamAssassin 4.0. */
static const char *const plugins[] = {
    "ASN",
    "AWL",
    "AccessDB",
    "AntiVirus",
    "AskDNS",
    "AuthRes",
    "AutoLearnThreshold",
    "Bayes",
    "BodyEval",
    "Check",
    "DCC",
    "DKIM",
    "DMARC",
    "DNSEval",
    "DecodeShortURLs",
    "ExtractText",
    "FreeMail",
    "HTMLEval",
    "FromNameSpoof",
    "HTTPSMismatch",
    "HashBL",
    "ImageInfo",
    "HeaderEval",
    "MIMEEval",
    "MIMEHeader",
    "PDFInfo",
    "OLEVBMacro",
    "OneLineBodyRuleType",
    "PhishTag",
    "Phishing",
    "Pyzor",
    "Razor2",
    "RelayCountry",
    "RelayEval",
    "ReplaceTags",
    "ResourceLimits",
    "Reuse",
    "SPF",
    "Rule2XSBody",
    "Shortcircuit",
    "SpamCop",
    "TextCat",
    "TxRep",
    "URIDNSBL",
    "URIDetail",
    "URIEval",
    "URILocalBL",
    "VBounce",
    "WLBLEval",
    "WelcomeListSubject",
};

/* Feature functions, by the module they are in ("" Conf). All of them say yes. */
static const struct {
    const char *module, *names;
} features[] = {
    {"Conf", "feature_originating_ip_headers feature_dns_local_ports_permit_avoid "
             "feature_bayes_auto_learn_on_error feature_uri_host_listed "
             "feature_yesno_takes_args feature_bug6558_free feature_edns "
             "feature_dns_query_restriction feature_registryboundaries feature_geodb "
             "feature_dns_block_rule feature_compile_regexp feature_meta_rules_matching "
             "feature_subjprefix feature_bayes_stopwords feature_get_host "
             "feature_blocklist_welcomelist feature_welcomelist_blocklist "
             "feature_header_address_parser feature_local_tests_only "
             "feature_header_first_last feature_header_match_many "
             "feature_capture_rules has_tflags_nosubject has_tflags_nolog "
             "perl_min_version_5010000"},
    {"Plugin::ASN", "has_asn_lookup_ipv6 has_asn_geodb has_check_asn has_check_asn_tag"},
    {"Plugin::AskDNS", "has_tag_header"},
    {"Plugin::BodyEval", "has_check_body_length has_plaintext_body_sig_ratio"},
    {"Plugin::DKIM", "has_arc"},
    {"Plugin::DNSEval", "has_tflags_domains_only has_tflags_ips_only"},
    {"Plugin::DecodeShortURLs",
     "has_short_url has_autoclean has_short_url_code has_user_agent has_get has_clear "
     "has_timeout has_max_redirections has_short_url_redir"},
    {"Plugin::HashBL",
     "has_hashbl_bodyre has_hashbl_bodyre_num has_hashbl_emails has_hashbl_uris "
     "has_hashbl_ignore has_hashbl_email_regex has_hashbl_email_welcomelist "
     "has_hashbl_email_whitelist has_hashbl_tag has_hashbl_sha256 "
     "has_hashbl_attachments has_hashbl_email_domain has_hashbl_email_domain_alias"},
    {"Plugin::MIMEEval", "has_check_for_ascii_text_illegal "
                         "has_check_abundant_unicode_ratio has_check_qp_ratio"},
    {"Plugin::MIMEHeader", "has_all_header has_tflags_range has_tflags_concat "
                           "has_tflags_multiple has_capture_rules"},
    {"Plugin::OLEVBMacro",
     "has_olemacro_redirect_uri has_olemacro_mhtml_uri has_olertfobject"},
    {"Plugin::Pyzor", "has_fork has_perl"},
    {"Plugin::Razor2", "has_fork"},
    {"Plugin::SPF", "has_check_for_spf_errors has_check_spf_skipped_noenvfrom"},
    {"Plugin::URIDNSBL",
     "has_tflags_domains_only has_subtest_for_ranges has_uridnsbl_for_a "
     "has_uridnsbl_a_ns has_tflags_notrim has_uridnsbl_skip_mailto"},
    {"Plugin::URIDetail", "has_host_key"},
};

void rule_cond_init(struct rule_cond *cond, struct mx_arena *arena, bool has_network)
{
    *cond = (struct rule_cond){
        .arena = arena,
        .plugins = rule_names_new(arena),
        .compat = rule_names_new(arena),
        .has_network = has_network,
    };
}

void rule_cond_fini(struct rule_cond *cond)
{
    rule_names_free(cond->plugins);
    rule_names_free(cond->compat);
}

/* Today's name of a plugin that was renamed. */
static struct mx_str current_name(struct mx_str plugin)
{
    if (mx_str_eq(plugin, MX_STR(PLUGIN "Dmarc"))) {
        return MX_STR(PLUGIN "DMARC");
    }
    if (mx_str_eq(plugin, MX_STR(PLUGIN "WhiteListSubject"))) {
        return MX_STR(PLUGIN "WelcomeListSubject");
    }
    return plugin;
}

/* Behind ${prefix}; the missing slice where it does not begin with it. */
static struct mx_str behind(struct mx_str s, struct mx_str prefix)
{
    return mx_str_starts(s, prefix) ? mx_str_sub(s, prefix.n, s.n) : MX_STR_NONE;
}

bool rule_cond_load(struct rule_cond *cond, struct mx_str plugin)
{
    struct mx_str name = current_name(plugin);
    struct mx_str last = behind(name, MX_STR(PLUGIN));

    for (size_t i = 0; i < sizeof(plugins) / sizeof(*plugins); i++) {
        if (mx_str_eq(last, mx_str(plugins[i]))) {
            rule_names_set(cond->plugins, name, 1);
            return true;
        }
    }
    return false;
}

void rule_cond_enable(struct rule_cond *cond, struct mx_str name)
{
    rule_names_set(cond->compat, name, 1);
}

static bool has_plugin(const struct rule_cond *cond, struct mx_str name)
{
    /* Removed in 4.1 without a trace; 4.0 says yes whether it is loaded or not. */
    if (mx_str_eq(name, MX_STR(PLUGIN "RaciallyCharged"))) {
        return true;
    }
    return rule_names_find(cond->plugins, current_name(name)) >= 0;
}

static bool in_words(const char *words, struct mx_str name)
{
    struct mx_str rest = mx_str(words), word;

    while (mx_str_next(&rest, ' ', &word) == 0) {
        if (mx_str_eq(word, name)) {
            return true;
        }
    }
    return false;
}

/* Is ${function} one of the feature functions of ${module}, below Mail::SpamAssassin? */
static bool has_feature(struct mx_str module, struct mx_str function)
{
    for (size_t i = 0; i < sizeof(features) / sizeof(*features); i++) {
        if (mx_str_eq(module, mx_str(features[i].module))) {
            return in_words(features[i].names, function);
        }
    }
    return false;
}

/* can(MODULE::FUNCTION), has(MODULE::FUNCTION); functions of features are the only ones
   whose value matters, and has() is also asked for eval functions. */
static int ask_function(const struct rule_cond *cond, struct mx_str text, bool is_has,
                        bool *out, struct mx_err *err)
{
    ptrdiff_t colon = mx_str_rchr(text, ':');
    struct mx_str full, module, function, compat;

    if (colon < 1 || text.p[colon - 1] != ':') {
        return mx_err_set(err, MX_ERR_INPUT, "\"%.*s\" has no module",
                          MX_STR_FMT(mx_str_sub(text, 0, 80)));
    }
    full = mx_str_sub(text, 0, (size_t)colon - 1);
    module = behind(full, MX_STR(MODULE));
    function = mx_str_sub(text, (size_t)colon + 1, text.n);
    compat = behind(function, MX_STR("compat_"));
    if (mx_str_eq(module, MX_STR("Conf"))) {
        *out =
            has_feature(module, function) || rule_names_find(cond->compat, compat) >= 0;
    } else {
        *out = has_plugin(cond, full) && (has_feature(module, function) ||
                                          (is_has && rule_eval_find(function) != NULL));
    }
    return 0;
}

static int resolve(void *context, struct rule_expr_parser *parser, struct mx_str name,
                   struct mx_str argument, struct mx_err *err)
{
    struct rule_cond *cond = context;
    struct rule_step step = {.op = RULE_OP_NUMBER};
    bool answer = false;

    if (mx_str_eq(name, MX_STR("version"))) {
        step.number = VERSION;
    } else if (mx_str_eq(name, MX_STR("perl_version"))) {
        step.number = PERL_VERSION;
    } else if (mx_str_eq(name, MX_STR("local_tests_only"))) {
        step.number = !cond->has_network;
    } else if (mx_str_eq(name, MX_STR("plugin"))) {
        step.number = has_plugin(cond, argument);
    } else if (mx_str_eq(name, MX_STR("can")) || mx_str_eq(name, MX_STR("has"))) {
        if (ask_function(cond, argument, name.p[0] == 'h', &answer, err)) {
            return -1;
        }
        step.number = answer;
    } else {
        return mx_err_set(err, MX_ERR_INPUT, "\"%.*s\" is nothing that can be asked",
                          MX_STR_FMT(mx_str_sub(name, 0, 80)));
    }
    return rule_expr_push(parser, step, err);
}

int rule_cond_value(struct rule_cond *cond, struct mx_str text, bool *out,
                    struct mx_err *err)
{
    static const char *const functions[] = {"plugin", "can", "has", NULL};
    struct rule_expr_names names = {
        .functions = functions,
        .has_signed_numbers = true,
        .max_steps = RULE_EXPR_STEPS_MAX,
        .resolve = resolve,
        .context = cond,
    };
    struct rule_expr expr;

    if (rule_expr_parse(cond->arena, text, &names, &expr, err)) {
        return -1;
    }
    *out = rule_expr_value(&expr, NULL) != 0;
    return 0;
}

int rule_cond_push(struct rule_cond_stack *stack, bool value, unsigned line,
                   struct mx_err *err)
{
    if (stack->n == RULE_CONDITION_DEPTH_MAX) {
        return mx_err_set(err, MX_ERR_LIMIT, "conditions nested more than %d deep",
                          RULE_CONDITION_DEPTH_MAX);
    }
    stack->v[stack->n].was_skipping = stack->is_skipping;
    stack->v[stack->n].line = line;
    stack->n++;
    stack->is_skipping = stack->is_skipping || !value;
    return 0;
}

int rule_cond_else(struct rule_cond_stack *stack, struct mx_err *err)
{
    if (stack->n == 0) {
        return mx_err_set(err, MX_ERR_INPUT, "no \"if\" before it");
    }
    /* Inside a block that is left out, both branches are. */
    stack->is_skipping = stack->v[stack->n - 1].was_skipping || !stack->is_skipping;
    return 0;
}

int rule_cond_pop(struct rule_cond_stack *stack, struct mx_err *err)
{
    if (stack->n == 0) {
        return mx_err_set(err, MX_ERR_INPUT, "no \"if\" before it");
    }
    stack->is_skipping = stack->v[--stack->n].was_skipping;
    return 0;
}
