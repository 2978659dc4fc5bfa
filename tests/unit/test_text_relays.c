/* text_relays: how far trust reaches, with networks, without, and behind a milter. */
#include "text_case.h"

#include "mx_err.h"
#include "text/text_relays.h"
#include "text/text_tree.h"

#define LINE(helo, ip, by)                                                               \
    "Received: from " helo " (" helo " [" ip "]) by " by                                 \
    " (Postfix) with SMTP id abc123\n"

static struct text_relays parse(struct mx_arena *arena, const char *head,
                                const struct text_settings *settings,
                                const struct text_connection *connection)
{
    static const struct text_settings none = {.trusted = {NULL, 0}};
    struct text_relays relays;
    struct text_tree tree;
    struct mx_err err;
    const char *raw = mx_arena_printf(arena, "%s\nbody\n", head);
    assert_int_equal(text_tree_parse(arena, mx_str(raw), &tree, &err), 0);
    assert_int_equal(text_relays_parse(arena, &tree, settings ? settings : &none,
                                       connection, &relays, &err),
                     0);
    return relays;
}

static struct text_net net(const char *word)
{
    struct text_net out = {.is_excluded = word[0] == '!'};
    assert_int_equal(mx_net_parse(mx_str(word + out.is_excluded), &out.net, NULL), 0);
    return out;
}

static void test_relays_parse_guess_stops_at_public(void **state)
{
    struct text_relays r =
        parse(*state,
              LINE("in", "10.1.2.3", "mx") LINE("out", "192.0.2.1", "x")
                  LINE("far", "10.0.0.1", "y"),
              NULL, NULL);
    assert_int_equal(r.n, 3);
    assert_int_equal(r.n_trusted, 1);
    assert_int_equal(r.n_internal, 1);
    assert_int_equal(r.last_trusted, 0);
    assert_slice(*state, r.trusted,
                 "[ ip=10.1.2.3 rdns=in helo=in by=mx ident= envfrom= intl=1 id=abc123 "
                 "auth= msa=0 ]");
    assert_true(mx_str_starts(r.untrusted, MX_STR("[ ip=192.0.2.1 ")));
    assert_true(mx_str_find(r.external, MX_STR(" ] [ ip=10.0.0.1 ")) > 0);
}

static void test_relays_parse_networks(void **state)
{
    struct text_net trusted = net("192.0.2.0/24"), internal = net("192.0.2.1");
    struct text_settings settings = {.trusted = {&trusted, 1}};
    const char *head = LINE("a", "192.0.2.1", "mx") LINE("b", "192.0.2.2", "a")
        LINE("c", "198.51.100.1", "b") LINE("d", "192.0.2.3", "c");
    struct text_relays r = parse(*state, head, &settings, NULL);
    assert_int_equal(r.n_trusted, 2);
    assert_int_equal(r.n_internal, 2); /* trusted ones stand for internal ones */
    settings.internal = (struct text_nets){&internal, 1};
    r = parse(*state, head, &settings, NULL);
    assert_int_equal(r.n_trusted, 2);
    assert_int_equal(r.n_internal, 1);
    assert_int_equal(r.last_internal, 0);
    assert_true(r.v[0].is_internal);
    assert_false(r.v[1].is_internal);
}

static void test_relays_parse_loopback_is_trusted(void **state)
{
    struct text_net none = net("!0.0.0.0/0");
    struct text_settings settings = {.trusted = {&none, 1}};
    struct text_relays r = parse(*state, LINE("a", "127.0.0.1", "mx"), &settings, NULL);
    assert_int_equal(r.n_trusted, 1);
}

/* As SpamAssassin's NetSet without Net::Patricia: the first that holds it decides. */
static void test_relays_parse_exclusions(void **state)
{
    struct text_net nets[] = {net("!192.0.2.1"), net("192.0.2.0/24"), net("!192.0.2.2")};
    struct text_settings settings = {.trusted = {nets, 3}};
    struct text_relays r = parse(*state, LINE("a", "192.0.2.1", "mx"), &settings, NULL);
    assert_int_equal(r.n_trusted, 0);
    r = parse(*state, LINE("a", "192.0.2.2", "mx"), &settings, NULL);
    assert_int_equal(r.n_trusted, 1);
    /* Trusted, and internal but for one host. */
    settings.internal = (struct text_nets){nets, 2};
    settings.trusted = (struct text_nets){&nets[1], 1};
    r = parse(*state, LINE("a", "192.0.2.1", "mx"), &settings, NULL);
    assert_int_equal(r.n_trusted, 1);
    assert_int_equal(r.n_internal, 0);
}

