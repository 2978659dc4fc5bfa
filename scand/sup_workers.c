/*
 * Workers, as the supervisor sees them: a socket, a state, perhaps a job. The process at
 * the other end belongs to the engine parent, which forks, reaps and kills for us.
 *
 * A worker is STARTING until it says hello, then IDLE and BUSY in turn. Whatever happens
 * to it (socket closed, garbage sent, silent for too long) ends in worker_end: the job
 * goes back to sup_jobs.c, the slot is free for a new one.
 */
#include "supervisor.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine_link.h"
#include "mx_arena.h"
#include "mx_err.h"
#include "mx_time.h"
#include "sup_plan.h"

#define HELLO_MS 10000 /* from the order to fork until the worker is ready */
#define READ_CHUNK 65536

enum worker_end { END_QUIET, END_CRASH, END_HANG };

static void on_closed(uv_handle_t *handle)
{
    struct sup_worker *worker = handle->data;
    worker_inbox_fini(&worker->inbox);
    free(worker);
}

/* Takes the worker out of everything; its job, if any, is told by the caller. */
static struct job *detach(struct sup_worker *worker)
{
    struct supervisor *sup = worker->sup;
    for (size_t i = 0; i < SUP_WORKERS_MAX; i++)
        if (sup->workers[i] == worker)
            sup->workers[i] = NULL;
    struct job *job = worker->job;
    worker->job = NULL;
    uv_poll_stop(&worker->poll);
    uv_close((uv_handle_t *)&worker->poll, on_closed);
    close(worker->fd);
    sup_engine_worker_gone(worker->engine);
    return job;
}

static void count_failure(struct supervisor *sup)
{
    sup->worker_failures++;
    int64_t wait_ms = sup_backoff_ms(sup->worker_failures);
    sup->worker_after_ms = mx_mono_ms(sup->clock) + wait_ms;
    if (wait_ms > 0)
        mx_log(sup->log, MX_LOG_ERROR, "worker.backoff", "failures=%u wait_ms=%lld",
               sup->worker_failures, (long long)wait_ms);
}

static void order_kill(const struct sup_worker *worker)
{
    struct engine_msg msg = {.word = ENGINE_KILL, .pid = worker->pid};
    if (worker->engine->fd >= 0)
        engine_msg_send(worker->engine->fd, &msg, -1, NULL);
}

static void worker_end(struct sup_worker *worker, enum worker_end how, const char *why)
{
    struct supervisor *sup = worker->sup;
    bool was_starting = worker->state == WORKER_STARTING;
    if (how != END_QUIET) {
        mx_counter_add(how == END_HANG ? sup->metrics.hung : sup->metrics.crashed, 1);
        mx_log(sup->log, MX_LOG_WARN, "worker.lost", "pid=%d reason=\"%s\" id=%s",
               (int)worker->pid, why, worker->job ? worker->job->id : "-");
        order_kill(worker); /* closed its socket or hangs: either way it must go */
    }
    /* With a message in hand it is the message's failure, and poison bounds that. */
    if (how != END_QUIET && (was_starting || worker->job == NULL))
        count_failure(sup);
    struct job *job = detach(worker);
    if (job != NULL)
        sup_job_died(sup, job, how == END_HANG);
    sup_workers_fill(sup);
}

static bool is_worn_out(const struct sup_worker *worker, const struct worker_reply *reply)
{
    const struct scan_conf *conf = worker->sup->conf;
    return worker->messages >= conf->recycle_messages ||
           (int64_t)reply->growth_kib * 1024 > conf->recycle_growth;
}

/* Its hello and its pid come over different sockets, in any order. */
static void log_started(const struct sup_worker *worker)
{
    if (worker->pid != 0 && worker->state != WORKER_STARTING)
        mx_log(worker->sup->log, MX_LOG_INFO, "worker.started", "pid=%d generation=%u",
               (int)worker->pid, worker->engine->generation);
}

