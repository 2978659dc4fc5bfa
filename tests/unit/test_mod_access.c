/* mod_access: results in words, lookups, and at which stage each counts. */
#include "module_bed.h"

#include "mod_access.c"

static void test_result_parse(void **state)
{
    static const struct {
        const char *text;
        int result;
        enum policy_step step;
        enum policy_action action;
        unsigned code;
        const char *mark;
    } cases[] = {
        {"OK", 0, POLICY_DONE, POLICY_CONTINUE, 0, NULL},
        {"allow", 0, POLICY_DONE, POLICY_CONTINUE, 0, "allow"},
        {"DUNNO", 0, POLICY_NEXT, POLICY_CONTINUE, 0, NULL},
        {"DISCARD", 0, POLICY_DONE, POLICY_DISCARD, 0, NULL},
        {"REJECT", 0, POLICY_DONE, POLICY_REJECT, 550, NULL},
        {"reject go away", 0, POLICY_DONE, POLICY_REJECT, 550, NULL},
        {"REJECT 554 5.7.0 x", 0, POLICY_DONE, POLICY_REJECT, 554, NULL},
        {"550 5.7.1 x", 0, POLICY_DONE, POLICY_REJECT, 550, NULL},
        {"450 4.7.1 x", 0, POLICY_DONE, POLICY_TEMPFAIL, 450, NULL},
        {"451", 0, POLICY_DONE, POLICY_TEMPFAIL, 451, NULL},
        {"DEFER\tlater", 0, POLICY_DONE, POLICY_TEMPFAIL, 450, NULL},
        {"DEFER 550 5.7.1 x", -1, POLICY_DONE, POLICY_CONTINUE, 0, NULL},
        {"REJECT 450 4.7.1 x", -1, POLICY_DONE, POLICY_CONTINUE, 0, NULL},
        {"4xx later", -1, POLICY_DONE, POLICY_CONTINUE, 0, NULL},
        {"250 fine", -1, POLICY_DONE, POLICY_CONTINUE, 0, NULL},
        {"REJECTED", -1, POLICY_DONE, POLICY_CONTINUE, 0, NULL},
        {"HOLD", -1, POLICY_DONE, POLICY_CONTINUE, 0, NULL},
    };
    struct mx_arena *arena = mx_arena_new(1 << 16);
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct policy_verdict v = {.action = POLICY_CONTINUE};
        enum policy_step step;
        struct mx_err err;
        int result = result_parse(arena, mx_str(cases[i].text), &step, &v, &err);
        if (result != cases[i].result)
            fail_msg("'%s': %d", cases[i].text, result);
        assert_int_equal(check_result(mx_str(cases[i].text), &err), result);
        if (result < 0)
            continue;
        assert_int_equal(step, cases[i].step);
        assert_int_equal(v.action, cases[i].action);
        assert_int_equal(v.code, cases[i].code);
        assert_int_equal(v.mark != NULL, cases[i].mark != NULL);
        assert_true(policy_verdict_is_sound(&v));
    }
    mx_arena_free(arena);
}

static void test_lookup_parse(void **state)
{
    static const struct {
        const char *text;
        int result;
    } cases[] = {
        {"client cidr:/a/b", 0},
        {"  sender   address:/a:b ", 0},
        {"helo regex:/x", 0},
        {"client domain:/x", 0},
        {"recipient cidr:/x", -1},
        {"client:/x", -1},
        {"client btree:/x", -1},
        {"client cidr", -1},
        {"", -1},
        {"recipients domain:/x", -1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct policy_map_spec spec;
        enum subject subject;
        struct mx_err err;
        if (lookup_parse(cases[i].text, &subject, &spec, &err) != cases[i].result)
            fail_msg("'%s'", cases[i].text);
    }
}

/* A subject counts from the stage on at which it is known. */
static void test_find_by_stage(void **state)
{
    static const struct policy_map_spec spec = {POLICY_MAP_ADDRESS, "f", NULL};
    struct policy_map *map = NULL;
    struct module_bed bed;
    struct access_settings none = {{NULL, 0}};
    (void)state;
    module_bed_init(&bed, &mod_access, &none, NULL);
    assert_int_equal(
        policy_map_parse(&spec, MX_STR("u@d.example OK\n<> DUNNO\n"), &map, NULL), 0);
    struct policy_maps_entry entry = {map};
    struct lookup sender = {SENDER, &entry}, rcpt = {RECIPIENT, &entry};
    struct mx_str value;
    module_bed_rcpt(&bed, "<u@d.example>");
    bed.req.sender = bed.rcpt.addr;
    bed.req.stage = POLICY_AT_HELO;
    assert_int_equal(find(&sender, &bed.req, &value), POLICY_MAP_MISS);
    bed.req.stage = POLICY_AT_MAIL;
    assert_int_equal(find(&sender, &bed.req, &value), POLICY_MAP_HIT);
    assert_int_equal(find(&rcpt, &bed.req, &value), POLICY_MAP_MISS);
    bed.req.stage = POLICY_AT_RCPT;
    assert_int_equal(find(&rcpt, &bed.req, &value), POLICY_MAP_HIT);
    mx_addr_parse(bed.arena, MX_STR("<>"), &bed.req.sender, NULL);
    assert_int_equal(find(&sender, &bed.req, &value), POLICY_MAP_HIT);
    assert_true(mx_str_eq(value, MX_STR("DUNNO")));
    policy_map_unref(map);
    module_bed_fini(&bed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_result_parse),
        cmocka_unit_test(test_lookup_parse),
        cmocka_unit_test(test_find_by_stage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
