/*
 * milter_load: a load generator that speaks milter as an MTA does. Each connection is a
 * thread with a blocking socket; each step is timed from its packet to its reply.
 *
 *   milter_load --socket unix:PATH [-c CONNECTIONS] [-s SECONDS] [--new] [-r RCPTS]
 *               [-b BODY-BYTES | --dir DIR] [--rate SESSIONS-PER-SECOND] [--probe]
 *               [--sessions N] [--vary] [--empty PROGRAM] [--rounds N]
 *
 * A session is MAIL, RCPT..., and with -b or --dir (messages of files, by turns) a whole
 * message, else ABORT. Without --new a connection is kept for all its sessions; with
 * --new each session brings its own. --sessions ends the run by their number instead of
 * time.
 * --vary gives each session an address, a sender and recipients of its own, as the world
 * does: what remembers one of them for ever is seen to grow.
 * --probe adds one more client that opens a connection again and again and waits for the
 * answer to HELO: how long a new connection waits while others are busy. --empty runs
 * PROGRAM (bench/empty_milter) beside it and prints the ratio of both, by turns, median
 * of rounds.
 */
#include <argp.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "milter_client.h"
#include "mx_arena.h"
#include "mx_err.h"
#include "mx_mail.h"
#include "mx_time.h"

#define TIMEOUT_MS 30000
#define SAMPLES_MAX (4u << 20) /* per thread and step */
#define ROUNDS_MAX 99
#define FIELD "Subject: load\r\nFrom: a@example.com\r\nX-Mxdrop-Score: 99\r\n\r\n"

enum step {
    STEP_OPEN,
    STEP_CONNECT,
    STEP_HELO,
    STEP_MAIL,
    STEP_RCPT,
    STEP_MESSAGE,
    STEPS
};
static const char *const step_names[STEPS] = {"open", "connect", "helo",
                                              "mail", "rcpt",    "message"};

struct samples {
    uint32_t *us;
    size_t n, room;
};

struct messages {
    struct mx_str *v;
    size_t n, bytes;
};

struct load {
    const char *socket, *empty, *dir;
    int connections, seconds, rcpts, rounds;
    size_t body, sessions; /* 0: none; as many as there is time for */
    struct messages messages;
    double rate;
    bool is_new, has_probe, is_varied;
};

struct worker {
    pthread_t thread;
    const struct load *load;
    _Atomic bool *must_stop;
    atomic_size_t *taken; /* numbers of sessions */
    size_t number;        /* of this session */
    struct milter_client *client;
    bool is_probe;
    double phase; /* 0..1: so that paced workers do not all begin at once */
    uint64_t sessions, refused, failed;
    struct samples steps[STEPS];
    struct mx_err err;
};

struct result {
    double per_second;
    uint64_t refused, failed;
    struct samples steps[STEPS], probe;
};

static void samples_add(struct samples *samples, int64_t us)
{
    if (samples->n == SAMPLES_MAX)
        return;
    if (samples->n == samples->room) {
        samples->room = samples->room ? samples->room * 2 : 1024;
        samples->us = mx_xrealloc(samples->us, samples->room * sizeof(*samples->us));
    }
    samples->us[samples->n++] = us > UINT32_MAX ? UINT32_MAX : (uint32_t)us;
}

static void samples_join(struct samples *to, struct samples *from)
{
    for (size_t i = 0; i < from->n; i++)
        samples_add(to, from->us[i]);
    free(from->us);
    *from = (struct samples){0};
}

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static double percentile_ms(const struct samples *samples, double p)
{
    size_t at = (size_t)((double)(samples->n - 1) * p);
    return samples->n ? samples->us[at] / 1000.0 : 0;
}

static int one_step(struct worker *worker, enum step step, enum milter_command command,
                    const char *const *words)
{
    struct milter_reply reply;
    int64_t began = mx_mono_us();
    int rc =
        command == MILTER_CONNECT
            ? milter_client_connect(worker->client, "mx.example.com", words[0], &reply,
                                    &worker->err)
            : milter_client_words(worker->client, command, words, &reply, &worker->err);
    samples_add(&worker->steps[step], mx_mono_us() - began);
    if (rc < 0)
        return -1;
    if (reply.code && strchr("rty", reply.code))
        worker->refused++;
    return 0;
}