/* Below a relay that only our own users reach, all is judged as it is. */
static void test_relays_parse_msa_settles(void **state)
{
    struct text_net trusted = net("192.0.2.0/24"), msa = net("192.0.2.1");
    struct text_settings settings = {.trusted = {&trusted, 1}, .msa = {&msa, 1}};
    const char *head = LINE("a", "192.0.2.1", "mx") LINE("b", "198.51.100.1", "a");
    struct text_relays r = parse(*state, head, &settings, NULL);
    assert_int_equal(r.n_trusted, 2);
    assert_int_equal(r.n_internal, 2);
    assert_true(mx_str_find(r.trusted, MX_STR("msa=1 ] [ ip=198.51.100.1 ")) > 0);
    /* Not where trust has ended before it. */
    r = parse(*state, LINE("b", "198.51.100.1", "mx") LINE("a", "192.0.2.1", "b"),
              &settings, NULL);
    assert_int_equal(r.n_trusted, 0);
    assert_false(r.v[1].is_msa);
}

static void test_relays_parse_login_extends_trust(void **state)
{
    struct text_relays r = parse(*state,
                                 "Received: from a (b [192.0.2.1]) by mx (Postfix) with "
                                 "ESMTPSA id abc123\n",
                                 NULL, NULL);
    assert_int_equal(r.n_trusted, 1);
}

static void test_relays_parse_connection_is_first(void **state)
{
    struct text_connection c = {.rdns = MX_STR("host.example.com"),
                                .helo = MX_STR("said] [ ip=10.0.0.1"),
                                .sender = MX_STR("a@example.com"),
                                .by = MX_STR("mx.example.net"),
                                .is_known = true};
    assert_int_equal(mx_net_parse(MX_STR("192.0.2.9"), &c.client, NULL), 0);
    struct text_relays r = parse(*state, LINE("a", "10.1.2.3", "b"), NULL, &c);
    assert_int_equal(r.n, 2);
    assert_int_equal(r.n_trusted, 0);
    assert_int_equal(r.last_trusted, -2);
    assert_true(mx_str_starts(r.untrusted,
                              MX_STR("[ ip=192.0.2.9 rdns=host.example.com "
                                     "helo=said!!!!ip=10.0.0.1 by=mx.example.net ident= "
                                     "envfrom=a@example.com intl=0 id= auth= msa=0 ]")));
    c.auth_user = MX_STR("joe");
    r = parse(*state, LINE("a", "10.1.2.3", "b"), NULL, &c);
    assert_int_equal(r.n_trusted, 2);
    assert_int_equal(r.last_trusted, 0);
}

static void test_relays_parse_fetcher_restarts(void **state)
{
    struct text_relays r = parse(
        *state,
        LINE("in", "10.1.2.3",
             "mx") "Received: from pop.example.net with POP3 for joe\n" LINE("out",
                                                                             "192.0.2.1",
                                                                             "x"),
        NULL, NULL);
    assert_int_equal(r.n, 1);
    assert_int_equal(r.n_trusted, 0);
    r = parse(*state,
              LINE("out", "192.0.2.1",
                   "x") "Received: from pop.example.net with POP3 for joe\n",
              NULL, NULL);
    assert_int_equal(r.n, 1); /* a sender's mark: not believed */
}

static void test_relays_parse_counts_unparseable(void **state)
{
    struct text_relays r =
        parse(*state, "Received: from nowhere\nReceived: by me\n", NULL, NULL);
    assert_int_equal(r.unparseable, 1);
    assert_int_equal(r.n, 0);
    assert_int_equal(r.last_trusted, 1);
    assert_int_equal(r.trusted.n, 0);
}

static void test_relays_parse_originating(void **state)
{
    struct text_relays r = parse(*state, "X-Originating-IP: [192.0.2.77]\n", NULL, NULL);
    assert_int_equal(r.n, 1);
    assert_slice(*state, r.v[0].ip, "192.0.2.77");
}

static void test_relays_parse_many_lines(void **state)
{
    struct mx_buf buf = {.p = NULL};
    for (int i = 0; i < 5000; i++)
        mx_buf_str(&buf, LINE("a", "10.1.2.3", "b"));
    struct text_relays r = parse(*state, buf.p, NULL, NULL);
    assert_int_equal(r.n, 500);
    mx_buf_fini(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_relays_parse_guess_stops_at_public),
        cmocka_unit_test(test_relays_parse_networks),
        cmocka_unit_test(test_relays_parse_loopback_is_trusted),
        cmocka_unit_test(test_relays_parse_exclusions),
        cmocka_unit_test(test_relays_parse_msa_settles),
        cmocka_unit_test(test_relays_parse_login_extends_trust),
        cmocka_unit_test(test_relays_parse_connection_is_first),
        cmocka_unit_test(test_relays_parse_fetcher_restarts),
        cmocka_unit_test(test_relays_parse_counts_unparseable),
        cmocka_unit_test(test_relays_parse_originating),
        cmocka_unit_test(test_relays_parse_many_lines),
    };
    return cmocka_run_group_tests(tests, text_case_setup, text_case_teardown);
}
