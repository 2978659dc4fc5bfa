/* Relays: counted, trusted, lying. */
#include "eval_case.h"

#define HOP(helo, rdns, ip, by)                                                          \
    "Received: from " helo " (" rdns " [" ip "]) by " by                                 \
    " (Postfix) with ESMTP id x; Wed, 1 Jan 2025 00:00:00 +0000\n"
#define OURS HOP("mx.own.org", "mx.own.org", "192.0.2.1", "in.own.org")
#define OTHER HOP("a.example.org", "a.example.org", "198.51.100.1", "mx.own.org")

static void test_relay_counts(void **state)
{
    static const struct eval_case cases[] = {
        {"check_all_trusted()", OURS "\nb\n", 1},
        {"check_all_trusted()", OURS OTHER "\nb\n", 0},
        {"check_all_trusted()", "Subject: s\n\nb\n", 0},
        {"check_no_relays()", "Subject: s\n\nb\n", 1},
        {"check_no_relays()", OURS "\nb\n", 0},
        {"check_relays_unparseable()", "Received: from nothing that anybody knows\n\nb\n",
         1},
        {"check_relays_unparseable()", OURS OTHER "\nb\n", 0},
        {"check_all_trusted()", OURS "Received: from nothing that anybody knows\n\nb\n",
         0},
    };

    (void)state;
    eval_case_run("", EVAL_CASES(cases));
}

static void test_helo(void **state)
{
    static const struct eval_case cases[] = {
        {"helo_ip_mismatch()",
         OURS HOP("203.0.113.5", "a.org", "198.51.100.1", "mx.own.org") "\nb\n", 1},
        {"helo_ip_mismatch()",
         OURS HOP("198.51.100.77", "a.org", "198.51.100.1", "mx.own.org") "\nb\n", 0},
        {"helo_ip_mismatch()",
         OURS HOP("10.1.2.3", "a.org", "198.51.100.1", "mx.own.org") "\nb\n", 0},
        {"helo_ip_mismatch()", OURS OTHER "\nb\n", 0},
        {"check_for_numeric_helo()",
         OURS HOP("198.51.100.77", "a.org", "198.51.100.1", "mx.own.org") "\nb\n", 1},
        {"check_for_numeric_helo()", OURS OTHER "\nb\n", 0},
        {"check_for_no_rdns_dotcom_helo()",
         OURS HOP("mail.yahoo.com", "unknown", "198.51.100.1", "mx.own.org") "\nb\n", 1},
        {"check_for_no_rdns_dotcom_helo()",
         OURS HOP("mail.yahoo.com", "a.org", "198.51.100.1", "mx.own.org") "\nb\n", 0},
        {"check_for_no_rdns_dotcom_helo()",
         OURS HOP("mail.myyahoo.com", "unknown", "198.51.100.1", "mx.own.org") "\nb\n",
         0},
    };

    (void)state;
    eval_case_run("", EVAL_CASES(cases));
}

static void test_trail(void **state)
{
    static const struct eval_case cases[] = {
        {"check_for_forged_received_trail()",
         OURS HOP("a.one.org", "a.one.org", "198.51.100.1", "mx.own.org")
             HOP("a.two.org", "a.two.org", "198.51.100.2", "b.three.org")
                 HOP("a.four.org", "a.four.org", "198.51.100.3", "b.five.org") "\nb\n",
         1},
        {"check_for_forged_received_trail()",
         OURS HOP("a.one.org", "a.one.org", "198.51.100.1", "mx.own.org")
             HOP("a.two.org", "a.two.org", "198.51.100.2", "b.one.org")
                 HOP("a.four.org", "a.four.org", "198.51.100.3", "b.two.org") "\nb\n",
         0},
        {"check_for_forged_received_ip_helo()",
         OURS HOP("203.0.113.5", "a.org", "198.51.100.1", "mx.own.org") "\nb\n", 1},
        {"check_for_forged_received_ip_helo()",
         OURS HOP("198.51.9.5", "a.org", "198.51.100.1", "mx.own.org") "\nb\n", 0},
        {"check_for_sender_no_reverse()", OURS OTHER "\nb\n", 1},
        {"check_for_sender_no_reverse()", OURS "\nb\n", 0},
        {"check_for_from_domain_in_received_headers('example.org','true')",
         OURS HOP("a.example.org", "a.example.org", "198.51.100.1",
                  "b.example.org") "From: a@example.org\n\nb\n",
         1},
        {"check_for_from_domain_in_received_headers('example.org','false')",
         OURS OTHER "From: a@example.org\n\nb\n", 1},
        {"check_for_from_domain_in_received_headers('example.org','true')",
         OURS OTHER "From: a@own.org\n\nb\n", 0},
        {"check_for_illegal_ip()", OURS OTHER "\nb\n", 0},
    };

    (void)state;
    eval_case_run("", EVAL_CASES(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_relay_counts),
        cmocka_unit_test(test_helo),
        cmocka_unit_test(test_trail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
