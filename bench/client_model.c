/*
 * One owner thread for all sockets, or one socket for each calling thread? Both models
 * ask the same echo server (a process of its own, one thread) over ipc:// with requests
 * and replies of the size of a RCPT check, side by side in one run, in alternation.
 *
 * Method: N threads call as fast as they are answered for SECONDS; calls a second, CPU
 * microseconds a call in this process (user and system, ZeroMQ's thread included), and
 * latency percentiles over all calls. Per model the median of ROUNDS rounds.
 *
 * The second model is the bare minimum of a client: no deadline but poll's, no retry, no
 * choice of an endpoint. It sets what the owner thread could gain at most.
 *
 * Usage: client_model [SECONDS [THREADS...]]; 3 seconds, 16 and 128 threads.
 */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "mx_time.h"
#include "mxp_client.h"
#include "mxp_link.h"
#include "mxp_server.h"
#include "policy.pb-c.h"

#define ROUNDS 3
#define THREADS_MAX 1024
#define SAMPLES_MAX (1u << 16) /* latencies kept by each thread */

struct figures {
    double calls_s, cpu_us, p50_us, p99_us;
};

struct bench {
    char address[128];
    struct mxp_client *client; /* NULL: a socket for each thread */
    void *context;
    atomic_bool is_running, is_over;
    atomic_uint ready;
};

struct caller {
    struct bench *bench;
    pthread_t thread;
    uint64_t calls, failures;
    uint32_t *samples;
};

static _Noreturn void die(const char *what, const struct mx_err *err)
{
    fprintf(stderr, "client_model: %s: %s\n", what, err ? err->text : "failed");
    exit(1);
}

/* ---- server ------------------------------------------------------------------------ */

static _Noreturn void serve(const char *address)
{
    struct mx_err err;
    struct mxp_server *server;
    struct mxp_server_options options = {.endpoint = address};
    if (mxp_server_open(&options, &server, &err) != 0)
        die("server", &err);
    Mxp__PolicyReply reply = MXP__POLICY_REPLY__INIT;
    char module[] = "user_lists", reason[] = "allowed";
    reply.module = module;
    reply.reason = reason;
    struct pollfd fd = {.fd = mxp_server_fd(server), .events = POLLIN};
    for (;;) {
        bool more = true;
        while (more) {
            struct mxp_request *request = mxp_server_next(server, &more);
            if (request)
                mxp_server_reply(server, request, MXP_POLICY_REPLY, &reply.base);
            mxp_request_free(request);
        }
        poll(&fd, 1, -1);
    }
}

/* ---- callers ----------------------------------------------------------------------- */

static void fill(Mxp__PolicyRequest *request)
{
    static char id[] = "4XyZ12abcdef";
    static uint8_t text[] = "<somebody.with.a.name@mail.example.com>";
    ProtobufCBinaryData path = {.len = sizeof(text) - 1, .data = text};
    request->stage = MXP__STAGE__STAGE_RCPT;
    request->id = id;
    request->sender = path;
    request->helo = path;
    request->client_name = path;
    request->size = 12345;
}

static int call_owner(struct caller *caller, struct mx_arena *arena,
                      const Mxp__PolicyRequest *request)
{
    struct mxp_call call = {.type = MXP_POLICY_REQUEST,
                            .payload = &request->base,
                            .reply_type = MXP_POLICY_REPLY,
                            .deadline_ms = 10000,
                            .attempt_ms = 5000};
    struct mxp_answer answer;
    return mxp_client_call(caller->bench->client, arena, &call, &answer, NULL);
}