static int greet(struct worker *worker)
{
    char address[32] = "192.0.2.1";
    size_t number = worker->number;
    const char *const client[] = {address, NULL};
    const char *const macros[] = {"j", "mx.example.org", "{client_addr}", address, NULL};
    if (worker->load->is_varied)
        snprintf(address, sizeof(address), "10.%zu.%zu.%zu", number >> 16 & 255,
                 number >> 8 & 255, number & 255);
    int64_t began = mx_mono_us();
    if (milter_client_open(worker->load->socket, TIMEOUT_MS, NULL, &worker->client,
                           &worker->err) < 0)
        return -1;
    samples_add(&worker->steps[STEP_OPEN], mx_mono_us() - began);
    const char *helo[] = {"mx.example.com", NULL};
    if (milter_client_macros(worker->client, MILTER_CONNECT, macros, &worker->err) < 0 ||
        one_step(worker, STEP_CONNECT, MILTER_CONNECT, client) < 0)
        return -1;
    return one_step(worker, STEP_HELO, MILTER_HELO, helo);
}

static int message(struct worker *worker)
{
    struct milter_reply reply;
    int64_t began = mx_mono_us();
    const struct messages *messages = &worker->load->messages;
    if (messages->n == 0)
        return milter_client_send(worker->client, MILTER_ABORT, MX_STR_NONE, &reply,
                                  &worker->err);
    struct mx_str text = messages->v[worker->number % messages->n];
    if (milter_client_message(worker->client, text, &reply, &worker->err) < 0)
        return -1;
    samples_add(&worker->steps[STEP_MESSAGE], mx_mono_us() - began);
    worker->refused += reply.code && strchr("rty", reply.code);
    return 0;
}

static int transaction(struct worker *worker)
{
    size_t own = worker->load->is_varied ? worker->number : 0;
    char sender[64];
    snprintf(sender, sizeof(sender), "<sender%zu@d%zu.example.com>", own, own % 10007);
    const char *mail[] = {sender, "SIZE=1000", NULL};
    if (one_step(worker, STEP_MAIL, MILTER_MAIL, mail) < 0)
        return -1;
    for (int i = 0; i < worker->load->rcpts; i++) {
        char path[64];
        snprintf(path, sizeof(path), "<user%zu@example.org>", own + (size_t)i);
        const char *rcpt[] = {path, NULL};
        if (one_step(worker, STEP_RCPT, MILTER_RCPT, rcpt) < 0)
            return -1;
    }
    return message(worker);
}

static int session(struct worker *worker)
{
    bool is_new = worker->load->is_new || worker->is_probe;
    if (worker->client == NULL && greet(worker) < 0)
        return -1;
    if (!worker->is_probe && transaction(worker) < 0)
        return -1;
    if (is_new) {
        milter_client_close(worker->client);
        worker->client = NULL;
    }
    return 0;
}

static void sleep_until(int64_t us)
{
    int64_t left = us - mx_mono_us();
    if (left <= 0)
        return;
    struct timespec pause = {left / 1000000, left % 1000000 * 1000};
    nanosleep(&pause, NULL);
}

static void *work(void *user)
{
    struct worker *worker = user;
    const struct load *load = worker->load;
    double rate = worker->is_probe ? 50 : load->rate / load->connections;
    int64_t next = mx_mono_us() + (rate > 0 ? (int64_t)(1e6 / rate * worker->phase) : 0);
    while (!atomic_load(worker->must_stop)) {
        if (rate > 0) {
            sleep_until(next);
            next += (int64_t)(1e6 / rate);
        }
        worker->number = worker->is_probe ? 0 : atomic_fetch_add(worker->taken, 1);
        if (load->sessions > 0 && worker->number >= load->sessions)
            break;
        if (session(worker) < 0) {
            worker->failed++;
            milter_client_close(worker->client);
            worker->client = NULL;
        }
        worker->sessions++;
    }
    milter_client_close(worker->client);
    return NULL;
}

static struct mx_str message_make(size_t body)
{
    struct mx_buf buf = {0};
    mx_buf_str(&buf, FIELD);
    while (buf.n < body)
        mx_buf_str(&buf,
                   "The quick brown fox jumps over the lazy dog, again and again.\r\n");
    return mx_str_of(buf.p, buf.n);
}

/* A copy with the line ends that an MTA hands on. */
static struct mx_str as_smtp(struct mx_str text)
{
    char *copy = mx_xalloc(2 * text.n);
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '\n' && (i == 0 || text.p[i - 1] != '\r'))
            copy[n++] = '\r';
        copy[n++] = text.p[i];
    }
    return mx_str_of(copy, n);
}

static int add_message(void *user, const char *name, struct mx_str text,
                       const char *fault)
{
    struct messages *messages = user;
    (void)name;
    if (fault || text.n == 0)
        return 0;
    messages->v = mx_xrealloc(messages->v, (messages->n + 1) * sizeof(*messages->v));
    struct mx_str message = as_smtp(text);
    messages->v[messages->n++] = message;
    messages->bytes += message.n;
    return 0;
}

