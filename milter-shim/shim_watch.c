/*
 * Slow judgements: they look at rates and states, not at a message, and end by themselves
 * when the cause does. The settings are those for new sessions.
 *
 * Left out: the judgements themselves (shim_admit.c, shim_alarm.c).
 */
#include "shim_watch.h"

#include <stdio.h>

#include "mx_health.h"
#include "mx_metric.h"
#include "mx_time.h"

#define REASON_MAX 160       /* bytes of a health reason */
#define SPOOL_QUIET_MS 60000 /* without a refusal: there is room again */

static const char *const admission_words[] = {
    [SHIM_ADMITTED] = "open",
    [SHIM_SHED_BUSY] = "busy",
    [SHIM_SHED_DOWN] = "down",
};

static void watch_admission(struct shim *shim, const struct shim_conf *conf)
{
    struct shim_load load = {0};
    char reason[REASON_MAX];
    shim->backend.load(shim->backend.user, &load);
    mx_counter_set(shim->stats.scans, load.in_flight);
    enum shim_admission now = shim_admit_state(conf, &load);
    snprintf(reason, sizeof(reason),
             "new sessions get 421: %zu scanners usable, %u scans in flight, %u workers",
             load.usable, load.in_flight > load.busy ? load.in_flight : load.busy,
             load.workers);
    mx_health_degraded(shim->health, "admission", now == SHIM_ADMITTED ? NULL : reason);
    if (now == shim->admission)
        return;
    shim->admission = now;
    mx_log(shim->log, now == SHIM_ADMITTED ? MX_LOG_INFO : MX_LOG_WARN, "shim.admission",
           "state=%s usable=%zu in_flight=%u busy=%u workers=%u", admission_words[now],
           load.usable, load.in_flight, load.busy, load.workers);
}

/* Each refusal is a message's own event; that the disk is full is a state. */
static void watch_spool(struct shim *shim)
{
    int64_t now_ms = mx_mono_ms(shim->clock);
    int64_t refusals = mx_counter_get(shim->stats.spool_full);
    char reason[REASON_MAX];
    if (refusals != shim->spool_refusals) {
        shim->spool_refusals = refusals;
        shim->spool_refused_ms = now_ms;
        snprintf(reason, sizeof(reason),
                 "no room for bodies: %lld messages put off so far", (long long)refusals);
        mx_health_degraded(shim->health, "spool", reason);
    } else if (refusals > 0 && now_ms - shim->spool_refused_ms >= SPOOL_QUIET_MS &&
               mx_health_degraded(shim->health, "spool", NULL)) {
        mx_log(shim->log, MX_LOG_INFO, "shim.spool-room", "refusals=%lld",
               (long long)refusals);
    }
}

static void watch_tempfails(struct shim *shim, const struct shim_conf *conf)
{
    struct shim_alarm_reason worst = {0};
    char reason[REASON_MAX];
    switch (shim_alarm_tick(&shim->alarm, conf->alarm_share, conf->alarm_after_ms,
                            mx_mono_ms(shim->clock), &worst)) {
    case SHIM_ALARM_SAME: return;
    case SHIM_ALARM_RAISED:
        snprintf(reason, sizeof(reason), "%s: %u %% of all answers are this 4xx",
                 worst.text, worst.per_cent);
        mx_health_degraded(shim->health, "tempfail", reason);
        mx_counter_set(shim->stats.tempfail_alarm, 1);
        mx_log(shim->log, MX_LOG_ERROR, "shim.tempfail-alarm",
               "state=raised reason=%s per_cent=%u", worst.text, worst.per_cent);
        return;
    case SHIM_ALARM_OVER:
        mx_health_degraded(shim->health, "tempfail", NULL);
        mx_counter_set(shim->stats.tempfail_alarm, 0);
        mx_log(shim->log, MX_LOG_INFO, "shim.tempfail-alarm", "state=over");
    }
}

void shim_watch_tick(struct shim *shim)
{
    pthread_mutex_lock(&shim->lock);
    struct shim_settings *settings = shim_settings_hold(shim->settings);
    pthread_mutex_unlock(&shim->lock);
    watch_admission(shim, settings->conf);
    watch_spool(shim);
    watch_tempfails(shim, settings->conf);
    shim_settings_drop(settings);
}