static int call_own(struct mxp_link *link, const Mxp__PolicyRequest *request, uint64_t id)
{
    struct mxp_parcel parcel;
    struct mxp_header header = {
        .type = MXP_POLICY_REQUEST, .id = id, .deadline_ms = 10000};
    struct pollfd fd = {.fd = link->fd, .events = POLLIN};
    enum mxp_arrived arrived = MXP_ARRIVED_NOTHING;
    zmq_msg_t payload;
    mxp_parcel_init(&parcel, &request->base, NULL);
    int rc = mxp_link_send(link, &header, &parcel);
    mxp_parcel_fini(&parcel);
    zmq_msg_init(&payload);
    while (rc == 0) {
        arrived = mxp_link_receive(link, &header, &payload);
        if (arrived != MXP_ARRIVED_NOTHING || poll(&fd, 1, 10000) == 0)
            break;
    }
    zmq_msg_close(&payload);
    return arrived == MXP_ARRIVED_REPLY && header.id == id ? 0 : -1;
}

static struct mxp_link *open_own(struct bench *bench)
{
    struct mx_err err;
    struct mxp_link *link;
    struct mxp_monitor_event event;
    const struct mxp_endpoint endpoint = {.address = bench->address};
    struct mxp_link_options options = {.context = bench->context,
                                       .endpoint = &endpoint,
                                       .reply_max = MXP_PAYLOAD_MAX,
                                       .queue_max = 1000};
    if (mxp_link_open(&options, &link, &err) != 0)
        die("link", &err);
    struct pollfd fd = {.fd = mxp_monitor_fd(link->monitor), .events = POLLIN};
    while (mxp_monitor_next(link->monitor, &event) != MXP_MONITOR_UP) {
        if (event.kind == MXP_MONITOR_NOTHING)
            poll(&fd, 1, 1000);
    }
    return link;
}

static void *run_caller(void *state)
{
    struct caller *caller = state;
    struct bench *bench = caller->bench;
    struct mx_arena *arena = mx_arena_new(65536);
    struct mxp_link *link = bench->client ? NULL : open_own(bench);
    Mxp__PolicyRequest request = MXP__POLICY_REQUEST__INIT;
    fill(&request);
    atomic_fetch_add(&bench->ready, 1);
    while (!atomic_load(&bench->is_running))
        poll(NULL, 0, 1);
    while (!atomic_load_explicit(&bench->is_over, memory_order_relaxed)) {
        int64_t start = mx_mono_us();
        int rc = link ? call_own(link, &request, caller->calls + 1)
                      : call_owner(caller, arena, &request);
        caller->samples[caller->calls % SAMPLES_MAX] = (uint32_t)(mx_mono_us() - start);
        caller->failures += rc != 0;
        caller->calls++;
        mx_arena_reset(arena);
    }
    mxp_link_close(link);
    mx_arena_free(arena);
    return NULL;
}

/* ---- figures ----------------------------------------------------------------------- */