/* What is sent, kept until the program ends. */
static int messages_load(struct load *load)
{
    char *dir[] = {NULL};
    struct mx_err err;
    if (load->body > 0) {
        struct mx_str text = message_make(load->body);
        return add_message(&load->messages, "generated", text, NULL);
    }
    if (load->dir == NULL)
        return 0;
    dir[0] = mx_xdup(load->dir);
    int rc = mx_mail_each(dir, 1, add_message, &load->messages, &err);
    free(dir[0]);
    if (rc == 0 && load->messages.n > 0)
        return 0;
    fprintf(stderr, "milter_load: %s: %s\n", load->dir, rc < 0 ? err.text : "no message");
    return -1;
}

static void collect(struct worker *workers, int n, double seconds, struct result *out)
{
    uint64_t sessions = 0;
    *out = (struct result){0};
    for (int i = 0; i < n; i++) {
        struct worker *worker = &workers[i];
        if (worker->failed)
            fprintf(stderr, "milter_load: %s\n", worker->err.text);
        out->failed += worker->failed;
        out->refused += worker->refused;
        for (int s = 0; s < STEPS && !worker->is_probe; s++)
            samples_join(&out->steps[s], &worker->steps[s]);
        if (worker->is_probe)
            for (int s = 0; s < STEPS; s++)
                samples_join(&out->probe, &worker->steps[s]);
        else
            sessions += worker->sessions;
    }
    for (int s = 0; s < STEPS; s++)
        if (out->steps[s].n)
            qsort(out->steps[s].us, out->steps[s].n, sizeof(uint32_t), by_value);
    if (out->probe.n)
        qsort(out->probe.us, out->probe.n, sizeof(uint32_t), by_value);
    out->per_second = (double)sessions / seconds;
}

/* SIGTERM, which main has blocked, ends it early. */
static void wait_seconds(int seconds)
{
    struct timespec patience = {.tv_sec = seconds};
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigtimedwait(&ends, NULL, &patience);
}

static int run(const struct load *load, struct result *out)
{
    int n = load->connections + load->has_probe;
    struct worker *workers = mx_xalloc((size_t)n * sizeof(*workers));
    atomic_size_t taken = 0;
    _Atomic bool must_stop = false;
    int64_t began = mx_mono_us();
    for (int i = 0; i < n; i++) {
        workers[i] = (struct worker){.load = load,
                                     .must_stop = &must_stop,
                                     .taken = &taken,
                                     .is_probe = i == load->connections,
                                     .phase = (double)i / n};
        if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0)
            abort();
    }
    if (load->sessions == 0)
        wait_seconds(load->seconds);
    atomic_store(&must_stop, load->sessions == 0);
    for (int i = 0; i < n; i++)
        pthread_join(workers[i].thread, NULL);
    collect(workers, n, (double)(mx_mono_us() - began) / 1e6, out);
    free(workers);
    return out->failed ? -1 : 0;
}

static void print_line(const char *name, const struct samples *samples)
{
    if (samples->n)
        printf("  %-8s n=%-8zu p50=%.2f ms p99=%.2f ms max=%.2f ms\n", name, samples->n,
               percentile_ms(samples, 0.5), percentile_ms(samples, 0.99),
               percentile_ms(samples, 1));
}

static void print(const char *name, const struct load *load, struct result *result)
{
    printf("%s: %.0f sessions/s, %d %s connections, %d rcpts, messages of %zu bytes, "
           "refused %llu, failed %llu\n",
           name, result->per_second, load->connections, load->is_new ? "new" : "kept",
           load->rcpts, load->messages.n ? load->messages.bytes / load->messages.n : 0,
           (unsigned long long)result->refused, (unsigned long long)result->failed);
    for (int s = 0; s < STEPS; s++)
        print_line(step_names[s], &result->steps[s]);
    print_line("new-wait", &result->probe);
    for (int s = 0; s < STEPS; s++)
        free(result->steps[s].us);
    free(result->probe.us);
}

static pid_t empty_start(const char *program, const char *address)
{
    pid_t pid = fork();
    if (pid == 0) {
        execl(program, program, address, (char *)NULL);
        fprintf(stderr, "milter_load: %s: %s\n", program, strerror(errno));
        _exit(127);
    }
    struct milter_client *client = NULL;
    for (int i = 0; pid > 0 && i < 500 && client == NULL; i++)
        if (milter_client_open(address, TIMEOUT_MS, NULL, &client, NULL) < 0)
            sleep_until(mx_mono_us() + 10000);
    milter_client_close(client);
    return client ? pid : -1;
}

