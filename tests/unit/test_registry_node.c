/* Nodes as they stand in Redis: round trip, refusals, versions, who is kept. */
#include "registry_node.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "mx_arena.h"
#include "mx_err.h"

#define KEY "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"

static char *text(const char *literal)
{
    return (char *)(uintptr_t)literal; /* protobuf-c has no const */
}

static Mxp__Node node_of(const char *id)
{
    Mxp__Node node;
    mxp__node__init(&node);
    node.id = text(id);
    node.endpoint = text("tcp://[2001:db8::1]:9700");
    node.public_key = text(KEY);
    node.workers = 4;
    node.version = text("0.1.0");
    return node;
}

static int setup(void **state)
{
    *state = mx_arena_new(1 << 22);
    return 0;
}

static int teardown(void **state)
{
    mx_arena_free(*state);
    return 0;
}

static void test_registry_node_round_trip(void **state)
{
    Mxp__Node node = node_of("scand@host-1"), *back = NULL;
    char *reasons[] = {text("dns: late")};
    struct mx_str bytes;
    node.degraded = reasons;
    node.n_degraded = 1;
    node.is_draining = true;
    assert_int_equal(registry_node_encode(*state, &node, &bytes, NULL), 0);
    assert_int_equal(registry_node_decode(*state, bytes, &back, NULL), 0);
    assert_string_equal(back->id, "scand@host-1");
    assert_string_equal(back->public_key, KEY);
    assert_string_equal(back->degraded[0], "dns: late");
    assert_true(back->is_draining);
}

/* As protobuf-c packs it: a NULL text is an empty one, and no id is none. */
static void test_registry_node_null_texts(void **state)
{
    Mxp__Node node = node_of("a"), *back = NULL;
    struct mx_str bytes;
    node.public_key = node.version = node.rules = node.signatures = NULL;
    assert_int_equal(registry_node_encode(*state, &node, &bytes, NULL), 0);
    assert_int_equal(registry_node_decode(*state, bytes, &back, NULL), 0);
    assert_string_equal(back->version, "");
    node.id = NULL;
    assert_int_equal(registry_node_encode(*state, &node, &bytes, NULL), -1);
    node = node_of("a");
    node.endpoint = NULL;
    assert_int_equal(registry_node_encode(*state, &node, &bytes, NULL), -1);
}

static void test_registry_node_refuses_bad_fields(void **state)
{
    static char longer[REGISTRY_TEXT_MAX + 2];
    static char *many[REGISTRY_DEGRADED_MAX + 1];
    struct mx_str out = MX_STR("kept");
    struct mx_err err;
    memset(longer, 'a', sizeof(longer) - 1);
    for (size_t i = 0; i <= REGISTRY_DEGRADED_MAX; i++)
        many[i] = text("x");
    Mxp__Node bad[12];
    for (size_t i = 0; i < 12; i++)
        bad[i] = node_of("scand@host-1");
    bad[0].id = text("");
    bad[1].id = text("new\nline");
    bad[2].id = longer;
    bad[3].endpoint = text("");
    bad[4].endpoint = text("http://x");
    bad[5].endpoint = text("tcp://");
    bad[6].endpoint = text("tcp://a b:1");
    bad[7].public_key = text("short");
    bad[8].version = text("\x1b[2J");
    bad[9].signatures = longer;
    bad[10].degraded = many;
    bad[10].n_degraded = REGISTRY_DEGRADED_MAX + 1;
    bad[11].degraded = (char *[]){text("caf\xc3\xa9")};
    bad[11].n_degraded = 1;
    for (size_t i = 0; i < 12; i++) {
        Mxp__Node *back = NULL;
        assert_int_equal(registry_node_encode(*state, &bad[i], &out, &err), -1);
        /* The same bytes from somebody who does not check. */
        uint8_t bytes[2048];
        size_t n = mxp__node__pack(&bad[i], bytes);
        assert_true(n < sizeof(bytes));
        assert_int_equal(registry_node_decode(*state, mx_str_of(bytes, n), &back, &err),
                         -1);
        assert_null(back);
    }
    assert_true(mx_str_eq(out, MX_STR("kept")));
}

