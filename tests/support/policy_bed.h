/*
 * A chain with its surroundings: settings from YAML text, the store in memory, a clock
 * that stands still, a log in a file. For tests of what the chain does.
 */
#ifndef POLICY_BED_H
#define POLICY_BED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "mx_arena.h"
#include "mx_daemon.h"
#include "mx_err.h"
#include "mx_health.h"
#include "mx_log.h"
#include "mx_metric.h"
#include "mx_time.h"
#include "policy_chain.h"
#include "policy_maps.h"
#include "policyd_conf.h"
#include "store_mem.h"
#include "store_redis.h"

#define POLICY_BED_NOW_MS 1700000000000

struct policy_bed {
    struct mx_clock_fake clock;
    struct mx_arena *arena;
    struct mx_conf_section *section;
    struct mx_conf *conf;
    struct policy_map_files *files;
    struct policy_chain *chain;
    struct store *store;
    struct mx_metrics *metrics;
    struct mx_health *health;
    struct mx_log *log;
    FILE *log_file;
    struct policy_req req;
    struct policy_rcpt rcpts[4];
    struct policy_check check; /* of the last run */
    int n_done;
};

/* A configuration with this text as section policyd. */
static inline int policy_bed_conf(struct policy_bed *bed, const char *yaml,
                                  struct mx_conf **out, struct mx_err *err)
{
    const struct mx_conf_section *sections[] = {bed->section, &store_redis_section, NULL};
    char path[] = "/tmp/mxbed.XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    dprintf(fd, "policyd:\n  in_flight: 100\n%s", yaml);
    close(fd);
    int result = mx_conf_load(path, sections, mx_daemon_section_names, out, err);
    unlink(path);
    return result;
}

static inline struct policy_chain_env policy_bed_env(struct policy_bed *bed)
{
    return (struct policy_chain_env){.clock = &bed->clock.clock,
                                     .log = bed->log,
                                     .metrics = bed->metrics,
                                     .health = bed->health,
                                     .files = bed->files,
                                     .store_timeout_ms = 50};
}

/* ${yaml}: lines of section policyd, indented by two; lists of modules as a site has. */
static inline void policy_bed_init(struct policy_bed *bed, const char *yaml)
{
    struct mx_err err = {0};
    memset(bed, 0, sizeof(*bed));
    mx_clock_fake_init(&bed->clock, POLICY_BED_NOW_MS);
    bed->arena = mx_arena_new(64 << 20);
    bed->section = policyd_conf_section_new();
    bed->files = policy_map_files_new();
    bed->store = store_mem_new(&bed->clock.clock);
    bed->metrics = mx_metrics_new();
    bed->health = mx_health_new();
    bed->log_file = tmpfile();
    bed->log = mx_log_new(fileno(bed->log_file), MX_LOG_DEBUG, false, &bed->clock.clock);
    if (policy_bed_conf(bed, yaml, &bed->conf, &err) < 0)
        fail_msg("%s", err.text);
    struct policy_chain_env env = policy_bed_env(bed);
    if (policy_chain_new(bed->conf, &env, &bed->chain, &err) < 0)
        fail_msg("%s", err.text);
}

static inline void policy_bed_fini(struct policy_bed *bed)
{
    policy_chain_unref(bed->chain);
    mx_conf_free(bed->conf);
    store_free(bed->store);
    policy_map_files_free(bed->files);
    policyd_conf_section_free(bed->section);
    mx_log_free(bed->log);
    fclose(bed->log_file);
    mx_health_free(bed->health);
    mx_metrics_free(bed->metrics);
    mx_arena_free(bed->arena);
}

static inline void policy_bed_rcpt(struct policy_bed *bed, size_t i, const char *path)
{
    struct policy_rcpt *rcpt = &bed->rcpts[i];
    *rcpt = (struct policy_rcpt){.path = mx_str(path)};
    rcpt->is_bad = mx_addr_parse(bed->arena, rcpt->path, &rcpt->addr, NULL) < 0;
    rcpt->mailbox = rcpt->addr.text;
    rcpt->mailboxes = &rcpt->mailbox;
    rcpt->n_mailboxes = 1;
    if (bed->req.n_rcpts <= i)
        bed->req.n_rcpts = i + 1;
}

/* A request of that stage from 192.0.2.1, a@s.example to u@example.net. */
static inline void policy_bed_request(struct policy_bed *bed, enum policy_stage stage)
{
    bed->req = (struct policy_req){.stage = stage,
                                   .arena = bed->arena,
                                   .now_ms = bed->clock.now_ms,
                                   .id = MX_STR("Q1"),
                                   .helo = MX_STR("mx.s.example"),
                                   .rcpts = bed->rcpts};
    assert_int_equal(mx_net_parse(MX_STR("192.0.2.1"), &bed->req.client, NULL), 0);
    bed->req.sender_path = MX_STR("<a@s.example>");
    assert_int_equal(
        mx_addr_parse(bed->arena, bed->req.sender_path, &bed->req.sender, NULL), 0);
    policy_bed_rcpt(bed, 0, "<u@example.net>");
    bed->req.rcpt = &bed->rcpts[0];
}

static inline void policy_bed_done(struct policy_check *check)
{
    struct policy_bed *bed = check->user;
    bed->n_done++;
}

/* Runs ->req; the result is in ->check. */
static inline void policy_bed_run(struct policy_bed *bed, bool is_explain)
{
    bed->n_done = 0;
    bed->check = (struct policy_check){.req = &bed->req,
                                       .store = bed->store,
                                       .deadline_ms = bed->clock.now_ms + 1000,
                                       .arrived_us = mx_mono_us(),
                                       .is_explain = is_explain,
                                       .done = policy_bed_done,
                                       .user = bed};
    policy_chain_run(bed->chain, &bed->check);
    assert_int_equal(bed->n_done, 1);
}

/* Everything logged so far. */
static inline const char *policy_bed_log(struct policy_bed *bed)
{
    char *text = mx_arena_alloc(bed->arena, 65536);
    ssize_t n = pread(fileno(bed->log_file), text, 65535, 0);
    text[n < 0 ? 0 : n] = '\0';
    return text;
}

static inline uint64_t policy_bed_round_trips(const struct policy_bed *bed)
{
    struct store_stats stats;
    store_stats(bed->store, &stats);
    return stats.round_trips;
}

#endif