static int by_double(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static int compare_rounds(const struct load *load, const char *address)
{
    double ratios[ROUNDS_MAX];
    struct result result;
    for (int i = 0; i < load->rounds; i++) {
        struct load floor = *load;
        floor.socket = address;
        if (run(&floor, &result) < 0)
            return -1;
        double base = result.per_second;
        print("empty", &floor, &result);
        if (run(load, &result) < 0)
            return -1;
        ratios[i] = result.per_second / base;
        print("filter", load, &result);
    }
    qsort(ratios, (size_t)load->rounds, sizeof(*ratios), by_double);
    printf("filter / empty: %.0f %% (median of %d rounds)\n",
           ratios[load->rounds / 2] * 100, load->rounds);
    return 0;
}

static int compare(const struct load *load)
{
    char dir[] = "/tmp/milter_load.XXXXXX", path[64], address[80];
    if (mkdtemp(dir) == NULL) {
        perror(dir);
        return -1;
    }
    snprintf(path, sizeof(path), "%s/empty.sock", dir);
    snprintf(address, sizeof(address), "unix:%s", path);
    pid_t pid = empty_start(load->empty, address);
    int rc = pid > 0 ? compare_rounds(load, address) : -1;
    if (pid > 0) {
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
    }
    unlink(path);
    rmdir(dir);
    return rc;
}

static int number(const char *text, int64_t max, struct argp_state *state)
{
    int64_t value = 0;
    struct mx_err err;
    if (mx_str_to_int(mx_str(text), 0, max, &value, &err) < 0)
        argp_error(state, "%s", err.text);
    return (int)value;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct load *load = state->input;
    switch (key) {
    case 'S': load->socket = arg; break;
    case 'c': load->connections = number(arg, 4096, state); break;
    case 's': load->seconds = number(arg, 3600, state); break;
    case 'r': load->rcpts = number(arg, 10000, state); break;
    case 'b': load->body = (size_t)number(arg, 1 << 30, state); break;
    case 'd': load->dir = arg; break;
    case 'n': load->sessions = (size_t)number(arg, 1 << 30, state); break;
    case 'v': load->is_varied = true; break;
    case 'R': load->rate = number(arg, 10000000, state); break;
    case 'N': load->is_new = true; break;
    case 'P': load->has_probe = true; break;
    case 'E': load->empty = arg; break;
    case 'o': load->rounds = number(arg, ROUNDS_MAX, state); break;
    case ARGP_KEY_END:
        if (load->socket == NULL || load->connections < 1 || load->rounds < 1 ||
            (load->has_probe && load->sessions > 0))
            argp_usage(state);
        break;
    default: return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

int main(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {.name = "socket", .key = 'S', .arg = "ADDRESS", .doc = "The filter's socket"},
        {.name = "connections", .key = 'c', .arg = "N", .doc = "At once (16)"},
        {.name = "seconds", .key = 's', .arg = "N", .doc = "Length of a run (5)"},
        {.name = "rcpts", .key = 'r', .arg = "N", .doc = "Recipients of a session (1)"},
        {.name = "body", .key = 'b', .arg = "BYTES", .doc = "Send messages of that size"},
        {.name = "dir",
         .key = 'd',
         .arg = "DIR",
         .doc = "Send the messages of its files"},
        {.name = "sessions", .key = 'n', .arg = "N", .doc = "End after so many"},
        {.name = "vary", .key = 'v', .doc = "Addresses of its own for each session"},
        {.name = "rate", .key = 'R', .arg = "N", .doc = "Sessions per second in all"},
        {.name = "new", .key = 'N', .doc = "A new connection for each session"},
        {.name = "probe", .key = 'P', .doc = "Measure how long a new connection waits"},
        {.name = "empty",
         .key = 'E',
         .arg = "PROGRAM",
         .doc = "Compare with this filter"},
        {.name = "rounds", .key = 'o', .arg = "N", .doc = "Of the comparison (3)"},
        {0},
    };
    static const struct argp argp = {
        .options = options, .parser = parse, .doc = "Load and latency of a milter."};
    struct load load = {.connections = 16, .seconds = 5, .rcpts = 1, .rounds = 3};
    struct result result;
    if (argp_parse(&argp, argc, argv, 0, NULL, &load) != 0)
        return 2;
    signal(SIGPIPE, SIG_IGN);
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    if (load.sessions == 0)
        pthread_sigmask(SIG_BLOCK, &ends, NULL);
    if (messages_load(&load) < 0)
        return 1;
    if (load.empty)
        return compare(&load) < 0;
    int rc = run(&load, &result);
    print("filter", &load, &result);
    return rc < 0;
}
