/* Lists of a site: senders, recipients, subjects, relays. */
#include "eval_case.h"

#define FROM "From: Joe <Joe@Example.org>\n"
#define TO "To: ann@own.org\n"
#define HOP(rdns, ip)                                                                    \
    "Received: from " rdns " (" rdns " [" ip "]) by mx.own.org (Postfix)"                \
    " with ESMTP id x; Wed, 1 Jan 2025 00:00:00 +0000\n"

static void test_senders(void **state)
{
    static const struct eval_case cases[] = {
        {"check_from_in_list('BANKS')", FROM "\nb\n", 1},
        {"check_from_in_list('BANKS')", "From: a@other.org\n\nb\n", 0},
        {"check_from_in_list('NONE')", FROM "\nb\n", 0},
        {"check_from_in_list('BANKS')", "Resent-From: a@other.org\n" FROM "\nb\n", 0},
        {"check_replyto_in_list('BANKS')", "Reply-To: x@example.org\n\nb\n", 1},
        {"check_replyto_in_list('BANKS')", FROM "\nb\n", 0},
        {"check_from_in_blocklist()", "From: bad@other.org\n\nb\n", 1},
        {"check_from_in_blacklist()", FROM "\nb\n", 0},
        {"check_from_in_welcomelist()", "From: x@nice.org\n\nb\n", 1},
        {"check_from_in_whitelist()", FROM "\nb\n", 0},
    };

    (void)state;
    eval_case_run("enlist_addrlist (BANKS) *@example.org\nblocklist_from bad@*\n"
                  "welcomelist_from *@nice.org\n",
                  EVAL_CASES(cases));
}

static void test_recipients(void **state)
{
    static const struct eval_case cases[] = {
        {"check_to_in_list('US')", TO "\nb\n", 1},
        {"check_to_in_blocklist()", TO "\nb\n", 1},
        {"check_to_in_welcomelist()", "Cc: bob@own.org\n\nb\n", 1},
        {"check_to_in_welcomelist()", TO "\nb\n", 0},
        {"check_to_in_more_spam()", TO "\nb\n", 1},
        {"check_to_in_all_spam()", TO "\nb\n", 0},
        {"check_to_in_list('US')",
         "Received: from a.org by b.org with ESMTP id x for <cid@own.org>;"
         " Wed, 1 Jan 2025 00:00:00 +0000\n\nb\n",
         1},
    };

    (void)state;
    eval_case_run("enlist_addrlist (US) *@own.org\nblocklist_to ann@*\n"
                  "welcomelist_to bob@*\nmore_spam_to ann@own.org\nall_spam_to x@y\n",
                  EVAL_CASES(cases));
}

static void test_relays(void **state)
{
    static const struct eval_case cases[] = {
        {"check_from_in_welcomelist()",
         HOP("m.a.org", "198.51.100.1") "From: x@a.org\n\nb\n", 1},
        {"check_from_in_welcomelist()",
         HOP("m.nota.org", "198.51.100.1") "From: x@a.org\n\nb\n", 0},
        {"check_forged_in_welcomelist()",
         HOP("m.nota.org", "198.51.100.1") "From: x@a.org\n\nb\n", 1},
        {"check_from_in_welcomelist()",
         HOP("m.c.org", "198.51.100.1") "From: x@b.org\n\nb\n", 1},
        {"check_from_in_welcomelist()",
         HOP("m.c.org", "198.51.101.1") "From: x@b.org\n\nb\n", 0},
        {"check_from_in_welcomelist()",
         HOP("m.c.org", "203.0.113.7") "From: x@c.org\n\nb\n", 1},
        {"check_from_in_default_welcomelist()",
         HOP("m.d.org", "198.51.100.1") "From: x@d.org\n\nb\n", 1},
        {"check_forged_in_default_welcomelist()",
         HOP("m.e.org", "198.51.100.1") "From: x@d.org\n\nb\n", 1},
        {"check_forged_in_default_welcomelist()",
         HOP("m.e.org", "198.51.100.1") "From: free@d.org\n\nb\n", 0},
        {"check_from_in_welcomelist()", "From: x@a.org\n\nb\n", 0},
    };

    (void)state;
    eval_case_run("welcomelist_from_rcvd *@a.org a.org\n"
                  "welcomelist_from_rcvd *@b.org [198.51.100.0]/24\n"
                  "welcomelist_from_rcvd *@c.org [203.0.113]\n"
                  "def_welcomelist_from_rcvd *@d.org d.org\n"
                  "welcomelist_allows_relays free@d.org\n",
                  EVAL_CASES(cases));
}

static void test_check_mailfrom_matches_rcvd(void **state)
{
    static const struct eval_case cases[] = {
        {"check_mailfrom_matches_rcvd()",
         "Return-Path: <joe@a.example.co.uk>\n" HOP("m.example.co.uk",
                                                    "198.51.100.1") "\nb\n",
         1},
        {"check_mailfrom_matches_rcvd()",
         "Return-Path: <joe@a.example.co.uk>\n" HOP("m.other.co.uk",
                                                    "198.51.100.1") "\nb\n",
         0},
        {"check_mailfrom_matches_rcvd()",
         "Return-Path: <>\n" HOP("m.other.co.uk", "198.51.100.1") "\nb\n", 0},
    };

    (void)state;
    eval_case_run("", EVAL_CASES(cases));
}

static void test_subjects(void **state)
{
    static const struct eval_case cases[] = {
        {"check_subject_in_welcomelist()", "Subject: Re: [bug 17] it\n\nb\n", 1},
        {"check_subject_in_whitelist()", "Subject: make money fast\n\nb\n", 0},
        {"check_subject_in_blocklist()", "Subject: MAKE money fast!\n\nb\n", 1},
        {"check_subject_in_blacklist()", "From: a@b.org\n\nb\n", 0},
    };

    (void)state;
    eval_case_run("welcomelist_subject [Bug *]\nblocklist_subject Make Money Fast\n",
                  EVAL_CASES(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_senders),
        cmocka_unit_test(test_recipients),
        cmocka_unit_test(test_relays),
        cmocka_unit_test(test_check_mailfrom_matches_rcvd),
        cmocka_unit_test(test_subjects),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
