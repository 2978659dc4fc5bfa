/* Mail that claims to come from a big provider. */
#include "eval_case.h"

#define RECEIVED(text) "Received: " text "; Wed, 1 Jan 2025 00:00:00 +0000\n"
#define OTHER RECEIVED("from a.org (a.org [198.51.100.1]) by b.org with ESMTP id x")

static void test_aol(void **state)
{
    static const struct eval_case cases[] = {
        {"check_for_fake_aol_relay_in_rcvd()",
         RECEIVED("from a.org by rly-xw01.mx.aol.com with QMQP") "\nb\n", 1},
        {"check_for_fake_aol_relay_in_rcvd()",
         RECEIVED("from a.org by rly-xj02.mx.aol.com (8.8.8/8.8.8/AOL-5.0.0)") "\nb\n",
         0},
        {"check_for_fake_aol_relay_in_rcvd()",
         RECEIVED(
             "from a.org by rly-xj02.mx.aol.com with ESMTP id MAILRELAYIN7-1") "\nb\n",
         0},
        {"check_for_fake_aol_relay_in_rcvd()", OTHER "\nb\n", 0},
    };

    (void)state;
    eval_case_run("", EVAL_CASES(cases));
}

static void test_gated(void **state)
{
    static const struct eval_case cases[] = {
        {"gated_through_received_hdr_remover()", "Subject: s\n\nb\n", 1},
        {"gated_through_received_hdr_remover()", OTHER "\nb\n", 0},
        {"gated_through_received_hdr_remover()",
         "Received: (qmail 12 invoked by uid 99); 1 Jan 2025 00:00:00 -0000\n"
         "Mailing-List: contact l-help@example.org; run by ezmlm\n"
         "Delivered-To: mailing list l@example.org\n\nb\n",
         1},
        {"gated_through_received_hdr_remover()",
         "Received: (qmail 12 invoked by uid 99); 1 Jan 2025 00:00:00 -0000\n"
         "Mailing-List: contact l-help@example.org; run by ezmlm\n\nb\n",
         0},
    };

    (void)state;
    eval_case_run("", EVAL_CASES(cases));
}

static void test_hotmail(void **state)
{
    static const struct eval_case cases[] = {
        {"check_for_no_hotmail_received_headers()", OTHER "From: a@hotmail.com\n\nb\n",
         1},
        {"check_for_no_hotmail_received_headers()", OTHER "From: a@nothotmail.com\n\nb\n",
         0},
        {"check_for_forged_hotmail_received_headers()",
         OTHER "From: a@hotmail.com\n\nb\n", 0},
        {"check_for_forged_hotmail_received_headers()",
         RECEIVED("from x.hotmail.com (a.org [198.51.100.1]) by b.org") "\nb\n", 1},
        {"check_for_no_hotmail_received_headers()",
         RECEIVED("from x.hotmail.com (a.org [198.51.100.1]) by b.org") "From: "
                                                                        "a@"
                                                                        "hotmail."
                                                                        "com\n\nb"
                                                                        "\n",
         0},
        {"check_for_forged_hotmail_received_headers()",
         RECEIVED("from hotmail.com (f1.law8.hotmail.com [198.51.100.1]) by "
                  "b.org") "X-Originating-IP: [198.51.100.9]\n\nb\n",
         0},
        {"check_for_no_hotmail_received_headers()",
         RECEIVED("from A.outbound.protection.outlook.com "
                  "(m.outbound.protection.outlook.com [198.51.100.1]) by "
                  "b.org") "From: a@hotmail.com\nX-OriginatorOrg: "
                           "hotmail.com\n\nb\n",
         0},
        {"check_for_no_hotmail_received_headers()", "From: a@hotmail.com\n\nb\n", 0},
    };

    (void)state;
    eval_case_run("", EVAL_CASES(cases));
}

static void test_msn_groups(void **state)
{
    static const struct eval_case cases[] = {
        {"check_for_msn_groups_headers()",
         RECEIVED("from mail pickup service by p04.groups.msn.com with "
                  "SMTPSVC") "To: M "
                             "<notifications@groups.msn.com>\nMessage-Id: "
                             "<a1@p04.groups.msn.com>\n\nb",
         1},
        {"check_for_msn_groups_headers()",
         RECEIVED("from mail pickup service by p04.groups.msn.com with "
                  "SMTPSVC") "To: M "
                             "<notifications@groups.msn.com>\nMessage-Id: "
                             "<a1@a.org>\n\nb",
         0},
        {"check_for_msn_groups_headers()", OTHER "\nb\n", 0},
    };

    (void)state;
    eval_case_run("", EVAL_CASES(cases));
}

static void test_yahoo(void **state)
{
    static const char call[] = "check_for_forged_yahoo_received_headers()";
    const struct eval_case cases[] = {
        {call, OTHER "From: a@yahoo.com\n\nb\n", 1},
        {call, OTHER "From: a@example.org\n\nb\n", 0},
        {call,
         RECEIVED("from [198.51.100.1] by web12.mail.yahoo.com via HTTP") "From: "
                                                                          "a@yahoo."
                                                                          "com\n\nb\n",
         0},
        {call,
         RECEIVED("from sonic3.yahoo.com (sonic3.yahoo.com [198.51.100.1]) by b.org "
                  "with ESMTP id x") "From: a@yahoo.com\n\nb\n",
         0},
        {call,
         RECEIVED("from mailer2.bulk.scd.yahoo.com (a.org [198.51.100.1]) by "
                  "b.org") "From: a@reply.yahoo.com\n\nb\n",
         0},
    };

    (void)state;
    eval_case_run("", EVAL_CASES(cases));
}

static void test_others(void **state)
{
    static const struct eval_case cases[] = {
        {"check_for_forged_gmail_received_headers()", OTHER "From: a@gmail.com\n\nb\n",
         1},
        {"check_for_forged_gmail_received_headers()",
         OTHER "From: a@gmail.com\n"
               "X-Received: by 10.2.3.4 with SMTP id abc.1;\n\nb\n",
         0},
        {"check_for_forged_gmail_received_headers()",
         OTHER "From: a@gmail.com\n"
               "X-Received: by 2002:a05:6a:: with SMTP id abc.1;\n\nb\n",
         0},
        {"check_for_forged_juno_received_headers()", OTHER "From: a@juno.com\n\nb\n", 1},
        {"check_for_forged_juno_received_headers()",
         RECEIVED(
             "from m.juno.com (m.juno.com [198.51.100.1]) by b.org") "From: "
                                                                     "a@juno.com\nX-"
                                                                     "Originating-IP: "
                                                                     "198.51.100.9\nX-"
                                                                     "Mailer: Juno "
                                                                     "5\n\nb\n",
         0},
        {"check_for_forged_eudoramail_received_headers()",
         OTHER "From: a@eudoramail.com\n\nb\n", 1},
        {"check_for_forged_eudoramail_received_headers()",
         RECEIVED(
             "from Unknown/Local ([?.?.?.?]) by s1-mail.whowhere.com") "From: "
                                                                       "a@eudoramail."
                                                                       "com\nX-Sender-Ip:"
                                                                       " 198.51.100."
                                                                       "1\n\nb\n",
         0},
    };

    (void)state;
    eval_case_run("", EVAL_CASES(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_aol),     cmocka_unit_test(test_gated),
        cmocka_unit_test(test_hotmail), cmocka_unit_test(test_msn_groups),
        cmocka_unit_test(test_yahoo),   cmocka_unit_test(test_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
