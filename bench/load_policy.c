/*
 * Load on a policyd: N threads, each with one RCPT check in flight, over mxp_client, so
 * that all of N are in flight at the worker. Prints checks per second, percentiles of the
 * time a caller waits, and what went wrong.
 *
 *   load_policy [-c IN_FLIGHT] [-n CHECKS] [-p PID] ENDPOINT
 *
 * With the PID of the policyd also its CPU time per check and its memory (PSS) before and
 * at most: where Redis is held up meanwhile, all N are in flight at once
 * (memory_policy.sh).
 *
 * Senders come from 65,536 networks and 4,096 recipients, so that Redis sees many keys.
 * The generator runs on the same cores as the policyd and Redis; CPU seconds per check
 * are what compares. load_policy.sh puts the figures of Redis alone beside them.
 */
#include <argp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "mx_time.h"
#include "mxp_client.h"
#include "mxp_pack.h"
#include "policy.pb-c.h"

#define THREADS_MAX 4096
#define CHECKS_MAX 50000000
#define DEADLINE_MS 10000
#define STACK_BYTES (256 << 10) /* of a generator thread */
#define PSS_PAUSE_US 20000      /* between two looks at the memory */

struct load {
    struct mxp_client *client;
    const char *endpoint;
    long in_flight, pid;
    size_t checks;
    atomic_bool is_over;
    atomic_size_t next, failed, put_off, degraded;
    uint32_t *waits_us; /* one a check; UINT32_MAX: no answer */
};

static void count(struct load *load, const Mxp__PolicyReply *reply)
{
    if (reply->action == MXP__ACTION__ACTION_TEMPFAIL)
        atomic_fetch_add(&load->put_off, 1);
    if (reply->n_degraded)
        atomic_fetch_add(&load->degraded, 1);
}

/* Check ${i}: another network and recipient each time, by a fixed shuffle. */
static int check(struct load *load, struct mx_arena *arena, size_t i)
{
    uint32_t mixed = (uint32_t)(i * 2654435761u);
    uint8_t addr[4] = {10, (uint8_t)(mixed >> 24), (uint8_t)(mixed >> 16), 1};
    char rcpt_path[64], sender[64];
    Mxp__PolicyRequest request = MXP__POLICY_REQUEST__INIT;
    Mxp__Recipient rcpt = MXP__RECIPIENT__INIT;
    snprintf(rcpt_path, sizeof(rcpt_path), "<user%u@example.org>", (mixed >> 4) & 4095);
    snprintf(sender, sizeof(sender), "<news@s%u.example>", mixed >> 24);
    request.stage = MXP__STAGE__STAGE_RCPT;
    request.client_addr = mxp_bytes(mx_str_of(addr, sizeof(addr)));
    request.helo = mxp_bytes(MX_STR("mx.sender.example"));
    request.sender = mxp_bytes(mx_str(sender));
    rcpt.path = mxp_bytes(mx_str(rcpt_path));
    request.rcpt = &rcpt;
    struct mxp_call call = {.type = MXP_POLICY_REQUEST,
                            .payload = &request.base,
                            .reply_type = MXP_POLICY_REPLY,
                            .deadline_ms = DEADLINE_MS};
    struct mxp_answer answer;
    struct mx_err err;
    if (mxp_client_call(load->client, arena, &call, &answer, &err) < 0)
        return -1;
    const Mxp__PolicyReply *reply = (const Mxp__PolicyReply *)mxp_unpack(
        arena, &mxp__policy_reply__descriptor, answer.payload, &err);
    if (reply == NULL)
        return -1;
    count(load, reply);
    return 0;
}

static void *generate(void *user)
{
    struct load *load = user;
    struct mx_arena *arena = mx_arena_new(1 << 20);
    for (;;) {
        size_t i = atomic_fetch_add(&load->next, 1);
        if (i >= load->checks)
            break;
        mx_arena_reset(arena);
        int64_t began_us = mx_mono_us();
        if (check(load, arena, i) < 0) {
            atomic_fetch_add(&load->failed, 1);
            load->waits_us[i] = UINT32_MAX;
        } else {
            load->waits_us[i] = (uint32_t)(mx_mono_us() - began_us);
        }
    }
    mx_arena_free(arena);
    return NULL;
}