static void test_registry_node_refuses_too_large(void **state)
{
    static char reason[REGISTRY_TEXT_MAX + 1];
    char *reasons[REGISTRY_DEGRADED_MAX];
    static char bytes[REGISTRY_NODE_MAX + 1];
    Mxp__Node node = node_of("a"), *back = NULL;
    struct mx_str out;
    struct mx_err err;
    memset(reason, 'r', REGISTRY_TEXT_MAX);
    for (size_t i = 0; i < REGISTRY_DEGRADED_MAX; i++)
        reasons[i] = reason;
    node.degraded = reasons;
    node.n_degraded = REGISTRY_DEGRADED_MAX;
    assert_int_equal(registry_node_encode(*state, &node, &out, &err), -1);
    assert_int_equal(err.code, MX_ERR_LIMIT);
    assert_int_equal(
        registry_node_decode(*state, mx_str_of(bytes, sizeof(bytes)), &back, &err), -1);
    assert_int_equal(err.code, MX_ERR_LIMIT);
}

static void test_registry_version_tells_what_matters(void **state)
{
    Mxp__Node one = node_of("a"), two = node_of("b");
    Mxp__Node *nodes[] = {&one, &two};
    Mxp__TopologyReply topology = MXP__TOPOLOGY_REPLY__INIT;
    (void)state;
    uint64_t empty = registry_version(&topology);
    assert_true(empty != 0);
    topology.scanners = nodes;
    topology.n_scanners = 2;
    uint64_t both = registry_version(&topology);
    assert_true(both != empty);
    one.busy = 4;
    assert_true(registry_version(&topology) == both);
    one.endpoint = text("tcp://192.0.2.1:1");
    assert_true(registry_version(&topology) != both);
    one = node_of("a");
    two.is_draining = true;
    assert_true(registry_version(&topology) != both);
    two = node_of("b");
    assert_true(registry_version(&topology) == both);
    topology.n_scanners = 1;
    topology.policyds = &nodes[1];
    topology.n_policyds = 1;
    assert_true(registry_version(&topology) != both);
}

static void test_registry_keep_adds_who_is_missing(void **state)
{
    Mxp__Node a = node_of("a"), b = node_of("b"), c = node_of("c"), b2 = node_of("b");
    Mxp__Node *old[] = {&a, &b, &c}, *new[] = {&b2};
    Mxp__TopologyReply before = MXP__TOPOLOGY_REPLY__INIT, after = before;
    c.is_draining = true;
    b2.busy = 9;
    before.scanners = old;
    before.n_scanners = 3;
    after.scanners = new;
    after.n_scanners = 1;
    registry_keep(*state, &before, &after);
    assert_int_equal(after.n_scanners, 2);
    assert_ptr_equal(after.scanners[0], &b2);
    assert_string_equal(after.scanners[1]->id, "a");
    assert_ptr_not_equal(after.scanners[1], &a);
    assert_int_equal(after.n_policyds, 0);
}

/* Who only asks has no endpoint, and is checked as everybody. */
static void test_registry_caller_encode(void **state)
{
    Mxp__Node node = MXP__NODE__INIT;
    struct mx_str bytes;
    static char id[] = "milter@host-1", reached[] = "ipc:///x", nowhere[] = "",
                bad[] = "1\n2";
    node.id = id;
    assert_int_equal(registry_caller_encode(*state, &node, &bytes, NULL), 0);
    assert_int_equal(registry_node_encode(*state, &node, &bytes, NULL), -1);
    node.endpoint = reached;
    assert_int_equal(registry_caller_encode(*state, &node, &bytes, NULL), -1);
    node.endpoint = nowhere;
    node.version = bad;
    assert_int_equal(registry_caller_encode(*state, &node, &bytes, NULL), -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_registry_node_round_trip),
        TEST(test_registry_node_null_texts),
        TEST(test_registry_node_refuses_bad_fields),
        TEST(test_registry_node_refuses_too_large),
        TEST(test_registry_caller_encode),
        TEST(test_registry_version_tells_what_matters),
        TEST(test_registry_keep_adds_who_is_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
