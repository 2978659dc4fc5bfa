/* Addresses as they stand in SMTP commands. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "mx_addr.h"
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

static void assert_str(struct mx_str s, const char *text)
{
    if (!mx_str_eq(s, mx_str(text)))
        fail_msg("'%.*s' is not '%s'", MX_STR_FMT(s), text);
}

static void test_parse_takes_apart(void **state)
{
    static const struct {
        const char *in, *text, *local, *domain, *detail;
    } cases[] = {
        {"<Joe@EXAMPLE.Org>", "Joe@example.org", "Joe", "example.org", ""},
        {"joe@example.org.", "joe@example.org", "joe", "example.org", ""},
        {" <joe+a+b@example.org> ", "joe+a+b@example.org", "joe+a+b", "example.org",
         "a+b"},
        {"+joe@example.org", "+joe@example.org", "+joe", "example.org", ""},
        {"<@a.example,@b.example:joe@c.example>", "joe@c.example", "joe", "c.example",
         ""},
        {"postmaster", "postmaster", "postmaster", "", ""},
        {"\"a b@c\\\"d\"@example.org", "\"a b@c\\\"d\"@example.org", "\"a b@c\\\"d\"",
         "example.org", ""},
        {"\"a+b\"@example.org", "\"a+b\"@example.org", "\"a+b\"", "example.org", ""},
        {"a..b.@docomo.ne.jp", "a..b.@docomo.ne.jp", "a..b.", "docomo.ne.jp", ""},
        {"j\xc3\xb6rg@b\xc3\xbc"
         "cher.example",
         "j\xc3\xb6rg@b\xc3\xbc"
         "cher.example",
         "j\xc3\xb6rg",
         "b\xc3\xbc"
         "cher.example",
         ""},
        {"a@under_score.example", "a@under_score.example", "a", "under_score.example",
         ""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct mx_addr addr;
        struct mx_err err;
        if (mx_addr_parse(*state, mx_str(cases[i].in), &addr, &err) < 0)
            fail_msg("%s", err.text);
        assert_str(addr.text, cases[i].text);
        assert_str(addr.local, cases[i].local);
        assert_str(addr.domain, cases[i].domain);
        assert_str(addr.detail, cases[i].detail);
        assert_false(addr.is_null);
        assert_false(addr.is_literal);
    }
}

static void test_parse_null_path(void **state)
{
    static const char *const nulls[] = {"<>", "", " < > "};
    for (size_t i = 0; i < 3; i++) {
        struct mx_addr addr;
        assert_int_equal(mx_addr_parse(*state, mx_str(nulls[i]), &addr, NULL), 0);
        assert_true(addr.is_null);
        assert_int_equal(addr.text.n, 0);
    }
}

static void test_parse_literal(void **state)
{
    struct mx_addr addr;
    assert_int_equal(mx_addr_parse(*state, MX_STR("<a@[IPv6:2001:DB8::1]>"), &addr, NULL),
                     0);
    assert_true(addr.is_literal);
    assert_str(addr.domain, "[ipv6:2001:db8::1]");
    assert_int_equal(mx_addr_parse(*state, MX_STR("a@[1.2.3.4"), &addr, NULL), -1);
    assert_int_equal(mx_addr_parse(*state, MX_STR("a@[]"), &addr, NULL), -1);
    assert_int_equal(mx_addr_parse(*state, MX_STR("a@[1 2]"), &addr, NULL), -1);
}

static void test_parse_refuses(void **state)
{
    static const char *const wrong[] = {
        "<a@b.example",
        "<",
        "@b.example",
        "a@",
        "a@@b.example",
        "a b@c.example",
        "a@b..example",
        "a@.example",
        "\"a@b.example",
        "\"a\"b@c.example",
        "a@b example",
        "a\nb@c.example",
        "a@b.example\x7f",
        "a\xff@b.example",
        "a(c)@b.example",
        "<@a.example joe@b.example>",
        "<@a.example,b.example:joe@c.example>",
        "a@b.example..",
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct mx_addr addr = {.is_null = true};
        struct mx_err err;
        if (mx_addr_parse(*state, mx_str(wrong[i]), &addr, &err) == 0)
            fail_msg("'%s' was accepted", wrong[i]);
        assert_true(addr.is_null);
        assert_null(strchr(err.text, '\n'));
    }
    assert_int_equal(mx_addr_parse(*state, mx_str_of("a\0@b.example", 12),
                                   &(struct mx_addr){.is_null = true}, NULL),
                     -1);
}

/* "aaa...@b.example" with a local part of ${n} octets. */
static int parse_local_of(struct mx_arena *arena, size_t n)
{
    char text[2048];
    struct mx_addr addr;
    memset(text, 'a', n);
    memcpy(text + n, "@b.example", 10);
    return mx_addr_parse(arena, mx_str_of(text, n + 10), &addr, NULL);
}

static void test_parse_bounds(void **state)
{
    assert_int_equal(parse_local_of(*state, MX_ADDR_LOCAL_MAX), 0);
    assert_int_equal(parse_local_of(*state, MX_ADDR_LOCAL_MAX + 1), -1);
    assert_int_equal(parse_local_of(*state, MX_ADDR_PATH_MAX), -1);
}

static void test_domain_ok(void **state)
{
    char label[80] = "";
    (void)state;
    assert_true(mx_addr_domain_ok(MX_STR("example.org")));
    assert_true(mx_addr_domain_ok(MX_STR("xn--bcher-kva.example")));
    assert_true(mx_addr_domain_ok(MX_STR("b\xc3\xbc"
                                         "cher.example")));
    assert_false(mx_addr_domain_ok(MX_STR("localhost")));
    assert_false(mx_addr_domain_ok(MX_STR("-a.example")));
    assert_false(mx_addr_domain_ok(MX_STR("a-.example")));
    assert_false(mx_addr_domain_ok(MX_STR("a_b.example")));
    assert_false(mx_addr_domain_ok(MX_STR("192.0.2.1")));
    assert_false(mx_addr_domain_ok(MX_STR("[192.0.2.1]")));
    assert_false(mx_addr_domain_ok(MX_STR("a..example")));
    assert_false(mx_addr_domain_ok(MX_STR("a.example.")));
    assert_false(mx_addr_domain_ok(MX_STR("")));
    assert_false(mx_addr_domain_ok(MX_STR("\xff.example")));
    memset(label, 'a', 63);
    memcpy(label + 63, ".org", 4);
    assert_true(mx_addr_domain_ok(mx_str_of(label, 67)));
    memset(label, 'a', 64);
    memcpy(label + 64, ".org", 4);
    assert_false(mx_addr_domain_ok(mx_str_of(label, 68)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse_takes_apart), cmocka_unit_test(test_parse_null_path),
        cmocka_unit_test(test_parse_literal),     cmocka_unit_test(test_parse_refuses),
        cmocka_unit_test(test_parse_bounds),      cmocka_unit_test(test_domain_ok),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