static int by_value(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* User and system time of a process in seconds; 0 where there is none. */
static double cpu_seconds(long pid)
{
    char path[64], text[1024];
    unsigned long user, system;
    snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
    FILE *f = pid > 0 ? fopen(path, "r") : NULL;
    if (f == NULL)
        return 0;
    size_t n = fread(text, 1, sizeof(text) - 1, f);
    fclose(f);
    text[n] = '\0';
    const char *behind = strrchr(text, ')');
    if (behind == NULL || sscanf(behind,
                                 ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u "
                                 "%lu %lu",
                                 &user, &system) != 2)
        return 0;
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

/* Memory of a process in KiB, its share of what others map as well; 0: none such. */
static long pss_kib(long pid)
{
    char path[64], line[128];
    long kib = 0;
    snprintf(path, sizeof(path), "/proc/%ld/smaps_rollup", pid);
    FILE *f = pid > 0 ? fopen(path, "r") : NULL;
    while (f && kib == 0 && fgets(line, sizeof(line), f))
        if (sscanf(line, "Pss: %ld kB", &kib) != 1)
            kib = 0;
    if (f)
        fclose(f);
    return kib;
}

/* The most that it had until the load was over. */
static void *watch_memory(void *user)
{
    struct load *load = user;
    long *most = mx_xalloc(sizeof(*most));
    do {
        long now = pss_kib(load->pid);
        *most = now > *most ? now : *most;
        usleep(PSS_PAUSE_US);
    } while (!atomic_load(&load->is_over));
    return most;
}

static void report(struct load *load, double seconds, double cpu)
{
    qsort(load->waits_us, load->checks, sizeof(*load->waits_us), by_value);
    size_t answered = load->checks - atomic_load(&load->failed);
    printf("checks=%zu failed=%zu put_off=%zu degraded=%zu seconds=%.2f per_second=%.0f",
           load->checks, atomic_load(&load->failed), atomic_load(&load->put_off),
           atomic_load(&load->degraded), seconds, (double)answered / seconds);
    if (answered)
        printf(" p50_us=%u p99_us=%u", load->waits_us[answered / 2],
               load->waits_us[answered - 1 - answered / 100]);
    if (cpu > 0)
        printf(" policyd_cpu_us=%.1f per_core=%.0f", cpu * 1e6 / (double)load->checks,
               (double)load->checks / cpu);
}

static void run(struct load *load)
{
    size_t in_flight = (size_t)load->in_flight, n = 0;
    pthread_t *threads = mx_xalloc(in_flight * sizeof(*threads)), watcher;
    pthread_attr_t attributes;
    long before_kib = pss_kib(load->pid);
    void *most_kib = NULL;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    double cpu = cpu_seconds(load->pid);
    int64_t began_us = mx_mono_us();
    bool is_watched =
        before_kib > 0 && pthread_create(&watcher, &attributes, watch_memory, load) == 0;
    while (n < in_flight && pthread_create(&threads[n], &attributes, generate, load) == 0)
        n++;
    for (size_t i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
    atomic_store(&load->is_over, true);
    report(load, (double)(mx_mono_us() - began_us) / 1e6, cpu_seconds(load->pid) - cpu);
    if (is_watched && pthread_join(watcher, &most_kib) == 0)
        printf(" pss_kib_before=%ld pss_kib_most=%ld", before_kib, *(long *)most_kib);
    printf("\n");
    free(most_kib);
    pthread_attr_destroy(&attributes);
    free(threads);
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct load *load = state->input;
    int64_t number = 0;
    bool is_number = text && mx_str_to_int(mx_str(text), 1, 1L << 30, &number, NULL) == 0;
    switch (key) {
    case 'c': load->in_flight = (long)number; break;
    case 'n': load->checks = (size_t)number; break;
    case 'p': load->pid = (long)number; break;
    case ARGP_KEY_ARG:
        if (load->endpoint)
            argp_usage(state);
        load->endpoint = text;
        return 0;
    case ARGP_KEY_END:
        if (load->endpoint == NULL)
            argp_usage(state);
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
    if (!is_number || load->in_flight > THREADS_MAX || load->checks > CHECKS_MAX)
        argp_error(state, "-%c: not a number within its bounds: %s", key, text);
    return 0;
}

int main(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {.name = "in-flight", .key = 'c', .arg = "N", .doc = "Checks at once (256)"},
        {.name = "checks", .key = 'n', .arg = "N", .doc = "In all (200000)"},
        {.name = "pid",
         .key = 'p',
         .arg = "PID",
         .doc = "The policyd's, on this machine"},
        {0},
    };
    static const struct argp argp = {.options = options,
                                     .parser = parse,
                                     .args_doc = "ENDPOINT",
                                     .doc = "RCPT checks for a policyd."};
    struct load load = {.checks = 200000, .in_flight = 256};
    struct mx_err err;
    argp_err_exit_status = 2;
    if (argp_parse(&argp, argc, argv, 0, NULL, &load) != 0)
        return 2;
    struct mxp_client_options client = {.name = "load", .in_flight_max = THREADS_MAX};
    struct mxp_endpoint endpoint = {load.endpoint, NULL};
    if (mxp_client_new(&client, &load.client, &err) < 0 ||
        mxp_client_endpoints(load.client, &endpoint, 1, &err) < 0) {
        fprintf(stderr, "load_policy: %s\n", err.text);
        return 1;
    }
    load.waits_us = mx_xalloc(load.checks * sizeof(*load.waits_us));
    run(&load);
    mxp_client_free(load.client);
    free(load.waits_us);
    return atomic_load(&load.failed) > 0;
}
