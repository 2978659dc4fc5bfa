/* Patterns, scopes, candidates and list entries. */
#include "store_pattern.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "mx_arena.h"
#include "mx_err.h"

static int setup(void **state)
{
    *state = mx_arena_new(1 << 20);
    return 0;
}

static int teardown(void **state)
{
    mx_arena_free(*state);
    return 0;
}

static void test_store_pattern_normalise_forms(void **state)
{
    static const char *const forms[][2] = {
        {"User@Dom.Example", "user@dom.example"},
        {" <user@dom.example> ", "user@dom.example"},
        {"user+Tag@dom.example", "user+tag@dom.example"},
        {"Dom.EXAMPLE", "dom.example"},
        {".Dom.example", ".dom.example"},
        {".tk", ".tk"},
        {"192.0.2.1", "192.0.2.1"},
        {"192.0.2.77/24", "192.0.2.0/24"},
        {"10.0.0.0/8", "10.0.0.0/8"},
        {"2001:DB8::1", "2001:db8::1"},
        {"2001:db8:1:2:3::/64", "2001:db8:1:2::/64"},
        {"::ffff:192.0.2.1", "192.0.2.1"},
    };
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        struct mx_str out = MX_STR_NONE;
        struct mx_err err = {0};
        if (store_pattern_normalise(*state, mx_str(forms[i][0]), &out, &err) != 0)
            fail_msg("%s: %s", forms[i][0], err.text);
        assert_true(mx_str_eq(out, mx_str(forms[i][1])));
    }
}

static void test_store_pattern_normalise_refuses(void **state)
{
    static const char *const bad[] = {
        "",          "@",         "@dom.example", "user@",      ".",
        "..com",     "a b",       "192.0.2.0/33", "10.0.0.0/7", "2001:db8::/33",
        "300.1.1.1", "-.example", "dom..example", "dom/24",     "user@dom@",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct mx_str out = MX_STR("kept");
        struct mx_err err = {0};
        if (store_pattern_normalise(*state, mx_str(bad[i]), &out, &err) == 0)
            fail_msg("'%s' was taken as '%.*s'", bad[i], MX_STR_FMT(out));
        assert_int_equal(err.code, MX_ERR_INPUT);
        assert_true(mx_str_eq(out, MX_STR("kept")));
    }
}

static void test_store_pattern_normalise_refuses_nul(void **state)
{
    struct mx_str out;
    assert_int_equal(store_pattern_normalise(*state, MX_STR("192\0\0x"), &out, NULL), -1);
    assert_int_equal(store_pattern_normalise(*state, MX_STR("a.example\0"), &out, NULL),
                     -1);
    assert_int_equal(store_pattern_normalise(*state, MX_STR("a@b.example\0"), &out, NULL),
                     -1);
    assert_int_equal(store_scope_normalise(*state, MX_STR("@a\0.example"), &out, NULL),
                     -1);
}

static void test_store_pattern_normalise_refuses_too_long(void **state)
{
    char text[STORE_PATTERN_MAX + 2];
    struct mx_str out;
    memset(text, 'a', sizeof(text));
    assert_int_equal(
        store_pattern_normalise(*state, mx_str_of(text, sizeof(text)), &out, NULL), -1);
}

