/*
 * The connection in trouble, seen through the store: a real redis-server that is killed,
 * stopped, restarted, turned into a replica, out of memory; and a false server for what
 * a real one does too rarely.
 */
#include "redis_link.c"

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
#include "mx_time.h"
#include "private_redis.h"
#include "store_redis.h"
#include "uv_wait.h"

struct bed {
    struct private_redis redis;
    uv_loop_t loop;
    struct store *store;
    int n_up, n_down;
    char reason[300];
    const char *wanted; /* part of a reason that is waited for */
};

static void on_state(void *user, bool is_up, const char *reason)
{
    struct bed *bed = user;
    *(is_up ? &bed->n_up : &bed->n_down) += 1;
    snprintf(bed->reason, sizeof(bed->reason), "%s", reason);
}

static bool is_up(void *user)
{
    return store_is_up(((struct bed *)user)->store);
}

static bool is_down(void *user)
{
    return !is_up(user);
}

static bool is_told(void *user)
{
    struct bed *bed = user;
    return bed->n_down > 0 && strstr(bed->reason, bed->wanted) != NULL;
}

static void open_store(struct bed *bed)
{
    struct store_redis_options options = {.settings = &bed->redis.settings,
                                          .clock = &mx_clock_real,
                                          .on_state = on_state,
                                          .user = bed};
    assert_int_equal(store_redis_new(&bed->loop, &options, &bed->store, NULL), 0);
}

static void wait_up(struct bed *bed)
{
    if (!uv_wait(&bed->loop, is_up, bed))
        fail_msg("not up: %s", bed->reason);
}

static void wait_reason(struct bed *bed, const char *part)
{
    bed->wanted = part;
    if (!uv_wait(&bed->loop, is_told, bed))
        fail_msg("'%s' instead of '%s'", bed->reason, part);
}

/* One question with room for its answer. */
struct asked {
    struct store_question question;
    struct store_answer answer;
    struct store_batch batch;
    int done;
};

static void on_done(struct store_batch *batch)
{
    ((struct asked *)batch->user)->done++;
}

static bool is_done(void *user)
{
    return ((struct asked *)user)->done > 0;
}

static void ask(struct store *store, struct asked *asked, unsigned timeout_ms)
{
    memset(asked, 0, sizeof(*asked));
    asked->question = (struct store_question){.kind = STORE_GREY_SEEN,
                                              .grey = {MX_STR("pool"), MX_STR("tuple")}};
    asked->batch = (struct store_batch){.questions = &asked->question,
                                        .answers = &asked->answer,
                                        .n = 1,
                                        .timeout_ms = timeout_ms,
                                        .done = on_done,
                                        .user = asked};
    store_ask(store, &asked->batch);
}

static struct store_answer ask_and_wait(struct bed *bed)
{
    struct asked asked;
    ask(bed->store, &asked, 2000);
    assert_true(uv_wait(&bed->loop, is_done, &asked));
    assert_int_equal(asked.done, 1);
    assert_true(asked.answer.is_known);
    return asked.answer;
}

static void tell_first(struct bed *bed)
{
    struct store_effect effect = {.kind = STORE_GREY_FIRST,
                                  .grey = {MX_STR("pool"), MX_STR("tuple")},
                                  .now_ms = 77,
                                  .ttl_ms = 60000};
    store_tell(bed->store, &effect, 1);
}

static void kill_and_restart(struct bed *bed)
{
    open_store(bed);
    wait_up(bed);
    assert_int_equal(bed->n_down, 0);
    private_redis_kill(&bed->redis);
    assert_true(uv_wait(&bed->loop, is_down, bed));
    struct asked asked;
    ask(bed->store, &asked, 2000);
    assert_int_equal(asked.done, 1);
    assert_string_equal(asked.batch.fault, "store down");
    private_redis_start(&bed->redis);
    wait_up(bed);
    ask_and_wait(bed);
    assert_int_equal(bed->n_up, 2);
}

