/* The client against real servers on ipc:// in a private directory. */
#include "echo_server.h"
#include "zmtp.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "mx_arena.h"
#include "mxp_client.h"
#include "mxp_pack.h"

struct fixture {
    char dir[64];
    char ipc[3][128];
    struct echo_server echo[3];
    struct mxp_client *client;
    struct mx_arena *arena;
    atomic_uint ups, downs, versions;
};

static void on_event(void *user, const struct mxp_client_event *event)
{
    struct fixture *f = user;
    if (strcmp(event->state, "up") == 0)
        atomic_fetch_add(&f->ups, 1);
    else if (strcmp(event->state, "down") == 0)
        atomic_fetch_add(&f->downs, 1);
    else if (strcmp(event->state, "version") == 0)
        atomic_fetch_add(&f->versions, 1);
}

static void new_client(struct fixture *f, struct mxp_client_options options)
{
    struct mx_err err;
    options.name = "test";
    options.on_event = on_event;
    options.user = f;
    if (mxp_client_new(&options, &f->client, &err) != 0)
        fail_msg("%s", err.text);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    snprintf(f->dir, sizeof(f->dir), "/tmp/mxp-client-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    for (int i = 0; i < 3; i++)
        snprintf(f->ipc[i], sizeof(f->ipc[i]), "ipc://%s/%d.sock", f->dir, i);
    f->arena = mx_arena_new(32 << 20);
    new_client(f, (struct mxp_client_options){
                      .breaker_failures = 3, .probe_min_ms = 50, .probe_max_ms = 200});
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    mxp_client_free(f->client);
    for (int i = 0; i < 3; i++)
        unlink(f->ipc[i] + strlen("ipc://"));
    assert_int_equal(rmdir(f->dir), 0);
    mx_arena_free(f->arena);
    free(f);
    return 0;
}

static void use(struct fixture *f, size_t n)
{
    struct mx_err err;
    struct mxp_endpoint list[3] = {
        {.address = f->ipc[0]}, {.address = f->ipc[1]}, {.address = f->ipc[2]}};
    if (mxp_client_endpoints(f->client, list, n, &err) != 0)
        fail_msg("%s", err.text);
}

/* One status call; ${name} (of 16 bytes) takes who answered. */
static int ask(struct fixture *f, unsigned deadline_ms, unsigned attempt_ms, char *name,
               struct mx_err *err)
{
    Mxp__StatusRequest request = MXP__STATUS_REQUEST__INIT;
    struct mxp_call call = {.type = MXP_STATUS_REQUEST,
                            .payload = &request.base,
                            .reply_type = MXP_STATUS_REPLY,
                            .deadline_ms = deadline_ms,
                            .attempt_ms = attempt_ms};
    struct mxp_answer answer;
    struct mx_arena *arena = mx_arena_new(1 << 20);
    int rc = mxp_client_call(f->client, arena, &call, &answer, err);
    if (rc == 0) {
        const Mxp__StatusReply *reply = (const Mxp__StatusReply *)mxp_unpack(
            arena, &mxp__status_reply__descriptor, answer.payload, NULL);
        assert_non_null(reply);
        if (name)
            snprintf(name, 16, "%s", reply->program);
        rc = (int)answer.attempts;
    }
    mx_arena_free(arena);
    return rc;
}

static void test_call_answers(void **state)
{
    struct fixture *f = *state;
    struct mx_err err = {0};
    char name[16] = "";
    echo_start(&f->echo[0], f->ipc[0], "a", NULL);
    use(f, 1);
    assert_int_equal(ask(f, 5000, 0, name, &err), 1);
    assert_string_equal(name, "a");
    assert_int_equal(mxp_client_usable(f->client), 1);
    echo_stop(&f->echo[0]);
}

static void test_call_without_endpoints_is_down_at_once(void **state)
{
    struct fixture *f = *state;
    struct mx_err err = {0};
    int64_t before = mx_mono_ms(&mx_clock_real);
    assert_int_equal(ask(f, 60000, 0, NULL, &err), -1);
    assert_int_equal(err.code, MX_ERR_DOWN);
    assert_in_range(mx_mono_ms(&mx_clock_real) - before, 0, 5000);
}

static void test_call_waits_for_the_connection(void **state)
{
    struct fixture *f = *state;
    struct mx_err err = {0};
    use(f, 1); /* nobody there yet */
    echo_await(&f->downs, 1);
    echo_start(&f->echo[0], f->ipc[0], "a", NULL);
    assert_int_equal(ask(f, 5000, 0, NULL, &err), 1);
    echo_stop(&f->echo[0]);
}

static void test_call_deadline_without_answer(void **state)
{
    struct fixture *f = *state;
    struct mx_err err = {0};
    echo_start(&f->echo[0], f->ipc[0], "a", NULL);
    atomic_store(&f->echo[0].mode, ECHO_SWALLOW);
    use(f, 1);
    int64_t before = mx_mono_ms(&mx_clock_real);
    assert_int_equal(ask(f, 300, 100, NULL, &err), -1);
    assert_int_equal(err.code, MX_ERR_TIMEOUT);
    assert_in_range(mx_mono_ms(&mx_clock_real) - before, 300, 3000);
    assert_int_equal(atomic_load(&f->echo[0].requests), 1); /* nobody else to ask */
    echo_stop(&f->echo[0]);
}

static void test_call_error_is_retried_on_the_other(void **state)
{
    struct fixture *f = *state;
    struct mx_err err = {0};
    char name[16];
    for (int i = 0; i < 2; i++)
        echo_start(&f->echo[i], f->ipc[i], i ? "b" : "a", NULL);
    atomic_store(&f->echo[0].mode, ECHO_ERROR);
    atomic_store(&f->echo[0].error_code, MXP__ERROR_CODE__ERROR_INTERNAL);
    use(f, 2);
    echo_await(&f->ups, 2);
    for (int i = 0; i < 60; i++) {
        assert_in_range(ask(f, 5000, 0, name, &err), 1, 2);
        assert_string_equal(name, "b");
    }
    /* Three failures open the breaker; then only probes, 25 ms apart at least. */
    assert_in_range(atomic_load(&f->echo[0].requests), 3, 20);
    echo_stop(&f->echo[0]);
    echo_stop(&f->echo[1]);
}

static void test_call_late_endpoint_is_hedged_then_avoided(void **state)
{
    struct fixture *f = *state;
    struct mx_err err = {0};
    for (int i = 0; i < 2; i++)
        echo_start(&f->echo[i], f->ipc[i], i ? "b" : "a", NULL);
    atomic_store(&f->echo[0].mode, ECHO_SWALLOW);
    use(f, 2);
    echo_await(&f->ups, 2);
    for (int i = 0; i < 50; i++)
        assert_in_range(ask(f, 5000, 30, NULL, &err), 1, 2);
    /* What it swallows counts as its work, so the choice avoids it early. */
    assert_in_range(atomic_load(&f->echo[0].requests), 1, 10);
    assert_true(atomic_load(&f->echo[1].requests) >= 50);
    echo_stop(&f->echo[0]);
    echo_stop(&f->echo[1]);
}

static void test_call_bad_request_is_not_retried(void **state)
{
    struct fixture *f = *state;
    struct mx_err err = {0};
    for (int i = 0; i < 2; i++) {
        echo_start(&f->echo[i], f->ipc[i], "x", NULL);
        atomic_store(&f->echo[i].mode, ECHO_ERROR);
        atomic_store(&f->echo[i].error_code, MXP__ERROR_CODE__ERROR_BAD_REQUEST);
    }
    use(f, 2);
    assert_int_equal(ask(f, 5000, 0, NULL, &err), -1);
    assert_int_equal(err.code, MX_ERR_INPUT);
    assert_non_null(strstr(err.text, "as told"));
    assert_int_equal(
        atomic_load(&f->echo[0].requests) + atomic_load(&f->echo[1].requests), 1);
    echo_stop(&f->echo[0]);
    echo_stop(&f->echo[1]);
}

static void test_call_wrong_type_is_a_failure(void **state)
{
    struct fixture *f = *state;
    struct mx_err err = {0};
    echo_start(&f->echo[0], f->ipc[0], "a", NULL);
    atomic_store(&f->echo[0].mode, ECHO_WRONG_TYPE);
    use(f, 1);
    assert_int_equal(ask(f, 5000, 0, NULL, &err), -1);
    assert_int_equal(err.code, MX_ERR_DOWN);
    assert_non_null(strstr(err.text, "wrong type"));
    echo_stop(&f->echo[0]);
}

static void test_breaker_opens_fails_at_once_and_closes(void **state)
{
    struct fixture *f = *state;
    struct mx_err err = {0};
    echo_start(&f->echo[0], f->ipc[0], "a", NULL);
    atomic_store(&f->echo[0].mode, ECHO_SWALLOW);
    use(f, 1);
    for (int i = 0; i < 3; i++)
        assert_int_equal(ask(f, 50, 0, NULL, &err), -1);
    echo_await(&f->downs, 1);
    assert_int_equal(mxp_client_usable(f->client), 0);
    struct mxp_endpoint_stat stat;
    assert_int_equal(mxp_client_stats(f->client, &stat, 1), 1);
    assert_true(stat.is_open);
    assert_int_equal(stat.failures, 3);
    /* Open: no call waits for its deadline, but for the few that probe. */
    unsigned before = atomic_load(&f->echo[0].requests);
    int64_t start = mx_mono_ms(&mx_clock_real);
    for (int i = 0; i < 200; i++) {
        assert_int_equal(ask(f, 100, 0, NULL, &err), -1);
        assert_in_range(err.code, MX_ERR_TIMEOUT, MX_ERR_DOWN);
    }
    assert_in_range(mx_mono_ms(&mx_clock_real) - start, 0, 5000);
    assert_in_range(atomic_load(&f->echo[0].requests) - before, 0, 20);
    /* It works again: a probe finds out. */
    atomic_store(&f->echo[0].mode, ECHO_ANSWER);
    int64_t give_up = mx_mono_ms(&mx_clock_real) + 5000;
    while (ask(f, 1000, 0, NULL, &err) < 0)
        assert_true(mx_mono_ms(&mx_clock_real) < give_up);
    assert_int_equal(mxp_client_usable(f->client), 1);
    echo_stop(&f->echo[0]);
}

static void test_unreachable_endpoint_opens_after_three_deadlines(void **state)
{
    struct fixture *f = *state;
    struct mx_err err = {0};
    use(f, 1);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(ask(f, 40, 0, NULL, &err), -1);
        assert_int_equal(err.code, MX_ERR_DOWN);
    }
    int64_t start = mx_mono_ms(&mx_clock_real);
    assert_int_equal(ask(f, 60000, 0, NULL, &err), -1);
    assert_in_range(mx_mono_ms(&mx_clock_real) - start, 0, 5000);
    /* Its start is noticed without a restart of ours. */
    echo_start(&f->echo[0], f->ipc[0], "a", NULL);
    int64_t give_up = mx_mono_ms(&mx_clock_real) + 5000;
    while (ask(f, 1000, 0, NULL, &err) < 0)
        assert_true(mx_mono_ms(&mx_clock_real) < give_up);
    echo_stop(&f->echo[0]);
}