static void test_store_scope_normalise(void **state)
{
    static const char *const forms[][2] = {
        {"User@Dom.example", "user@dom.example"},
        {"@Dom.example", "@dom.example"},
        {"SYSTEM", "system"},
        {"user", NULL},
        {"@", NULL},
        {"dom.example", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        struct mx_str out = MX_STR("kept");
        const char *want = forms[i][1];
        int status = store_scope_normalise(*state, mx_str(forms[i][0]), &out, NULL);
        assert_int_equal(status, want ? 0 : -1);
        assert_true(mx_str_eq(out, mx_str(want ? want : "kept")));
    }
}

/* All patterns of a sender and client, in order. */
static size_t candidates(void **state, const char *sender, const char *client,
                         const struct mx_str **out)
{
    struct mx_addr addr;
    struct mx_net net = {0};
    struct store_list_query query = {.client = &net};
    char room[MX_NET_TEXT_MAX];
    assert_int_equal(mx_addr_parse(*state, mx_str(sender), &addr, NULL), 0);
    if (client)
        assert_int_equal(mx_net_parse(mx_str(client), &net, NULL), 0);
    query.n_patterns = store_pattern_senders(*state, &addr, &query.patterns);
    size_t n = store_list_count(&query);
    struct mx_str *all = mx_arena_array(*state, n + 1, sizeof(*all));
    for (size_t i = 0; i < n; i++)
        all[i] = mx_str_dup(*state, store_list_pattern(&query, i, room));
    assert_int_equal(store_list_pattern(&query, n, room).n, 0);
    *out = all;
    return n;
}

static void test_store_pattern_candidates_order(void **state)
{
    static const char *const want[] = {"bob@a.b.example", "a.b.example", ".a.b.example",
                                       ".b.example",      ".example",    "192.0.2.9",
                                       "192.0.2.8/31"};
    const struct mx_str *out;
    size_t n = candidates(state, "<Bob@A.b.example>", "192.0.2.9", &out);
    assert_int_equal(n, 5 + 25);
    for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++)
        assert_true(mx_str_eq(out[i], mx_str(want[i])));
    assert_true(mx_str_eq(out[n - 1], MX_STR("192.0.0.0/8")));
}

static void test_store_pattern_candidates_ipv6(void **state)
{
    static const char *const want[] = {"2001:db8:1:2:3::4", "2001:db8:1:2::/64",
                                       "2001:db8:1::/56",   "2001:db8:1::/48",
                                       "2001:db8::/40",     "2001:db8::/32"};
    const struct mx_str *out;
    size_t n = candidates(state, "<>", "2001:db8:1:2:3::4", &out);
    assert_int_equal(n, 6);
    for (size_t i = 0; i < n; i++)
        assert_true(mx_str_eq(out[i], mx_str(want[i])));
}

/* What a sender claims never meets the entry of a client. */
static void test_store_pattern_candidates_domain_like_an_address(void **state)
{
    const struct mx_str *out;
    assert_int_equal(candidates(state, "<a@192.0.2.1>", NULL, &out), 1);
    assert_true(mx_str_eq(out[0], MX_STR("a@192.0.2.1")));
    assert_int_equal(candidates(state, "<a@[192.0.2.1]>", NULL, &out), 1);
}

static void test_store_pattern_candidates_nobody_knows(void **state)
{
    const struct mx_str *out;
    assert_int_equal(candidates(state, "<>", NULL, &out), 0);
    assert_int_equal(candidates(state, "<local>", NULL, &out), 0);
    assert_int_equal(candidates(state, "<a@[192.0.2.1]>", NULL, &out), 1);
}

/* Whoever owns a domain may use very many labels: the listed parents must stay in. */
static void test_store_pattern_candidates_deep_domain_keeps_its_parents(void **state)
{
    char sender[400] = "x@";
    const struct mx_str *out;
    for (int i = 0; i < 110; i++)
        strncat(sender, "a.", sizeof(sender) - strlen(sender) - 1);
    strncat(sender, "spam.example", sizeof(sender) - strlen(sender) - 1);
    size_t n = candidates(state, sender, "192.0.2.9", &out);
    assert_int_equal(n, STORE_PATTERNS_MAX);
    assert_true(mx_str_eq(out[n - 25 - 1], MX_STR(".example")));
    assert_true(mx_str_eq(out[n - 25 - 2], MX_STR(".spam.example")));
}

/* What can be listed is what is asked for, in the same spelling. */
static void test_store_pattern_normalised_is_among_candidates(void **state)
{
    static const char *const listed[] = {"BOB@A.example", "A.example", ".A.Example",
                                         ".example",      "192.0.2.9", "192.0.2.0/24",
                                         "192.0.0.0/16"};
    const struct mx_str *out;
    size_t n = candidates(state, "<bob@a.example>", "192.0.2.9", &out);
    for (size_t i = 0; i < sizeof(listed) / sizeof(listed[0]); i++) {
        struct mx_str pattern;
        bool is_there = false;
        assert_int_equal(
            store_pattern_normalise(*state, mx_str(listed[i]), &pattern, NULL), 0);
        for (size_t k = 0; k < n; k++)
            is_there |= mx_str_eq(out[k], pattern);
        assert_true(is_there);
    }
}

