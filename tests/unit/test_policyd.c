/* policyd: endpoints of workers, and what -t finds. The rest is tests/integration. */
#include "policy_bed.h"

#include "policyd.h"

static void test_endpoint(void **state)
{
    static const struct {
        unsigned index;
        const char *endpoint, *wanted;
    } cases[] = {
        {0, "ipc:///run/p.sock", "ipc:///run/p.sock"},
        {2, "ipc:///run/p.sock", "ipc:///run/p.sock-2"},
        {0, "tcp://*:9610", "tcp://*:9610"},
        {3, "tcp://192.0.2.1:9610", "tcp://192.0.2.1:9613"},
        {1, "tcp://[2001:db8::1]:9610", "tcp://[2001:db8::1]:9611"},
        {1, "tcp://192.0.2.1", NULL},
        {1, "tcp://192.0.2.1:65535", NULL},
        {1, "inproc://x", NULL},
        {1, "", NULL},
        {1, "ipc:///a/path/that/is/much/too/long/for/the/room", NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char out[40];
        struct mx_err err;
        int result =
            policyd_endpoint(cases[i].index, cases[i].endpoint, out, sizeof(out), &err);
        assert_int_equal(result, cases[i].wanted ? 0 : -1);
        if (cases[i].wanted)
            assert_string_equal(out, cases[i].wanted);
    }
}

static void test_check(void **state)
{
    struct policy_bed bed;
    struct mx_conf *conf;
    struct mx_err err = {0};
    (void)state;
    policy_bed_init(&bed, "  workers: 2\n");
    assert_int_equal(policyd_check(bed.conf, &err), 0);
    assert_int_equal(policy_bed_conf(&bed, "  chain: {rcpt: [nothing]}\n", &conf, &err),
                     0);
    assert_int_equal(policyd_check(conf, &err), -1);
    mx_conf_free(conf);
    assert_int_equal(
        policy_bed_conf(&bed, "  workers: 2\n  endpoint: inproc://x\n", &conf, &err), 0);
    assert_int_equal(policyd_check(conf, &err), -1);
    assert_non_null(strstr(err.text, "policyd.endpoint"));
    mx_conf_free(conf);
    policy_bed_fini(&bed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_endpoint),
        cmocka_unit_test(test_check),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