static void on_hello(struct sup_worker *worker)
{
    struct supervisor *sup = worker->sup;
    worker->state = WORKER_IDLE;
    log_started(worker);
    if (!sup->is_ready) {
        sup->is_ready = true;
        sup_status_announce(sup);
        mx_daemon_ready(sup->env, "scanning, %zu workers", sup->n_workers);
    }
}

/* A whole reply is there. The worker may end here. */
static void on_reply(struct sup_worker *worker, const struct worker_reply *reply,
                     struct mx_str faults, struct mx_str payload)
{
    struct supervisor *sup = worker->sup;
    if (worker->state == WORKER_STARTING && reply->seq == 0) {
        on_hello(worker);
    } else if (worker->state == WORKER_BUSY && reply->seq == worker->seq) {
        struct job *job = worker->job;
        worker->job = NULL;
        worker->state = WORKER_IDLE;
        sup->worker_failures = 0;
        sup_job_done(sup, job, reply, faults, payload);
    } else {
        worker_end(worker, END_CRASH, "reply that nobody asked for");
        return;
    }
    bool is_worn = is_worn_out(worker, reply);
    if (is_worn || worker->engine->state != ENGINE_SERVING) {
        mx_counter_add(sup->metrics.recycled, is_worn);
        worker_end(worker, END_QUIET, "");
    }
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    (void)status, (void)events;
    struct sup_worker *worker = poll->data;
    struct supervisor *sup = worker->sup;
    char chunk[READ_CHUNK];
    ssize_t n = recv(worker->fd, chunk, sizeof(chunk), MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    struct mx_err err = {0};
    struct worker_reply reply;
    struct mx_str faults, payload;
    if (n <= 0)
        worker_end(worker, END_CRASH, "died");
    else if (worker_inbox_feed(&worker->inbox, mx_str_of(chunk, (size_t)n), &err) < 0)
        worker_end(worker, END_CRASH, err.text);
    else if (worker_inbox_take(&worker->inbox, &reply, &faults, &payload) == 0)
        on_reply(worker, &reply, faults, payload);
    sup_jobs_dispatch(sup);
}

static struct sup_worker *worker_new(struct supervisor *sup, int fd)
{
    struct sup_worker *worker = mx_xalloc(sizeof(*worker));
    worker->sup = sup;
    worker->engine = sup->serving;
    worker->engine->workers++;
    worker->slot = ++sup->next_slot;
    worker->fd = fd;
    worker->kill_ms = mx_mono_ms(sup->clock) + HELLO_MS;
    uv_poll_init(&sup->loop, &worker->poll, fd);
    worker->poll.data = worker;
    uv_poll_start(&worker->poll, UV_READABLE | UV_DISCONNECT, on_readable);
    return worker;
}

/* One more worker. Fails: no sockets, or the engine does not listen (-1). */
static int start_one(struct supervisor *sup, struct sup_worker **out, struct mx_err *err)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return mx_err_errno(err, "socketpair");
    struct engine_msg msg = {.word = ENGINE_SPAWN, .slot = sup->next_slot + 1};
    int rc = engine_msg_send(sup->serving->fd, &msg, pair[1], err);
    close(pair[1]);
    if (rc < 0) {
        close(pair[0]);
        return -1;
    }
    *out = worker_new(sup, pair[0]);
    return 0;
}

static bool may_start(const struct supervisor *sup)
{
    return sup->serving != NULL && sup->serving->state == ENGINE_SERVING &&
           sup->serving->fd >= 0 && !sup->is_stopping &&
           mx_mono_ms(sup->clock) >= sup->worker_after_ms;
}

void sup_workers_fill(struct supervisor *sup)
{
    struct mx_err err = {0};
    for (size_t i = 0; i < sup->n_workers && may_start(sup); i++) {
        if (sup->workers[i] == NULL && start_one(sup, &sup->workers[i], &err) < 0) {
            mx_log(sup->log, MX_LOG_ERROR, "worker.not_started", "reason=\"%s\"",
                   err.text);
            count_failure(sup);
        }
    }
}

