/*
 * The server against hand-written bytes: raw sockets that speak ZMTP 3.0 with the NULL
 * mechanism (ZeroMQ RFC 23), well and badly.
 */
#include "echo_server.h"
#include "zmtp.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>

#include "mx_arena.h"
#include "mxp_client.h"
#include "mxp_pack.h"

struct fixture {
    char dir[64], endpoint[128], path[100];
    struct echo_server echo;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct mxp_server_options options = {.payload_max = 4096, .body_max = 65536};
    snprintf(f->dir, sizeof(f->dir), "/tmp/mxp-server-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    snprintf(f->path, sizeof(f->path), "%s/s.sock", f->dir);
    snprintf(f->endpoint, sizeof(f->endpoint), "ipc://%s", f->path);
    echo_start(&f->echo, f->endpoint, "server", &options);
    *state = f;
    return 0;
}

/* Whatever a test did, the server still answers a well-behaved client. */
static void check_service_goes_on(struct fixture *f)
{
    struct mx_err err = {0};
    struct mxp_client_options options = {.name = "after"};
    struct mxp_client *client;
    Mxp__StatusRequest request = MXP__STATUS_REQUEST__INIT;
    struct mxp_call call = {.type = MXP_STATUS_REQUEST,
                            .payload = &request.base,
                            .reply_type = MXP_STATUS_REPLY,
                            .deadline_ms = 5000};
    struct mxp_answer answer;
    struct mx_arena *arena = mx_arena_new(1 << 20);
    const struct mxp_endpoint list[] = {{.address = f->endpoint}};
    atomic_store(&f->echo.mode, ECHO_ANSWER);
    assert_int_equal(mxp_client_new(&options, &client, &err), 0);
    assert_int_equal(mxp_client_endpoints(client, list, 1, &err), 0);
    if (mxp_client_call(client, arena, &call, &answer, &err) != 0)
        fail_msg("%s", err.text);
    mxp_client_free(client);
    mx_arena_free(arena);
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    check_service_goes_on(f);
    echo_stop(&f->echo);
    unlink(f->path);
    assert_int_equal(rmdir(f->dir), 0);
    free(f);
    return 0;
}

/* ---- ZMTP by hand ------------------------------------------------------------------ */

static int dial(const struct fixture *f)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    struct timeval patience = {.tv_sec = 10};
    snprintf(name.sun_path, sizeof(name.sun_path), "%s", f->path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    assert_int_equal(connect(fd, (const struct sockaddr *)&name, sizeof(name)), 0);
    return fd;
}

static int dial_zmtp(const struct fixture *f)
{
    int fd = dial(f);
    zmtp_shake(fd, "DEALER");
    return fd;
}

static const uint8_t MAGIC[4] = {'M', 'X', 'D', 1};
static const uint8_t HEADER[16] = {0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 42, 0, 0, 0x13, 0x88};

/* Reads one reply and checks that it is an ErrorReply with this code, for id 42. */
static void take_error(int fd, int code)
{
    uint8_t body[255];
    bool more;
    struct mx_arena *arena = mx_arena_new(1 << 16);
    assert_int_equal(zmtp_take_frame(fd, body, &more), 4);
    assert_memory_equal(body, MAGIC, 4);
    assert_int_equal(zmtp_take_frame(fd, body, &more), 16);
    assert_memory_equal(body, "\0\0\0\0\0\0\0\0\0\0\0\x2a\0\0\0\0", 16);
    uint8_t n = zmtp_take_frame(fd, body, &more);
    assert_false(more);
    const Mxp__ErrorReply *reply = (const Mxp__ErrorReply *)mxp_unpack(
        arena, &mxp__error_reply__descriptor, mx_str_of(body, n), NULL);
    assert_non_null(reply);
    assert_int_equal(reply->code, code);
    mx_arena_free(arena);
}

/* ---- bytes that are wrong ------------------------------------------------------------
 */

static void test_next_good_request_by_hand(void **state)
{
    struct fixture *f = *state;
    uint8_t body[255];
    bool more;
    int fd = dial_zmtp(f);
    zmtp_put_frame(fd, MAGIC, 4, true);
    zmtp_put_frame(fd, HEADER, 16, true);
    zmtp_put_frame(fd, "", 0, false);
    assert_int_equal(zmtp_take_frame(fd, body, &more), 4);
    assert_int_equal(zmtp_take_frame(fd, body, &more), 16);
    assert_memory_equal(body, "\0\x08\0\0\0\0\0\0\0\0\0\x2a\0\0\0\0", 16);
    close(fd);
    assert_int_equal(atomic_load(&f->echo.faults), 0);
}

static void test_next_version_is_answered_and_told(void **state)
{
    struct fixture *f = *state;
    int fd = dial_zmtp(f);
    zmtp_put_frame(fd, "MXD\x02", 4, true);
    zmtp_put_frame(fd, HEADER, 16, true);
    zmtp_put_frame(fd, "", 0, false);
    take_error(fd, MXP__ERROR_CODE__ERROR_VERSION);
    echo_await(&f->echo.faults, 1);
    close(fd);
}

static void test_next_half_messages(void **state)
{
    struct fixture *f = *state;
    int fd = dial_zmtp(f);
    zmtp_put_frame(fd, MAGIC, 4, false);
    echo_await(&f->echo.faults, 1);
    zmtp_put_frame(fd, MAGIC, 4, true);
    zmtp_put_frame(fd, HEADER, 16, false);
    take_error(fd, MXP__ERROR_CODE__ERROR_BAD_REQUEST);
    zmtp_put_frame(fd, MAGIC, 4, true);
    zmtp_put_frame(fd, HEADER, 15, true);
    zmtp_put_frame(fd, "", 0, false);
    zmtp_put_frame(fd, "", 0, false);
    zmtp_put_frame(fd, "hello", 5, false);
    echo_await(&f->echo.faults, 5);
    assert_int_equal(atomic_load(&f->echo.requests), 0);
    close(fd);
}

static void test_next_too_many_frames(void **state)
{
    struct fixture *f = *state;
    int fd = dial_zmtp(f);
    zmtp_put_frame(fd, MAGIC, 4, true);
    zmtp_put_frame(fd, HEADER, 16, true);
    for (int i = 0; i < 100; i++)
        zmtp_put_frame(fd, "x", 1, i < 99);
    take_error(fd, MXP__ERROR_CODE__ERROR_BAD_REQUEST);
    close(fd);
}

static void test_next_payload_too_large(void **state)
{
    struct fixture *f = *state;
    uint8_t payload[5000] = {0}, head[9] = {2, [7] = 0x13, 0x88}; /* long frame */
    int fd = dial_zmtp(f);
    zmtp_put_frame(fd, MAGIC, 4, true);
    zmtp_put_frame(fd, HEADER, 16, true);
    zmtp_put(fd, head, sizeof(head));
    zmtp_put(fd, payload, sizeof(payload));
    take_error(fd, MXP__ERROR_CODE__ERROR_TOO_LARGE);
    close(fd);
}

static void test_next_expired_is_dropped(void **state)
{
    struct fixture *f = *state;
    uint8_t header[16];
    uint8_t body[255];
    bool more;
    int fd = dial_zmtp(f);
    memcpy(header, HEADER, sizeof(header));
    memset(header + 12, 0, 4); /* no time left */
    header[11] = 41;
    zmtp_put_frame(fd, MAGIC, 4, true);
    zmtp_put_frame(fd, header, 16, true);
    zmtp_put_frame(fd, "", 0, false);
    zmtp_put_frame(fd, MAGIC, 4, true);
    zmtp_put_frame(fd, HEADER, 16, true);
    zmtp_put_frame(fd, "", 0, false);
    zmtp_take_frame(fd, body, &more);
    zmtp_take_frame(fd, body, &more);
    assert_int_equal(body[11], 42); /* the first answer is to the second request */
    assert_int_equal(atomic_load(&f->echo.requests), 1);
    assert_int_equal(atomic_load(&f->echo.faults), 0);
    close(fd);
}

/* The connection is closed by the server: before any memory for it was taken. */
static void check_closed_and_told(struct fixture *f, int fd)
{
    uint8_t byte;
    ssize_t n = recv(fd, &byte, 1, 0);
    assert_true(n == 0 || (n < 0 && errno == ECONNRESET));
    echo_await(&f->echo.faults, 1);
    close(fd);
}

static void test_next_frame_of_two_gigabytes_announced(void **state)
{
    struct fixture *f = *state;
    static const uint8_t head[9] = {2, 0, 0, 0, 0, 0x80, 0, 0, 0};
    int fd = dial_zmtp(f);
    zmtp_put(fd, head, sizeof(head));
    check_closed_and_told(f, fd);
}

static void test_next_garbage_instead_of_zmtp(void **state)
{
    struct fixture *f = *state;
    static const char text[] =
        "GET / HTTP/1.1\r\nHost: mx.example\r\nAccept: */*\r\n"
        "User-Agent: a browser that lost its way, entirely\r\n\r\n";
    int fd = dial(f);
    zmtp_put(fd, text, sizeof(text) - 1);
    shutdown(fd, SHUT_WR);
    echo_await(&f->echo.faults, 1);
    close(fd);
}

static void test_next_binary_noise(void **state)
{
    struct fixture *f = *state;
    uint8_t noise[4096];
    uint32_t x = 12345;
    for (int round = 0; round < 20; round++) {
        for (size_t i = 0; i < sizeof(noise); i++)
            noise[i] = (uint8_t)((x = x * 1664525 + 1013904223) >> 24);
        noise[0] = round % 2 ? 0xff : noise[0];
        int fd = dial(f);
        send(fd, noise, sizeof(noise), MSG_NOSIGNAL); /* may be cut off: fine */
        close(fd);
    }
    echo_await(&f->echo.faults, 10);
}

static void test_next_half_a_message_then_gone(void **state)
{
    struct fixture *f = *state;
    static const uint8_t head[9] = {3, 0, 0, 0, 0, 0, 0, 0x10, 0};
    int fd = dial_zmtp(f);
    zmtp_put_frame(fd, MAGIC, 4, true);
    zmtp_put(fd, head, sizeof(head)); /* 4096 announced, 4 sent */
    zmtp_put(fd, MAGIC, 4);
    close(fd);
    echo_await(&f->echo.faults, 1);
}

/* ---- binding ----------------------------------------------------------------------- */

static int try_open(const char *endpoint, struct mx_err *err)
{
    struct mxp_server *server = NULL;
    struct mxp_server_options options = {.endpoint = endpoint};
    int rc = mxp_server_open(&options, &server, err);
    mxp_server_close(server);
    return rc;
}

static void test_open_in_use(void **state)
{
    struct fixture *f = *state;
    struct mx_err err = {0};
    assert_int_equal(try_open(f->endpoint, &err), -1);
    assert_non_null(strstr(err.text, "in use by another process"));
    assert_non_null(strstr(err.text, f->endpoint));
}

static void test_open_stale_file_is_replaced_with_mode(void **state)
{
    struct fixture *f = *state;
    struct mx_err err = {0};
    char endpoint[136], path[120];
    struct stat st;
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    snprintf(path, sizeof(path), "%s/old", f->dir);
    snprintf(endpoint, sizeof(endpoint), "ipc://%s", path);
    snprintf(name.sun_path, sizeof(name.sun_path), "%.100s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&name, sizeof(name)), 0);
    close(fd); /* the file stays: as after kill -9 */
    struct mxp_server *server = NULL;
    struct mxp_server_options options = {.endpoint = endpoint, .ipc_mode = 0600};
    if (mxp_server_open(&options, &server, &err) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    mxp_server_close(server);
    unlink(path);
}

static void test_open_never_removes_another_file(void **state)
{
    struct fixture *f = *state;
    struct mx_err err = {0};
    char endpoint[136], path[120];
    snprintf(path, sizeof(path), "%s/precious", f->dir);
    snprintf(endpoint, sizeof(endpoint), "ipc://%s", path);
    int fd = open(path, O_CREAT | O_WRONLY, 0600);
    close(fd);
    assert_int_equal(try_open(endpoint, &err), -1);
    assert_non_null(strstr(err.text, "not a socket"));
    assert_int_equal(unlink(path), 0);
}

static void test_open_tcp_needs_keys_but_on_loopback(void **state)
{
    (void)state;
    struct mx_err err = {0};
    assert_int_equal(try_open("tcp://*:9610", &err), -1);
    assert_non_null(strstr(err.text, "mxdropctl keygen"));
    assert_int_equal(try_open("tcp://0.0.0.0:9610", &err), -1);
    assert_int_equal(try_open("udp://127.0.0.1:1", &err), -1);
    assert_int_equal(try_open("tcp://127.0.0.1:*", &err), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_next_good_request_by_hand),
        CASE(test_next_version_is_answered_and_told),
        CASE(test_next_half_messages),
        CASE(test_next_too_many_frames),
        CASE(test_next_payload_too_large),
        CASE(test_next_expired_is_dropped),
        CASE(test_next_frame_of_two_gigabytes_announced),
        CASE(test_next_garbage_instead_of_zmtp),
        CASE(test_next_binary_noise),
        CASE(test_next_half_a_message_then_gone),
        CASE(test_open_in_use),
        CASE(test_open_stale_file_is_replaced_with_mode),
        CASE(test_open_never_removes_another_file),
        CASE(test_open_tcp_needs_keys_but_on_loopback),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
