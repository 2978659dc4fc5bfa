/*
 * The way from many calling threads to the one owner: a list under a short lock and an
 * eventfd that is written only when the list was empty, so that a busy owner costs its
 * callers no system call. Each job carries its own lock and condition, so that an answer
 * wakes one thread and callers do not meet.
 *
 * There is no timeout here: the owner ends every job, by deadline if nothing else.
 */
#include "mxp_inbox.h"

#include <errno.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "mx_err.h"

int mxp_inbox_init(struct mxp_inbox *inbox, struct mx_err *err)
{
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0)
        return mx_err_errno(err, "eventfd");
    inbox->fd = fd;
    inbox->first = NULL;
    inbox->tail = &inbox->first;
    inbox->is_closed = false;
    pthread_mutex_init(&inbox->lock, NULL);
    return 0;
}

void mxp_inbox_fini(struct mxp_inbox *inbox)
{
    pthread_mutex_destroy(&inbox->lock);
    close(inbox->fd);
}

/* The counter cannot overflow: it is written once for each time it was cleared. */
static void wake(struct mxp_inbox *inbox)
{
    uint64_t one = 1;
    while (write(inbox->fd, &one, sizeof(one)) < 0 && errno == EINTR)
        ;
}

int mxp_inbox_post(struct mxp_inbox *inbox, struct mxp_job *job)
{
    pthread_mutex_lock(&inbox->lock);
    bool is_closed = inbox->is_closed;
    bool was_empty = inbox->first == NULL;
    if (!is_closed) {
        job->next = NULL;
        *inbox->tail = job;
        inbox->tail = &job->next;
    }
    pthread_mutex_unlock(&inbox->lock);
    if (is_closed)
        return -1;
    if (was_empty)
        wake(inbox);
    return 0;
}

struct mxp_job *mxp_inbox_take(struct mxp_inbox *inbox)
{
    uint64_t count;
    while (read(inbox->fd, &count, sizeof(count)) < 0 && errno == EINTR)
        ;
    pthread_mutex_lock(&inbox->lock);
    struct mxp_job *first = inbox->first;
    inbox->first = NULL;
    inbox->tail = &inbox->first;
    pthread_mutex_unlock(&inbox->lock);
    return first;
}

void mxp_inbox_close(struct mxp_inbox *inbox)
{
    pthread_mutex_lock(&inbox->lock);
    inbox->is_closed = true;
    pthread_mutex_unlock(&inbox->lock);
    wake(inbox);
}

bool mxp_inbox_closed(struct mxp_inbox *inbox)
{
    pthread_mutex_lock(&inbox->lock);
    bool is_closed = inbox->is_closed;
    pthread_mutex_unlock(&inbox->lock);
    return is_closed;
}

void mxp_job_init(struct mxp_job *job, void (*start)(void *owner, struct mxp_job *job))
{
    job->start = start;
    job->next = NULL;
    job->is_done = false;
    pthread_mutex_init(&job->lock, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&job->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

void mxp_job_fini(struct mxp_job *job)
{
    pthread_cond_destroy(&job->changed);
    pthread_mutex_destroy(&job->lock);
}

void mxp_job_done(struct mxp_job *job)
{
    /* Signalled under the lock: the job may be gone as soon as it is released. */
    pthread_mutex_lock(&job->lock);
    job->is_done = true;
    pthread_cond_signal(&job->changed);
    pthread_mutex_unlock(&job->lock);
}

static void add_ms(struct timespec *at, unsigned ms)
{
    at->tv_sec += ms / 1000;
    at->tv_nsec += (long)(ms % 1000) * 1000000;
    if (at->tv_nsec >= 1000000000) {
        at->tv_sec++;
        at->tv_nsec -= 1000000000;
    }
}

void mxp_job_wait(struct mxp_job *job, unsigned tick_ms, void (*on_tick)(void *user),
                  void *user)
{
    struct timespec tick_at;
    clock_gettime(CLOCK_MONOTONIC, &tick_at);
    add_ms(&tick_at, tick_ms);
    pthread_mutex_lock(&job->lock);
    while (!job->is_done) {
        if (tick_ms == 0) {
            pthread_cond_wait(&job->changed, &job->lock);
        } else if (pthread_cond_timedwait(&job->changed, &job->lock, &tick_at) ==
                   ETIMEDOUT) {
            pthread_mutex_unlock(&job->lock);
            on_tick(user);
            add_ms(&tick_at, tick_ms);
            pthread_mutex_lock(&job->lock);
        }
    }
    pthread_mutex_unlock(&job->lock);
}
