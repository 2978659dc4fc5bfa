/*
 * Metric names in one place. Labels come from the tables here, never from a message, so
 * that the number of series is fixed at start.
 */
#include "shim_stats.h"

#include <stdio.h>

#include "mx_metric.h"

#define LABELS_MAX 64 /* bytes of one label set of ours */

static const char *const stage_names[SHIM_STAGES] = {
    [SHIM_STAGE_CONNECT] = "connect", [SHIM_STAGE_HELO] = "helo",
    [SHIM_STAGE_MAIL] = "mail",       [SHIM_STAGE_RCPT] = "rcpt",
    [SHIM_STAGE_EOM] = "eom",         [SHIM_STAGE_SCAN] = "scan",
};

static const char *const outcome_names[SHIM_OUTCOMES] = {
    [SHIM_OUTCOME_ACCEPT] = "accept",   [SHIM_OUTCOME_HOLD] = "hold",
    [SHIM_OUTCOME_DISCARD] = "discard", [SHIM_OUTCOME_TEMPFAIL] = "tempfail",
    [SHIM_OUTCOME_REJECT] = "reject",   [SHIM_OUTCOME_ABORT] = "abort",
};

const char *shim_stats_outcome_name(enum shim_outcome outcome)
{
    return outcome < SHIM_OUTCOMES ? outcome_names[outcome] : "unknown";
}

static void init_stages(struct shim_stats *stats, struct mx_metrics *metrics)
{
    char labels[LABELS_MAX];
    for (int i = 0; i < SHIM_STAGES; i++) {
        snprintf(labels, sizeof(labels), "stage=\"%s\"", stage_names[i]);
        stats->stage[i] =
            mx_metrics_histogram(metrics, "mxdrop_shim_stage_seconds", labels,
                                 "Time the MTA waited for us, by stage");
    }
    for (int i = 0; i < SHIM_OUTCOMES; i++) {
        snprintf(labels, sizeof(labels), "outcome=\"%s\"", outcome_names[i]);
        stats->messages[i] = mx_metrics_counter(metrics, "mxdrop_shim_messages_total",
                                                labels, "Messages by how they ended");
    }
}

static void init_rcpts(struct shim_stats *stats, struct mx_metrics *metrics)
{
    const char *name = "mxdrop_shim_recipients_total", *help = "Recipients by our answer";
    stats->rcpt_accepted = mx_metrics_counter(metrics, name, "outcome=\"accept\"", help);
    stats->rcpt_tempfailed =
        mx_metrics_counter(metrics, name, "outcome=\"tempfail\"", help);
    stats->rcpt_rejected = mx_metrics_counter(metrics, name, "outcome=\"reject\"", help);
    stats->rcpt_mta_refused =
        mx_metrics_counter(metrics, name, "outcome=\"mta-refused\"", help);
}

static void init_faults(struct shim_stats *stats, struct mx_metrics *metrics)
{
    const char *name = "mxdrop_shim_degraded_total", *help = "What could not be done";
    stats->policyd_down = mx_metrics_counter(metrics, name, "check=\"policyd\"", help);
    stats->scand_down = mx_metrics_counter(metrics, name, "check=\"scand\"", help);
    stats->spool_full = mx_metrics_counter(metrics, name, "check=\"spool\"", help);
    stats->edit_failed = mx_metrics_counter(metrics, name, "check=\"edit\"", help);
}

static void init_admission(struct shim_stats *stats, struct mx_metrics *metrics)
{
    const char *name = "mxdrop_shim_shed_total",
               *help = "Sessions turned away at connect, by what the scanners lack";
    stats->shed_busy = mx_metrics_counter(metrics, name, "cause=\"busy\"", help);
    stats->shed_down = mx_metrics_counter(metrics, name, "cause=\"down\"", help);
    stats->scans = mx_metrics_gauge(metrics, "mxdrop_shim_scans_in_flight", NULL,
                                    "Scans that we wait for now");
    stats->tempfail_alarm =
        mx_metrics_gauge(metrics, "mxdrop_shim_tempfail_alarm", NULL,
                         "1 while one reason refuses too much mail temporarily");
}

void shim_stats_init(struct shim_stats *stats, struct mx_metrics *metrics)
{
    init_stages(stats, metrics);
    init_rcpts(stats, metrics);
    init_faults(stats, metrics);
    init_admission(stats, metrics);
    stats->connections = mx_metrics_counter(metrics, "mxdrop_shim_connections_total",
                                            NULL, "SMTP sessions seen");
    stats->spooled_bytes = mx_metrics_counter(metrics, "mxdrop_shim_spooled_bytes_total",
                                              NULL, "Message bytes received");
    stats->forged_headers =
        mx_metrics_counter(metrics, "mxdrop_shim_forged_headers_total", NULL,
                           "Inbound header fields of ours that were removed");
    stats->oversized = mx_metrics_counter(metrics, "mxdrop_shim_oversized_total", NULL,
                                          "Messages of which only the head was scanned");
    stats->sessions =
        mx_metrics_gauge(metrics, "mxdrop_shim_sessions", NULL, "SMTP sessions open now");
    stats->spool_bytes = mx_metrics_gauge(metrics, "mxdrop_shim_spool_bytes", NULL,
                                          "Message bytes held now");
}