static void test_dead_endpoint_costs_nothing_while_another_lives(void **state)
{
    struct fixture *f = *state;
    struct mx_err err = {0};
    echo_start(&f->echo[0], f->ipc[0], "a", NULL);
    use(f, 3); /* two of three are not there */
    for (int i = 0; i < 100; i++)
        assert_int_equal(ask(f, 5000, 1000, NULL, &err), 1);
    assert_int_equal(mxp_client_usable(f->client), 1);
    echo_stop(&f->echo[0]);
}

static void test_draining_goes_elsewhere(void **state)
{
    struct fixture *f = *state;
    struct mx_err err = {0};
    for (int i = 0; i < 2; i++)
        echo_start(&f->echo[i], f->ipc[i], i ? "b" : "a", NULL);
    atomic_store(&f->echo[0].mode, ECHO_ERROR);
    atomic_store(&f->echo[0].error_code, MXP__ERROR_CODE__ERROR_DRAINING);
    use(f, 2);
    echo_await(&f->ups, 2);
    for (int i = 0; i < 50; i++)
        assert_in_range(ask(f, 5000, 0, NULL, &err), 1, 2);
    assert_int_equal(atomic_load(&f->echo[0].requests), 1);
    assert_int_equal(mxp_client_usable(f->client), 1);
    echo_stop(&f->echo[0]);
    echo_stop(&f->echo[1]);
}

