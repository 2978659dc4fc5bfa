/*
 * Eval functions that ask the network, by name only: a set that runs without network
 * knows them, reports them as not run, and metas see 0. Whoever gives them answers takes
 * them out of here.
 */
#include "eval_family.h"

static int not_run(struct eval_context *context, const struct mx_str *args, size_t n_args)
{
    (void)context;
    (void)args;
    (void)n_args;
    return 0;
}

#define NOT_RUN(name)                                                                    \
    {                                                                                    \
        name, not_run, true, 0, 0                                                        \
    }

const struct eval_function eval_network_functions[] = {
    /* DNSEval: block lists, and whether the sender's domain exists */
    NOT_RUN("check_rbl"),
    NOT_RUN("check_rbl_sub"),
    NOT_RUN("check_rbl_txt"),
    NOT_RUN("check_rbl_from_host"),
    NOT_RUN("check_rbl_from_domain"),
    NOT_RUN("check_rbl_envfrom"),
    NOT_RUN("check_rbl_ns_from"),
    NOT_RUN("check_rbl_rcvd"),
    NOT_RUN("check_rbl_headers"),
    NOT_RUN("check_dns_sender"),
    /* URIDNSBL, HashBL: block lists of hosts and of hashes */
    NOT_RUN("check_uridnsbl"),
    NOT_RUN("check_hashbl_emails"),
    NOT_RUN("check_hashbl_uris"),
    NOT_RUN("check_hashbl_bodyre"),
    NOT_RUN("check_hashbl_tag"),
    NOT_RUN("check_hashbl_attachments"),
    /* DKIM, ARC */
    NOT_RUN("check_dkim_signed"),
    NOT_RUN("check_arc_signed"),
    NOT_RUN("check_dkim_valid"),
    NOT_RUN("check_arc_valid"),
    NOT_RUN("check_dkim_valid_author_sig"),
    NOT_RUN("check_dkim_testing"),
    NOT_RUN("check_dkim_valid_envelopefrom"),
    NOT_RUN("check_dkim_adsp"),
    NOT_RUN("check_dkim_dependable"),
    NOT_RUN("check_for_dkim_welcomelist_from"),
    NOT_RUN("check_for_dkim_whitelist_from"),
    NOT_RUN("check_for_def_dkim_welcomelist_from"),
    NOT_RUN("check_for_def_dkim_whitelist_from"),
    NOT_RUN("check_dkim_verified"),
    NOT_RUN("check_dkim_signall"),
    NOT_RUN("check_dkim_signsome"),
    /* SPF */
    NOT_RUN("check_for_spf_pass"),
    NOT_RUN("check_for_spf_neutral"),
    NOT_RUN("check_for_spf_none"),
    NOT_RUN("check_for_spf_fail"),
    NOT_RUN("check_for_spf_softfail"),
    NOT_RUN("check_for_spf_permerror"),
    NOT_RUN("check_for_spf_temperror"),
    NOT_RUN("check_for_spf_helo_pass"),
    NOT_RUN("check_for_spf_helo_neutral"),
    NOT_RUN("check_for_spf_helo_none"),
    NOT_RUN("check_for_spf_helo_fail"),
    NOT_RUN("check_for_spf_helo_softfail"),
    NOT_RUN("check_for_spf_helo_permerror"),
    NOT_RUN("check_for_spf_helo_temperror"),
    NOT_RUN("check_for_spf_welcomelist_from"),
    NOT_RUN("check_for_spf_whitelist_from"),
    NOT_RUN("check_for_def_spf_welcomelist_from"),
    NOT_RUN("check_for_def_spf_whitelist_from"),
    NOT_RUN("check_spf_skipped_noenvfrom"),
    /* DMARC */
    NOT_RUN("check_dmarc_pass"),
    NOT_RUN("check_dmarc_reject"),
    NOT_RUN("check_dmarc_quarantine"),
    NOT_RUN("check_dmarc_none"),
    NOT_RUN("check_dmarc_missing"),
    /* Razor2, Pyzor, DCC: checksums of bulk mail */
    NOT_RUN("check_razor2"),
    NOT_RUN("check_razor2_range"),
    NOT_RUN("check_pyzor"),
    NOT_RUN("check_dcc"),
    NOT_RUN("check_dcc_reputation_range"),
    {NULL, NULL, false, 0, 0},
};
