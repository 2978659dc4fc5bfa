/* Nodes in a private Redis: they see each other, leave, die, come back, lie. */
#include "registry.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "private_redis.h"
#include "uv_wait.h"

#define TTL_MS 1500
#define PERIOD_MS 50

struct member {
    struct registry *registry;
    const char *id;
    bool is_draining;
    unsigned busy;
    int n_topologies, n_down;
    size_t n_scanners, n_policyds; /* as last seen */
    uint64_t version;
    char first[64], reason[200];
    size_t want_scanners;
    int want_topologies;
};

struct bed {
    struct private_redis redis;
    uv_loop_t loop;
};

static void describe(void *user, Mxp__Node *node)
{
    struct member *member = user;
    node->id = (char *)(uintptr_t)member->id;
    node->endpoint = (char *)(uintptr_t) "tcp://192.0.2.1:9700";
    node->workers = 4;
    node->busy = member->busy;
    node->is_draining = member->is_draining;
}

static void on_topology(void *user, const Mxp__TopologyReply *topology)
{
    struct member *member = user;
    member->n_topologies++;
    member->n_scanners = topology->n_scanners;
    member->n_policyds = topology->n_policyds;
    member->version = topology->version;
    snprintf(member->first, sizeof(member->first), "%s",
             topology->n_scanners ? topology->scanners[0]->id : "");
}

static void on_state(void *user, bool is_up, const char *reason)
{
    struct member *member = user;
    member->n_down += !is_up;
    snprintf(member->reason, sizeof(member->reason), "%s", reason);
}

static void join(struct bed *bed, struct member *member, const char *role)
{
    struct registry_options options = {.settings = &bed->redis.settings,
                                       .role = role,
                                       .describe = describe,
                                       .on_topology = on_topology,
                                       .on_state = on_state,
                                       .user = member,
                                       .ttl_ms = TTL_MS,
                                       .period_ms = PERIOD_MS};
    assert_int_equal(registry_start(&bed->loop, &options, &member->registry, NULL), 0);
}

static bool sees_scanners(void *user)
{
    struct member *member = user;
    return member->n_topologies > 0 && member->n_scanners == member->want_scanners;
}

static bool has_looked(void *user)
{
    struct member *member = user;
    return member->n_topologies >= member->want_topologies;
}

static bool is_down(void *user)
{
    return ((struct member *)user)->n_down > 0;
}

static void wait_scanners(struct bed *bed, struct member *member, size_t n)
{
    member->want_scanners = n;
    if (!uv_wait(&bed->loop, sees_scanners, member))
        fail_msg("%s sees %zu scanners, not %zu (%s)", member->id, member->n_scanners, n,
                 member->reason);
}

/* Some more rounds, in which nothing may change. */
static void look_again(struct bed *bed, struct member *member, int n)
{
    member->want_topologies = member->n_topologies + n;
    assert_true(uv_wait(&bed->loop, has_looked, member));
}

static void test_registry_two_nodes_see_each_other(void **state)
{
    struct bed *bed = *state;
    struct member scand = {.id = "scand@a"}, policyd = {.id = "policyd@b"};
    join(bed, &scand, "scand");
    join(bed, &policyd, "policyd");
    wait_scanners(bed, &policyd, 1);
    look_again(bed, &scand, 2);
    assert_int_equal(scand.n_policyds, 1);
    assert_int_equal(scand.n_scanners, 1);
    assert_string_equal(policyd.first, "scand@a");
    look_again(bed, &policyd, 1);
    assert_true(scand.version == policyd.version);
    registry_stop(scand.registry);
    registry_stop(policyd.registry);
}

static void test_registry_version_is_news_not_load(void **state)
{
    struct bed *bed = *state;
    struct member scand = {.id = "scand@a"};
    join(bed, &scand, "scand");
    wait_scanners(bed, &scand, 1);
    look_again(bed, &scand, 2);
    uint64_t before = scand.version;
    scand.busy = 3;
    registry_announce(scand.registry);
    look_again(bed, &scand, 3);
    assert_true(scand.version == before);
    assert_true(before != 0);
    scand.is_draining = true;
    registry_announce(scand.registry);
    look_again(bed, &scand, 3);
    assert_true(scand.version != before);
    registry_stop(scand.registry);
}

