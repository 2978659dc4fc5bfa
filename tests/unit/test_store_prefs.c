/* store_prefs: values in and out, bounds, which scope's word counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "store_prefs.h"

static void test_prefs_parse_and_format(void **state)
{
    static const struct {
        const char *name, *in, *out; /* NULL: refused */
    } cases[] = {
        {"spam_action", "refuse", "refuse"},
        {"spam_action", "folder", "folder"},
        {"spam_action", "off", "off"},
        {"spam_action", "OFF", NULL},
        {"spam_action", "", NULL},
        {"spam_action", "refuse ", NULL},
        {"greylist", "off", "off"},
        {"greylist", "on", "on"},
        {"greylist", "1", NULL},
        {"tag_score", "4.25", "4.25"},
        {"tag_score", "-3", "-3"},
        {"tag_score", "+007.50", "7.5"},
        {"tag_score", "100000", "100000"},
        {"tag_score", "99999.9994", "99999.999"},
        {"tag_score", "0.001", "0.001"},
        {"tag_score", "0.00001", "0"},
        {"tag_score", "100000.1", NULL},
        {"tag_score", "-1000.1", NULL},
        {"tag_score", "", NULL},
        {"tag_score", "nan", NULL},
        {"tag_score", "inf", NULL},
        {"tag_score", "0x10", NULL},
        {"tag_score", "1e3", NULL},
        {"tag_score", " 1", NULL},
        {"tag_score", "1,5", NULL},
        {"tag_score", "--1", NULL},
        {"tag_score", "-", NULL},
        {"tag_score", "1.2.3", NULL},
        {"tag_score", "000000000000000000000000000000005", NULL},
    };
    struct mx_arena *arena = mx_arena_new(1 << 16);
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct store_prefs prefs = {0};
        enum store_pref pref = STORE_PREFS;
        struct mx_err err = {0};
        assert_int_equal(store_pref_find(mx_str(cases[i].name), &pref, &err), 0);
        int status = store_prefs_parse(pref, mx_str(cases[i].in), &prefs, &err);
        if ((status == 0) != (cases[i].out != NULL))
            fail_msg("%s=%s: %d", cases[i].name, cases[i].in, status);
        const char *got = store_prefs_format(arena, &prefs, pref);
        if (cases[i].out) {
            assert_string_equal(got, cases[i].out);
        } else {
            assert_null(got);
            assert_int_equal(err.code, MX_ERR_INPUT);
            assert_non_null(strstr(err.text, cases[i].name));
        }
    }
    mx_arena_free(arena);
}

/* What is refused leaves what was chosen before. */
static void test_prefs_parse_keeps_the_old_value(void **state)
{
    struct store_prefs prefs = {0};
    (void)state;
    assert_int_equal(store_prefs_parse(STORE_PREF_TAG_SCORE, MX_STR("3"), &prefs, NULL),
                     0);
    assert_int_equal(
        store_prefs_parse(STORE_PREF_TAG_SCORE, MX_STR("three"), &prefs, NULL), -1);
    assert_true(prefs.tag_score > 2.9 && prefs.tag_score < 3.1);
    assert_true(store_prefs_has(&prefs, STORE_PREF_TAG_SCORE));
    assert_false(store_prefs_has(&prefs, STORE_PREF_GREYLIST));
}

static void test_pref_find_lists_what_there_is(void **state)
{
    enum store_pref pref;
    struct mx_err err = {0};
    (void)state;
    assert_int_equal(store_pref_find(MX_STR("tag"), &pref, &err), -1);
    for (int i = 0; i < STORE_PREFS; i++) {
        assert_non_null(strstr(err.text, store_pref_name((enum store_pref)i)));
        assert_true(strlen(store_pref_doc((enum store_pref)i)) > 0);
    }
}

static void test_prefs_fill_takes_only_what_is_missing(void **state)
{
    struct store_prefs user = {0}, domain = {0};
    (void)state;
    assert_int_equal(
        store_prefs_parse(STORE_PREF_SPAM_ACTION, MX_STR("off"), &user, NULL), 0);
    assert_int_equal(
        store_prefs_parse(STORE_PREF_SPAM_ACTION, MX_STR("refuse"), &domain, NULL), 0);
    assert_int_equal(store_prefs_parse(STORE_PREF_TAG_SCORE, MX_STR("2"), &domain, NULL),
                     0);
    store_prefs_fill(&user, &domain);
    assert_int_equal(user.spam_action, STORE_SPAM_OFF);
    assert_true(user.tag_score > 1.9 && user.tag_score < 2.1);
    assert_false(store_prefs_has(&user, STORE_PREF_REFUSE_SCORE));
}

static void test_prefs_check(void **state)
{
    struct store_prefs prefs = {.tag_score = 5, .refuse_score = 4};
    struct mx_err err = {0};
    (void)state;
    assert_int_equal(store_prefs_check(&prefs, &err), 0);
    prefs.has = 1u << STORE_PREF_TAG_SCORE | 1u << STORE_PREF_REFUSE_SCORE;
    assert_int_equal(store_prefs_check(&prefs, &err), -1);
    prefs.refuse_score = 5;
    assert_int_equal(store_prefs_check(&prefs, &err), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_prefs_parse_and_format),
        cmocka_unit_test(test_prefs_parse_keeps_the_old_value),
        cmocka_unit_test(test_pref_find_lists_what_there_is),
        cmocka_unit_test(test_prefs_fill_takes_only_what_is_missing),
        cmocka_unit_test(test_prefs_check),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
