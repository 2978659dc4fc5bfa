/* Data directives, networks. */
#include "mx_net.h"
#include "rule_files.h"
#include "text/text_relays.h"

/* The list as "a|b|c"; "-" where there is none. */
static void expect(const struct rule_set *set, const char *directive, const char *name,
                   const char *wanted)
{
    const struct rule_list *list = rule_list_find(set, directive, mx_str(name));
    struct mx_buf buf = {0};

    mx_buf_str(&buf, list ? "" : "-");
    for (size_t i = 0; list && i < list->entries.n; i++)
        mx_buf_printf(&buf, "%s%.*s", i ? "|" : "", MX_STR_FMT(list->entries.v[i]));
    if (strcmp(buf.p, wanted) != 0)
        fail_msg("%s (%s): %s, not %s", directive, name, buf.p, wanted);
    mx_buf_fini(&buf);
}

static void test_words_append_once(void **state)
{
    struct rule_files files;
    const struct rule_set *set = rule_files_one(&files, "freemail_domains B.example a.*\n"
                                                        "freemail-domains a.* c.??\n");

    (void)state;
    expect(set, "freemail_domains", "", "b.example|a.*|c.??");
    expect(set, "url_shortener", "", "-");
    rule_files_free(&files);
}

static void test_old_names_share_a_list(void **state)
{
    struct rule_files files;
    const struct rule_set *set = rule_files_one(&files, "whitelist_from a@x\n"
                                                        "welcomelist_from B@x\n"
                                                        "blacklist_to c@x\n"
                                                        "def_whitelist_auth *@d\n");

    (void)state;
    expect(set, "welcomelist_from", "", "a@x|b@x");
    expect(set, "blocklist_to", "", "c@x");
    expect(set, "def_welcomelist_auth", "", "*@d");
    rule_files_free(&files);
}

/* Order counts: only what came before is removed. */
static void test_removal(void **state)
{
    struct rule_files files;
    const struct rule_set *set = rule_files_one(
        &files, "welcomelist_from a@x b@x c@x\nunwelcomelist_from A@x b@x\n"
                "welcomelist_from b@x\n"
                "welcomelist_from_rcvd a@x one.example\n"
                "welcomelist_from_rcvd a@x   Two.example\n"
                "welcomelist_from_rcvd b@x one.example\nunwelcomelist_from_rcvd a@x\n");

    (void)state;
    expect(set, "welcomelist_from", "", "c@x|b@x");
    expect(set, "welcomelist_from_rcvd", "", "b@x one.example");
    rule_files_free(&files);
}

static void test_named_lists(void **state)
{
    struct rule_files files;
    const struct rule_set *set = rule_files_one(
        &files, "enlist_uri_host (ONE) a.example !b.example c.example\n"
                "enlist_uri_host (TWO) a.example c.example\n"
                "delist_uri_host (ONE) b.example\ndelist_uri_host c.example\n"
                "enlist_uri_host (TWO) d.example\nblacklist_uri_host evil.example\n"
                "enlist_addrlist (PAYPAL) *@paypal.com\n");

    (void)state;
    expect(set, "enlist_uri_host", "ONE", "a.example");
    expect(set, "enlist_uri_host", "TWO", "a.example|d.example");
    expect(set, "enlist_uri_host", "BLOCK", "evil.example");
    expect(set, "enlist_addrlist", "PAYPAL", "*@paypal.com");
    rule_files_free(&files);
}

static void test_value_last_counts_and_clear(void **state)
{
    struct rule_files files;
    const struct rule_set *set =
        rule_files_one(&files, "ok_locales en\nok_locales all\n"
                               "util_rb_tld com net\nclear_util_rb\nutil_rb_tld org de\n"
                               "redirector_pattern /^A.*(x)$/i\n");

    (void)state;
    expect(set, "ok_locales", "", "all");
    expect(set, "util_rb_tld", "", "org|de");
    expect(set, "redirector_pattern", "", "/^A.*(x)$/i");
    assert_int_equal(set->text.lists.tlds->n, 2);
    assert_str(set->text.lists.tlds->v[0], "de"); /* sorted */
    assert_null(set->text.lists.two_level);
    rule_files_free(&files);
}

/* A broken pattern is told with its line, and takes no other with it. */
static void test_redirectors(void **state)
{
    struct rule_files files;
    const struct rule_set *set =
        rule_files_one(&files, "redirector_pattern /^http:..x.example.(.*)$/i\n"
                               "redirector_pattern /(/\nredirector_pattern none\n");

    (void)state;
    expect(set, "redirector_pattern", "", "/^http:..x.example.(.*)$/i");
    assert_non_null(set->text.lists.redirectors);
    assert_int_equal(set->n_problems, 2);
    assert_int_equal(set->problems[0].line, 2);
    rule_files_free(&files);
}

