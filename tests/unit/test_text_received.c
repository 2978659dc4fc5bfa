/* text_received: one line of each kind of server, hostile ones, and what they become. */
#include "text_case.h"

#include "text/text_received.h"

/* "ip rdns helo by ident envfrom id auth" */
static const struct {
    const char *line, *relay;
} relays[] = {
    {"from mail.example.com (host.example.com [192.0.2.1]) by mx.example.net (Postfix) "
     "with ESMTP id ABC123 for <a@example.net>; Thu, 13 Mar 2003 15:23:15 -0500 (EST)",
     "192.0.2.1 host.example.com mail.example.com mx.example.net - - ABC123 -"},
    {"from mail.example.com (unknown [192.0.2.1]) by mx.example.net (Postfix) with "
     "ESMTPSA"
     " id ABC123; Thu, 13 Mar 2003 15:23:15 -0500",
     "192.0.2.1 - mail.example.com mx.example.net - - ABC123 ESMTPSA"},
    {"from helo (IDENT:joe@host.example.com [192.0.2.1]) by mx.example.net "
     "(8.11.6/8.11.6) with ESMTP id h2F0c2x31856",
     "192.0.2.1 host.example.com helo mx.example.net joe - h2F0c2x31856 -"},
    {"from helo (host.example.com [192.0.2.1]) (authenticated bits=0) by mx.example.net "
     "(8.12.6/8.12.6) with ESMTP id g9MFWcvb068860",
     "192.0.2.1 host.example.com helo mx.example.net - - g9MFWcvb068860 Sendmail"},
    {"from host.example.com ([192.0.2.1] helo=said.example.com ident=joe) by "
     "mx.example.net with esmtp (Exim 4.90) (envelope-from <a@example.com>) id 1AbC-00",
     "192.0.2.1 host.example.com said.example.com mx.example.net joe a@example.com "
     "1AbC-00 "
     "-"},
    {"from [192.0.2.1] (helo=said.example.com) by mx.example.net with smtp (Exim 3.31) "
     "id "
     "18t2z0",
     "192.0.2.1 - said.example.com mx.example.net - - 18t2z0 -"},
    {"from host.example.com (HELO said.example.com) (joe@192.0.2.1) by mx.example.net "
     "with SMTP; 14 Nov 2003 08:05:50 -0000",
     "192.0.2.1 host.example.com said.example.com mx.example.net joe - - -"},
    {"from unknown (HELO said) (192.0.2.1) by mx.example.net with SMTP",
     "192.0.2.1 - said mx.example.net - - - -"},
    {"from A.example.com ([2001:db8::5]) by B.example.com ([fe80::1%6]) with mapi id "
     "15.20.1943.023; Wed, 5 Jun 2019 10:17:08 +0000",
     "2001:db8::5 - A.example.com B.example.com - - - -"},
    {"from said ([192.0.2.1]) by mx.example.net with Microsoft SMTPSVC(6.0.3790.0)",
     "192.0.2.1 - said mx.example.net - - - -"},
    {"from [192.0.2.1] by web.example.net via HTTP; Wed, 12 Feb 2003 14:22:21 PST",
     "192.0.2.1 - - web.example.net - - - -"},
    {"from said (IPv6:::ffff:192.0.2.1 [::ffff:192.0.2.1]) by mx.example.net with esmtp",
     "192.0.2.1 IPv6:::ffff:192.0.2.1 said mx.example.net - - - -"},
    /* brackets and spaces of a sender must not end a field of ours */
    {"from [198.51.100.7] (host.example.com [192.0.2.1]) by mx.example.net (8.1) with x",
     "192.0.2.1 host.example.com !198.51.100.7! mx.example.net - - - -"},
    {"FROM said (host.example.com [192.0.2.1]) BY mx.example.net ID 434B.13932 ; 11 Oct "
     "2005 01:41:34 -0400",
     "192.0.2.1 host.example.com said mx.example.net - - 434B.13932 -"},
    {"from whatever, nobody knows [192.0.2.1] by mx.example.net",
     "192.0.2.1 - whatever, mx.example.net - - - -"},
    {"from X-Originating-IP: 192.0.2.1", "192.0.2.1 - - - - - - -"},
};

static const char *dash(struct mx_arena *arena, struct mx_str s)
{
    return s.n ? mx_str_cstr(arena, s) : "-";
}

