/* policy_status: counters under their historic names, degraded checks, topology. */
#include "policy_bed.h"

#include "policy_outcome.h"
#include "policy_status.h"
#include "mx_time.h"
#include "policy_shims.h"
#include "policy_topology.h"

static void test_make(void **state)
{
    struct policy_bed bed;
    struct policy_outcome_counters counters;
    Mxp__TopologyReply lists = MXP__TOPOLOGY_REPLY__INIT;
    (void)state;
    policy_bed_init(&bed, "");
    policy_outcome_counters_init(&counters, bed.metrics);
    mx_counter_add(counters.spam_block, 5);
    mx_counter_add(counters.reject_tempquota, 3);
    mx_health_degraded(bed.health, "greylist", "store down");
    lists.version = 9;
    struct policy_topology *topology = policy_topology_new(&lists);
    struct policy_shims *shims = policy_shims_new(&mx_clock_real);
    struct policy_status status = {.node = "policyd@x",
                                   .process = "policyd@x",
                                   .shims = shims,
                                   .endpoint = "ipc:///x",
                                   .workers = 2,
                                   .busy = 3,
                                   .since_ms = 1000,
                                   .now_ms = 5000,
                                   .health = bed.health,
                                   .metrics = bed.metrics,
                                   .topology = topology};
    const Mxp__StatusReply *reply = policy_status_make(bed.arena, &status);
    assert_string_equal(reply->node->id, "policyd@x");
    assert_int_equal(reply->node->busy, 3);
    assert_int_equal(reply->uptime_ms, 4000);
    assert_false(reply->is_ready);
    assert_int_equal(reply->n_degraded, 1);
    assert_string_equal(reply->degraded[0]->reason, "store down");
    assert_int_equal(reply->topology->version, 9);
    bool has_block = false, has_quota = false;
    for (size_t i = 0; i < reply->n_counters; i++)
        if (strcmp(reply->counters[i]->name, "spam_block") == 0)
            has_block = reply->counters[i]->value == 5;
    for (size_t i = 0; i < reply->n_counters; i++)
        if (strcmp(reply->counters[i]->name, "reject_tempquota") == 0)
            has_quota = reply->counters[i]->value == 3;
    assert_true(has_block && has_quota);
    assert_string_equal(reply->process, "policyd@x");
    assert_int_equal(reply->n_shims, 0);
    status.topology = NULL;
    assert_int_equal(policy_status_make(bed.arena, &status)->topology->version, 0);
    policy_topology_unref(topology);
    policy_shims_free(shims);
    policy_bed_fini(&bed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_make)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
