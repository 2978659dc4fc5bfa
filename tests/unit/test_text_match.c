/* text_match: elements of patterns, captures, addresses, the limit on steps. */
#include "text_case.h"

#include "text/text_match.h"

static const struct {
    const char *pattern, *line;
    bool is_match;
    const char *helo, *rdns, *ip;
} cases[] = {
    {"%h (%r [%i]) by ", "a (b [192.0.2.1]) by c", true, "a", "b", "192.0.2.1"},
    {"%h (%r [%i]) by ", "a (b [192.0.2.256]) by c", false, NULL, NULL, NULL},
    {"%h (%r [%i]) by ", "a b (c [192.0.2.1]) by c", false, NULL, NULL, NULL},
    {"{x}%h%$", "xa", true, "a", NULL, NULL},
    {"{x}%h%$", "a", true, "a", NULL, NULL},
    {"%H(%i)", "(192.0.2.1)", true, "", NULL, "192.0.2.1"},
    {"%h(%i)", "(192.0.2.1)", false, NULL, NULL, NULL},
    {"(%e %x) ", "(EHLO a b) ", true, "a b", NULL, NULL},
    {"(%e %x) ", "(HELP a b) ", false, NULL, NULL, NULL},
    {"%.[%i]", "a.b[::1]", true, NULL, "a.b", "::1"},
    {"%.[%i]", "ab[::1]", false, NULL, NULL, NULL},
    {"[%i%:]", "[192.0.2.1:25]", true, NULL, NULL, "192.0.2.1"},
    {"[%i%:]", "[192.0.2.1]", true, NULL, NULL, "192.0.2.1"},
    {"%h%| ", "a! ", false, NULL, NULL, NULL},
    {"%h%|", "a!", true, "a", NULL, NULL},
    {"%~b%$", "abab", true, NULL, NULL, NULL},
    {"(%l)", "(localhost.localdomain)", true, NULL, NULL, NULL},
    {"(%l)", "(127.0.0.2)", false, NULL, NULL, NULL},
    {"[%i{%%%z}]", "[fe80::1%ETH0]", true, NULL, NULL, "fe80::1"},
    {"%n.%n%$", "12.5", true, NULL, NULL, NULL},
    {"(%a)", "(a1)", true, NULL, NULL, NULL},
    {"(%a)", "(1a)", false, NULL, NULL, NULL},
};

static void check(struct mx_arena *arena, struct mx_str got, const char *want)
{
    assert_int_equal(got.p == NULL, want == NULL);
    if (want)
        assert_slice(arena, got, want);
}

static void test_match_at_table(void **state)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct text_captures out;
        bool is_match = text_match_at(cases[i].pattern, mx_str(cases[i].line), 0, &out);
        assert_int_equal(is_match, cases[i].is_match);
        if (!is_match)
            continue;
        check(*state, out.v[CAPTURE_HELO], cases[i].helo);
        check(*state, out.v[CAPTURE_RDNS], cases[i].rdns);
        check(*state, out.v[CAPTURE_IP], cases[i].ip);
    }
}

static void test_match_find_first(void **state)
{
    struct text_captures out;
    assert_true(text_match_find("by %k ", MX_STR("x by a by b "), &out));
    assert_slice(*state, out.v[CAPTURE_WORD], "a");
    assert_int_equal(out.end, 7);
    assert_false(text_match_find("by %k ", MX_STR("xbya"), &out));
}

static const struct {
    const char *text;
    size_t length;
} addresses[] = {
    {"192.0.2.1", 9},
    {"192.0.2.1x", 0},
    {"192.0.2.01", 0},
    {"192.0.2", 0},
    {"192.0.2.1.5", 9},
    {"2001:db8::1", 11},
    {"::", 2},
    {"::ffff:192.0.2.1", 16},
    {"IPv6:2001:db8::1", 16},
    {"ipv6:::1", 8},
    {"1:2:3:4:5:6:7:8", 15},
    {"1:2:3:4:5:6:7:8:9", 0},
    {"2001:db8::1g", 11},
    {":1", 0},
    {"12345::", 0},
    {"", 0},
    {"dead", 0},
};

static void test_match_ip_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++)
        assert_int_equal(text_match_ip(mx_str(addresses[i].text), 0),
                         addresses[i].length);
    assert_int_equal(text_match_ip(MX_STR("x192.0.2.1"), 1), 0);
    assert_int_equal(text_match_ip(MX_STR("[192.0.2.1"), 1), 9);
    assert_int_equal(text_match_ip(MX_STR(":192.0.2.1"), 1), 0);
}

/* Open ends multiply; the answer for such a line is "no", and soon. */
static void test_match_at_gives_up(void **state)
{
    char line[8001];
    struct text_captures out;
    (void)state;
    memset(line, 'a', sizeof(line));
    assert_false(text_match_at("%*a%*a%*a%*a%*b", mx_str_of(line, 8000), 0, &out));
    assert_false(text_match_find("%~a%~a%~a%~a%~b", mx_str_of(line, 8000), &out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_match_at_table),
        cmocka_unit_test(test_match_find_first),
        cmocka_unit_test(test_match_ip_table),
        cmocka_unit_test(test_match_at_gives_up),
    };
    return cmocka_run_group_tests(tests, text_case_setup, text_case_teardown);
}