/* ---- a server that dies ------------------------------------------------------------ */

/* A server in a process of its own that swallows; returns when it has one request. */
static pid_t fork_server(const char *endpoint, int *out_pipe)
{
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct echo_server echo;
        echo_start(&echo, endpoint, "child", NULL);
        atomic_store(&echo.mode, ECHO_SWALLOW);
        assert_int_equal(write(fds[1], "b", 1), 1); /* bound */
        while (atomic_load(&echo.requests) == 0)
            poll(NULL, 0, 1);
        assert_int_equal(write(fds[1], "r", 1), 1); /* has a request */
        pause();
        _exit(0);
    }
    close(fds[1]);
    *out_pipe = fds[0];
    return pid;
}

struct asker {
    struct fixture *f;
    pthread_t thread;
    int rc;
    struct mx_err err;
    char name[16];
};

static void *run_asker(void *state)
{
    struct asker *asker = state;
    asker->rc = ask(asker->f, 8000, 4000, asker->name, &asker->err);
    return NULL;
}

/* The child gets the call, is killed, and ${next} answers: which may start only then. */
static void kill_mid_call(struct fixture *f, size_t endpoints, int next)
{
    struct asker asker = {.f = f};
    char byte;
    int fd;
    pid_t pid = fork_server(f->ipc[0], &fd);
    assert_int_equal(read(fd, &byte, 1), 1);
    use(f, endpoints);
    echo_await(&f->ups, 1);
    pthread_create(&asker.thread, NULL, run_asker, &asker);
    assert_int_equal(read(fd, &byte, 1), 1);
    if (next > 0) {
        echo_start(&f->echo[next], f->ipc[next], "next", NULL);
        echo_await(&f->ups, 2);
    }
    int64_t before = mx_mono_ms(&mx_clock_real);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    if (next == 0)
        echo_start(&f->echo[0], f->ipc[0], "next", NULL);
    pthread_join(asker.thread, NULL);
    assert_int_equal(asker.rc, 2);
    assert_string_equal(asker.name, "next");
    assert_in_range(mx_mono_ms(&mx_clock_real) - before, 0, 4000);
    echo_stop(&f->echo[next]);
    close(fd);
}

