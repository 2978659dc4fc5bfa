/* Jobs handed from threads to an owner. */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mxp_inbox.h"

#define THREADS 8
#define JOBS_EACH 2000

struct add_job {
    struct mxp_job job;
    unsigned value;
};

static void add(void *owner, struct mxp_job *job)
{
    *(unsigned *)owner += ((struct add_job *)job)->value;
    mxp_job_done(job);
}

static void *post_many(void *state)
{
    for (unsigned i = 0; i < JOBS_EACH; i++) {
        struct add_job add_one = {.value = 1};
        mxp_job_init(&add_one.job, add);
        if (mxp_inbox_post(state, &add_one.job) == 0)
            mxp_job_wait(&add_one.job, 0, NULL, NULL);
        mxp_job_fini(&add_one.job);
    }
    return NULL;
}

static bool is_readable(const struct mxp_inbox *inbox, int timeout_ms)
{
    struct pollfd fd = {.fd = inbox->fd, .events = POLLIN};
    return poll(&fd, 1, timeout_ms) == 1;
}

static void test_inbox_many_threads(void **state)
{
    (void)state;
    struct mxp_inbox inbox;
    pthread_t threads[THREADS];
    unsigned sum = 0;
    assert_int_equal(mxp_inbox_init(&inbox, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, post_many, &inbox);
    while (sum < THREADS * JOBS_EACH) {
        assert_true(is_readable(&inbox, 5000)); /* a lost wake-up fails here */
        struct mxp_job *job = mxp_inbox_take(&inbox), *next;
        for (; job; job = next) {
            next = job->next;
            job->start(&sum, job);
        }
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(sum, THREADS * JOBS_EACH);
    assert_false(is_readable(&inbox, 0));
    mxp_inbox_fini(&inbox);
}

static void test_inbox_order_and_close(void **state)
{
    (void)state;
    struct mxp_inbox inbox;
    struct add_job a = {.value = 1}, b = {.value = 2}, c = {.value = 3};
    assert_int_equal(mxp_inbox_init(&inbox, NULL), 0);
    mxp_job_init(&a.job, add);
    mxp_job_init(&b.job, add);
    mxp_job_init(&c.job, add);
    assert_int_equal(mxp_inbox_post(&inbox, &a.job), 0);
    assert_int_equal(mxp_inbox_post(&inbox, &b.job), 0);
    struct mxp_job *job = mxp_inbox_take(&inbox);
    assert_ptr_equal(job, &a);
    assert_ptr_equal(job->next, &b);
    assert_null(job->next->next);
    assert_null(mxp_inbox_take(&inbox));
    assert_false(mxp_inbox_closed(&inbox));
    mxp_inbox_close(&inbox);
    assert_true(is_readable(&inbox, 0));
    assert_true(mxp_inbox_closed(&inbox));
    assert_int_equal(mxp_inbox_post(&inbox, &c.job), -1);
    mxp_job_fini(&a.job);
    mxp_job_fini(&b.job);
    mxp_job_fini(&c.job);
    mxp_inbox_fini(&inbox);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_inbox_many_threads),
        cmocka_unit_test(test_inbox_order_and_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