/* What a list says of a pattern is what those ask for whom it concerns. */
static void test_store_kinds_of_listed_and_asked_agree(void **state)
{
    struct mx_str senders[] = {MX_STR("a@b.example"), MX_STR("b.example"),
                               MX_STR(".b.example")};
    static const char *const clients[] = {"192.0.2.9", "2001:db8:1:2:3::4"};
    char room[MX_NET_TEXT_MAX], letter;
    uint64_t all = 0;
    (void)state;
    for (size_t c = 0; c < 2; c++) {
        struct mx_net net;
        struct store_list_query query = {
            .patterns = senders, .n_patterns = 3, .client = &net};
        assert_int_equal(mx_net_parse(mx_str(clients[c]), &net, NULL), 0);
        for (size_t i = 0; i < store_list_count(&query); i++) {
            letter = store_kinds_letter(store_list_pattern(&query, i, room));
            assert_true(store_kinds_parse(mx_str_of(&letter, 1)) ==
                        store_list_kind(&query, i));
            all |= store_list_kind(&query, i);
        }
    }
    assert_int_equal(__builtin_popcountll(all), 3 + 25 + 6);
}

static void test_store_kinds_parse(void **state)
{
    (void)state;
    assert_true(store_kinds_parse(MX_STR_NONE) == 0);
    assert_true(store_kinds_parse(MX_STR("adt")) == STORE_KINDS_SENDERS);
    assert_true(store_kinds_parse(MX_STR("*")) == STORE_KINDS_ALL);
    assert_true(store_kinds_parse(MX_STR("a?")) == STORE_KINDS_ALL);
    assert_true(store_kinds_parse(MX_STR("a\0")) == STORE_KINDS_ALL);
}

static void test_store_listing_round_trip(void **state)
{
    char text[STORE_LISTING_MAX];
    int64_t since = 0;
    (void)state;
    struct mx_str value = store_listing_format(STORE_DENIED, 1700000000123, text);
    assert_true(mx_str_eq(value, MX_STR("d 1700000000123")));
    assert_int_equal(store_listing_parse(value, &since), STORE_DENIED);
    assert_int_equal(since, 1700000000123);
    value = store_listing_format(STORE_ALLOWED, INT64_MAX, text);
    assert_int_equal(store_listing_parse(value, &since), STORE_ALLOWED);
    assert_true(since == INT64_MAX);
}

static void test_store_listing_parse_odd_values(void **state)
{
    int64_t since = 7;
    (void)state;
    assert_int_equal(store_listing_parse(MX_STR("a"), &since), STORE_ALLOWED);
    assert_int_equal(since, 0);
    assert_int_equal(store_listing_parse(MX_STR("d -5"), &since), STORE_DENIED);
    assert_int_equal(since, 0);
    assert_int_equal(store_listing_parse(MX_STR("ab 5"), NULL), STORE_NOT_LISTED);
    assert_int_equal(store_listing_parse(MX_STR(""), NULL), STORE_NOT_LISTED);
    assert_int_equal(store_listing_parse(MX_STR_NONE, NULL), STORE_NOT_LISTED);
    assert_int_equal(store_listing_parse(MX_STR("x 5"), NULL), STORE_NOT_LISTED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_store_pattern_normalise_forms),
        TEST(test_store_pattern_normalise_refuses),
        TEST(test_store_pattern_normalise_refuses_nul),
        TEST(test_store_pattern_normalise_refuses_too_long),
        TEST(test_store_scope_normalise),
        TEST(test_store_pattern_candidates_order),
        TEST(test_store_pattern_candidates_ipv6),
        TEST(test_store_pattern_candidates_domain_like_an_address),
        TEST(test_store_pattern_candidates_nobody_knows),
        TEST(test_store_pattern_candidates_deep_domain_keeps_its_parents),
        TEST(test_store_pattern_normalised_is_among_candidates),
        TEST(test_store_kinds_of_listed_and_asked_agree),
        TEST(test_store_kinds_parse),
        TEST(test_store_listing_round_trip),
        TEST(test_store_listing_parse_odd_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
