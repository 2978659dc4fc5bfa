/* The protocol between supervisor and worker, over a real socket pair and byte by byte.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "mx_err.h"
#include "worker_link.h"

static void test_request_passes_the_file(void **state)
{
    (void)state;
    int pair[2], got = -1;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    int file = memfd_create("t", MFD_CLOEXEC);
    assert_int_equal(write(file, "abc", 3), 3);
    struct worker_request request = {.seq = 7, .payload_n = 1, .body_n = 2}, out;
    assert_int_equal(worker_request_send(pair[0], &request, file, NULL), 0);
    assert_int_equal(worker_request_recv(pair[1], &out, &got, NULL), 0);
    char text[3];
    assert_int_equal(out.seq, 7);
    assert_int_equal(pread(got, text, 3, 0), 3);
    assert_memory_equal(text, "abc", 3);
    assert_true(fcntl(got, F_GETFD) & FD_CLOEXEC);
    close(file), close(got), close(pair[0]);
    struct mx_err err = {0};
    assert_int_equal(worker_request_recv(pair[1], &out, &got, &err), -1);
    assert_int_equal(err.code, MX_ERR_DOWN);
    close(pair[1]);
}

static void test_request_without_file_is_refused(void **state)
{
    (void)state;
    int pair[2], got = -1;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    struct worker_request request = {.magic = 0x4d585251u}, out;
    struct mx_err err = {0};
    assert_int_equal(write(pair[0], &request, sizeof(request)), sizeof(request));
    assert_int_equal(worker_request_recv(pair[1], &out, &got, &err), -1);
    assert_int_equal(err.code, MX_ERR_INPUT);
    close(pair[0]), close(pair[1]);
}

/* One encoded reply, as a worker sends it. */
static size_t encoded(char *out, size_t room)
{
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    struct worker_reply reply = {.seq = 3, .n_findings = 2, .score = 4.5};
    assert_int_equal(
        worker_reply_send(pair[0], &reply, MX_STR("why"), MX_STR("payload"), NULL), 0);
    ssize_t n = read(pair[1], out, room);
    close(pair[0]), close(pair[1]);
    assert_int_equal(n, sizeof(reply) + 10);
    return (size_t)n;
}

static void test_inbox_takes_any_pieces(void **state)
{
    (void)state;
    char bytes[1024];
    size_t n = encoded(bytes, sizeof(bytes));
    for (size_t piece = 1; piece <= n; piece += 13) {
        struct worker_inbox inbox = {0};
        struct worker_reply reply;
        struct mx_str faults, payload;
        for (size_t at = 0; at < n; at += piece) {
            assert_int_equal(worker_inbox_take(&inbox, &reply, &faults, &payload), -1);
            assert_int_equal(
                worker_inbox_feed(
                    &inbox, mx_str_of(bytes + at, at + piece < n ? piece : n - at), NULL),
                0);
        }
        assert_int_equal(worker_inbox_take(&inbox, &reply, &faults, &payload), 0);
        assert_int_equal(reply.seq, 3);
        assert_true(mx_str_eq(faults, MX_STR("why")));
        assert_true(mx_str_eq(payload, MX_STR("payload")));
        assert_int_equal(worker_inbox_take(&inbox, &reply, &faults, &payload), -1);
        worker_inbox_fini(&inbox);
    }
}

static void refuses(const struct worker_reply *reply, size_t more)
{
    struct worker_inbox inbox = {0};
    char bytes[1024] = {0};
    memcpy(bytes, reply, sizeof(*reply));
    assert_int_equal(
        worker_inbox_feed(&inbox, mx_str_of(bytes, sizeof(*reply) + more), NULL), -1);
    worker_inbox_fini(&inbox);
}

static void test_inbox_refuses_lies(void **state)
{
    (void)state;
    char bytes[1024];
    encoded(bytes, sizeof(bytes));
    struct worker_reply good, bad;
    memcpy(&good, bytes, sizeof(good));
    bad = good, bad.magic++, refuses(&bad, 0);
    bad = good, bad.payload_n = WORKER_PAYLOAD_MAX + 1, refuses(&bad, 0);
    bad = good, bad.payload_n = UINT32_MAX, refuses(&bad, 0);
    bad = good, bad.faults_n = WORKER_FAULTS_MAX + 1, refuses(&bad, 0);
    bad = good, bad.n_costs = WORKER_COSTS_MAX + 1, refuses(&bad, 0);
    bad = good, bad.seq = 0, refuses(&bad, 0);
    refuses(&good, good.payload_n + good.faults_n + 1); /* more than one */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request_passes_the_file),
        cmocka_unit_test(test_request_without_file_is_refused),
        cmocka_unit_test(test_inbox_takes_any_pieces),
        cmocka_unit_test(test_inbox_refuses_lies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
