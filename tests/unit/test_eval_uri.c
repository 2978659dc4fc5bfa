/* Listed hosts, links that show another place, redirectors. */
#include "eval_case.h"

#define LISTS                                                                            \
    "enlist_uri_host (EVIL) evil.org uk !good.evil.org 198.51.100.1\n"                   \
    "blocklist_uri_host bad.org\nwelcomelist_uri_host nice.org\n"
#define BODY(text) "Subject: s\n\n" text "\n"
#define HTML(source) "Content-Type: text/html\n\n" source "\n"
#define LINK(href, text) "<a href=\"" href "\">" text "</a>\n"

static void test_check_uri_host_listed(void **state)
{
    static const struct eval_case cases[] = {
        {"check_uri_host_listed('EVIL')", BODY("http://evil.org/x"), 1},
        {"check_uri_host_listed('EVIL')", BODY("http://www.evil.org/x"), 1},
        {"check_uri_host_listed('EVIL')", BODY("http://good.evil.org/x"), 0},
        {"check_uri_host_listed('EVIL')", BODY("http://a.example.co.uk/x"), 1},
        {"check_uri_host_listed('EVIL')", BODY("http://198.51.100.1/x"), 1},
        {"check_uri_host_listed('EVIL')", BODY("http://example.org/x"), 0},
        {"check_uri_host_listed('EVIL')", BODY("joe@evil.org"), 0},
        {"check_uri_host_listed('OTHER')", BODY("http://evil.org/x"), 0},
        {"check_uri_host_listed('EVIL')", HTML(LINK("http://evil.org/", "a")), 1},
        {"check_uri_host_listed('EVIL')",
         "DKIM-Signature: v=1; a=rsa-sha256; d=mail.evil.org; s=a\n\nb\n", 1},
        {"check_uri_host_in_blocklist()", BODY("http://www.bad.org/x"), 1},
        {"check_uri_host_in_blacklist()", BODY("http://nice.org/x"), 0},
        {"check_uri_host_in_welcomelist()", BODY("http://nice.org/x"), 1},
    };

    (void)state;
    eval_case_run(LISTS, EVAL_CASES(cases));
}

static void test_check_uri_host_listed_without_signers(void **state)
{
    static const struct eval_case cases[] = {
        {"check_uri_host_listed('EVIL')",
         "DKIM-Signature: v=1; a=rsa-sha256; d=mail.evil.org; s=a\n\nb\n", 0},
        {"check_uri_host_listed('EVIL')", BODY("http://evil.org/x"), 1},
    };

    (void)state;
    eval_case_run(LISTS "parse_dkim_uris 0\n", EVAL_CASES(cases));
}

static void test_check_https_http_mismatch(void **state)
{
    static const struct eval_case cases[] = {
        {"check_https_http_mismatch('1','10')",
         HTML(LINK("http://evil.org/", "https://bank.com/")), 1},
        {"check_https_http_mismatch('1','10')",
         HTML(LINK("http://www.bank.com/", "https://bank.com/")), 0},
        {"check_https_http_mismatch('1','10')",
         HTML(LINK("http://evil.org/", "http://bank.com/")), 0},
        {"check_https_http_mismatch('1','10')",
         HTML(LINK("http://198.51.100.1/", "https://bank.com/")), 0},
        {"check_https_http_mismatch('2','10')",
         HTML(LINK("http://evil.org/", "https://bank.com/")), 0},
        {"check_https_http_mismatch('1','2')",
         HTML(LINK("http://evil.org/", "https://bank.com/") LINK("http://a.org/", "a")),
         0},
        {"check_https_http_mismatch()",
         HTML(LINK("http://evil.org/", "https://bank.com/") LINK("http://a.org/", "a")),
         1},
    };

    (void)state;
    eval_case_run("", EVAL_CASES(cases));
}

static void test_other_links(void **state)
{
    static const struct eval_case cases[] = {
        {"check_https_ip_mismatch()",
         HTML(LINK("http://198.51.100.1/", "HTTPS://bank.com/")), 1},
        {"check_https_ip_mismatch()",
         HTML(LINK("http://198.51.100.1/", "https://198.51.100.1/")), 0},
        {"check_https_ip_mismatch()", HTML(LINK("http://a.org/", "https://bank.com/")),
         0},
        {"check_for_http_redirector()", BODY("http://a.org/?to=http://b.org/"), 1},
        {"check_for_http_redirector()", BODY("http://a.org/?to=http://www.a.org/"), 0},
        {"check_for_http_redirector()", BODY("http://a.org/"), 0},
        {"check_uri_truncated()", BODY("http://a.org/"), 0},
    };

    (void)state;
    eval_case_run("", EVAL_CASES(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_check_uri_host_listed),
        cmocka_unit_test(test_check_uri_host_listed_without_signers),
        cmocka_unit_test(test_check_https_http_mismatch),
        cmocka_unit_test(test_other_links),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