static double cpu_us_now(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return 1e6 * (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void percentiles(const struct caller *callers, unsigned n, struct figures *out)
{
    size_t count = 0;
    uint32_t *all = mx_xalloc((size_t)n * SAMPLES_MAX * sizeof(*all));
    for (unsigned i = 0; i < n; i++) {
        size_t kept = callers[i].calls < SAMPLES_MAX ? callers[i].calls : SAMPLES_MAX;
        memcpy(all + count, callers[i].samples, kept * sizeof(*all));
        count += kept;
    }
    qsort(all, count, sizeof(*all), by_value);
    out->p50_us = count ? all[count / 2] : 0;
    out->p99_us = count ? all[count * 99 / 100] : 0;
    free(all);
}

static void start_client(struct bench *bench)
{
    struct mx_err err;
    struct mxp_client_options options = {.name = "bench"};
    const struct mxp_endpoint endpoint = {.address = bench->address};
    if (mxp_client_new(&options, &bench->client, &err) != 0 ||
        mxp_client_endpoints(bench->client, &endpoint, 1, &err) != 0)
        die("client", &err);
}

static struct figures measure(const char *address, bool has_owner, unsigned n,
                              unsigned seconds)
{
    struct bench bench = {0};
    struct figures figures;
    uint64_t calls = 0, failures = 0;
    struct caller *callers = mx_xalloc(n * sizeof(*callers));
    snprintf(bench.address, sizeof(bench.address), "%s", address);
    bench.context = zmq_ctx_new();
    zmq_ctx_set(bench.context, ZMQ_MAX_SOCKETS, 4 * THREADS_MAX);
    if (has_owner)
        start_client(&bench);
    for (unsigned i = 0; i < n; i++) {
        callers[i].bench = &bench;
        callers[i].samples = mx_xalloc(SAMPLES_MAX * sizeof(uint32_t));
        if (pthread_create(&callers[i].thread, NULL, run_caller, &callers[i]) != 0)
            die("pthread_create", NULL);
    }
    while (atomic_load(&bench.ready) < n)
        poll(NULL, 0, 1);
    double cpu_us = cpu_us_now();
    int64_t start = mx_mono_us();
    atomic_store(&bench.is_running, true);
    sleep(seconds);
    atomic_store(&bench.is_over, true);
    for (unsigned i = 0; i < n; i++) {
        pthread_join(callers[i].thread, NULL);
        calls += callers[i].calls;
        failures += callers[i].failures;
    }
    figures.calls_s = (double)calls * 1e6 / (double)(mx_mono_us() - start);
    figures.cpu_us = (cpu_us_now() - cpu_us) / (double)calls;
    percentiles(callers, n, &figures);
    if (failures > 0)
        fprintf(stderr, "client_model: %llu calls failed\n",
                (unsigned long long)failures);
    mxp_client_free(bench.client);
    zmq_ctx_term(bench.context);
    for (unsigned i = 0; i < n; i++)
        free(callers[i].samples);
    free(callers);
    return figures;
}

static int by_rate(const void *a, const void *b)
{
    double x = ((const struct figures *)a)->calls_s;
    double y = ((const struct figures *)b)->calls_s;
    return (x > y) - (x < y);
}

static void compare(const char *address, unsigned threads, unsigned seconds)
{
    static const char *const names[] = {"one owner thread", "socket per thread"};
    struct figures figures[2][ROUNDS];
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (unsigned model = 0; model < 2; model++)
            figures[model][round] = measure(address, model == 0, threads, seconds);
    }
    for (unsigned model = 0; model < 2; model++) {
        qsort(figures[model], ROUNDS, sizeof(figures[model][0]), by_rate);
        const struct figures *median = &figures[model][ROUNDS / 2];
        printf("%7u  %-18s %9.0f %9.1f %9.0f %9.0f\n", threads, names[model],
               median->calls_s, median->cpu_us, median->p50_us, median->p99_us);
        fflush(stdout);
    }
}

/* Argument ${at}, or ${otherwise} where there is none; else the program ends. */
static unsigned number(int argc, char **argv, int at, unsigned otherwise)
{
    int64_t value = otherwise;
    if (at < argc && mx_str_to_int(mx_str(argv[at]), 1, THREADS_MAX, &value, NULL) != 0) {
        fprintf(stderr, "usage: client_model [SECONDS [THREADS...]], each 1 to %d\n",
                THREADS_MAX);
        exit(2);
    }
    return (unsigned)value;
}

int main(int argc, char **argv)
{
    char dir[] = "/tmp/mxdrop-bench-XXXXXX", address[128];
    unsigned seconds = number(argc, argv, 1, 3);
    for (int i = 2; i < argc; i++)
        number(argc, argv, i, 0);
    if (mkdtemp(dir) == NULL)
        die("mkdtemp", NULL);
    snprintf(address, sizeof(address), "ipc://%s/echo.sock", dir);
    pid_t server = fork();
    if (server == 0)
        serve(address);
    printf("%7s  %-18s %9s %9s %9s %9s\n", "threads", "model", "calls/s", "CPU us",
           "p50 us", "p99 us");
    for (int i = 2; i < argc; i++)
        compare(address, number(argc, argv, i, 0), seconds);
    if (argc <= 2) {
        compare(address, 16, seconds);
        compare(address, 128, seconds);
    }
    kill(server, SIGKILL);
    waitpid(server, NULL, 0);
    unlink(address + strlen("ipc://"));
    rmdir(dir);
    return 0;
}