static void test_killed_server_is_retried_on_the_other_at_once(void **state)
{
    kill_mid_call(*state, 2, 1);
}

static void test_killed_server_is_retried_when_it_is_back(void **state)
{
    kill_mid_call(*state, 1, 0);
}

static void test_free_fails_calls_under_way(void **state)
{
    struct fixture *f = *state;
    struct asker asker = {.f = f};
    echo_start(&f->echo[0], f->ipc[0], "a", NULL);
    atomic_store(&f->echo[0].mode, ECHO_SWALLOW);
    use(f, 1);
    pthread_create(&asker.thread, NULL, run_asker, &asker);
    echo_await(&f->echo[0].requests, 1);
    mxp_client_free(f->client);
    f->client = NULL;
    pthread_join(asker.thread, NULL);
    assert_int_equal(asker.rc, -1);
    assert_int_equal(asker.err.code, MX_ERR_DOWN);
    echo_stop(&f->echo[0]);
}

/* ---- servers that speak another language
 * ----------------------------------------------- */

/* Answers one request by hand, with this magic frame. */
struct hand_server {
    int listener;
    const char *magic;
    pthread_t thread;
};

static void *run_hand_server(void *state)
{
    struct hand_server *hand = state;
    uint8_t body[255], header[16] = {0, MXP_STATUS_REPLY};
    bool more;
    int fd = accept(hand->listener, NULL, NULL);
    zmtp_shake(fd, "ROUTER");
    zmtp_take_frame(fd, body, &more);
    zmtp_take_frame(fd, body, &more);
    memcpy(header + 4, body + 4, 8); /* the id */
    zmtp_take_frame(fd, body, &more);
    zmtp_put_frame(fd, hand->magic, 4, true);
    zmtp_put_frame(fd, header, 16, true);
    zmtp_put_frame(fd, "", 0, false);
    while (recv(fd, body, sizeof(body), 0) > 0)
        ;
    close(fd);
    return NULL;
}

