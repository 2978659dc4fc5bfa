/* ctl_profile.c: times of many replies, added up, sorted, and on paper. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ctl_profile.h"
#include "mx_arena.h"

struct bed {
    struct ctl_profile *profile;
    struct mx_arena *arena;
    char *text;
};

static int setup(void **state)
{
    struct bed *bed = mx_xalloc(sizeof(*bed));

    bed->profile = ctl_profile_new();
    bed->arena = mx_arena_new(1u << 20);
    *state = bed;
    return 0;
}

static int teardown(void **state)
{
    struct bed *bed = *state;

    ctl_profile_free(bed->profile);
    mx_arena_free(bed->arena);
    free(bed->text);
    free(bed);
    return 0;
}

struct spent {
    const char *detector, *stage, *item;
    uint64_t ns;
};

static void add(struct bed *bed, const struct spent *v, size_t n)
{
    Mxp__ScanReply reply = MXP__SCAN_REPLY__INIT;
    Mxp__Spent spent[8], *list[8];

    assert_true(n <= 8);
    for (size_t i = 0; i < n; i++) {
        mxp__spent__init(&spent[i]);
        spent[i].detector = (char *)(uintptr_t)v[i].detector;
        spent[i].stage = (char *)(uintptr_t)v[i].stage;
        spent[i].item = (char *)(uintptr_t)v[i].item;
        spent[i].ns = v[i].ns;
        list[i] = &spent[i];
    }
    reply.spent = list;
    reply.n_spent = n;
    ctl_profile_add(bed->profile, &reply);
}

/* Two messages: 10 us of rules, 6 of them matching, and 2 of another detector. */
static void add_two(struct bed *bed)
{
    static const struct spent first[] = {
        {"mime", "", "", 2000},       {"rules", "match body", "", 5000},
        {"rules", "rule", "A", 1000}, {"rules", "rule", "B\x1b[31m", 3000},
        {"rules", "", "", 8000},
    };
    static const struct spent second[] = {
        {"rules", "match body", "", 1000},
        {"rules", "rule", "A", 500},
        {"rules", "", "", 2000},
    };

    add(bed, first, 5);
    add(bed, second, 3);
}

static const char *on_paper(struct bed *bed, void (*show)(const struct ctl_profile *,
                                                          struct mx_arena *, FILE *))
{
    size_t n;
    FILE *out = open_memstream(&bed->text, &n);

    assert_non_null(out);
    show(bed->profile, bed->arena, out);
    assert_int_equal(fclose(out), 0);
    return bed->text;
}

/* Stages add up to all; what a detector's stages leave is its own line. */
static void test_text(void **state)
{
    struct bed *bed = *state;

    add_two(bed);
    assert_string_equal(on_paper(bed, ctl_profile_text),
                        "2 messages, 6.0 us of CPU time each\n\n"
                        "  share   us/message  stage\n"
                        "  50.0%          3.0  rules: match body\n"
                        "  33.3%          2.0  rules: other\n"
                        "  16.7%          1.0  mime\n\n"
                        "  share   us/message messages  rule\n"
                        "  25.0%         1.50        1  B\\x1b[31m\n"
                        "  12.5%         0.75        2  A\n");
}

static void test_json(void **state)
{
    struct bed *bed = *state;

    add_two(bed);
    assert_string_equal(
        on_paper(bed, ctl_profile_json),
        "{\"profile\":{\"messages\":2,\"ns\":12000,\"stages\":["
        "{\"detector\":\"rules\",\"stage\":\"match body\",\"ns\":6000,"
        "\"share\":0.500000,\"messages\":2},"
        "{\"detector\":\"rules\",\"stage\":\"other\",\"ns\":4000,"
        "\"share\":0.333333,\"messages\":2},"
        "{\"detector\":\"mime\",\"stage\":\"\",\"ns\":2000,"
        "\"share\":0.166667,\"messages\":1}],\"rules\":["
        "{\"name\":\"B\\u001b[31m\",\"ns\":3000,\"share\":0.250000,\"messages\":1},"
        "{\"name\":\"A\",\"ns\":1500,\"share\":0.125000,\"messages\":2}]}}\n");
}

static void test_rule(void **state)
{
    struct bed *bed = *state;
    struct ctl_profile_rule rule;

    add_two(bed);
    ctl_profile_rule(bed->profile, "A", &rule);
    assert_int_equal(rule.n_messages, 2);
    assert_int_equal(rule.n_messages_all, 2);
    assert_int_equal(rule.rank, 2);
    assert_true(rule.us > 0.7499 && rule.us < 0.7501);
    assert_true(rule.share > 0.1499 && rule.share < 0.1501); /* of the detector */
    ctl_profile_rule(bed->profile, "C", &rule);
    assert_int_equal(rule.rank, 0);
    assert_int_equal(rule.n_messages_all, 2);
}

static void test_nothing(void **state)
{
    struct bed *bed = *state;

    assert_string_equal(on_paper(bed, ctl_profile_json),
                        "{\"profile\":{\"messages\":0,\"ns\":0,\"stages\":[],"
                        "\"rules\":[]}}\n");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_text),
        TEST(test_json),
        TEST(test_rule),
        TEST(test_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
