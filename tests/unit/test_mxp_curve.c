/* CURVE over tcp on loopback: who is on the list comes in, who is not does not. */
#include "echo_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "mx_arena.h"
#include "mxp_client.h"

struct pair {
    char public_key[41], secret_key[41];
};

static struct pair new_pair(void)
{
    struct pair pair;
    struct mx_err err = {0};
    if (mxp_keygen(pair.public_key, pair.secret_key, &err) != 0)
        fail_msg("%s", err.text);
    return pair;
}

/* A port that was free a moment ago. */
static void free_port(char *out, size_t room)
{
    struct sockaddr_in name = {.sin_family = AF_INET};
    socklen_t size = sizeof(name);
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&name, sizeof(name)), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&name, &size), 0);
    close(fd);
    snprintf(out, room, "tcp://127.0.0.1:%u", ntohs(name.sin_port));
}

/* One call as ${client}, taking the server's key to be ${server_key}. */
static int ask_as(const struct pair *client_keys, const char *server_key,
                  const struct echo_server *echo, unsigned deadline_ms)
{
    struct mx_err err = {0};
    struct mxp_client_options options = {
        .name = "curve", .keys = {client_keys->public_key, client_keys->secret_key}};
    struct mxp_client *client;
    Mxp__StatusRequest request = MXP__STATUS_REQUEST__INIT;
    struct mxp_call call = {.type = MXP_STATUS_REQUEST,
                            .payload = &request.base,
                            .reply_type = MXP_STATUS_REPLY,
                            .deadline_ms = deadline_ms};
    struct mxp_answer answer;
    struct mx_arena *arena = mx_arena_new(65536);
    const struct mxp_endpoint list[] = {
        {.address = echo->endpoint, .public_key = server_key}};
    assert_int_equal(mxp_client_new(&options, &client, &err), 0);
    if (mxp_client_endpoints(client, list, 1, &err) != 0)
        fail_msg("%s", err.text);
    int rc = mxp_client_call(client, arena, &call, &answer, &err);
    mxp_client_free(client);
    mx_arena_free(arena);
    return rc;
}

static void test_allow_list(void **state)
{
    (void)state;
    struct pair server = new_pair(), friend = new_pair(), second = new_pair(),
                stranger = new_pair();
    const char *const allowed[] = {friend.public_key, second.public_key, NULL};
    struct mxp_server_options options = {.keys = {server.public_key, server.secret_key},
                                         .allowed_keys = allowed};
    struct echo_server echo;
    char endpoint[64];
    free_port(endpoint, sizeof(endpoint));
    echo_start(&echo, endpoint, "curve", &options);
    assert_int_equal(ask_as(&friend, server.public_key, &echo, 10000), 0);
    assert_int_equal(ask_as(&second, server.public_key, &echo, 10000), 0);
    assert_int_equal(atomic_load(&echo.faults), 0);
    assert_int_equal(ask_as(&stranger, server.public_key, &echo, 500), -1);
    echo_await(&echo.faults, 1);
    unsigned before = atomic_load(&echo.requests);
    assert_int_equal(before, 2);
    /* Somebody else's key for the server: the handshake cannot work. */
    assert_int_equal(ask_as(&friend, stranger.public_key, &echo, 500), -1);
    assert_int_equal(atomic_load(&echo.requests), before);
    assert_int_equal(ask_as(&friend, server.public_key, &echo, 10000), 0);
    echo_stop(&echo);
}

static void test_open_refuses_bad_keys(void **state)
{
    (void)state;
    struct pair keys = new_pair();
    struct mxp_server *server = NULL;
    struct mx_err err = {0};
    struct mxp_server_options options = {.endpoint = "tcp://127.0.0.1:*",
                                         .keys = {keys.public_key, keys.secret_key}};
    assert_int_equal(mxp_server_open(&options, &server, &err), -1);
    assert_non_null(strstr(err.text, "without a list of clients"));
    const char *const bad[] = {keys.public_key, "too-short", NULL};
    options.allowed_keys = bad;
    assert_int_equal(mxp_server_open(&options, &server, &err), -1);
    assert_non_null(strstr(err.text, "allowed client 2"));
    const char *const good[] = {keys.public_key, NULL};
    options.allowed_keys = good;
    options.keys.secret_key = "0123456789012345678901234567890123456789 ";
    assert_int_equal(mxp_server_open(&options, &server, &err), -1);
    assert_non_null(strstr(err.text, "secret key"));
    assert_null(server);
}

static void test_keygen_is_new_each_time(void **state)
{
    (void)state;
    struct pair a = new_pair(), b = new_pair();
    assert_int_equal(strlen(a.public_key), 40);
    assert_int_equal(strlen(a.secret_key), 40);
    assert_string_not_equal(a.secret_key, b.secret_key);
    assert_string_not_equal(a.secret_key, a.public_key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_allow_list),
        cmocka_unit_test(test_open_refuses_bad_keys),
        cmocka_unit_test(test_keygen_is_new_each_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