/* Leaving is seen in the next look, even though the process ends right behind it. */
static void test_registry_leave_then_stop(void **state)
{
    struct bed *bed = *state;
    struct member watcher = {.id = "w"}, scand = {.id = "scand@a", .is_draining = true};
    join(bed, &watcher, NULL);
    join(bed, &scand, "scand");
    wait_scanners(bed, &watcher, 1);
    registry_leave(scand.registry);
    registry_stop(scand.registry);
    wait_scanners(bed, &watcher, 0);
    assert_string_equal(private_redis_cmd(&bed->redis, "HLEN 'mx:reg:{scand}:node'"),
                        "0\n");
    registry_stop(watcher.registry);
}

/* Redis hangs: the farewell gets no answer, and the loop ends all the same. */
static void test_registry_leave_then_stop_while_redis_hangs(void **state)
{
    struct bed *bed = *state;
    struct member scand = {.id = "scand@a"};
    join(bed, &scand, "scand");
    wait_scanners(bed, &scand, 1);
    kill(bed->redis.pid, SIGSTOP);
    registry_leave(scand.registry);
    registry_stop(scand.registry);
    assert_int_equal(uv_run(&bed->loop, UV_RUN_DEFAULT), 0);
    kill(bed->redis.pid, SIGCONT);
}

static void test_registry_silent_node_expires(void **state)
{
    struct bed *bed = *state;
    struct member watcher = {.id = "w"}, one = {.id = "scand@1"}, two = {.id = "scand@2"};
    join(bed, &watcher, NULL);
    join(bed, &one, "scand");
    join(bed, &two, "scand");
    wait_scanners(bed, &watcher, 2);
    registry_stop(one.registry); /* without leaving, as kill -9 does */
    look_again(bed, &watcher, 2);
    assert_int_equal(watcher.n_scanners, 2);
    wait_scanners(bed, &watcher, 1);
    assert_string_equal(watcher.first, "scand@2");
    registry_stop(two.registry);
    wait_scanners(bed, &watcher, 0);
    registry_stop(watcher.registry);
    /* The keys themselves end too, once nobody announces. */
    assert_true(strtol(private_redis_cmd(&bed->redis, "PTTL 'mx:reg:{scand}:node'"), NULL,
                       10) <= TTL_MS);
}

/* A Redis that lost everything forgets nobody for us: nodes announce themselves again. */
static void test_registry_redis_restart_drops_nobody(void **state)
{
    struct bed *bed = *state;
    struct member watcher = {.id = "w"}, one = {.id = "scand@1"};
    join(bed, &watcher, NULL);
    join(bed, &one, "scand");
    wait_scanners(bed, &watcher, 1);
    registry_stop(one.registry);
    private_redis_kill(&bed->redis);
    assert_true(uv_wait(&bed->loop, is_down, &watcher));
    assert_int_equal(watcher.n_scanners, 1);
    private_redis_start(&bed->redis);
    look_again(bed, &watcher, 3);
    assert_int_equal(watcher.n_scanners, 1);
    assert_string_equal(watcher.first, "scand@1");
    /* It does not come back: in the end it is gone. */
    wait_scanners(bed, &watcher, 0);
    struct member two = {.id = "scand@2"};
    join(bed, &two, "scand");
    wait_scanners(bed, &watcher, 1);
    registry_stop(two.registry);
    registry_stop(watcher.registry);
}

static void test_registry_forgotten_scripts(void **state)
{
    struct bed *bed = *state;
    struct member watcher = {.id = "w"}, one = {.id = "scand@1"};
    join(bed, &watcher, NULL);
    look_again(bed, &watcher, 1);
    private_redis_cmd(&bed->redis, "SCRIPT FLUSH");
    look_again(bed, &watcher, 1);
    join(bed, &one, "scand");
    wait_scanners(bed, &watcher, 1);
    private_redis_cmd(&bed->redis, "SCRIPT FLUSH");
    private_redis_cmd(&bed->redis, "DEL 'mx:reg:{scand}:node' 'mx:reg:{scand}:due'");
    look_again(bed, &watcher, 20);
    assert_int_equal(watcher.n_scanners, 1);
    registry_leave(one.registry);
    registry_stop(one.registry);
    wait_scanners(bed, &watcher, 0);
    registry_stop(watcher.registry);
}

