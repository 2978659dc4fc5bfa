/* policy_topology: encoded once, shared by count. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "policy_topology.h"

static void test_new_and_none(void **state)
{
    Mxp__TopologyReply lists = MXP__TOPOLOGY_REPLY__INIT;
    Mxp__Node node = MXP__NODE__INIT, *nodes[] = {&node};
    (void)state;
    assert_int_equal(policy_topology_version(NULL), 0);
    assert_int_equal(policy_topology_bytes(NULL).n, 0);
    policy_topology_unref(NULL);
    assert_null(policy_topology_ref(NULL));
    node.id = (char[]){"scand@x"};
    lists.version = 7;
    lists.scanners = nodes;
    lists.n_scanners = 1;
    struct policy_topology *one = policy_topology_new(&lists);
    struct policy_topology *same = policy_topology_ref(one);
    policy_topology_unref(one);
    assert_int_equal(policy_topology_version(same), 7);
    struct mx_str bytes = policy_topology_bytes(same);
    Mxp__TopologyReply *back =
        mxp__topology_reply__unpack(NULL, bytes.n, (const uint8_t *)bytes.p);
    assert_non_null(back);
    assert_string_equal(back->scanners[0]->id, "scand@x");
    mxp__topology_reply__free_unpacked(back, NULL);
    policy_topology_unref(same);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_new_and_none)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
