/* up_plan.c: which processes, in which order, with which files and ports. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "up_plan.h"

static int setup(void **state)
{
    *state = mx_arena_new(16 << 20);
    return 0;
}

static int teardown(void **state)
{
    mx_arena_free(*state);
    return 0;
}

static struct up_plan_input input_for(const char *dir)
{
    return (struct up_plan_input){.dir = dir,
                                  .policyds = 2,
                                  .scanners = 3,
                                  .redis_server = "/usr/bin/redis-server",
                                  .policyd = "/b/mxdrop-policyd",
                                  .scand = "/b/mxdrop-scand",
                                  .milter = "/b/mxdrop-milter"};
}

static void test_up_plan_make_order_and_names(void **state)
{
    static const char *const names[] = {"redis",     "scand-1",   "scand-2", "scand-3",
                                        "policyd-1", "policyd-2", "milter"};
    struct up_plan_input input = input_for("/d");
    struct up_plan plan;
    struct mx_err err;

    assert_int_equal(up_plan_make(*state, &input, &plan, &err), 0);
    assert_int_equal(plan.n_processes, sizeof(names) / sizeof(names[0]));
    for (size_t i = 0; i < plan.n_processes; i++) {
        assert_string_equal(plan.processes[i].name, names[i]);
        assert_true(i == 0 || plan.processes[i].wave >= plan.processes[i - 1].wave);
    }
    assert_true(plan.processes[0].wave < plan.processes[1].wave);
    assert_true(plan.processes[3].wave < plan.processes[4].wave);
    assert_true(plan.processes[5].wave < plan.processes[6].wave);
    assert_string_equal(plan.processes[2].pid_path, "/d/pid/scand-2.pid");
    assert_string_equal(plan.processes[6].socket, "/d/milter.sock");
}

static void test_up_plan_make_sockets_as_documented(void **state)
{
    struct up_plan_input input = input_for("/d");
    struct up_plan plan;
    struct mx_err err;

    assert_int_equal(up_plan_make(*state, &input, &plan, &err), 0);
    assert_string_equal(plan.redis_socket, "/d/redis.sock");
    assert_string_equal(plan.conf_path, "/d/mxdrop.yaml");
    assert_string_equal(plan.instances[3].endpoint, "ipc:///d/policyd.sock");
    assert_string_equal(plan.instances[4].endpoint, "ipc:///d/policyd-2.sock");
    assert_string_equal(plan.instances[0].endpoint, "ipc:///d/scand-1.sock");
    assert_string_equal(plan.instances[5].endpoint, "unix:/d/milter.sock");
    assert_string_equal(plan.processes[5].argv[0], "/b/mxdrop-policyd");
    assert_string_equal(plan.processes[5].argv[2], "/d/conf/policyd-2.yaml");
    assert_null(plan.processes[5].argv[3]);
}

static void test_up_plan_make_with_postfix(void **state)
{
    const struct up_postfix postfix = {.root = "",
                                       .owner = "postfix",
                                       .group = "postdrop",
                                       .privs = "nobody",
                                       .smtp_port = 2525,
                                       .sink_port = 12345};
    struct up_plan_input input = input_for("/d");
    struct up_plan plan;
    struct mx_err err;

    input.postfix = &postfix;
    assert_int_equal(up_plan_make(*state, &input, &plan, &err), 0);
    assert_int_equal(plan.n_processes, 9);
    assert_string_equal(plan.processes[7].name, "sink");
    assert_string_equal(plan.processes[7].socket, "127.0.0.1:12345");
    assert_string_equal(plan.processes[8].name, "postfix");
    assert_string_equal(plan.processes[8].socket, "127.0.0.1:2525");
    assert_true(plan.processes[8].wave > plan.processes[7].wave);
}

static void test_up_plan_make_says_how_long_a_path_may_be(void **state)
{
    char dir[96] = "";
    struct up_plan_input input = input_for(dir);
    struct up_plan plan;
    struct mx_err err;

    memset(dir, 'd', sizeof(dir));
    dir[0] = '/';
    dir[107 - sizeof("/policyd-2.sock") + 1] = '\0'; /* exactly fits */
    assert_int_equal(up_plan_make(*state, &input, &plan, &err), 0);
    dir[107 - sizeof("/policyd-2.sock") + 1] = 'd';
    dir[107 - sizeof("/policyd-2.sock") + 2] = '\0';
    assert_int_equal(up_plan_make(*state, &input, &plan, &err), -1);
    assert_non_null(strstr(err.text, "at most 92"));
}

static void test_up_plan_conf_sets_what_differs(void **state)
{
    const char *text = "policyd:\n  endpoint: \"ipc:///d/policyd.sock\"\n"
                       "milter:\n  scan: true\n  policyd: [\"ipc:///d/policyd.sock\"]\n";
    struct up_plan_input input = input_for("/d");
    struct up_plan plan;
    struct mx_err err;
    const char *made;

    assert_int_equal(up_plan_make(*state, &input, &plan, &err), 0);
    plan.instances[4].metrics_port = 9999;
    made = up_plan_conf(*state, &plan, &plan.instances[4], text);
    assert_non_null(strstr(made, "policyd:\n  endpoint: \"ipc:///d/policyd-2.sock\"\n"
                                 "  metrics: \"127.0.0.1:9999\"\n"));
    assert_non_null(strstr(made, "policyd: [\"ipc:///d/policyd.sock\"]\n"));
    made = up_plan_conf(*state, &plan, &plan.instances[5], text);
    assert_non_null(strstr(made, "  policyd: [\"ipc:///d/policyd.sock\", "
                                 "\"ipc:///d/policyd-2.sock\"]\n"));
    assert_non_null(strstr(made, "  socket: \"unix:/d/milter.sock\"\n"));
    assert_non_null(strstr(made, "  scan: true\n"));
}

static void test_up_plan_free_port_skips_taken_ones(void **state)
{
    struct mx_err err;
    int first, second, fd;

    (void)state;
    assert_int_equal(up_plan_free_port(0, &first, &fd, &err), 0);
    assert_int_equal(up_plan_hold_port(first), -1);
    assert_int_equal(up_plan_free_port(first, &second, NULL, &err), 0);
    assert_true(second > first);
    close(fd);
    assert_int_equal(up_plan_free_port(first, &second, NULL, &err), 0);
    assert_int_equal(second, first);
}

static void test_up_plan_free_port_may_find_none(void **state)
{
    struct mx_err err;
    int port;

    (void)state;
    assert_int_equal(up_plan_free_port(65536, &port, NULL, &err), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_up_plan_make_order_and_names),
        cmocka_unit_test(test_up_plan_make_sockets_as_documented),
        cmocka_unit_test(test_up_plan_make_with_postfix),
        cmocka_unit_test(test_up_plan_make_says_how_long_a_path_may_be),
        cmocka_unit_test(test_up_plan_conf_sets_what_differs),
        cmocka_unit_test(test_up_plan_free_port_skips_taken_ones),
        cmocka_unit_test(test_up_plan_free_port_may_find_none),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