static void test_redis_link_kill_and_restart_unix(void **state)
{
    kill_and_restart(*state);
}

static void test_redis_link_kill_and_restart_tcp(void **state)
{
    struct bed *bed = *state;
    bed->redis.settings.address = bed->redis.tcp_address;
    kill_and_restart(bed);
}

/* Batches in flight when the server dies are done at once, not at their time-out. */
static void test_redis_link_kill_in_flight(void **state)
{
    struct bed *bed = *state;
    struct asked asked[10];
    open_store(bed);
    wait_up(bed);
    kill(bed->redis.pid, SIGSTOP);
    for (int i = 0; i < 10; i++)
        ask(bed->store, &asked[i], 2000);
    uv_run(&bed->loop, UV_RUN_NOWAIT);
    private_redis_kill(&bed->redis);
    assert_true(uv_wait(&bed->loop, is_done, &asked[9]));
    for (int i = 0; i < 10; i++) {
        assert_int_equal(asked[i].done, 1);
        assert_false(asked[i].answer.is_known);
        assert_string_equal(asked[i].batch.fault, "store down");
    }
}

/* hiredis' own adapter would see this only when the connect time-out is over. */
static void test_redis_link_refused_over_tcp_is_seen_at_once(void **state)
{
    struct bed *bed = *state;
    bed->redis.settings.address = bed->redis.tcp_address;
    bed->redis.settings.connect_timeout_ms = 60000;
    private_redis_kill(&bed->redis);
    open_store(bed);
    wait_reason(bed, "refused");
    assert_int_equal(bed->n_down, 1);
    private_redis_start(&bed->redis);
    wait_up(bed);
}

static void test_redis_link_missing_socket(void **state)
{
    struct bed *bed = *state;
    bed->redis.settings.address = "unix:/nonexistent/redis.sock";
    open_store(bed);
    wait_reason(bed, "cannot connect: No such file");
}

static void test_redis_link_resolves_names(void **state)
{
    struct bed *bed = *state;
    char address[64];
    snprintf(address, sizeof(address), "localhost:%d", bed->redis.port);
    bed->redis.settings.address = address;
    open_store(bed);
    wait_up(bed);
    ask_and_wait(bed);
    store_free(bed->store);
    bed->redis.settings.address = "no-such-host.invalid:1";
    open_store(bed);
    wait_reason(bed, "cannot resolve no-such-host.invalid");
}

/* Late first, then the connection is given up and everything fails at once, then back. */
static void test_redis_link_stopped_server(void **state)
{
    struct bed *bed = *state;
    struct asked asked;
    open_store(bed);
    wait_up(bed);
    kill(bed->redis.pid, SIGSTOP);
    ask(bed->store, &asked, 50);
    assert_int_equal(asked.done, 0);
    assert_true(uv_wait(&bed->loop, is_done, &asked));
    assert_string_equal(asked.batch.fault, "store late");
    assert_true(store_is_up(bed->store));
    assert_int_equal(bed->n_down, 0);
    wait_reason(bed, "no reply for");
    ask(bed->store, &asked, 50);
    assert_int_equal(asked.done, 1);
    assert_string_equal(asked.batch.fault, "store down");
    kill(bed->redis.pid, SIGCONT);
    wait_up(bed);
    ask_and_wait(bed);
}

/* A late reply belongs to its own batch, not to the next one. */
static void test_redis_link_late_replies_are_dropped(void **state)
{
    struct bed *bed = *state;
    struct asked late;
    open_store(bed);
    wait_up(bed);
    kill(bed->redis.pid, SIGSTOP);
    ask(bed->store, &late, 20);
    assert_true(uv_wait(&bed->loop, is_done, &late));
    tell_first(bed);
    kill(bed->redis.pid, SIGCONT);
    assert_int_equal(ask_and_wait(bed).grey.first_ms, 77);
    assert_int_equal(late.done, 1);
    assert_false(late.answer.is_known);
    assert_int_equal(late.answer.grey.first_ms, 0);
    assert_int_equal(bed->n_down, 0);
}

