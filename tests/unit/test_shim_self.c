/* shim_self: what policyds hear, in a form that they take. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mx_arena.h"
#include "mx_health.h"
#include "mx_time.h"
#include "registry_node.h"
#include "shim.h"
#include "shim_self.h"

static void test_self_describe(void **state)
{
    struct mx_clock_fake clock;
    struct mx_arena *arena = mx_arena_new(1 << 20);
    struct shim *shim = mx_xalloc(sizeof(*shim));
    struct shim_self self;
    struct mx_str bytes;
    char reason[300];
    (void)state;
    mx_clock_fake_init(&clock, 1700000000000);
    shim->clock = &clock.clock;
    shim->health = mx_health_new();
    shim->sessions = 5;
    shim->messages = 2;
    shim->is_draining = true;
    memset(reason, 0xC3, sizeof(reason) - 1);
    reason[sizeof(reason) - 1] = '\0';
    mx_health_degraded(shim->health, "policyd", "down\n");
    mx_health_degraded(shim->health, "scand", reason);
    shim_self_init(&self, shim);
    Mxp__Node *node = shim_self_describe(&self, arena);
    assert_memory_equal(node->id, "milter@", 7);
    assert_int_equal(node->workers, 5);
    assert_int_equal(node->busy, 2);
    assert_int_equal(node->since_ms, 1700000000000);
    assert_true(node->is_draining);
    assert_int_equal(node->n_degraded, 2);
    assert_string_equal(node->degraded[0], "policyd: down?");
    assert_int_equal(registry_caller_encode(arena, node, &bytes, NULL), 0);
    mx_health_free(shim->health);
    free(shim);
    mx_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_self_describe)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
