/*
 * Load on scanners: N threads, each with one message in flight, over mxp_client. Prints
 * messages per second, percentiles of the time a caller waits, and what went wrong.
 *
 *   load_scan [-c IN_FLIGHT] [-n MESSAGES] [-t DEADLINE_MS] ENDPOINT[,ENDPOINT...] [DIR]
 *
 * DIR holds messages, one a file, read into memory beforehand (at most 20,000;
 * directories below it are looked into, too); without it one generated message of 11.7
 * KB, the mean of our corpus, is sent again and again. The generator runs on the same
 * cores as the scanner: figures are for comparison on one machine.
 */
#include <ftw.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "mx_str.h"
#include "mx_time.h"
#include "mxp_client.h"
#include "mxp_pack.h"
#include "scan.pb-c.h"

#define FILES_MAX 20000
#define FILE_MAX_BYTES (16 << 20)
#define GENERATED_BYTES 11700
#define THREADS_MAX 1024
#define ENDPOINTS_MAX 128

struct corpus {
    struct mx_str *files;
    size_t n;
    uint64_t bytes;
};

struct load {
    struct mxp_client *client;
    const struct corpus *corpus;
    size_t messages;
    unsigned deadline_ms;
    atomic_size_t next, failed, found, degraded;
    uint32_t *waits_us; /* one a message; UINT32_MAX: no answer */
};

/* nftw has no argument for its callback; a load generator may keep this one. */
static struct corpus collected;

static int collect(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    (void)walk;
    if (kind != FTW_F || info->st_size == 0 || info->st_size > FILE_MAX_BYTES ||
        collected.n >= FILES_MAX)
        return 0;
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return 0;
    char *text = mx_xalloc((size_t)info->st_size);
    size_t n = fread(text, 1, (size_t)info->st_size, file);
    fclose(file);
    collected.files[collected.n++] = mx_str_of(text, n);
    collected.bytes += n;
    return 0;
}

static void generate(void)
{
    struct mx_buf text = {0};
    mx_buf_str(&text, "Received: from a by b; Mon, 1 Jun 2026 10:00:00 +0000\r\n"
                      "From: <a@example.org>\r\nTo: <b@example.net>\r\nSubject: load\r\n"
                      "Date: Mon, 1 Jun 2026 10:00:00 +0000\r\n"
                      "Message-ID: <1@example.org>\r\n\r\n");
    for (unsigned i = 0; text.n < GENERATED_BYTES; i++)
        mx_buf_printf(&text, "Line %u of some text that nobody ever will read.\r\n", i);
    collected.files[0] = mx_str_of(text.p, text.n);
    collected.n = 1;
    collected.bytes = text.n;
}

static void scan_one(struct load *load, struct mx_arena *arena, size_t i)
{
    struct mx_str file = load->corpus->files[i % load->corpus->n];
    Mxp__ScanRequest request;
    mxp__scan_request__init(&request);
    request.id = mx_arena_printf(arena, "load-%zu", i);
    request.size = file.n;
    struct mxp_body *body = mxp_body_new(file.p, file.n, NULL, NULL);
    struct mxp_call call = {.type = MXP_SCAN_REQUEST,
                            .payload = &request.base,
                            .body = body,
                            .reply_type = MXP_SCAN_REPLY,
                            .deadline_ms = load->deadline_ms};
    struct mxp_answer answer = {0};
    struct mx_err err = {0};
    int64_t from_us = mx_mono_us();
    int rc = mxp_client_call(load->client, arena, &call, &answer, &err);
    int64_t us = mx_mono_us() - from_us;
    mxp_body_unref(body);
    if (rc < 0) {
        if (atomic_fetch_add(&load->failed, 1) == 0)
            fprintf(stderr, "load_scan: first failure: %s\n", err.text);
        load->waits_us[i] = UINT32_MAX;
        return;
    }
    load->waits_us[i] = (uint32_t)us;
    const ProtobufCMessage *reply =
        mxp_unpack(arena, &mxp__scan_reply__descriptor, answer.payload, &err);
    const Mxp__ScanReply *scan = (const Mxp__ScanReply *)reply;
    atomic_fetch_add(&load->found, scan != NULL && scan->n_viruses > 0);
    atomic_fetch_add(&load->degraded, scan == NULL || scan->n_degraded > 0);
}