static void test_redis_link_pending_batches_are_bounded(void **state)
{
    struct bed *bed = *state;
    enum { N = 9000 };
    struct asked *asked = mx_xalloc(N * sizeof(*asked));
    int n_busy = 0;
    open_store(bed);
    wait_up(bed);
    kill(bed->redis.pid, SIGSTOP);
    for (int i = 0; i < N; i++) {
        ask(bed->store, &asked[i], 2000);
        if (asked[i].done && strcmp(asked[i].batch.fault, "store busy") == 0)
            n_busy++;
    }
    assert_int_equal(n_busy, N - 8192);
    kill(bed->redis.pid, SIGCONT);
    assert_true(uv_wait(&bed->loop, is_done, &asked[8191]));
    for (int i = 0; i < 8192; i++)
        assert_int_equal(asked[i].done, 1);
    ask_and_wait(bed);
    free(asked);
}

static void test_redis_link_forgotten_script_is_loaded_again(void **state)
{
    struct bed *bed = *state;
    struct store_stats stats;
    open_store(bed);
    wait_up(bed);
    private_redis_cmd(&bed->redis, "SCRIPT FLUSH");
    tell_first(bed);
    ask_and_wait(bed); /* perhaps before the retry */
    assert_int_equal(ask_and_wait(bed).grey.first_ms, 77);
    assert_int_equal(private_redis_stat(&bed->redis, "evalsha", "failed_calls"), 1);
    assert_int_equal(private_redis_stat(&bed->redis, "eval", "calls"), 1);
    tell_first(bed);
    ask_and_wait(bed);
    assert_int_equal(private_redis_stat(&bed->redis, "evalsha", "failed_calls"), 1);
    assert_int_equal(private_redis_stat(&bed->redis, "eval", "calls"), 1);
    store_stats(bed->store, &stats);
    assert_int_equal(stats.effects, 2);
    assert_int_equal(stats.lost, 0);
}

static void test_redis_link_replica_is_down(void **state)
{
    struct bed *bed = *state;
    open_store(bed);
    wait_up(bed);
    private_redis_cmd(&bed->redis, "REPLICAOF 127.0.0.1 1");
    tell_first(bed);
    wait_reason(bed, "READONLY");
    assert_false(store_is_up(bed->store));
    private_redis_cmd(&bed->redis, "REPLICAOF NO ONE");
    wait_up(bed);
}

static void test_redis_link_full_server_is_down_even_when_idle(void **state)
{
    struct bed *bed = *state;
    open_store(bed);
    wait_up(bed);
    private_redis_cmd(&bed->redis, "CONFIG SET maxmemory 1");
    wait_reason(bed, "OOM");
    private_redis_cmd(&bed->redis, "CONFIG SET maxmemory 0");
    wait_up(bed);
}

static void test_redis_link_password(void **state)
{
    struct bed *bed = *state;
    struct mx_err err = {0};
    private_redis_kill(&bed->redis);
    snprintf(bed->redis.password, sizeof(bed->redis.password), "sesame");
    private_redis_start(&bed->redis);
    assert_int_equal(store_redis_check(&bed->redis.settings, &err), 0);
    bed->redis.settings.password = "";
    assert_int_equal(store_redis_check(&bed->redis.settings, &err), -1);
    assert_int_equal(err.code, MX_ERR_INPUT);
    assert_non_null(strstr(err.text, "NOAUTH"));
    bed->redis.settings.password = "wrong";
    assert_int_equal(store_redis_check(&bed->redis.settings, &err), -1);
    assert_int_equal(err.code, MX_ERR_INPUT);
    assert_non_null(strstr(err.text, "WRONGPASS"));
    assert_null(strstr(err.text, "wrong "));
    open_store(bed);
    wait_reason(bed, "WRONGPASS");
    assert_false(store_is_up(bed->store));
    bed->redis.settings.password = "sesame";
    wait_up(bed);
    bed->redis.settings.username = "nobody";
    assert_int_equal(store_redis_check(&bed->redis.settings, &err), -1);
    assert_non_null(strstr(err.text, "WRONGPASS"));
    bed->redis.settings.username = "default";
    assert_int_equal(store_redis_check(&bed->redis.settings, &err), 0);
}

