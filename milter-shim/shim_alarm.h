/* The alarm for standing temporary failures: they lose mail quietly. */
#ifndef SHIM_ALARM_H
#define SHIM_ALARM_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHIM_ALARM_REASONS 16
#define SHIM_ALARM_REASON_MAX 64 /* bytes of "module/reason" with NUL */

struct shim_verdict;

struct shim_alarm_reason {
    char text[SHIM_ALARM_REASON_MAX];
    unsigned n;        /* in the period that runs */
    unsigned periods;  /* in a row in which it was too much */
    unsigned per_cent; /* of the last period that was judged */
};

/* Shared by all sessions of a process. */
struct shim_alarm {
    pthread_mutex_t lock;
    int64_t period_ms, ends_ms; /* of the period that runs; 0: none does */
    unsigned answers;           /* in it */
    struct shim_alarm_reason reasons[SHIM_ALARM_REASONS];
    size_t n;
    bool is_raised;
};

/* What a period that ended has changed. */
enum shim_alarm_news { SHIM_ALARM_SAME, SHIM_ALARM_RAISED, SHIM_ALARM_OVER };

/** shim_alarm_init(alarm) / shim_alarm_end(alarm): its lock. */
void shim_alarm_init(struct shim_alarm *alarm);
void shim_alarm_end(struct shim_alarm *alarm);

/**
 * shim_alarm_note(alarm, verdict):
 * One final answer: a message's, a refused recipient's, a refused session's.
 */
void shim_alarm_note(struct shim_alarm *alarm, const struct shim_verdict *verdict);

/**
 * shim_alarm_tick(alarm, share, after_ms, now_ms, worst):
 * To be called every second. ${after_ms} is cut into SHIM_ALARM_PERIODS; the alarm is
 * raised when one reason made up more than ${share} per cent of the answers in that many
 * periods in a row (those with few answers do not count), and is over when there is no
 * such reason any more. ${share} 0: off.
 * Returns what changed; ${worst} is the reason that raised it.
 */
#define SHIM_ALARM_PERIODS 5
enum shim_alarm_news shim_alarm_tick(struct shim_alarm *alarm, int64_t share,
                                     int64_t after_ms, int64_t now_ms,
                                     struct shim_alarm_reason *worst);

#endif
