/*
 * The metric registry: an array of entries kept in export order (name, then labels), so
 * finding is a binary search and exporting a walk. Registration and export hold a lock;
 * updates touch only an entry's atomics, which never move. Nothing is ever removed.
 */
#include "mx_metric.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mx_arena.h"
#include "mx_str.h"

enum kind { KIND_COUNTER, KIND_GAUGE, KIND_HISTOGRAM };

static const char *const kind_names[] = {"counter", "gauge", "histogram"};

/* Upper bounds in microseconds, 50 us to 60 s, and what is written for each. */
static const struct {
    int64_t us;
    const char *le;
} buckets[] = {
    {50, "5e-05"},    {100, "0.0001"},  {250, "0.00025"}, {500, "0.0005"},
    {1000, "0.001"},  {2500, "0.0025"}, {5000, "0.005"},  {10000, "0.01"},
    {25000, "0.025"}, {50000, "0.05"},  {100000, "0.1"},  {250000, "0.25"},
    {500000, "0.5"},  {1000000, "1"},   {2500000, "2.5"}, {5000000, "5"},
    {10000000, "10"}, {30000000, "30"}, {60000000, "60"},
};
#define BUCKETS (sizeof(buckets) / sizeof(buckets[0]))

struct mx_counter {
    _Atomic int64_t value;
};

struct mx_histogram {
    _Atomic uint64_t counts[BUCKETS + 1]; /* the last one: above all bounds */
    _Atomic int64_t sum_us;
};

struct entry {
    enum kind kind;
    char *name, *labels, *help;
    struct mx_counter counter;
    struct mx_histogram histogram;
};

struct mx_metrics {
    pthread_mutex_t lock;
    struct entry **entries; /* sorted */
    size_t n, room;
};

struct mx_metrics *mx_metrics_new(void)
{
    struct mx_metrics *metrics = mx_xalloc(sizeof(*metrics));
    pthread_mutex_init(&metrics->lock, NULL);
    return metrics;
}

void mx_metrics_free(struct mx_metrics *metrics)
{
    if (metrics == NULL)
        return;
    for (size_t i = 0; i < metrics->n; i++) {
        free(metrics->entries[i]->name);
        free(metrics->entries[i]->labels);
        free(metrics->entries[i]->help);
        free(metrics->entries[i]);
    }
    free(metrics->entries);
    pthread_mutex_destroy(&metrics->lock);
    free(metrics);
}

static int compare(const struct entry *entry, const char *name, const char *labels)
{
    int order = strcmp(entry->name, name);
    return order ? order : strcmp(entry->labels, labels);
}

