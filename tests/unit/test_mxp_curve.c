/* CURVE over tcp on loopback: who is on the list comes in, who is not does not. */
#include "echo_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <zmq.h>

#include "mx_arena.h"
#include "mx_time.h"
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

static void *dial_as(void *context, const struct pair *keys, const struct pair *server,
                     const char *endpoint)
{
    void *socket = zmq_socket(context, ZMQ_DEALER);
    int linger = 0;
    zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof(linger));
    zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, server->public_key, 41);
    zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, keys->public_key, 41);
    zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, keys->secret_key, 41);
    assert_int_equal(zmq_connect(socket, endpoint), 0);
    return socket;
}

/* A status request; false: nothing more fits into the way there. */
static bool send_one(void *socket, uint8_t id)
{
    const uint8_t header[16] = {0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, id, 0, 0, 0xff, 0xff};
    if (zmq_send(socket, "MXD\1", 4, ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0)
        return false;
    zmq_send(socket, header, sizeof(header), ZMQ_SNDMORE);
    zmq_send(socket, "", 0, 0);
    return true;
}

/* One client keeps the way to the server full: another one's handshake needs an answer
   of the server's, between two messages. */
static void test_new_client_while_messages_wait(void **state)
{
    (void)state;
    enum { FIRST = 1, SECOND = 2, ALREADY = 2000, AT_ONCE = 16, WORK_US = 100 };
    struct pair keys = new_pair(), first = new_pair(), second = new_pair();
    const char *const allowed[] = {first.public_key, second.public_key, NULL};
    char endpoint[64];
    free_port(endpoint, sizeof(endpoint));
    struct mxp_server_options options = {.endpoint = endpoint,
                                         .keys = {keys.public_key, keys.secret_key},
                                         .allowed_keys = allowed,
                                         .clock = &mx_clock_real};
    struct mxp_server *server = NULL;
    assert_int_equal(mxp_server_open(&options, &server, NULL), 0);
    void *context = zmq_ctx_new(), *late = NULL;
    void *busy = dial_as(context, &first, &keys, endpoint);
    bool has_come = false;
    int64_t until_ms = mx_mono_ms(&mx_clock_real) + 30000;
    for (size_t n = 0; !has_come && mx_mono_ms(&mx_clock_real) < until_ms;) {
        for (int i = 0; i < AT_ONCE && send_one(busy, FIRST); i++)
            continue;
        struct mxp_request *request = mxp_server_next(server, NULL);
        if (request == NULL)
            continue;
        has_come = request->header.id == SECOND;
        mxp_request_free(request);
        for (int64_t began_us = mx_mono_us(); mx_mono_us() - began_us < WORK_US;)
            continue; /* slower than they come */
        if (++n == ALREADY) {
            late = dial_as(context, &second, &keys, endpoint);
            assert_true(send_one(late, SECOND));
        }
    }
    assert_true(has_come);
    zmq_close(busy);
    zmq_close(late);
    zmq_ctx_term(context);
    mxp_server_close(server);
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
        cmocka_unit_test(test_new_client_while_messages_wait),
        cmocka_unit_test(test_open_refuses_bad_keys),
        cmocka_unit_test(test_keygen_is_new_each_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