static void test_redis_link_database(void **state)
{
    struct bed *bed = *state;
    struct mx_err err = {0};
    bed->redis.settings.db = 99;
    assert_int_equal(store_redis_check(&bed->redis.settings, &err), -1);
    assert_int_equal(err.code, MX_ERR_INPUT);
    open_store(bed);
    wait_reason(bed, "DB index");
    bed->redis.settings.db = 3;
    wait_up(bed);
    tell_first(bed);
    ask_and_wait(bed);
    assert_non_null(
        strstr(private_redis_cmd(&bed->redis, "-n 3 KEYS '*'"), "mx:gl:{pool}"));
}

static void test_redis_link_check_unreachable(void **state)
{
    struct bed *bed = *state;
    struct mx_err err = {0};
    private_redis_kill(&bed->redis);
    assert_int_equal(store_redis_check(&bed->redis.settings, &err), -1);
    assert_int_equal(err.code, MX_ERR_DOWN);
    bed->redis.settings.address = "host:port:more";
    assert_int_equal(store_redis_check(&bed->redis.settings, &err), -1);
    bed->redis.settings.address = "";
    assert_int_equal(store_redis_check(&bed->redis.settings, &err), -1);
    assert_int_equal(err.code, MX_ERR_INPUT);
}

static void test_redis_link_check_of_a_server_that_hangs(void **state)
{
    struct bed *bed = *state;
    struct mx_err err = {0};
    kill(bed->redis.pid, SIGSTOP);
    assert_int_equal(store_redis_check(&bed->redis.settings, &err), -1);
    assert_int_equal(err.code, MX_ERR_DOWN);
    assert_non_null(strstr(err.text, "no answer within redis.connect_timeout"));
}

static void test_redis_link_free_in_flight(void **state)
{
    struct bed *bed = *state;
    struct asked asked[3];
    open_store(bed);
    wait_up(bed);
    kill(bed->redis.pid, SIGSTOP);
    for (int i = 0; i < 3; i++)
        ask(bed->store, &asked[i], 2000);
    tell_first(bed);
    store_free(bed->store);
    bed->store = NULL;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(asked[i].done, 1);
        assert_string_equal(asked[i].batch.fault, "store closed");
    }
}

static void free_in_done(struct store_batch *batch)
{
    struct bed *bed = batch->user;
    store_free(bed->store);
    bed->store = NULL;
}

static bool is_freed(void *user)
{
    return ((struct bed *)user)->store == NULL;
}

/* From a reply, and from a time-out, with others in flight behind it. */
static void test_redis_link_free_inside_done(void **state)
{
    struct bed *bed = *state;
    for (int is_late = 0; is_late < 2; is_late++) {
        struct asked asked[3];
        open_store(bed);
        wait_up(bed);
        if (is_late)
            kill(bed->redis.pid, SIGSTOP);
        ask(bed->store, &asked[0], is_late ? 20 : 2000);
        asked[0].batch.done = free_in_done;
        asked[0].batch.user = bed;
        ask(bed->store, &asked[1], is_late ? 20 : 2000);
        ask(bed->store, &asked[2], 2000);
        assert_true(uv_wait(&bed->loop, is_freed, bed));
        assert_int_equal(asked[1].done, 1);
        assert_int_equal(asked[2].done, 1);
        assert_string_equal(asked[2].batch.fault, "store closed");
        kill(bed->redis.pid, SIGCONT);
    }
}