/* Where the entry stands or would stand. */
static size_t position(const struct mx_metrics *metrics, const char *name,
                       const char *labels)
{
    size_t low = 0, high = metrics->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare(metrics->entries[middle], name, labels) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct entry *insert(struct mx_metrics *metrics, size_t at, struct entry *entry)
{
    if (metrics->n == metrics->room) {
        metrics->room = metrics->room ? metrics->room * 2 : 32;
        metrics->entries =
            mx_xrealloc(metrics->entries, metrics->room * sizeof(metrics->entries[0]));
    }
    memmove(&metrics->entries[at + 1], &metrics->entries[at],
            (metrics->n - at) * sizeof(metrics->entries[0]));
    metrics->entries[at] = entry;
    metrics->n++;
    return entry;
}

static struct entry *find_or_make(struct mx_metrics *metrics, enum kind kind,
                                  const char *name, const char *labels, const char *help)
{
    struct entry *entry;
    labels = labels ? labels : "";
    pthread_mutex_lock(&metrics->lock);
    size_t at = position(metrics, name, labels);
    if (at < metrics->n && compare(metrics->entries[at], name, labels) == 0) {
        entry = metrics->entries[at];
        assert(entry->kind == kind); /* one name, one kind: names are ours */
    } else {
        entry = mx_xalloc(sizeof(*entry));
        entry->kind = kind;
        entry->name = mx_xdup(name);
        entry->labels = mx_xdup(labels);
        entry->help = mx_xdup(help ? help : "");
        insert(metrics, at, entry);
    }
    pthread_mutex_unlock(&metrics->lock);
    return entry;
}

struct mx_counter *mx_metrics_counter(struct mx_metrics *metrics, const char *name,
                                      const char *labels, const char *help)
{
    if (metrics == NULL)
        return NULL;
    return &find_or_make(metrics, KIND_COUNTER, name, labels, help)->counter;
}

struct mx_counter *mx_metrics_gauge(struct mx_metrics *metrics, const char *name,
                                    const char *labels, const char *help)
{
    if (metrics == NULL)
        return NULL;
    return &find_or_make(metrics, KIND_GAUGE, name, labels, help)->counter;
}

struct mx_histogram *mx_metrics_histogram(struct mx_metrics *metrics, const char *name,
                                          const char *labels, const char *help)
{
    if (metrics == NULL)
        return NULL;
    return &find_or_make(metrics, KIND_HISTOGRAM, name, labels, help)->histogram;
}

void mx_counter_add(struct mx_counter *counter, int64_t n)
{
    if (counter)
        atomic_fetch_add_explicit(&counter->value, n, memory_order_relaxed);
}

void mx_counter_set(struct mx_counter *gauge, int64_t value)
{
    if (gauge)
        atomic_store_explicit(&gauge->value, value, memory_order_relaxed);
}

int64_t mx_counter_get(const struct mx_counter *counter)
{
    return counter ? atomic_load_explicit(&counter->value, memory_order_relaxed) : 0;
}

void mx_histogram_add_us(struct mx_histogram *histogram, int64_t us)
{
    size_t i = 0;
    if (histogram == NULL)
        return;
    while (i < BUCKETS && us > buckets[i].us)
        i++;
    atomic_fetch_add_explicit(&histogram->counts[i], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&histogram->sum_us, us > 0 ? us : 0, memory_order_relaxed);
}

/* "name_suffix{labels,more} " with what is empty left out. */
static void put_series(struct mx_buf *out, const struct entry *entry, const char *suffix,
                       const char *more)
{
    bool has_labels = entry->labels[0] != '\0', has_more = more[0] != '\0';
    mx_buf_printf(out, "%s%s", entry->name, suffix);
    if (has_labels || has_more)
        mx_buf_printf(out, "{%s%s%s}", entry->labels, has_labels && has_more ? "," : "",
                      more);
    mx_buf_str(out, " ");
}

static void put_histogram(struct mx_buf *out, const struct entry *entry)
{
    uint64_t total = 0;
    char le[32];
    for (size_t i = 0; i <= BUCKETS; i++) {
        total += atomic_load_explicit(&entry->histogram.counts[i], memory_order_relaxed);
        snprintf(le, sizeof(le), "le=\"%s\"", i < BUCKETS ? buckets[i].le : "+Inf");
        put_series(out, entry, "_bucket", le);
        mx_buf_printf(out, "%llu\n", (unsigned long long)total);
    }
    int64_t sum_us = atomic_load_explicit(&entry->histogram.sum_us, memory_order_relaxed);
    put_series(out, entry, "_sum", "");
    mx_buf_printf(out, "%lld.%06lld\n", (long long)(sum_us / 1000000),
                  (long long)(sum_us % 1000000));
    put_series(out, entry, "_count", "");
    mx_buf_printf(out, "%llu\n", (unsigned long long)total);
}

void mx_metrics_export(struct mx_metrics *metrics, struct mx_buf *out)
{
    const char *last = "";
    pthread_mutex_lock(&metrics->lock);
    for (size_t i = 0; i < metrics->n; i++) {
        const struct entry *entry = metrics->entries[i];
        if (strcmp(last, entry->name) != 0)
            mx_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", entry->name, entry->help,
                          entry->name, kind_names[entry->kind]);
        last = entry->name;
        if (entry->kind == KIND_HISTOGRAM) {
            put_histogram(out, entry);
            continue;
        }
        put_series(out, entry, "", "");
        mx_buf_printf(out, "%lld\n", (long long)mx_counter_get(&entry->counter));
    }
    pthread_mutex_unlock(&metrics->lock);
}

void mx_metrics_each(struct mx_metrics *metrics,
                     void (*fn)(void *user, const char *name, const char *labels,
                                int64_t value),
                     void *user)
{
    pthread_mutex_lock(&metrics->lock);
    for (size_t i = 0; i < metrics->n; i++) {
        const struct entry *entry = metrics->entries[i];
        if (entry->kind != KIND_HISTOGRAM)
            fn(user, entry->name, entry->labels, mx_counter_get(&entry->counter));
    }
    pthread_mutex_unlock(&metrics->lock);
}
