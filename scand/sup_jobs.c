/*
 * Requests: taken from the server, put into a bounded queue, handed to idle workers,
 * answered. Here are the rules of a message's life: dropped when nobody waits for it any
 * more, refused at once when there is no room, tried once more when its worker died, and
 * poison when that one died, too.
 *
 * Requests are decoded only for their id; the mail is not looked at, only copied into a
 * sealed memory file when its turn comes.
 */
#include "supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "admin.pb-c.h"
#include "mx_arena.h"
#include "mx_err.h"
#include "mx_str.h"
#include "mx_time.h"
#include "mxp_pack.h"
#include "poison_memory.h"
#include "poison_sample.h"
#include "scan.pb-c.h"
#include "scan_table.h"
#include "sup_plan.h"

#define DEATHS_MAX 2 /* workers that one message may kill */

static void queue_push(struct job_queue *queue, struct job *job)
{
    job->next = NULL;
    if (queue->tail != NULL)
        queue->tail->next = job;
    else
        queue->head = job;
    queue->tail = job;
    queue->n++;
}

/* A job that is tried again has waited long enough. */
static void queue_push_front(struct job_queue *queue, struct job *job)
{
    job->next = queue->head;
    queue->head = job;
    if (queue->tail == NULL)
        queue->tail = job;
    queue->n++;
}

static struct job *queue_pop(struct job_queue *queue)
{
    struct job *job = queue->head;
    if (job == NULL)
        return NULL;
    queue->head = job->next;
    if (queue->head == NULL)
        queue->tail = NULL;
    queue->n--;
    return job;
}

static void job_free(struct supervisor *sup, struct job *job)
{
    sup->jobs--;
    sup->body_bytes -= job->request->body.n;
    if (job->file >= 0)
        close(job->file);
    mxp_request_free(job->request);
    free(job);
    sup_jobs_wake(sup);
}

static void refuse(struct supervisor *sup, struct mxp_request *request, int code,
                   const char *text)
{
    mxp_server_error(sup->server, request, code, text);
    mxp_request_free(request);
    sup_jobs_wake(sup);
}

/* Decodes the request for its id. Fails: not a ScanRequest (-1). */
static int read_id(struct supervisor *sup, const struct mxp_request *request, char *out,
                   struct mx_err *err)
{
    mx_arena_reset(sup->arena);
    const ProtobufCMessage *unpacked =
        mxp_unpack(sup->arena, &mxp__scan_request__descriptor, request->payload, err);
    if (unpacked == NULL)
        return -1;
    const Mxp__ScanRequest *scan = (const Mxp__ScanRequest *)unpacked;
    struct mx_str id = mx_str_sub(mx_str(scan->id), 0, SUP_ID_MAX);
    snprintf(out, sizeof(((struct job *)NULL)->id), "%s", mx_str_esc(sup->arena, id));
    return 0;
}

static void answer_poison(struct supervisor *sup, const struct mxp_request *request)
{
    Mxp__Finding finding;
    mxp__finding__init(&finding);
    finding.symbol = (char *)(uintptr_t) "MX_POISON";
    finding.detector = (char *)(uintptr_t) "supervisor";
    Mxp__Finding *findings[] = {&finding};
    Mxp__ScanReply reply;
    mxp__scan_reply__init(&reply);
    reply.findings = findings;
    reply.n_findings = 1;
    reply.is_poison = true;
    reply.required = sup->conf->required_score;
    reply.scanner = sup->node;
    mxp_server_reply(sup->server, request, MXP_SCAN_REPLY, &reply.base);
    mx_counter_add(sup->metrics.poison, 1);
}

/* Is there room for one more? Answers the request itself if not. */
static bool has_room(struct supervisor *sup, struct mxp_request *request)
{
    const char *why = NULL;
    size_t slots = sup->n_workers + (size_t)sup->conf->queue_length;
    if (!sup->is_ready)
        why = "still loading";
    else if (sup->jobs >= slots)
        why = "queue is full";
    else if (sup->body_bytes + request->body.n > (size_t)sup->conf->queue_bytes)
        why = "queue holds too many octets";
    if (why == NULL)
        return true;
    mx_counter_add(sup->metrics.overloaded, 1);
    mx_log_throttled(sup->log, &sup->log_overload, MX_LOG_WARN, "scan.overloaded",
                     "reason=\"%s\" jobs=%zu action=\"sent elsewhere\"", why, sup->jobs);
    refuse(sup, request, MXP__ERROR_CODE__ERROR_OVERLOADED, why);
    return false;
}