static void test_problems(void **state)
{
    struct rule_files files;
    const struct rule_set *set =
        rule_files_one(&files, "freemail_domains\nenlist_uri_host NAME a.example\n");

    (void)state;
    assert_int_equal(set->n_problems, 2);
    assert_int_equal(set->problems[1].line, 2);
    assert_str(set->problems[1].rule, "enlist_uri_host");
    rule_files_free(&files);
}

static bool trusts(const struct rule_set *set, const char *address)
{
    struct mx_net net;

    assert_int_equal(mx_net_parse(mx_str(address), &net, NULL), 0);
    return text_nets_have(&set->text.trusted, &net);
}

static void test_networks(void **state)
{
    struct rule_files files;
    const struct rule_set *set =
        rule_files_one(&files, "trusted_networks 192.0.2.1 10/8 172.16. 2001:db8::/32\n");

    (void)state;
    assert_int_equal(set->text.trusted.n, 4);
    assert_int_equal(set->text.internal.n, 0);
    assert_true(trusts(set, "192.0.2.1"));
    assert_false(trusts(set, "192.0.2.2"));
    assert_true(trusts(set, "10.9.8.7"));
    assert_true(trusts(set, "172.16.255.1"));
    assert_false(trusts(set, "172.17.0.1"));
    assert_true(trusts(set, "2001:db8::1"));
    rule_files_free(&files);
}

/* The first that holds an address decides; what is no network takes no other along. */
static void test_networks_exclude(void **state)
{
    struct rule_files files;
    const struct rule_set *set = rule_files_one(
        &files, "trusted_networks !10.1. nonsense !2001:db8::1 2001:db8::/32\n"
                "trusted_networks 10/8 !10.2.2.2\nmsa_networks 192.0.2.1 !192.0.2.\n");

    (void)state;
    assert_false(trusts(set, "10.1.1.1"));
    assert_true(trusts(set, "10.2.2.2"));
    assert_false(trusts(set, "2001:db8::1"));
    assert_true(trusts(set, "2001:db8::2"));
    assert_int_equal(set->text.msa.n, 2);
    assert_int_equal(rule_problems(set, RULE_PROBLEM_SYNTAX), 1);
    rule_files_free(&files);
}

static void test_text_settings(void **state)
{
    struct rule_files files;
    const struct rule_set *set = rule_files_one(
        &files, "envelope_sender_header X-Old\nenvelope_sender_header X-Site:\n"
                "body_part_scan_size 1000\nrawbody_part_scan_size 0\n");

    (void)state;
    assert_str(set->text.envelope_header, "X-Site");
    assert_int_equal(set->text.body_part_max, 1000);
    assert_true(set->text.rawbody_part_max == SIZE_MAX);
    rule_files_free(&files);
    set = rule_files_one(&files, "body_part_scan_size big\nnormalize_charset 0\n");
    assert_int_equal(set->text.body_part_max, 0); /* as if nothing were said */
    assert_int_equal(rule_problems(set, RULE_PROBLEM_SYNTAX), 2);
    rule_files_free(&files);
}

/* Where no file mentions them, texts have the stock ones; cleared, there are none. */
static void test_originating(void **state)
{
    struct rule_files files;
    const struct rule_set *set = rule_files_one(&files, "ok_locales en\n");

    (void)state;
    assert_null(set->text.lists.originating);
    rule_files_free(&files);
    set = rule_files_one(&files, "originating_ip_headers X-A\n"
                                 "clear_originating_ip_headers\n");
    assert_int_equal(set->text.lists.originating->n, 0);
    rule_files_free(&files);
    set = rule_files_one(&files, "originating_ip_headers X-A\n"
                                 "clear_originating_ip_headers\n"
                                 "originating_ip_headers X-B X-C\n");
    assert_int_equal(set->text.lists.originating->n, 2);
    assert_str(set->text.lists.originating->v[0], "x-b");
    rule_files_free(&files);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words_append_once),
        cmocka_unit_test(test_old_names_share_a_list),
        cmocka_unit_test(test_removal),
        cmocka_unit_test(test_named_lists),
        cmocka_unit_test(test_value_last_counts_and_clear),
        cmocka_unit_test(test_redirectors),
        cmocka_unit_test(test_problems),
        cmocka_unit_test(test_networks),
        cmocka_unit_test(test_networks_exclude),
        cmocka_unit_test(test_text_settings),
        cmocka_unit_test(test_originating),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