static void test_redis_link_free_before_connected(void **state)
{
    struct bed *bed = *state;
    open_store(bed);
    store_free(bed->store);
    bed->redis.settings.address = "localhost:1";
    open_store(bed); /* in the middle of a lookup */
    uv_run(&bed->loop, UV_RUN_NOWAIT);
    store_free(bed->store);
    bed->redis.settings.address = bed->redis.tcp_address;
    open_store(bed); /* in the middle of the greeting */
    uv_run(&bed->loop, UV_RUN_NOWAIT);
    uv_run(&bed->loop, UV_RUN_NOWAIT);
}

/* A server that says the same to whatever it is told. */
struct liar {
    uv_pipe_t listener, peer;
    uv_write_t write;
    const char *line; /* NULL: hang up */
    char path[100];
    int n_peers;
};

static void liar_room(uv_handle_t *handle, size_t size, uv_buf_t *out)
{
    static char room[65536];
    (void)handle;
    (void)size;
    *out = uv_buf_init(room, sizeof(room));
}

static void liar_forget(uv_handle_t *handle)
{
    ((struct liar *)handle->data)->n_peers--;
}

static void liar_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct liar *liar = stream->data;
    (void)buf;
    if (n < 0 || liar->line == NULL) {
        if (!uv_is_closing((uv_handle_t *)stream))
            uv_close((uv_handle_t *)stream, liar_forget);
        return;
    }
    uv_buf_t out = uv_buf_init(strdup(liar->line), (unsigned)strlen(liar->line));
    assert_true(uv_try_write(stream, &out, 1) > 0);
    free(out.base);
}

static void liar_accept(uv_stream_t *listener, int status)
{
    struct liar *liar = listener->data;
    assert_int_equal(status, 0);
    if (liar->n_peers > 0)
        return; /* one at a time; the link has one connection */
    liar->n_peers++;
    uv_pipe_init(listener->loop, &liar->peer, 0);
    liar->peer.data = liar;
    assert_int_equal(uv_accept(listener, (uv_stream_t *)&liar->peer), 0);
    uv_read_start((uv_stream_t *)&liar->peer, liar_room, liar_read);
}

static void against_liar(struct bed *bed, const char *line, const char *reason)
{
    struct liar liar = {.line = line};
    char address[128];
    snprintf(liar.path, sizeof(liar.path), "%s/liar", bed->redis.dir);
    snprintf(address, sizeof(address), "unix:%s", liar.path);
    bed->redis.settings.address = address;
    uv_pipe_init(&bed->loop, &liar.listener, 0);
    liar.listener.data = &liar;
    assert_int_equal(uv_pipe_bind(&liar.listener, liar.path), 0);
    assert_int_equal(uv_listen((uv_stream_t *)&liar.listener, 8, liar_accept), 0);
    bed->n_down = 0;
    open_store(bed);
    wait_reason(bed, reason);
    assert_int_equal(bed->n_up, 0);
    store_free(bed->store);
    bed->store = NULL;
    uv_close((uv_handle_t *)&liar.listener, NULL);
    if (liar.n_peers > 0 && !uv_is_closing((uv_handle_t *)&liar.peer))
        uv_close((uv_handle_t *)&liar.peer, liar_forget);
    uv_run(&bed->loop, UV_RUN_DEFAULT);
    remove(liar.path);
}

static void test_redis_link_loading_is_down(void **state)
{
    const char *line = "-LOADING Redis is loading the dataset in memory\r\n";
    char lines[400] = "";
    for (int i = 0; i < 3; i++) /* two scripts and the probe */
        strncat(lines, line, sizeof(lines) - strlen(lines) - 1);
    against_liar(*state, lines, "LOADING");
}

