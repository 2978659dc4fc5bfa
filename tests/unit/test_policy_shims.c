/* policy_shims: who asked lately, bounded, forgotten, checked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "mx_time.h"
#include "mxp_pack.h"
#include "policy_shims.h"

struct scene {
    struct mx_clock_fake clock;
    struct mx_arena *arena;
    struct policy_shims *shims;
};

static int setup(void **state)
{
    static struct scene s;
    mx_clock_fake_init(&s.clock, 1700000000000);
    s.arena = mx_arena_new(64 << 20);
    s.shims = policy_shims_new(&s.clock.clock);
    *state = &s;
    return 0;
}

static int teardown(void **state)
{
    struct scene *s = *state;
    policy_shims_free(s->shims);
    mx_arena_free(s->arena);
    return 0;
}

/* One question of a shim. */
static int hear(struct scene *s, const char *id, unsigned busy)
{
    Mxp__Node node = MXP__NODE__INIT;
    Mxp__TopologyRequest request = MXP__TOPOLOGY_REQUEST__INIT;
    struct mx_err err;
    node.id = mx_arena_dup(s->arena, id, strlen(id));
    node.busy = busy;
    request.shim = &node;
    request.interval_ms = 3000;
    return policy_shims_hear(s->shims, s->arena, mxp_pack(s->arena, &request.base), &err);
}

static const Mxp__StatusReply *list(struct scene *s)
{
    Mxp__StatusReply *reply = mx_arena_alloc(s->arena, sizeof(*reply));
    mxp__status_reply__init(reply);
    policy_shims_list(s->shims, s->arena, reply);
    return reply;
}

static void test_shims_latest_word_counts(void **state)
{
    struct scene *s = *state;
    assert_int_equal(hear(s, "milter@a", 1), 0);
    assert_int_equal(hear(s, "milter@b", 2), 0);
    s->clock.now_ms += 3000;
    assert_int_equal(hear(s, "milter@a", 5), 0);
    const Mxp__StatusReply *reply = list(s);
    assert_int_equal(reply->n_shims, 2);
    assert_string_equal(reply->shims[0]->node->id, "milter@b");
    assert_int_equal(reply->shims[0]->heard_ms, 3000);
    assert_int_equal(reply->shims[1]->node->busy, 5);
    assert_int_equal(reply->shims[1]->heard_ms, 0);
}

static void test_shims_silent_are_forgotten(void **state)
{
    struct scene *s = *state;
    assert_int_equal(hear(s, "milter@a", 0), 0);
    s->clock.now_ms += 4 * 3000 + 4999;
    assert_int_equal(list(s)->n_shims, 1);
    s->clock.now_ms += 1;
    assert_int_equal(list(s)->n_shims, 0);
}

static void test_shims_bounded(void **state)
{
    struct scene *s = *state;
    char id[32];
    for (int i = 0; i < POLICY_SHIMS_MAX + 5; i++) {
        snprintf(id, sizeof(id), "milter@%d", i);
        assert_int_equal(hear(s, id, 0), 0);
    }
    const Mxp__StatusReply *reply = list(s);
    assert_int_equal(reply->n_shims, POLICY_SHIMS_MAX);
    assert_string_equal(reply->shims[0]->node->id, "milter@5");
}

static void test_shims_refused(void **state)
{
    struct scene *s = *state;
    struct mx_err err;
    char long_id[400];
    memset(long_id, 'x', sizeof(long_id));
    long_id[sizeof(long_id) - 1] = '\0';
    assert_int_equal(hear(s, "", 0), -1);
    assert_int_equal(hear(s, "a\x1b[31m", 0), -1);
    assert_int_equal(hear(s, long_id, 0), -1);
    assert_int_equal(policy_shims_hear(s->shims, s->arena, MX_STR("\xff\xff"), &err), -1);
    /* A tool, or a shim of an older release. */
    assert_int_equal(policy_shims_hear(s->shims, s->arena, MX_STR(""), &err), 0);
    assert_int_equal(list(s)->n_shims, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_shims_latest_word_counts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_shims_silent_are_forgotten, setup, teardown),
        cmocka_unit_test_setup_teardown(test_shims_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(test_shims_refused, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