static void start_hand_server(struct hand_server *hand, const char *ipc,
                              const char *magic)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    snprintf(name.sun_path, sizeof(name.sun_path), "%.100s", ipc + strlen("ipc://"));
    hand->magic = magic;
    hand->listener = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(hand->listener, (const struct sockaddr *)&name, sizeof(name)),
                     0);
    assert_int_equal(listen(hand->listener, 5), 0);
    pthread_create(&hand->thread, NULL, run_hand_server, hand);
}

/* The only endpoint answers so; returns the code of the call's error. */
static enum mx_err_code ask_hand_server(struct fixture *f, const char *magic)
{
    struct hand_server hand;
    struct mx_err err = {0};
    start_hand_server(&hand, f->ipc[0], magic);
    use(f, 1);
    assert_int_equal(ask(f, 8000, 0, NULL, &err), -1);
    assert_int_equal(mxp_client_usable(f->client), 0);
    mxp_client_free(f->client);
    f->client = NULL;
    pthread_join(hand.thread, NULL);
    close(hand.listener);
    return err.code;
}

static void test_reply_of_another_version(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(ask_hand_server(f, "MXD\x02"), MX_ERR_VERSION);
    assert_int_equal(atomic_load(&f->versions), 1);
}

static void test_reply_that_is_garbage(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(ask_hand_server(f, "JUNK"), MX_ERR_DOWN);
    assert_int_equal(atomic_load(&f->downs), 1);
}

/* The other one of two speaks our version: nobody notices but the log. */
static void test_version_is_retried_on_the_other(void **state)
{
    struct fixture *f = *state;
    struct hand_server hand;
    struct mx_err err = {0};
    start_hand_server(&hand, f->ipc[0], "MXD\x02");
    echo_start(&f->echo[1], f->ipc[1], "b", NULL);
    use(f, 2);
    echo_await(&f->ups, 2);
    while (atomic_load(&f->versions) == 0)
        assert_in_range(ask(f, 5000, 0, NULL, &err), 1, 2);
    mxp_client_free(f->client);
    f->client = NULL;
    pthread_join(hand.thread, NULL);
    close(hand.listener);
    echo_stop(&f->echo[1]);
}

/* ---- the list of endpoints --------------------------------------------------------- */

static void test_endpoints_refuses_and_keeps_the_list(void **state)
{
    struct fixture *f = *state;
    struct mx_err err = {0};
    echo_start(&f->echo[0], f->ipc[0], "a", NULL);
    use(f, 1);
    const struct mxp_endpoint bad[] = {
        {.address = f->ipc[1]}, {.address = "tcp://192.0.2.1:9610"}, /* no keys */
    };
    assert_int_equal(mxp_client_endpoints(f->client, bad, 2, &err), -1);
    assert_non_null(strstr(err.text, "mxdropctl keygen"));
    const struct mxp_endpoint odd[] = {{.address = "inproc://x"}};
    assert_int_equal(mxp_client_endpoints(f->client, odd, 1, &err), -1);
    struct mxp_endpoint_stat stats[4];
    assert_int_equal(mxp_client_stats(f->client, stats, 4), 1);
    assert_string_equal(stats[0].address, f->ipc[0]);
    assert_int_equal(ask(f, 5000, 0, NULL, &err), 1);
    echo_stop(&f->echo[0]);
}

