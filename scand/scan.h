/*
 * What a detector sees: its descriptor, its environment, the parsed message, and the
 * calls by which it adds findings. The one header to read before writing a detector.
 *
 * A detector finds; scan_score judges. It is one file det_x.c, one line in scan_table.c,
 * its settings (if any) as a group in scan_conf.h, one tests/unit/test_det_x.c.
 *
 *   load   in the engine parent, once, before workers are forked: what is large and
 *          shared copy-on-write (signatures, rules). Fails: the detector is degraded.
 *   check  -t and start: what load would refuse, without what is dear (no compiling, no
 *          signatures).
 *          more_symbols answers after it as after load. Fails: MX_ERR_INPUT is a fault of
 *          the settings; any other the engine will tell. NULL: nothing to look at.
 *   start  in each worker, before the sandbox closes: whatever it must open itself.
 *   run    one message. Plain blocking code; looks at msg->deadline_ms in long loops.
 *   stop   accepts a state that was loaded or started half, or not at all.
 */
#ifndef SCAN_H
#define SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "message.h"
#include "mx_str.h"

struct mx_arena;
struct mx_err;
struct scan_result;

struct scan_symbol {
    const char *name; /* unique over all detectors; ours begin with MX_ */
    double weight;    /* default score */
    const char *doc;  /* one line: what it means */
};

struct scan_env {
    const void *settings; /* the detector's group of the configuration, or NULL */
    const char *temp_dir; /* start: this worker's own, empty directory */
};

/* Versions of what a detector loaded, for the registry; NULL: nothing to tell. */
struct scan_versions {
    const char *signatures;
    const char *rules;
};

struct scan_detector {
    const char *name;       /* one word: configuration, log token, metric label */
    unsigned cost;          /* typical microseconds: the chain runs cheap ones first */
    size_t settings_offset; /* of its group in struct scan_conf; 0: no settings */
    size_t state_size;      /* the chain allocates and zeroes it */
    const struct scan_symbol *symbols; /* ends with a zero entry; NULL: none */
    /* Symbols that come from files: known after load. A name that another detector
       declares, too, is one symbol: it counts once. NULL: there are none. */
    size_t (*more_symbols)(const void *state, const struct scan_symbol **out);
    int (*load)(void *state, const struct scan_env *env, struct mx_err *err);
    int (*check)(void *state, const struct scan_env *env, struct mx_err *err);
    int (*start)(void *state, const struct scan_env *env, struct mx_err *err);
    int (*run)(void *state, const struct message *msg, struct scan_result *result,
               struct mx_err *err);
    void (*stop)(void *state);
    void (*versions)(const void *state, struct scan_versions *out);
    const char *(*library)(void); /* name and version for -V; NULL: our own code only */
};

/**
 * scan_add(result, symbol, fmt, ...):
 * This symbol hit; ${fmt} says on what (may be ""). Hitting again adds to the detail, not
 * to the score. Beyond SCAN_FINDINGS_MAX findings or SCAN_DETAIL_MAX octets it is cut.
 * Owner:  ${symbol} is of the detector's table; the detail is copied.
 */
void scan_add(struct scan_result *result, const char *symbol, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/**
 * scan_add_times(result, symbol, times, weight):
 * This symbol hit so often, and counts so often (SpamAssassin's "multiple"), with
 * ${weight} where neither the configuration nor another detector gives it one.
 */
void scan_add_times(struct scan_result *result, const char *symbol, unsigned times,
                    double weight);

/**
 * scan_limited(result, what):
 * ${what}, a rule, met a limit on this message and was left out: the supervisor counts
 * and logs that.
 * Owner:  ${what} is of the detector's state.
 */
void scan_limited(struct scan_result *result, struct mx_str what);

/** scan_virus(result, name): a virus of that name is in the message. At most
 * SCAN_VIRUSES_MAX. */
void scan_virus(struct scan_result *result, struct mx_str name);

/* A file of the message, under one of its plausible names. */
struct scan_file {
    struct mx_str name; /* cleaned, UTF-8, lower case; "" none */
    struct mx_str type; /* MIME type by content; "" not looked at */
    unsigned depth;     /* 0: attached; more: that deep inside archives */
};

/** scan_file(result, file): report it, for policies on names. At most SCAN_FILES_MAX;
 * copied. */
void scan_file(struct scan_result *result, const struct scan_file *file);

/** scan_final(result): nothing that others could find matters any more: the chain stops.
 */
void scan_final(struct scan_result *result);

/** scan_has(result, symbol): an earlier detector (or this one) found it. */
bool scan_has(const struct scan_result *result, const char *symbol);

/** scan_is_profiled(result): whoever asked wants to know where the time goes. */
bool scan_is_profiled(const struct scan_result *result);

/**
 * scan_spent(result, stage, item, ns):
 * So much CPU time of the detector that runs went into ${stage}, or there into ${item}
 * ("": the stage as a whole). Stages are disjoint; what they leave is the detector's own
 * (stage "": all of it, which the chain tells).
 * At most SCAN_SPENT_MAX are kept; nothing is none.
 * Owner:  both texts live as long as the result.
 */
void scan_spent(struct scan_result *result, const char *stage, const char *item,
                int64_t ns);

/** scan_scratch(result): the arena of the request. */
struct mx_arena *scan_scratch(struct scan_result *result);

/** scan_left_ms(msg): milliseconds until the deadline, 0 when it has passed. */
int64_t scan_left_ms(const struct message *msg);

#endif