/* An error for each command of a greeting; more than any greeting has. */
#define LIE "-ERR whatever\r\n"
static void test_redis_link_hostile_servers_are_down(void **state)
{
    against_liar(*state, "HTTP/1.1 400 Bad Request\r\n\r\n", "Protocol error");
    against_liar(*state, NULL, "connection lost");
    against_liar(*state, LIE LIE LIE LIE LIE LIE LIE LIE LIE LIE LIE LIE, "ERR what");
    against_liar(*state, "$-1\r\n", "no answer within");
}

/* Doubling from backoff_min to backoff_max, and half of that at least. */
static void test_back_off_ms_bounds(void **state)
{
    static const struct {
        unsigned failures;
        uint64_t least, most;
    } cases[] = {
        {0, 50, 100}, {1, 100, 200}, {2, 200, 400}, {3, 350, 700}, {99, 350, 700}};
    const struct store_redis_settings settings = {.backoff_min_ms = 100,
                                                  .backoff_max_ms = 700};
    struct redis_link link = {.options = {.settings = &settings}};
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        link.failures = cases[i].failures;
        for (int n = 0; n < 50; n++)
            assert_in_range(back_off_ms(&link), cases[i].least, cases[i].most);
    }
}

/* The time to connect is one budget from looking the name up to the greeting. */
static void test_set_phase_connect_timeout(void **state)
{
    const struct store_redis_settings settings = {.connect_timeout_ms = 60000};
    struct redis_link link = {.options = {.settings = &settings}};
    uv_loop_t loop;
    (void)state;
    uv_loop_init(&loop);
    uv_timer_init(&loop, &link.timer);
    set_phase(&link, PHASE_RESOLVE);
    assert_in_range(uv_timer_get_due_in(&link.timer), 59000, 60000);
    set_phase(&link, PHASE_GREET);
    assert_in_range(uv_timer_get_due_in(&link.timer), 59000, 60000);
    uv_close((uv_handle_t *)&link.timer, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static int setup(void **state)
{
    struct bed *bed = mx_xalloc(sizeof(*bed));
    private_redis_init(&bed->redis);
    private_redis_start(&bed->redis);
    bed->redis.settings.connect_timeout_ms = 500;
    uv_loop_init(&bed->loop);
    *state = bed;
    return 0;
}

static int teardown(void **state)
{
    struct bed *bed = *state;
    if (bed->redis.pid > 0)
        kill(bed->redis.pid, SIGCONT);
    store_free(bed->store);
    int status = uv_wait_close(&bed->loop);
    private_redis_fini(&bed->redis);
    free(bed);
    return status;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_back_off_ms_bounds),
        cmocka_unit_test(test_set_phase_connect_timeout),
        TEST(test_redis_link_kill_and_restart_unix),
        TEST(test_redis_link_kill_and_restart_tcp),
        TEST(test_redis_link_kill_in_flight),
        TEST(test_redis_link_refused_over_tcp_is_seen_at_once),
        TEST(test_redis_link_missing_socket),
        TEST(test_redis_link_resolves_names),
        TEST(test_redis_link_stopped_server),
        TEST(test_redis_link_late_replies_are_dropped),
        TEST(test_redis_link_pending_batches_are_bounded),
        TEST(test_redis_link_forgotten_script_is_loaded_again),
        TEST(test_redis_link_replica_is_down),
        TEST(test_redis_link_full_server_is_down_even_when_idle),
        TEST(test_redis_link_password),
        TEST(test_redis_link_database),
        TEST(test_redis_link_check_unreachable),
        TEST(test_redis_link_check_of_a_server_that_hangs),
        TEST(test_redis_link_free_in_flight),
        TEST(test_redis_link_free_inside_done),
        TEST(test_redis_link_free_before_connected),
        TEST(test_redis_link_loading_is_down),
        TEST(test_redis_link_hostile_servers_are_down),
    };
    signal(SIGPIPE, SIG_IGN);
    if (!private_redis_is_installed()) {
        printf("SKIP: redis-server and redis-cli are not installed\n");
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