static void test_endpoints_replaced_while_in_use(void **state)
{
    struct fixture *f = *state;
    struct mx_err err = {0};
    struct asker asker = {.f = f};
    char name[16];
    for (int i = 0; i < 2; i++)
        echo_start(&f->echo[i], f->ipc[i], i ? "b" : "a", NULL);
    atomic_store(&f->echo[0].mode, ECHO_SWALLOW);
    use(f, 1);
    pthread_create(&asker.thread, NULL, run_asker, &asker);
    echo_await(&f->echo[0].requests, 1);
    const struct mxp_endpoint second[] = {{.address = f->ipc[1]}};
    assert_int_equal(mxp_client_endpoints(f->client, second, 1, &err), 0);
    assert_int_equal(ask(f, 5000, 0, name, &err), 1);
    assert_string_equal(name, "b");
    echo_stop(&f->echo[0]); /* the first call loses its connection, and moves over */
    pthread_join(asker.thread, NULL);
    assert_int_equal(asker.rc, 2);
    assert_string_equal(asker.name, "b");
    echo_stop(&f->echo[1]);
}

/* ---- bodies, limits, ticks, threads
 * ---------------------------------------------------- */

static void count_release(void *user)
{
    atomic_fetch_add((atomic_uint *)user, 1);
}

static void test_body_is_sent_and_released_once(void **state)
{
    struct fixture *f = *state;
    struct mx_err err = {0};
    struct mxp_server_options options = {.body_max = 1 << 20};
    atomic_uint released = 0;
    char *bytes = calloc(1, 1 << 20);
    echo_start(&f->echo[0], f->ipc[0], "a", &options);
    use(f, 1);
    Mxp__StatusRequest request = MXP__STATUS_REQUEST__INIT;
    struct mxp_call call = {.type = MXP_STATUS_REQUEST,
                            .payload = &request.base,
                            .reply_type = MXP_STATUS_REPLY,
                            .deadline_ms = 5000};
    struct mxp_answer answer;
    call.body = mxp_body_new(bytes, 1 << 20, count_release, &released);
    assert_int_equal(mxp_client_call(f->client, f->arena, &call, &answer, &err), 0);
    assert_int_equal(atomic_load(&released), 0); /* ours is still held */
    mxp_body_unref(call.body);
    echo_await(&released, 1);
    assert_int_equal(atomic_load(&f->echo[0].body_octets), 1 << 20);
    echo_stop(&f->echo[0]);
    mxp_client_free(f->client);
    f->client = NULL;
    assert_int_equal(atomic_load(&released), 1);
    free(bytes);
}

static void test_call_reply_larger_than_the_arena(void **state)
{
    struct fixture *f = *state;
    struct mx_err err = {0};
    struct mx_arena *tiny = mx_arena_new(4);
    echo_start(&f->echo[0], f->ipc[0], "a-long-program", NULL);
    use(f, 1);
    Mxp__StatusRequest request = MXP__STATUS_REQUEST__INIT;
    struct mxp_call call = {.type = MXP_STATUS_REQUEST,
                            .payload = &request.base,
                            .reply_type = MXP_STATUS_REPLY,
                            .deadline_ms = 5000};
    struct mxp_answer answer;
    assert_int_equal(mxp_client_call(f->client, tiny, &call, &answer, &err), -1);
    assert_int_equal(err.code, MX_ERR_LIMIT);
    mx_arena_free(tiny);
    echo_stop(&f->echo[0]);
}

