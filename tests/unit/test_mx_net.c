/* Addresses and networks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "mx_err.h"
#include "mx_net.h"

static struct mx_net net(const char *text)
{
    struct mx_net out = {0, 0, {0}};
    struct mx_err err;
    if (mx_net_parse(mx_str(text), &out, &err) < 0)
        fail_msg("%s", err.text);
    return out;
}

static void test_parse_and_format(void **state)
{
    static const char *const pairs[][2] = {
        {"192.0.2.1", "192.0.2.1"},
        {"192.0.2.77/24", "192.0.2.0/24"},
        {"192.0.2.255/25", "192.0.2.128/25"},
        {"10.0.0.0/0", "0.0.0.0/0"},
        {"2001:DB8::1", "2001:db8::1"},
        {"2001:db8:ffff::/33", "2001:db8:8000::/33"},
        {"[192.0.2.1]", "192.0.2.1"},
        {"[IPv6:2001:db8::1]", "2001:db8::1"},
        {"ipv6:::1", "::1"},
        {"::ffff:192.0.2.1", "192.0.2.1"},
        {"::ffff:192.0.2.77/120", "192.0.2.0/24"},
        {"::ffff:0:0/95", "::fffe:0:0/95"},
        {"192.0.2.1/32", "192.0.2.1"},
        {"0.9.10.99", "0.9.10.99"},
        {"100.109.200.255", "100.109.200.255"},
        {"2001:db8::/128", "2001:db8::"},
        {"2001:db8::/100", "2001:db8::/100"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        char text[MX_NET_TEXT_MAX];
        struct mx_net parsed = net(pairs[i][0]);
        assert_string_equal(mx_net_format(&parsed, text), pairs[i][1]);
    }
}

static void test_parse_refuses(void **state)
{
    static const char *const wrong[] = {
        "",
        "192.0.2",
        "192.0.2.256",
        "192.0.2.1/33",
        "192.0.2.1/",
        "1.2.3.4/-1",
        "2001:db8::/129",
        ":::",
        "IPv6:192.0.2.1",
        "[192.0.2.1",
        "fe80::1%eth0",
        "example.org",
        "192.0.2.1 ",
        "01.2.3.4",
        "[]",
        "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc:dddd:eeee",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct mx_net out = {9, 9, {9}};
        struct mx_err err;
        if (mx_net_parse(mx_str(wrong[i]), &out, &err) == 0)
            fail_msg("'%s' was accepted", wrong[i]);
        assert_int_equal(out.family, 9);
        assert_int_equal(err.code, MX_ERR_INPUT);
    }
    assert_int_equal(
        mx_net_parse(mx_str_of("1.2.3.4\0x", 9), &(struct mx_net){0, 0, {0}}, NULL), -1);
}

static bool contains(const char *network, const char *address)
{
    struct mx_net a = net(network), b = net(address);
    return mx_net_contains(&a, &b);
}

static void test_contains(void **state)
{
    struct mx_net none = {0, 0, {0}}, one = net("192.0.2.1");
    (void)state;
    assert_true(contains("192.0.2.0/24", "192.0.2.255"));
    assert_false(contains("192.0.2.0/24", "192.0.3.0"));
    assert_true(contains("192.0.2.128/25", "192.0.2.128/26"));
    assert_false(contains("192.0.2.128/26", "192.0.2.128/25"));
    assert_true(contains("0.0.0.0/0", "255.255.255.255"));
    assert_false(contains("::/0", "192.0.2.1"));
    assert_true(contains("192.0.2.0/24", "::ffff:192.0.2.9"));
    assert_true(contains("2001:db8::/33", "2001:db8:7fff::1"));
    assert_false(contains("2001:db8::/33", "2001:db8:8000::1"));
    assert_false(mx_net_contains(&none, &one));
    assert_false(mx_net_contains(&none, &none));
}

static void test_mask(void **state)
{
    char text[MX_NET_TEXT_MAX];
    struct mx_net a = net("192.0.2.77"), b = net("2001:db8:1:2:3::4");
    struct mx_net wide = net("10.0.0.0/8");
    (void)state;
    a = mx_net_mask(&a, 24, 64);
    assert_string_equal(mx_net_format(&a, text), "192.0.2.0/24");
    b = mx_net_mask(&b, 24, 64);
    assert_string_equal(mx_net_format(&b, text), "2001:db8:1:2::/64");
    wide = mx_net_mask(&wide, 24, 64); /* never narrower than it was */
    assert_string_equal(mx_net_format(&wide, text), "10.0.0.0/8");
}

static void test_from_sockaddr(void **state)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    struct sockaddr local = {.sa_family = AF_UNIX};
    struct mx_net out;
    char text[MX_NET_TEXT_MAX];
    (void)state;
    inet_pton(AF_INET, "192.0.2.1", &in.sin_addr);
    assert_int_equal(mx_net_from_sockaddr((struct sockaddr *)&in, &out), 0);
    assert_string_equal(mx_net_format(&out, text), "192.0.2.1");
    inet_pton(AF_INET6, "::ffff:192.0.2.2", &in6.sin6_addr);
    assert_int_equal(mx_net_from_sockaddr((struct sockaddr *)&in6, &out), 0);
    assert_string_equal(mx_net_format(&out, text), "192.0.2.2");
    assert_int_equal(mx_net_from_sockaddr(&local, &out), -1);
    assert_int_equal(mx_net_from_sockaddr(NULL, &out), -1);
    assert_int_equal(mx_net_from_bytes("12345", 5, &out), -1);
}

static void test_is_private(void **state)
{
    static const char *const inside[] = {"127.0.0.53",  "10.1.2.3",    "172.31.255.255",
                                         "192.168.0.1", "169.254.1.1", "100.127.0.1",
                                         "::1",         "fe80::1",     "fd00::1"};
    static const char *const outside[] = {"172.32.0.0", "100.128.0.0", "8.8.8.8", "::2",
                                          "2001:db8::1"};
    (void)state;
    for (size_t i = 0; i < sizeof(inside) / sizeof(inside[0]); i++) {
        struct mx_net address = net(inside[i]);
        assert_true(mx_net_is_private(&address));
    }
    for (size_t i = 0; i < sizeof(outside) / sizeof(outside[0]); i++) {
        struct mx_net address = net(outside[i]);
        assert_false(mx_net_is_private(&address));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse_and_format), cmocka_unit_test(test_parse_refuses),
        cmocka_unit_test(test_contains),         cmocka_unit_test(test_mask),
        cmocka_unit_test(test_from_sockaddr),    cmocka_unit_test(test_is_private),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