/* What others wrote: it is left out, and hides nobody. */
static void test_registry_hostile_entries_are_left_out(void **state)
{
    struct bed *bed = *state;
    struct member watcher = {.id = "w"}, one = {.id = "scand@1"};
    static const char *const values[] = {"garbage", "", "\\x0a\\xff\\xff\\xff\\xff\\x0f",
                                         "\\x0a\\x01x"};
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
        private_redis_cmd(&bed->redis,
                          "EVAL 'redis.call(\"ZADD\", KEYS[1], 9e15, ARGV[1]) return "
                          "redis.call(\"HSET\", KEYS[2], ARGV[1], \"%s\")' 2 "
                          "'mx:reg:{scand}:due' 'mx:reg:{scand}:node' bad%zu",
                          values[i], i);
    private_redis_cmd(&bed->redis, "ZADD 'mx:reg:{scand}:due' 9000000000000000 lonely");
    join(bed, &one, "scand");
    join(bed, &watcher, NULL);
    wait_scanners(bed, &watcher, 1);
    look_again(bed, &watcher, 2);
    assert_int_equal(watcher.n_scanners, 1);
    registry_stop(one.registry);
    registry_stop(watcher.registry);
}

static void test_registry_full_list_is_told(void **state)
{
    struct bed *bed = *state;
    struct member one = {.id = "scand@1"};
    private_redis_cmd(&bed->redis,
                      "EVAL 'for i = 1, %d do redis.call(\"ZADD\", KEYS[1], 9e15, i) "
                      "redis.call(\"HSET\", KEYS[2], i, \"x\") end' 2 "
                      "'mx:reg:{scand}:due' 'mx:reg:{scand}:node'",
                      REGISTRY_NODES_MAX);
    join(bed, &one, "scand");
    assert_true(uv_wait(&bed->loop, is_down, &one));
    assert_string_equal(one.reason, "announcing: the list is full");
    look_again(bed, &one, 3);
    assert_int_equal(one.n_down, 1);
    registry_stop(one.registry);
}

static void test_registry_bad_node_is_told(void **state)
{
    struct bed *bed = *state;
    struct member one = {.id = "two\nlines"};
    join(bed, &one, "scand");
    assert_true(uv_wait(&bed->loop, is_down, &one));
    assert_string_equal(one.reason, "node: bad id");
    registry_stop(one.registry);
}

static void test_registry_start_refuses_unknown_role(void **state)
{
    struct bed *bed = *state;
    struct registry_options options = {
        .settings = &bed->redis.settings, .role = "other", .describe = describe};
    struct registry *registry = NULL;
    struct mx_err err;
    assert_int_equal(registry_start(&bed->loop, &options, &registry, &err), -1);
    assert_int_equal(err.code, MX_ERR_INPUT);
    assert_null(registry);
}

static void test_registry_read_blocking(void **state)
{
    struct bed *bed = *state;
    struct member one = {.id = "scand@1"};
    struct mx_arena *arena = mx_arena_new(32u << 20);
    Mxp__TopologyReply *topology = NULL;
    struct mx_err err;
    assert_int_equal(registry_read(&bed->redis.settings, arena, &topology, &err), 0);
    assert_int_equal(topology->n_scanners + topology->n_policyds, 0);
    join(bed, &one, "scand");
    wait_scanners(bed, &one, 1);
    assert_int_equal(registry_read(&bed->redis.settings, arena, &topology, &err), 0);
    assert_int_equal(topology->n_scanners, 1);
    assert_string_equal(topology->scanners[0]->endpoint, "tcp://192.0.2.1:9700");
    assert_true(topology->version == one.version);
    registry_stop(one.registry);
    private_redis_kill(&bed->redis);
    assert_int_equal(registry_read(&bed->redis.settings, arena, &topology, &err), -1);
    assert_int_equal(err.code, MX_ERR_DOWN);
    mx_arena_free(arena);
}

static int setup(void **state)
{
    struct bed *bed = mx_xalloc(sizeof(*bed));
    private_redis_init(&bed->redis);
    private_redis_start(&bed->redis);
    uv_loop_init(&bed->loop);
    *state = bed;
    return 0;
}

static int teardown(void **state)
{
    struct bed *bed = *state;
    int status = uv_wait_close(&bed->loop);
    private_redis_fini(&bed->redis);
    free(bed);
    return status;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_registry_two_nodes_see_each_other),
        TEST(test_registry_version_is_news_not_load),
        TEST(test_registry_leave_then_stop),
        TEST(test_registry_leave_then_stop_while_redis_hangs),
        TEST(test_registry_silent_node_expires),
        TEST(test_registry_redis_restart_drops_nobody),
        TEST(test_registry_forgotten_scripts),
        TEST(test_registry_hostile_entries_are_left_out),
        TEST(test_registry_full_list_is_told),
        TEST(test_registry_bad_node_is_told),
        TEST(test_registry_start_refuses_unknown_role),
        TEST(test_registry_read_blocking),
    };
    signal(SIGPIPE, SIG_IGN);
    if (!private_redis_is_installed()) {
        printf("SKIP: redis-server and redis-cli are not installed\n");
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