static void test_call_in_flight_max(void **state)
{
    struct fixture *f = *state;
    struct mx_err err = {0};
    mxp_client_free(f->client);
    new_client(f, (struct mxp_client_options){.in_flight_max = 1});
    struct asker asker = {.f = f};
    echo_start(&f->echo[0], f->ipc[0], "a", NULL);
    atomic_store(&f->echo[0].mode, ECHO_SWALLOW);
    use(f, 1);
    pthread_create(&asker.thread, NULL, run_asker, &asker);
    echo_await(&f->echo[0].requests, 1);
    assert_int_equal(ask(f, 5000, 0, NULL, &err), -1);
    assert_int_equal(err.code, MX_ERR_LIMIT);
    echo_stop(&f->echo[0]);
    mxp_client_free(f->client);
    f->client = NULL;
    pthread_join(asker.thread, NULL);
}

static void test_call_ticks_while_it_waits(void **state)
{
    struct fixture *f = *state;
    struct mx_err err = {0};
    atomic_uint ticks = 0;
    use(f, 1);
    Mxp__StatusRequest request = MXP__STATUS_REQUEST__INIT;
    struct mxp_call call = {.type = MXP_STATUS_REQUEST,
                            .payload = &request.base,
                            .reply_type = MXP_STATUS_REPLY,
                            .deadline_ms = 300,
                            .tick_ms = 20,
                            .on_tick = count_release,
                            .user = &ticks};
    struct mxp_answer answer;
    assert_int_equal(mxp_client_call(f->client, f->arena, &call, &answer, &err), -1);
    assert_in_range(atomic_load(&ticks), 3, 15);
}

#define THREADS 16
#define CALLS_EACH 500

static void *run_many(void *state)
{
    struct asker *asker = state;
    for (int i = 0; i < CALLS_EACH; i++) {
        if (ask(asker->f, 8000, 2000, NULL, &asker->err) > 0)
            asker->rc++;
    }
    return NULL;
}

/* One of two servers goes and comes while 16 threads ask: no call fails. */
static void test_many_threads_lose_no_call(void **state)
{
    struct fixture *f = *state;
    struct asker askers[THREADS] = {0};
    for (int i = 0; i < 2; i++)
        echo_start(&f->echo[i], f->ipc[i], i ? "b" : "a", NULL);
    use(f, 2);
    echo_await(&f->ups, 2);
    for (int i = 0; i < THREADS; i++) {
        askers[i].f = f;
        pthread_create(&askers[i].thread, NULL, run_many, &askers[i]);
    }
    echo_await(&f->echo[0].requests, 500);
    echo_stop(&f->echo[0]);
    echo_start(&f->echo[0], f->ipc[0], "a", NULL);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(askers[i].thread, NULL);
        if (askers[i].rc != CALLS_EACH)
            fail_msg("%d of %d calls: %s", askers[i].rc, CALLS_EACH, askers[i].err.text);
    }
    echo_stop(&f->echo[0]);
    echo_stop(&f->echo[1]);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_call_answers),
        CASE(test_call_without_endpoints_is_down_at_once),
        CASE(test_call_waits_for_the_connection),
        CASE(test_call_deadline_without_answer),
        CASE(test_call_error_is_retried_on_the_other),
        CASE(test_call_late_endpoint_is_hedged_then_avoided),
        CASE(test_call_bad_request_is_not_retried),
        CASE(test_call_wrong_type_is_a_failure),
        CASE(test_breaker_opens_fails_at_once_and_closes),
        CASE(test_unreachable_endpoint_opens_after_three_deadlines),
        CASE(test_dead_endpoint_costs_nothing_while_another_lives),
        CASE(test_draining_goes_elsewhere),
        CASE(test_killed_server_is_retried_on_the_other_at_once),
        CASE(test_killed_server_is_retried_when_it_is_back),
        CASE(test_free_fails_calls_under_way),
        CASE(test_reply_of_another_version),
        CASE(test_reply_that_is_garbage),
        CASE(test_version_is_retried_on_the_other),
        CASE(test_endpoints_refuses_and_keeps_the_list),
        CASE(test_endpoints_replaced_while_in_use),
        CASE(test_body_is_sent_and_released_once),
        CASE(test_call_reply_larger_than_the_arena),
        CASE(test_call_in_flight_max),
        CASE(test_call_ticks_while_it_waits),
        CASE(test_many_threads_lose_no_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