static void take_scan(struct supervisor *sup, struct mxp_request *request)
{
    if (sup->is_draining) {
        mx_counter_add(sup->metrics.draining, 1);
        refuse(sup, request, MXP__ERROR_CODE__ERROR_DRAINING, "draining");
        return;
    }
    if (!has_room(sup, request))
        return;
    if (request->body.p == NULL) { /* "no message" must never come back as "clean" */
        mx_counter_add(sup->metrics.bad, 1);
        refuse(sup, request, MXP__ERROR_CODE__ERROR_BAD_REQUEST, "no message came along");
        return;
    }
    struct mx_err err = {0};
    struct job *job = mx_xalloc(sizeof(*job));
    job->file = -1;
    job->request = request;
    if (read_id(sup, request, job->id, &err) < 0) {
        mx_counter_add(sup->metrics.bad, 1);
        mx_log_throttled(sup->log, &sup->log_bad, MX_LOG_WARN, "scan.bad_request",
                         "reason=\"%s\"", err.text);
        refuse(sup, request, MXP__ERROR_CODE__ERROR_BAD_REQUEST, err.text);
        free(job);
        return;
    }
    sup->jobs++;
    sup->body_bytes += request->body.n;
    if (poison_memory_has(sup->poison, request->body, mx_mono_ms(sup->clock))) {
        mx_log(sup->log, MX_LOG_WARN, "scan.poison", "id=%s known=yes", job->id);
        answer_poison(sup, request);
        job_free(sup, job);
        return;
    }
    queue_push(&sup->queue, job);
}

void sup_jobs_take(struct supervisor *sup)
{
    bool more = false;
    struct mxp_request *request;
    while ((request = mxp_server_next(sup->server, &more)) != NULL) {
        if (request->header.type == MXP_SCAN_REQUEST)
            take_scan(sup, request);
        else if (request->header.type == MXP_STATUS_REQUEST)
            sup_status_reply(sup, request);
        else
            refuse(sup, request, MXP__ERROR_CODE__ERROR_UNKNOWN_TYPE,
                   "a scanner does not know this type of request");
    }
    if (more)
        sup_jobs_wake(sup);
    sup_jobs_dispatch(sup);
}

static void take_again(uv_idle_t *handle)
{
    struct supervisor *sup = handle->data;
    uv_idle_stop(handle);
    sup_jobs_take(sup);
}

void sup_jobs_wake(struct supervisor *sup)
{
    if (!uv_is_closing((uv_handle_t *)&sup->again))
        uv_idle_start(&sup->again, take_again);
}

