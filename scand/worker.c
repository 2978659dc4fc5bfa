/*
 * A worker: plain blocking code around scan_once. It owns nothing but its socket, its
 * temporary directory and one arena; whatever a message does to it, the supervisor sees a
 * closed socket or silence, and forks another one.
 *
 * Everything that needs opening is opened before worker_confine; from then on a worker
 * reads its socket and memory files and writes to its socket and temporary directory.
 */
#include "worker.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "mx_time.h"
#include "mxp_pack.h"
#include "scan_local.h"
#include "scan_once.h"
#include "scan_table.h"
#include "worker_confine.h"
#include "worker_link.h"

struct worker {
    const struct worker_env *env;
    struct mx_arena *arena;
    int statm;         /* /proc/self/statm */
    int64_t start_rss; /* pages at start */
};

/* Resident pages; 0 where the kernel does not tell. */
static int64_t resident_pages(int statm)
{
    char text[128];
    ssize_t n = statm >= 0 ? pread(statm, text, sizeof(text) - 1, 0) : -1;
    if (n <= 0)
        return 0;
    struct mx_str rest = mx_str_of(text, (size_t)n), field;
    int64_t pages = 0;
    if (mx_str_next(&rest, ' ', &field) < 0 || mx_str_next(&rest, ' ', &field) < 0 ||
        mx_str_to_int(field, 0, INT64_MAX, &pages, NULL) < 0)
        return 0;
    return pages;
}

static uint32_t growth_kib(const struct worker *worker)
{
    int64_t pages = resident_pages(worker->statm) - worker->start_rss;
    int64_t kib = pages * (sysconf(_SC_PAGESIZE) / 1024);
    return kib <= 0 ? 0 : kib > UINT32_MAX ? UINT32_MAX : (uint32_t)kib;
}

static void wait_ms(int64_t ms)
{
    struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    while (ms > 0 && nanosleep(&left, &left) < 0 && errno == EINTR)
        ;
}

static uint16_t detector_index(const char *name)
{
    uint16_t i = 0;
    while (scan_table[i] != NULL && strcmp(scan_table[i]->name, name) != 0)
        i++;
    return i;
}

static void sum_up(const struct worker *worker, const struct scan_result *result,
                   const Mxp__ScanReply *reply, struct worker_reply *out)
{
    out->us = reply->us < UINT32_MAX ? (uint32_t)reply->us : UINT32_MAX;
    out->growth_kib = growth_kib(worker);
    out->n_findings = (uint16_t)result->n_findings;
    out->n_viruses = (uint16_t)result->n_viruses;
    out->score = reply->score;
    out->n_limited = (uint32_t)result->n_limited;
    snprintf(out->limited, sizeof(out->limited), "%.*s", MX_STR_FMT(result->limited));
    for (size_t i = 0; i < result->n_costs && i < WORKER_COSTS_MAX; i++)
        out->costs[out->n_costs++] = (struct worker_cost){
            (uint32_t)result->costs[i].us, detector_index(result->costs[i].detector),
            result->costs[i].is_finished};
}

static struct mx_str faults_text(const struct scan_result *result)
{
    const char *text = "";
    for (size_t i = 0; i < result->n_faults; i++)
        text = mx_arena_printf(result->arena, "%s%s%s: %s", text, i > 0 ? "; " : "",
                               result->faults[i].detector, result->faults[i].reason);
    return mx_str(text);
}

/* One message: unpack, scan, answer. */
static int serve(struct worker *worker, const struct worker_request *request,
                 struct mx_str payload, struct mx_str body, struct mx_err *err)
{
    int64_t deadline_ms = mx_mono_us() / 1000 + request->time_ms;
    const ProtobufCMessage *unpacked =
        mxp_unpack(worker->arena, &mxp__scan_request__descriptor, payload, err);
    if (unpacked == NULL)
        return -1;
    wait_ms(worker->env->conf->scan_delay_ms);
    struct scan_once once = {
        .request = (const Mxp__ScanRequest *)unpacked,
        .raw = body,
        .deadline_ms = deadline_ms,
        .scanner = worker->env->node,
    };
    struct scan_result result;
    Mxp__ScanReply *reply = NULL;
    scan_once_run(worker->env->chain, worker->env->conf, worker->arena, &once, &result,
                  &reply);
    struct worker_reply head = {.seq = request->seq};
    sum_up(worker, &result, reply, &head);
    return worker_reply_send(worker->env->fd, &head, faults_text(&result),
                             mxp_pack(worker->arena, &reply->base), err);
}

/* Maps the memory file behind a request and serves it. */
static int serve_file(struct worker *worker, const struct worker_request *request,
                      int file, struct mx_err *err)
{
    struct stat info;
    size_t size = (size_t)request->payload_n + request->body_n;
    if (fstat(file, &info) < 0 || (uint64_t)info.st_size != size)
        return mx_err_set(err, MX_ERR_INPUT, "memory file of another size");
    if (size == 0)
        return serve(worker, request, MX_STR(""), MX_STR(""), err);
    char *map = mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file, 0);
    if (map == MAP_FAILED)
        return mx_err_errno(err, "mapping the message");
    int rc = serve(worker, request, mx_str_of(map, request->payload_n),
                   mx_str_of(map + request->payload_n, request->body_n), err);
    munmap(map, size);
    return rc;
}

static int next(struct worker *worker, struct mx_err *err)
{
    struct worker_request request;
    int file = -1;
    if (worker_request_recv(worker->env->fd, &request, &file, err) < 0)
        return -1;
    int rc = serve_file(worker, &request, file, err);
    close(file);
    mx_arena_reset(worker->arena);
    return rc;
}

int worker_run(const struct worker_env *env)
{
    struct mx_err err = {0};
    struct worker worker = {.env = env};
    worker.arena = mx_arena_new(scan_local_arena_size((size_t)env->conf->max_body));
    worker.statm = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    scan_chain_start(env->chain, env->temp_dir);
    int rc = worker_confine(env->conf, &err);
    worker.start_rss = resident_pages(worker.statm);
    if (rc == 0)
        rc = worker_reply_send(env->fd, &(struct worker_reply){0}, MX_STR(""), MX_STR(""),
                               &err);
    while (rc == 0)
        rc = next(&worker, &err);
    if (worker.statm >= 0)
        close(worker.statm);
    mx_arena_free(worker.arena);
    return err.code == MX_ERR_DOWN ? 0 : 1;
}
