/*
 * The engine in this process, without daemons: for mxdropctl scan --local and for tests.
 * There is no second process to die for us here: a message that crashes a library ends
 * the caller.
 */
#ifndef SCAN_LOCAL_H
#define SCAN_LOCAL_H

#include <stdbool.h>

#include "scan.pb-c.h"

#include "mx_conf.h"
#include "mx_str.h"

struct mx_arena;
struct mx_err;
struct scan_local;

/* Section "scand": hand it to mx_conf_load. */
extern const struct mx_conf_section scan_conf_section;

/** Bytes of arena that a scan of ${n} octets may need: pass it to mx_arena_new. */
size_t scan_local_arena_size(size_t n);

struct scan_local_options {
    const char *const *dirs; /* run the rules of these directories, ends with NULL; NULL:
                                as configured */
    const char *overlay;     /* with this score file; "": without; NULL: as configured */
    bool is_for_scores;      /* the rules detector in any case, and no virus signatures */
};

/**
 * scan_local_open(conf, options, out, err):
 * Load the detectors that section "scand" of ${conf} names. Detectors that cannot load
 * (no signatures) are named in every reply's degraded; scan_local_fault has the reason.
 * Owner:  ${conf} and the directories must outlive it; scan_local_close. ${options} NULL:
 *         none.
 * Fails:  unknown detector or symbol in the configuration, no temporary directory, more
 *         than SCAN_RULES_DIRS_MAX directories (-1).
 */
int scan_local_open(const struct mx_conf *conf, const struct scan_local_options *options,
                    struct scan_local **out, struct mx_err *err);
void scan_local_close(struct scan_local *local);

/** scan_local_fault(local, nth): "clamav: why" of the nth detector that is off; NULL: no
 * more. */
const char *scan_local_fault(struct scan_local *local, size_t nth);

/** scan_local_rules(local): the rules that are loaded, and why they are not kept compiled
 * where they are not; "" none. Lives as long as ${local}. */
const char *scan_local_rules(const struct scan_local *local);

struct scan_local_input {
    struct mx_str message;           /* header, empty line, body */
    const Mxp__ScanRequest *request; /* envelope, only, profile; NULL: nothing known */
    int64_t now_ms;                  /* frozen wall clock; 0: the real one */
    int64_t time_ms;                 /* at most; 0: the configured scan_timeout */
};

/**
 * scan_local_run(local, arena, input, out):
 * Scan one message.
 * Owner:  ${out} lives in ${arena} (of scan_local_arena_size).
 */
void scan_local_run(struct scan_local *local, struct mx_arena *arena,
                    const struct scan_local_input *input, Mxp__ScanReply **out);

#endif
