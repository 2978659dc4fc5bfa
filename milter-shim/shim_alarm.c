/*
 * Shares of temporary refusals by reason, period by period. Sessions count, one thread
 * judges; the lock is held for a search through a few short texts. Reasons beyond the
 * table are counted as answers only: one that makes up most of the mail has a place
 * early, and places of reasons that stopped are given away after each period.
 *
 * Left out: telling anybody (shim_run.c).
 */
#include "shim_alarm.h"

#include <stdio.h>
#include <string.h>

#include "shim_reply.h"

#define ANSWERS_MIN 10 /* in a period, to be judged: less says nothing about a share */

void shim_alarm_init(struct shim_alarm *alarm)
{
    pthread_mutex_init(&alarm->lock, NULL);
}

void shim_alarm_end(struct shim_alarm *alarm)
{
    pthread_mutex_destroy(&alarm->lock);
}

static struct shim_alarm_reason *find(struct shim_alarm *alarm, const char *text)
{
    for (size_t i = 0; i < alarm->n; i++)
        if (strcmp(alarm->reasons[i].text, text) == 0)
            return &alarm->reasons[i];
    if (alarm->n == SHIM_ALARM_REASONS)
        return NULL;
    struct shim_alarm_reason *fresh = &alarm->reasons[alarm->n++];
    *fresh = (struct shim_alarm_reason){0};
    memcpy(fresh->text, text, strlen(text) + 1);
    return fresh;
}

/* Both words come from policyd: what is no printable ASCII goes into no log. */
static void name_of(const struct shim_verdict *verdict, char out[SHIM_ALARM_REASON_MAX])
{
    snprintf(out, SHIM_ALARM_REASON_MAX, "%.31s/%.31s",
             verdict->module ? verdict->module : "-",
             verdict->reason ? verdict->reason : "-");
    for (char *p = out; *p; p++)
        if (*p <= ' ' || *p > '~')
            *p = '?';
}

void shim_alarm_note(struct shim_alarm *alarm, const struct shim_verdict *verdict)
{
    char text[SHIM_ALARM_REASON_MAX];
    bool is_temporary = verdict->action == SHIM_TEMPFAIL;
    if (is_temporary)
        name_of(verdict, text);
    pthread_mutex_lock(&alarm->lock);
    alarm->answers++;
    struct shim_alarm_reason *reason = is_temporary ? find(alarm, text) : NULL;
    if (reason)
        reason->n++;
    pthread_mutex_unlock(&alarm->lock);
}

static void judge(struct shim_alarm *alarm, struct shim_alarm_reason *reason,
                  int64_t share)
{
    if (reason->n > 0 && alarm->answers < ANSWERS_MIN)
        return; /* neither better nor worse */
    uint64_t per_cent = alarm->answers ? (uint64_t)reason->n * 100 / alarm->answers : 0;
    bool is_much = (uint64_t)reason->n * 100 > (uint64_t)share * alarm->answers;
    reason->per_cent = (unsigned)per_cent;
    reason->periods = is_much ? reason->periods + 1 : 0;
}

/* The period is over: judge every reason, forget those that were not heard of. */
static bool close_period(struct shim_alarm *alarm, int64_t share,
                         struct shim_alarm_reason *worst)
{
    size_t kept = 0;
    bool is_bad = false;
    for (size_t i = 0; i < alarm->n; i++) {
        struct shim_alarm_reason *reason = &alarm->reasons[i];
        judge(alarm, reason, share);
        if (reason->periods >= SHIM_ALARM_PERIODS &&
            (!is_bad || reason->per_cent > worst->per_cent)) {
            is_bad = true;
            *worst = *reason;
        }
        if (reason->n == 0)
            continue;
        alarm->reasons[kept] = *reason;
        alarm->reasons[kept++].n = 0;
    }
    alarm->n = kept;
    alarm->answers = 0;
    return is_bad;
}

static enum shim_alarm_news change(struct shim_alarm *alarm, bool is_bad)
{
    if (is_bad == alarm->is_raised)
        return SHIM_ALARM_SAME;
    alarm->is_raised = is_bad;
    return is_bad ? SHIM_ALARM_RAISED : SHIM_ALARM_OVER;
}

enum shim_alarm_news shim_alarm_tick(struct shim_alarm *alarm, int64_t share,
                                     int64_t after_ms, int64_t now_ms,
                                     struct shim_alarm_reason *worst)
{
    enum shim_alarm_news news = SHIM_ALARM_SAME;
    int64_t period_ms = after_ms / SHIM_ALARM_PERIODS;
    pthread_mutex_lock(&alarm->lock);
    if (alarm->period_ms != period_ms) { /* at start and after a reload */
        alarm->period_ms = period_ms;
        alarm->ends_ms = now_ms + period_ms;
    } else if (now_ms >= alarm->ends_ms) {
        bool is_bad = close_period(alarm, share, worst);
        alarm->ends_ms = now_ms + period_ms;
        news = change(alarm, is_bad && share > 0);
    }
    pthread_mutex_unlock(&alarm->lock);
    return news;
}