void sup_workers_tick(struct supervisor *sup)
{
    int64_t now_ms = mx_mono_ms(sup->clock);
    for (size_t i = 0; i < SUP_WORKERS_MAX; i++) {
        struct sup_worker *worker = sup->workers[i];
        if (worker == NULL || worker->state == WORKER_IDLE || now_ms < worker->kill_ms)
            continue;
        if (worker->state == WORKER_STARTING)
            sup_engine_kill(worker->engine); /* and this worker with it */
        else
            worker_end(worker, END_HANG, "silent past its deadline");
    }
}

void sup_workers_retire(struct supervisor *sup)
{
    for (size_t i = 0; i < SUP_WORKERS_MAX; i++) {
        struct sup_worker *worker = sup->workers[i];
        bool is_surplus = i >= sup->n_workers;
        if (worker != NULL && worker->state != WORKER_BUSY &&
            (worker->engine->state != ENGINE_SERVING || is_surplus))
            worker_end(worker, END_QUIET, "");
    }
}

struct sup_worker *sup_worker_idle(struct supervisor *sup)
{
    for (size_t i = 0; i < sup->n_workers; i++)
        if (sup->workers[i] != NULL && sup->workers[i]->state == WORKER_IDLE)
            return sup->workers[i];
    return NULL;
}

int sup_worker_give(struct sup_worker *worker, struct job *job, struct mx_err *err)
{
    struct supervisor *sup = worker->sup;
    int64_t now_ms = mx_mono_ms(sup->clock);
    struct sup_attempt plan = sup_attempt_plan(job->request->expires_ms - now_ms,
                                               sup->conf->scan_timeout_ms, job->deaths);
    if (++sup->next_seq == 0) /* 0 is the hello */
        sup->next_seq = 1;
    struct worker_request request = {
        .seq = sup->next_seq,
        .payload_n = (uint32_t)job->request->payload.n,
        .time_ms = (uint32_t)plan.soft_ms,
        .body_n = job->request->body.n,
    };
    if (worker_request_send(worker->fd, &request, job->file, err) < 0) {
        worker_end(worker, END_CRASH, err->text);
        return -1;
    }
    worker->seq = request.seq;
    worker->state = WORKER_BUSY;
    worker->job = job;
    worker->messages++;
    worker->kill_ms = now_ms + plan.hard_ms;
    job->is_fair = plan.is_fair;
    job->started_us = mx_mono_us();
    return 0;
}

void sup_worker_born(struct supervisor *sup, uint32_t slot, pid_t pid)
{
    for (size_t i = 0; i < SUP_WORKERS_MAX; i++) {
        if (sup->workers[i] == NULL || sup->workers[i]->slot != slot)
            continue;
        sup->workers[i]->pid = pid;
        log_started(sup->workers[i]);
    }
}

void sup_worker_status(struct supervisor *sup, pid_t pid, int status)
{
    if (WIFSIGNALED(status))
        mx_log(sup->log, MX_LOG_WARN, "worker.ended", "pid=%d signal=%d", (int)pid,
               WTERMSIG(status));
    else
        mx_log(sup->log, WEXITSTATUS(status) == 0 ? MX_LOG_INFO : MX_LOG_WARN,
               "worker.ended", "pid=%d status=%d", (int)pid, WEXITSTATUS(status));
}

size_t sup_workers_busy(const struct supervisor *sup)
{
    size_t busy = 0;
    for (size_t i = 0; i < SUP_WORKERS_MAX; i++)
        busy += sup->workers[i] != NULL && sup->workers[i]->state == WORKER_BUSY;
    return busy;
}

void sup_workers_drop(struct supervisor *sup, struct sup_engine *engine)
{
    for (size_t i = 0; i < SUP_WORKERS_MAX; i++) {
        struct sup_worker *worker = sup->workers[i];
        if (worker == NULL || (engine != NULL && worker->engine != engine))
            continue;
        struct job *job = detach(worker);
        if (job != NULL)
            sup_job_again(sup, job);
    }
}