static int write_all(int file, struct mx_str data)
{
    while (data.n > 0) {
        ssize_t n = write(file, data.p, data.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return -1;
        data = mx_str_sub(data, (size_t)n, data.n);
    }
    return 0;
}

/* The request as a sealed memory file, which every attempt can share. */
static int make_file(struct job *job, struct mx_err *err)
{
    if (job->file >= 0)
        return 0;
    int file = memfd_create("mxdrop-message", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (file < 0)
        return mx_err_errno(err, "memory file");
    if (write_all(file, job->request->payload) < 0 ||
        write_all(file, job->request->body) < 0 ||
        fcntl(file, F_ADD_SEALS,
              F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0) {
        mx_err_errno(err, "memory file of %zu octets", job->request->body.n);
        close(file);
        return -1;
    }
    job->file = file;
    return 0;
}

static void fail_job(struct supervisor *sup, struct job *job, const char *why)
{
    mx_counter_add(sup->metrics.failed, 1);
    mx_log(sup->log, MX_LOG_ERROR, "scan.failed", "id=%s reason=\"%s\"", job->id, why);
    mxp_server_error(sup->server, job->request, MXP__ERROR_CODE__ERROR_INTERNAL, why);
    job_free(sup, job);
}

static bool is_expired(const struct supervisor *sup, const struct job *job)
{
    return mx_mono_ms(sup->clock) >= job->request->expires_ms;
}

static void drop_expired(struct supervisor *sup, struct job *job)
{
    mx_counter_add(sup->metrics.expired, 1);
    mx_log(sup->log, MX_LOG_WARN, "scan.expired", "id=%s deaths=%u", job->id,
           job->deaths);
    job_free(sup, job);
}

void sup_jobs_dispatch(struct supervisor *sup)
{
    struct sup_worker *worker;
    while (sup->queue.head != NULL && (worker = sup_worker_idle(sup)) != NULL) {
        struct job *job = queue_pop(&sup->queue);
        struct mx_err err = {0};
        if (is_expired(sup, job))
            drop_expired(sup, job);
        else if (make_file(job, &err) < 0)
            fail_job(sup, job, err.text);
        else if (sup_worker_give(worker, job, &err) < 0)
            queue_push_front(&sup->queue, job); /* that worker is gone; the next one */
    }
}

void sup_jobs_expire(struct supervisor *sup)
{
    struct job_queue kept = {0};
    struct job *job;
    while ((job = queue_pop(&sup->queue)) != NULL) {
        if (is_expired(sup, job))
            drop_expired(sup, job);
        else
            queue_push(&kept, job);
    }
    sup->queue = kept;
}

static void count_costs(struct supervisor *sup, const struct worker_reply *reply)
{
    for (uint32_t i = 0; i < reply->n_costs; i++) {
        const struct worker_cost *cost = &reply->costs[i];
        if (cost->detector >= WORKER_COSTS_MAX)
            continue;
        mx_histogram_add_us(sup->metrics.detector[cost->detector], cost->us);
        if (!cost->is_finished)
            mx_counter_add(sup->metrics.detector_failed[cost->detector], 1);
    }
}

/* Rules that a message made too dear: somebody should mend the rule. */
static void note_limits(struct supervisor *sup, const struct job *job,
                        const struct worker_reply *reply)
{
    if (reply->n_limited == 0)
        return;
    struct mx_str first =
        mx_str_of(reply->limited, strnlen(reply->limited, sizeof(reply->limited)));
    mx_counter_add(sup->metrics.limits, reply->n_limited);
    mx_log_throttled(sup->log, &sup->log_limited, MX_LOG_WARN, "scan.limited",
                     "id=%s rule=%s rules=%u action=\"left out: match limit met\"",
                     job->id, mx_str_esc(sup->arena, first), reply->n_limited);
}

void sup_job_done(struct supervisor *sup, struct job *job,
                  const struct worker_reply *reply, struct mx_str faults,
                  struct mx_str payload)
{
    int64_t now_us = mx_mono_us();
    mxp_server_reply_bytes(sup->server, job->request, MXP_SCAN_REPLY, payload);
    mx_counter_add(sup->metrics.done, 1);
    mx_counter_add(sup->metrics.viruses, reply->n_viruses > 0);
    mx_histogram_add_us(sup->metrics.scan, now_us - job->started_us);
    mx_histogram_add_us(sup->metrics.wait, job->started_us - job->request->arrived_us);
    count_costs(sup, reply);
    mx_arena_reset(sup->arena);
    if (faults.n > 0)
        mx_log_throttled(sup->log, &sup->log_degraded, MX_LOG_WARN, "scan.degraded",
                         "id=%s faults=%s action=\"scanned without\"", job->id,
                         mx_str_esc(sup->arena, faults));
    note_limits(sup, job, reply);
    mx_log(sup->log, MX_LOG_INFO, "scan.done",
           "id=%s bytes=%zu score=%.3f findings=%u viruses=%u degraded=%s tries=%u us=%u",
           job->id, job->request->body.n, reply->score, reply->n_findings,
           reply->n_viruses, faults.n > 0 ? "yes" : "no", job->deaths + 1, reply->us);
    job_free(sup, job);
}

/* Keeps a sample, where an operator wants one. */
static void keep_sample(struct supervisor *sup, const struct job *job)
{
    struct mx_err err = {0};
    char name[POISON_NAME_MAX];
    if (sup->conf->poison_dir[0] == '\0')
        return;
    if (poison_sample_write(sup->conf->poison_dir, sup->conf->poison_samples,
                            mx_wall_ms(sup->clock), job->request->body, name, &err) < 0)
        mx_log_throttled(sup->log, &sup->log_sample, MX_LOG_ERROR, "scan.no_sample",
                         "id=%s reason=\"%s\"", job->id, err.text);
    else
        mx_log(sup->log, MX_LOG_WARN, "scan.sample", "id=%s file=%s", job->id, name);
}

static void poison(struct supervisor *sup, struct job *job)
{
    int64_t now_ms = mx_mono_ms(sup->clock);
    if (sup->conf->poison_ttl_ms > 0)
        poison_memory_add(sup->poison, job->request->body,
                          now_ms + sup->conf->poison_ttl_ms);
    mx_log(sup->log, MX_LOG_ERROR, "scan.poison", "id=%s bytes=%zu deaths=%u", job->id,
           job->request->body.n, job->deaths);
    keep_sample(sup, job);
    answer_poison(sup, job->request);
    job_free(sup, job);
}

void sup_job_died(struct supervisor *sup, struct job *job, bool is_hang)
{
    job->deaths++;
    if (job->deaths >= DEATHS_MAX && is_hang && !job->is_fair) {
        fail_job(sup, job, "out of time");
    } else if (job->deaths >= DEATHS_MAX) {
        poison(sup, job);
    } else {
        mx_counter_add(sup->metrics.retries, 1);
        mx_log(sup->log, MX_LOG_WARN, "scan.retry", "id=%s reason=%s", job->id,
               is_hang ? "hang" : "crash");
        queue_push_front(&sup->queue, job);
    }
}

void sup_job_again(struct supervisor *sup, struct job *job)
{
    mx_counter_add(sup->metrics.retries, 1);
    queue_push_front(&sup->queue, job);
}

void sup_jobs_drop(struct supervisor *sup)
{
    struct job *job;
    while ((job = queue_pop(&sup->queue)) != NULL) {
        mxp_server_error(sup->server, job->request, MXP__ERROR_CODE__ERROR_DRAINING,
                         "draining");
        job_free(sup, job);
    }
}
