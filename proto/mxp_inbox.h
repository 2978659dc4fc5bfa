/* Jobs that any thread hands to one owner thread, and waits for. */
#ifndef MXP_INBOX_H
#define MXP_INBOX_H

#include <pthread.h>
#include <stdbool.h>

struct mx_err;
struct mxp_job;

/* One piece of work, on the stack of who waits for it. Embed it as first member. */
struct mxp_job {
    void (*start)(void *owner, struct mxp_job *job); /* on the owner's thread */
    struct mxp_job *next;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool is_done;
};

struct mxp_inbox {
    pthread_mutex_t lock;
    struct mxp_job *first, **tail;
    bool is_closed;
    int fd; /* readable while there are jobs */
};

/** mxp_inbox_init(inbox, err) / mxp_inbox_fini: empty and open. */
int mxp_inbox_init(struct mxp_inbox *inbox, struct mx_err *err);
void mxp_inbox_fini(struct mxp_inbox *inbox);

/**
 * mxp_inbox_post(inbox, job):
 * Hand over; then wait with mxp_job_wait. The owner is woken only where it may sleep.
 * Fails:  the inbox is closed (-1).
 */
int mxp_inbox_post(struct mxp_inbox *inbox, struct mxp_job *job);

/** mxp_inbox_take(inbox): all jobs in order, linked by next; NULL: none. */
struct mxp_job *mxp_inbox_take(struct mxp_inbox *inbox);

/** mxp_inbox_close(inbox): no more jobs, and wake the owner. */
void mxp_inbox_close(struct mxp_inbox *inbox);

/** mxp_inbox_closed(inbox): mxp_inbox_close was called. */
bool mxp_inbox_closed(struct mxp_inbox *inbox);

/** mxp_job_init(job, start) / mxp_job_fini(job): by who waits. */
void mxp_job_init(struct mxp_job *job, void (*start)(void *owner, struct mxp_job *job));
void mxp_job_fini(struct mxp_job *job);

/** mxp_job_done(job): by the owner, as the last thing it does to the job. */
void mxp_job_done(struct mxp_job *job);

/** mxp_job_wait(job, tick_ms, on_tick, user): until done; ${on_tick} every ${tick_ms} (0:
 * never). */
void mxp_job_wait(struct mxp_job *job, unsigned tick_ms, void (*on_tick)(void *user),
                  void *user);

#endif
