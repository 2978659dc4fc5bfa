/* Who scans: a running scanner of the cluster, one that is named, or this process. */
#ifndef CTL_SCANNER_H
#define CTL_SCANNER_H

#include <stdbool.h>
#include <stdint.h>

#include "mx_str.h"
#include "scan.pb-c.h"

struct ctl;
struct ctl_scanner;
struct mx_arena;
struct mx_conf;
struct mx_err;

struct ctl_scanner_options {
    bool is_local;
    const char *const
        *dirs;            /* local only: of rules, ends with NULL; NULL: as configured */
    const char *overlay;  /* local only: score file; NULL: as configured */
    bool is_for_scores;   /* local only: with rules in any case, without signatures */
    const char *endpoint; /* ask this one; NULL: those of the registry */
    const char *public_key; /* of that endpoint, tcp:// only */
    const char *keys_path;  /* see ctl_peers_keys */
};

/**
 * ctl_scanner_open(ctl, options, out, err):
 * Local: section "scand" of the configuration, where there is a file, else defaults; what
 * cannot load is told on ${ctl}->info.
 * Owner:  ctl_scanner_close.
 * Fails:  no scanner is registered, configuration, engine (-1).
 */
int ctl_scanner_open(struct ctl *ctl, const struct ctl_scanner_options *options,
                     struct ctl_scanner **out, struct mx_err *err);
void ctl_scanner_close(struct ctl_scanner *scanner);

/**
 * ctl_scanner_conf(ctl, out, err):
 * Section "scand" of the configuration, where there is a file, else defaults.
 * Owner:  mx_conf_free.
 */
int ctl_scanner_conf(const struct ctl *ctl, struct mx_conf **out, struct mx_err *err);

/** ctl_scanner_dirs(arena, path): the directories of "DIR[:DIR]...", ends with NULL. */
const char *const *ctl_scanner_dirs(struct mx_arena *arena, const char *path);

/** ctl_scanner_tell_loading(ctl, what): on a terminal, that it may take its time. */
void ctl_scanner_tell_loading(const struct ctl *ctl, const char *what);

/** ctl_scanner_arena(scanner, n): an arena for the scan of ${n} octets. */
struct mx_arena *ctl_scanner_arena(const struct ctl_scanner *scanner, size_t n);

/**
 * ctl_scanner_run(scanner, arena, request, message, out, err):
 * Scan ${message}; received_at_ms of ${request} freezes the clock.
 * Owner:  ${out} lives in ${arena}.
 * Fails:  no answer in time, refused (-1).
 */
int ctl_scanner_run(struct ctl_scanner *scanner, struct mx_arena *arena,
                    const Mxp__ScanRequest *request, struct mx_str message,
                    Mxp__ScanReply **out, struct mx_err *err);

#endif
