/* policyd_conf: the section made of policy_table. */
#include "policy_bed.h"

#include "policy_table.h"

static void test_every_module_has_a_group(void **state)
{
    struct mx_conf_section *section = policyd_conf_section_new();
    (void)state;
    for (size_t i = 0; policy_table[i]; i++) {
        const struct mx_conf_key *key = section->keys;
        while (key->name && strcmp(key->name, policy_table[i]->name) != 0)
            key++;
        assert_int_equal(key->type, MX_CONF_GROUP);
        assert_string_equal(key->sub[0].name, "mode");
        assert_string_equal(key->sub[1].name, "on_fail");
        assert_non_null(key->doc);
    }
    policyd_conf_section_free(section);
    policyd_conf_section_free(NULL);
}

static void test_defaults_and_values(void **state)
{
    struct policy_bed bed;
    size_t index;
    const void *own;
    (void)state;
    policy_bed_init(&bed, "  chain: {rcpt: [fq_rcpt, greylist]}\n"
                          "  greylist: {mode: warn, on_fail: tempfail, delay: 77s}\n");
    const struct policyd_conf *conf = policyd_conf_get(bed.conf);
    assert_string_equal(conf->recipient_delimiter, "+");
    assert_int_equal(conf->deadline_ms[3], 2000);
    assert_int_equal(conf->chain[3].n, 2);
    assert_non_null(policy_table_find("greylist", &index));
    const struct policyd_module_conf *group = policyd_conf_module(conf, index, &own);
    assert_int_equal(group->mode, POLICYD_WARN);
    assert_int_equal(group->on_fail, POLICYD_FAIL_TEMPFAIL);
    assert_int_equal(*(const int64_t *)own, 77000); /* delay is its first member */
    assert_non_null(policy_table_find("spam", &index));
    group = policyd_conf_module(conf, index, &own);
    assert_int_equal(group->mode, POLICYD_ON);
    assert_int_equal(group->on_fail, POLICYD_FAIL_NEXT);
    policy_bed_fini(&bed);
}

static void test_unknown_keys_are_errors(void **state)
{
    struct policy_bed bed;
    struct mx_conf *conf;
    struct mx_err err;
    (void)state;
    policy_bed_init(&bed, "  chain: {rcpt: [fq_rcpt]}\n");
    assert_int_equal(policy_bed_conf(&bed, "  greylist: {delays: 1s}\n", &conf, &err),
                     -1);
    assert_non_null(strstr(err.text, ":3:"));
    assert_int_equal(policy_bed_conf(&bed, "  greylist: {mode: maybe}\n", &conf, &err),
                     -1);
    policy_bed_fini(&bed);
}

static void test_stage_index(void **state)
{
    (void)state;
    for (size_t i = 0; i < POLICYD_STAGES; i++)
        assert_int_equal(policyd_conf_stage_index(policyd_conf_stage(i)), i);
    assert_int_equal(policyd_conf_stage(4), POLICY_AT_CONTENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_module_has_a_group),
        cmocka_unit_test(test_defaults_and_values),
        cmocka_unit_test(test_unknown_keys_are_errors),
        cmocka_unit_test(test_stage_index),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