static void *run(void *user)
{
    struct load *load = user;
    struct mx_arena *arena = mx_arena_new(64u << 20);
    size_t i;
    while ((i = atomic_fetch_add(&load->next, 1)) < load->messages) {
        scan_one(load, arena, i);
        mx_arena_reset(arena);
    }
    mx_arena_free(arena);
    return NULL;
}

static int by_size(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static void report(struct load *load, int64_t us)
{
    size_t n = load->messages, good = n - load->failed;
    qsort(load->waits_us, n, sizeof(uint32_t), by_size);
    printf("messages %zu  mean size %llu  seconds %.2f  messages/s %.1f\n", n,
           (unsigned long long)(load->corpus->bytes / load->corpus->n), (double)us / 1e6,
           (double)good * 1e6 / (double)us);
    if (good > 0)
        printf("wait ms  p50 %.2f  p90 %.2f  p99 %.2f  max %.2f\n",
               load->waits_us[good / 2] / 1e3, load->waits_us[good * 9 / 10] / 1e3,
               load->waits_us[good * 99 / 100] / 1e3, load->waits_us[good - 1] / 1e3);
    printf("failed %zu  degraded %zu  with viruses %zu\n", (size_t)load->failed,
           (size_t)load->degraded, (size_t)load->found);
}

/* "a,b,c" as the client's endpoints. */
static int connect_all(struct load *load, const char *addresses, struct mx_err *err)
{
    struct mxp_endpoint endpoints[ENDPOINTS_MAX] = {0};
    struct mx_arena *arena = mx_arena_new(1 << 20);
    struct mx_str rest = mx_str(addresses), one;
    size_t n = 0;
    while (n < ENDPOINTS_MAX && mx_str_next(&rest, ',', &one) == 0)
        endpoints[n++].address = mx_str_cstr(arena, one);
    int rc = mxp_client_endpoints(load->client, endpoints, n, err);
    mx_arena_free(arena);
    return rc;
}

static int load_run(struct load *load, const char *addresses, size_t threads,
                    struct mx_err *err)
{
    struct mxp_client_options options = {.name = "load"};
    if (mxp_client_new(&options, &load->client, err) < 0)
        return -1;
    int rc = connect_all(load, addresses, err);
    load->waits_us = mx_xalloc(load->messages * sizeof(uint32_t));
    pthread_t ids[THREADS_MAX];
    size_t started = 0;
    int64_t from_us = mx_mono_us();
    while (rc == 0 && started < threads &&
           pthread_create(&ids[started], NULL, run, load) == 0)
        started++;
    for (size_t i = 0; i < started; i++)
        pthread_join(ids[i], NULL);
    if (rc == 0)
        report(load, mx_mono_us() - from_us);
    mxp_client_free(load->client);
    free(load->waits_us);
    return rc;
}

static size_t number(const char *text, int64_t max)
{
    int64_t value = 0;
    struct mx_err err;
    if (mx_str_to_int(mx_str(text), 1, max, &value, &err) < 0) {
        fprintf(stderr, "load_scan: %s\n", err.text);
        exit(2);
    }
    return (size_t)value;
}

static int usage(void)
{
    fprintf(stderr, "usage: load_scan [-c IN_FLIGHT] [-n MESSAGES] [-t DEADLINE_MS] "
                    "ENDPOINT[,ENDPOINT...] [DIR]\n");
    return 2;
}

int main(int argc, char **argv)
{
    struct load load = {.messages = 2000, .deadline_ms = 60000, .corpus = &collected};
    size_t threads = 8;
    int option;
    while ((option = getopt(argc, argv, "c:n:t:")) != -1) {
        switch (option) {
        case 'c': threads = number(optarg, THREADS_MAX); break;
        case 'n': load.messages = number(optarg, 10000000); break;
        case 't': load.deadline_ms = (unsigned)number(optarg, 600000); break;
        default: return usage();
        }
    }
    if (optind >= argc || argc - optind > 2)
        return usage();
    collected.files = mx_xalloc(FILES_MAX * sizeof(*collected.files));
    if (argc - optind == 2)
        nftw(argv[optind + 1], collect, 32, FTW_PHYS);
    else
        generate();
    struct mx_err err = {0};
    if (collected.n == 0)
        mx_err_set(&err, MX_ERR_INPUT, "%s: no messages", argv[optind + 1]);
    if (collected.n == 0 || load_run(&load, argv[optind], threads, &err) < 0) {
        fprintf(stderr, "load_scan: %s\n", err.text);
        return 1;
    }
    return load.failed > 0;
}
