/* The shim's metrics, registered once; see docs for their names. */
#ifndef SHIM_STATS_H
#define SHIM_STATS_H

#include <stdint.h>

struct mx_counter;
struct mx_histogram;
struct mx_metrics;

/* What is timed: each stage as the MTA waits for it, and the scan by itself. */
enum shim_stage {
    SHIM_STAGE_CONNECT,
    SHIM_STAGE_HELO,
    SHIM_STAGE_MAIL,
    SHIM_STAGE_RCPT,
    SHIM_STAGE_EOM,
    SHIM_STAGE_SCAN,
    SHIM_STAGES,
};

enum shim_outcome {
    SHIM_OUTCOME_ACCEPT,
    SHIM_OUTCOME_HOLD,
    SHIM_OUTCOME_DISCARD,
    SHIM_OUTCOME_TEMPFAIL,
    SHIM_OUTCOME_REJECT,
    SHIM_OUTCOME_ABORT,
    SHIM_OUTCOMES,
};

struct shim_stats {
    struct mx_histogram *stage[SHIM_STAGES];
    struct mx_counter *messages[SHIM_OUTCOMES];
    struct mx_counter *rcpt_accepted, *rcpt_tempfailed, *rcpt_rejected, *rcpt_mta_refused;
    struct mx_counter *policyd_down, *scand_down, *spool_full, *edit_failed;
    struct mx_counter *shed_busy, *shed_down;
    struct mx_counter *connections, *spooled_bytes, *forged_headers, *oversized;
    struct mx_counter *sessions, *spool_bytes; /* gauges */
    struct mx_counter *scans, *tempfail_alarm; /* gauges */
};

/** shim_stats_init(stats, metrics): ${metrics} NULL: every update does nothing. */
void shim_stats_init(struct shim_stats *stats, struct mx_metrics *metrics);

/** shim_stats_outcome_name(outcome): "accept", "hold" ... for labels and logs. */
const char *shim_stats_outcome_name(enum shim_outcome outcome);

#endif
