/*
 * Counters, gauges and histograms with a Prometheus text export. A registry belongs to
 * a daemon; what is registered lives as long as it. Updates are atomic adds and may come
 * from any thread; registering takes a lock and is for start-up (labels come from our
 * own tables, never from a message).
 */
#ifndef MX_METRIC_H
#define MX_METRIC_H

#include <stdint.h>

struct mx_buf;
struct mx_metrics;
struct mx_counter;
struct mx_histogram;

/** mx_metrics_new(): an empty registry. Owner: mx_metrics_free, which frees its metrics
 * too. */
struct mx_metrics *mx_metrics_new(void);
void mx_metrics_free(struct mx_metrics *metrics);

/**
 * mx_metrics_counter(metrics, name, labels, help):
 * Find or make a counter. ${labels} is "module=\"spam\",outcome=\"done\"" or NULL.
 * Names are ours: mxdrop_<area>_<what>_total.
 * Owner:  the registry; the three texts are copied. NULL ${metrics} gives NULL, which
 *         the updates below ignore.
 */
struct mx_counter *mx_metrics_counter(struct mx_metrics *metrics, const char *name,
                                      const char *labels, const char *help);

/** mx_metrics_gauge: the same; may go down. */
struct mx_counter *mx_metrics_gauge(struct mx_metrics *metrics, const char *name,
                                    const char *labels, const char *help);

/** mx_metrics_histogram: microseconds in, 50 us to 60 s, exported in seconds. */
struct mx_histogram *mx_metrics_histogram(struct mx_metrics *metrics, const char *name,
                                          const char *labels, const char *help);

/** Updates and reading: without a lock, from any thread; NULL is ignored and reads as 0.
 */
void mx_counter_add(struct mx_counter *counter, int64_t n);
void mx_counter_set(struct mx_counter *gauge, int64_t value);
int64_t mx_counter_get(const struct mx_counter *counter);
void mx_histogram_add_us(struct mx_histogram *histogram, int64_t us);

/** mx_metrics_export(metrics, out): text format 0.0.4, sorted by name and labels. */
void mx_metrics_export(struct mx_metrics *metrics, struct mx_buf *out);

/**
 * mx_metrics_each(metrics, fn, user): every counter and gauge, for status replies.
 */
void mx_metrics_each(struct mx_metrics *metrics,
                     void (*fn)(void *user, const char *name, const char *labels,
                                int64_t value),
                     void *user);

#endif
