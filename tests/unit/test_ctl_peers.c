/* ctl_peers.c: key files. Calls are tested with real daemons (tests/integration). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "ctl_peers.h"
#include "mx_arena.h"
#include "mx_err.h"

#define PUBLIC "NR[%Zachc4Bgzae}b>B?i77%T*1{P:NwAiY[u!:3"
#define SECRET "lWgR!e&W3H!6/:e>@LSiJIcu.tN@oj+s1hudYjSg"

static char path[64];

static int setup(void **state)
{
    int fd;

    snprintf(path, sizeof(path), "/tmp/mxdrop-test-XXXXXX");
    fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    unsetenv("MXDROP_KEYS");
    *state = mx_arena_new(16 << 20);
    return 0;
}

static int teardown(void **state)
{
    unlink(path);
    mx_arena_free(*state);
    return 0;
}

static void write_file(const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void test_ctl_peers_keys_reads_what_keygen_prints(void **state)
{
    struct mxp_keys keys;
    struct mx_err err;

    write_file("public_key: \"" PUBLIC "\"\nsecret_key: \"" SECRET "\"  # yours\n");
    assert_int_equal(ctl_peers_keys(*state, path, &keys, &err), 0);
    assert_string_equal(keys.public_key, PUBLIC);
    assert_string_equal(keys.secret_key, SECRET);
    setenv("MXDROP_KEYS", path, 1);
    assert_int_equal(ctl_peers_keys(*state, NULL, &keys, &err), 0);
    assert_string_equal(keys.secret_key, SECRET);
}

static void test_ctl_peers_keys_none(void **state)
{
    struct mxp_keys keys;
    struct mx_err err;

    assert_int_equal(ctl_peers_keys(*state, NULL, &keys, &err), 0);
    assert_null(keys.public_key);
    assert_null(keys.secret_key);
}

static void test_ctl_peers_keys_refuses_half_a_pair(void **state)
{
    struct mxp_keys keys;
    struct mx_err err;

    write_file("public_key: \"" PUBLIC "\"\n");
    assert_int_equal(ctl_peers_keys(*state, path, &keys, &err), -1);
    write_file("public_key: \"" PUBLIC "\"\nsecret_key: \"short\"\n");
    assert_int_equal(ctl_peers_keys(*state, path, &keys, &err), -1);
    assert_int_equal(ctl_peers_keys(*state, "/no/such/file", &keys, &err), -1);
    assert_non_null(strstr(err.text, "/no/such/file"));
}

static void test_ctl_peers_open_wants_somebody(void **state)
{
    Mxp__Node node = MXP__NODE__INIT, *nodes[] = {&node};
    const struct mxp_keys keys = {0};
    struct mxp_client *client;
    struct mx_err err;

    (void)state;
    assert_int_equal(ctl_peers_open(nodes, 0, &keys, &client, &err), -1);
    assert_int_equal(err.code, MX_ERR_DOWN);
    node.endpoint = (char *)(uintptr_t) "ipc:///tmp/mxdrop-nobody";
    node.is_draining = true;
    assert_int_equal(ctl_peers_open(nodes, 1, &keys, &client, &err), -1);
    node.is_draining = false;
    assert_int_equal(ctl_peers_open(nodes, 1, &keys, &client, &err), 0);
    mxp_client_free(client);
}

static void test_ctl_peers_ask_names_who_is_not_there(void **state)
{
    const struct mxp_keys keys = {0};
    const Mxp__StatusRequest request = MXP__STATUS_REQUEST__INIT;
    const struct ctl_peers_call call = {.call = {.type = MXP_STATUS_REQUEST,
                                                 .payload = &request.base,
                                                 .reply_type = MXP_STATUS_REPLY,
                                                 .deadline_ms = 300},
                                        .descriptor = &mxp__status_reply__descriptor};
    struct mxp_client *client;
    ProtobufCMessage *reply;
    struct mx_err err;

    assert_int_equal(
        ctl_peers_open_one("ipc:///tmp/mxdrop-nobody", NULL, &keys, &client, &err), 0);
    assert_int_equal(ctl_peers_ask(client, *state, &call, &reply, &err), -1);
    assert_non_null(strstr(err.text, "ipc:///tmp/mxdrop-nobody: "));
    assert_non_null(strstr(err.text, "is it running?"));
    mxp_client_free(client);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_ctl_peers_keys_reads_what_keygen_prints),
        TEST(test_ctl_peers_keys_none),
        TEST(test_ctl_peers_keys_refuses_half_a_pair),
        TEST(test_ctl_peers_open_wants_somebody),
        TEST(test_ctl_peers_ask_names_who_is_not_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