static void test_received_parse_relays(void **state)
{
    for (size_t i = 0; i < sizeof(relays) / sizeof(relays[0]); i++) {
        struct text_relay r;
        struct mx_str sender;
        assert_int_equal(text_received_parse(*state, mx_str(relays[i].line), &r, &sender),
                         TEXT_RECEIVED_RELAY);
        const char *got = mx_arena_printf(
            *state, "%s %s %s %s %s %s %s %s", dash(*state, r.ip), dash(*state, r.rdns),
            dash(*state, r.helo), dash(*state, r.by), dash(*state, r.ident),
            dash(*state, r.envfrom), dash(*state, r.id), dash(*state, r.auth));
        assert_string_equal(got, relays[i].relay);
        assert_null(sender.p);
    }
}

static const struct {
    const char *line;
    enum text_received_kind kind;
} others[] = {
    {"(qmail 27981 invoked by uid 225); 14 Mar 2003 07:24:34 -0000",
     TEXT_RECEIVED_IGNORED},
    {"by mx.example.net (Postfix, from userid 1002) id DABBD1BED3",
     TEXT_RECEIVED_IGNORED},
    {"from joe by mx.example.net with local (Exim 4.12) id 18xeL6",
     TEXT_RECEIVED_IGNORED},
    {"from a.example.com by b.example.com; Thu, 20 Feb 2003 23:32:58 +0100",
     TEXT_RECEIVED_IGNORED},
    {"from localhost (joe@localhost) by mx.example.net (8.12.6/8.9.3) with SMTP",
     TEXT_RECEIVED_IGNORED},
    {"from mx.example.net [192.0.2.1] by localhost with IMAP (fetchmail-5.9.0)",
     TEXT_RECEIVED_FETCHED},
    {"from pop.example.net with POP3 for joe", TEXT_RECEIVED_FETCHED},
    {"from nowhere", TEXT_RECEIVED_UNKNOWN},
    {"from (((((", TEXT_RECEIVED_UNKNOWN},
    {"from ", TEXT_RECEIVED_IGNORED},
    {"", TEXT_RECEIVED_IGNORED},
};

static void test_received_parse_others(void **state)
{
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        struct text_relay r;
        struct mx_str sender;
        assert_int_equal(text_received_parse(*state, mx_str(others[i].line), &r, &sender),
                         others[i].kind);
    }
}

static void test_received_parse_no_rdns(void **state)
{
    struct text_relay r;
    struct mx_str sender;
    text_received_parse(*state, mx_str(relays[1].line), &r, &sender);
    assert_true(r.has_no_rdns); /* Postfix looked, and there was none */
    text_received_parse(*state, mx_str(relays[5].line), &r, &sender);
    assert_false(r.has_no_rdns); /* nobody looked */
}

static void test_received_parse_null_sender_is_missing(void **state)
{
    struct text_relay r;
    struct mx_str sender;
    text_received_parse(
        *state,
        MX_STR("from a (b.example [192.0.2.1]) by c (Postfix) with SMTP id"
               " abc (envelope-from <>)"),
        &r, &sender);
    assert_false(r.has_envfrom);
}

static void test_received_parse_keeps_scanner_sender(void **state)
{
    struct text_relay r;
    struct mx_str sender;
    assert_int_equal(
        text_received_parse(*state,
                            MX_STR("from 192.0.2.1 by mx.example.net (envelope-from "
                                   "<a@example.com>, uid 502) with qmail-scanner-1.24"),
                            &r, &sender),
        TEXT_RECEIVED_IGNORED);
    assert_slice(*state, sender, "a@example.com");
}

static void test_received_clean(void **state)
{
    assert_slice(*state, text_received_clean(*state, MX_STR("a [b]\n<c>#|()")),
                 "a!!b!!!c!!!!!");
}

static void test_received_parse_long_line(void **state)
{
    char line[8192];
    struct text_relay r;
    struct mx_str sender;
    memset(line, '(', sizeof(line));
    memcpy(line, "from ", 5);
    for (size_t i = 5; i < sizeof(line); i += 2)
        line[i] = 'a';
    text_received_parse(*state, mx_str_of(line, sizeof(line)), &r, &sender);
    for (size_t i = 7; i < sizeof(line); i += 4)
        line[i] = ' ';
    assert_int_equal(
        text_received_parse(*state, mx_str_of(line, sizeof(line)), &r, &sender),
        TEXT_RECEIVED_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_received_parse_relays),
        cmocka_unit_test(test_received_parse_others),
        cmocka_unit_test(test_received_parse_no_rdns),
        cmocka_unit_test(test_received_parse_null_sender_is_missing),
        cmocka_unit_test(test_received_parse_keeps_scanner_sender),
        cmocka_unit_test(test_received_clean),
        cmocka_unit_test(test_received_parse_long_line),
    };
    return cmocka_run_group_tests(tests, text_case_setup, text_case_teardown);
}
