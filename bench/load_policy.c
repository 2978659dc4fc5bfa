/*
 * Load on a policyd: N threads, each with one RCPT check in flight, over mxp_client, so
 * that all of N are in flight at the worker. Prints checks per second, percentiles of the
 * time a caller waits, CPU time of the policyd per check, and what went wrong.
 *
 *   load_policy [-c IN_FLIGHT] [-n CHECKS] [-p PID] ENDPOINT
 *
 * Senders come from 65,536 networks and 4,096 recipients, so that Redis sees many keys.
 * The generator runs on the same cores as the policyd and Redis; CPU seconds per check
 * are what compares. load_policy.sh puts the figures of Redis alone beside them.
 */
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

struct load {
    struct mxp_client *client;
    size_t checks;
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
    printf("\n");
}

static void run(struct load *load, long in_flight, long pid)
{
    pthread_t *threads = mx_xalloc((size_t)in_flight * sizeof(*threads));
    pthread_attr_t attributes;
    long n = 0;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    double cpu = cpu_seconds(pid);
    int64_t began_us = mx_mono_us();
    while (n < in_flight && pthread_create(&threads[n], &attributes, generate, load) == 0)
        n++;
    for (long i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
    report(load, (double)(mx_mono_us() - began_us) / 1e6, cpu_seconds(pid) - cpu);
    pthread_attr_destroy(&attributes);
    free(threads);
}

static long number(const char *text, long max)
{
    int64_t value;
    struct mx_err err;
    if (mx_str_to_int(mx_str(text), 1, max, &value, &err) < 0) {
        fprintf(stderr, "load_policy: %s\n", err.text);
        exit(2);
    }
    return (long)value;
}

int main(int argc, char **argv)
{
    struct load load = {.checks = 200000};
    long in_flight = 256, pid = 0;
    struct mx_err err;
    int option;
    while ((option = getopt(argc, argv, "c:n:p:")) != -1) {
        switch (option) {
        case 'c': in_flight = number(optarg, THREADS_MAX); break;
        case 'n': load.checks = (size_t)number(optarg, CHECKS_MAX); break;
        case 'p': pid = number(optarg, 1L << 30); break;
        default: return 2;
        }
    }
    if (optind != argc - 1) {
        fprintf(stderr,
                "usage: load_policy [-c IN_FLIGHT] [-n CHECKS] [-p PID] ENDPOINT\n");
        return 2;
    }
    struct mxp_client_options options = {.name = "load", .in_flight_max = THREADS_MAX};
    struct mxp_endpoint endpoint = {argv[optind], NULL};
    if (mxp_client_new(&options, &load.client, &err) < 0 ||
        mxp_client_endpoints(load.client, &endpoint, 1, &err) < 0) {
        fprintf(stderr, "load_policy: %s\n", err.text);
        return 1;
    }
    load.waits_us = mx_xalloc(load.checks * sizeof(*load.waits_us));
    run(&load, in_flight, pid);
    mxp_client_free(load.client);
    free(load.waits_us);
    return atomic_load(&load.failed) > 0;
}
