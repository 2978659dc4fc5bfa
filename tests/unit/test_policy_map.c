/* policy_map: the four kinds, first match, what a bad file is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mx_err.h"
#include "policy_map.h"

static struct policy_map *parse(enum policy_map_kind kind, const char *text)
{
    struct policy_map_spec spec = {.kind = kind, .path = "file"};
    struct policy_map *map = NULL;
    struct mx_err err = {0};
    if (policy_map_parse(&spec, mx_str(text), &map, &err) < 0)
        fail_msg("%s", err.text);
    return map;
}

static void expect_text(const struct policy_map *map, const char *key, const char *wanted)
{
    struct mx_str value = MX_STR_NONE;
    enum policy_map_result result = policy_map_find_text(map, mx_str(key), &value);
    assert_int_equal(result, wanted ? POLICY_MAP_HIT : POLICY_MAP_MISS);
    if (wanted && !mx_str_eq(value, mx_str(wanted)))
        fail_msg("%s: got %.*s, not %s", key, MX_STR_FMT(value), wanted);
}

static void expect_net(const struct policy_map *map, const char *addr, const char *wanted)
{
    struct mx_str value = MX_STR_NONE;
    struct mx_net net;
    assert_int_equal(mx_net_parse(mx_str(addr), &net, NULL), 0);
    enum policy_map_result result = policy_map_find_net(map, &net, &value);
    assert_int_equal(result, wanted ? POLICY_MAP_HIT : POLICY_MAP_MISS);
    if (wanted && !mx_str_eq(value, mx_str(wanted)))
        fail_msg("%s: got %.*s, not %s", addr, MX_STR_FMT(value), wanted);
}

static void test_find_net_first_line_wins(void **state)
{
    (void)state;
    struct policy_map *map = parse(POLICY_MAP_CIDR, "# ours\n"
                                                    "192.0.2.7 exact\n"
                                                    "192.0.0.0/16 wide\r\n"
                                                    "192.0.2.0/24\tnever\n"
                                                    "\n"
                                                    "2001:db8::/32 six\n"
                                                    "0.0.0.0/0 rest");
    expect_net(map, "192.0.2.7", "exact");
    expect_net(map, "192.0.2.8", "wide");
    expect_net(map, "198.51.100.1", "rest");
    expect_net(map, "2001:db8::1", "six");
    expect_net(map, "2001:db9::1", NULL);
    expect_text(map, "192.0.2.7", NULL);
    assert_int_equal(policy_map_entries(map), 5);
    policy_map_unref(map);
}

static void test_find_text_domain(void **state)
{
    (void)state;
    struct policy_map *map =
        parse(POLICY_MAP_DOMAIN, "Example.COM one\n.example.com below\n.org top\n");
    expect_text(map, "example.com", "one");
    expect_text(map, "a.B.example.com", "below");
    expect_text(map, "notexample.com", NULL);
    expect_text(map, "anything.org", "top");
    expect_text(map, "org", "top");
    expect_text(map, "", NULL);
    expect_text(map, "...", NULL);
    policy_map_unref(map);
}

static void test_find_text_address(void **state)
{
    (void)state;
    struct policy_map *map = parse(POLICY_MAP_ADDRESS, "joe@a.example exact\n"
                                                       "a.example domain\n"
                                                       ".example parent\n"
                                                       "root@ local\n"
                                                       "\"x@y\"@q.example quoted\n");
    expect_text(map, "JOE@A.example", "exact");
    expect_text(map, "jim@a.example", "domain");
    expect_text(map, "jim@b.a.example", "parent");
    expect_text(map, "root@elsewhere.test", "local");
    expect_text(map, "\"x@y\"@q.example", "quoted");
    expect_text(map, "nobody@elsewhere.test", NULL);
    policy_map_unref(map);
}

static void test_find_text_long(void **state)
{
    (void)state;
    struct policy_map *map = parse(POLICY_MAP_DOMAIN, ".com x\n");
    char *text = calloc(1, 100001);
    memset(text, 'a', 100000);
    memcpy(text + 99996, ".com", 4);
    expect_text(map, text, NULL);
    expect_text(map, text + 99000, "x");
    free(text);
    policy_map_unref(map);
}

static int refuse_bad(struct mx_str value, struct mx_err *err)
{
    return mx_str_eq(value, MX_STR("bad")) ? mx_err_set(err, MX_ERR_INPUT, "no good") : 0;
}

static void test_parse_refuses(void **state)
{
    static const struct {
        enum policy_map_kind kind;
        const char *text, *why;
    } cases[] = {
        {POLICY_MAP_CIDR, "192.0.2.0/24 OK\n192.0.2.0/33 OK", "file:2: "},
        {POLICY_MAP_CIDR, "host.example OK", "file:1: "},
        {POLICY_MAP_CIDR, "192.0.2.1 a\n\n192.0.2.1/32 b", "file:3: the same key"},
        {POLICY_MAP_DOMAIN, "a.example x\nA.example y", "in line 1"},
        {POLICY_MAP_DOMAIN, "joe@a.example x", "use address:"},
        {POLICY_MAP_DOMAIN, "a.example", "without a result"},
        {POLICY_MAP_DOMAIN, "  a.example x", "white space"},
        {POLICY_MAP_ADDRESS, "@a.example x", "nothing before"},
        {POLICY_MAP_DOMAIN, "ok x\nb bad", "file:2: no good"},
        {POLICY_MAP_REGEX, "/a(/ x", "file:1: pattern"},
        {POLICY_MAP_REGEX, "/a/q x", "unknown flag"},
        {POLICY_MAP_REGEX, "/a x", "no '/' at its end"},
        {POLICY_MAP_REGEX, "a x", "begins with '/'"},
        {POLICY_MAP_REGEX, "/a/", "without a result"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct policy_map_spec spec = {cases[i].kind, "file", refuse_bad};
        struct policy_map *map = NULL;
        struct mx_err err = {0};
        assert_int_equal(policy_map_parse(&spec, mx_str(cases[i].text), &map, &err), -1);
        assert_null(map);
        if (strstr(err.text, cases[i].why) == NULL)
            fail_msg("case %zu: %s", i, err.text);
    }
}

static void test_ref_shares(void **state)
{
    (void)state;
    struct policy_map *map = parse(POLICY_MAP_DOMAIN, "a.example x\n");
    struct policy_map *same = policy_map_ref(map);
    policy_map_unref(map);
    expect_text(same, "a.example", "x");
    policy_map_unref(same);
    policy_map_unref(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find_net_first_line_wins),
        cmocka_unit_test(test_find_text_domain),
        cmocka_unit_test(test_find_text_address),
        cmocka_unit_test(test_find_text_long),
        cmocka_unit_test(test_parse_refuses),
        cmocka_unit_test(test_ref_shares),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
