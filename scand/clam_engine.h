/* libclamav's signature engine: load, hold, scan with, release. */
#ifndef CLAM_ENGINE_H
#define CLAM_ENGINE_H

#include <stddef.h>
#include <stdint.h>

#include "mx_str.h"

struct clam_engine;
struct clamav_settings;
struct mx_err;

/**
 * clam_engine_load(settings, out, err):
 * Load and compile every signature of the directory. Minutes and more than a gigabyte
 * with the full public set: once, before workers are forked.
 * Owner:  clam_engine_free.
 * Fails:  directory missing or unreadable, no signature in it, a file that libclamav
 *         refuses (-1, the text names the directory).
 */
int clam_engine_load(const struct clamav_settings *settings, struct clam_engine **out,
                     struct mx_err *err);
void clam_engine_free(struct clam_engine *engine);

/** clam_engine_version(engine): "DATABASE-VERSION/SIGNATURES", lives as long as it. */
const char *clam_engine_version(const struct clam_engine *engine);

/** clam_engine_temp_dir(engine, path, err): where it unpacks, for this process. */
int clam_engine_temp_dir(struct clam_engine *engine, const char *path,
                         struct mx_err *err);

/* What libclamav alerts on; only the first kind is a virus. */
enum clam_kind {
    CLAM_VIRUS,     /* a signature */
    CLAM_PHISHING,  /* a guess by heuristics about links, often wrong */
    CLAM_LIMIT,     /* not all was looked at: the rest is clean or says otherwise */
    CLAM_MACROS,    /* Office document with macros (VBA, Excel 4) */
    CLAM_ENCRYPTED, /* encrypted document */
    CLAM_KINDS
};

struct clam_report {
    const char *name[CLAM_KINDS]; /* the first alert of each kind; NULL: none */
};

/**
 * clam_engine_scan(engine, data, time_ms, out, err):
 * Scan ${data} for at most ${time_ms} and never longer than the configured limit.
 * Owner:  names in ${out} live as long as the engine.
 * Fails:  libclamav failed, or needed more than ${time_ms} where the limit would have
 *         allowed more (MX_ERR_TIMEOUT).
 */
int clam_engine_scan(struct clam_engine *engine, struct mx_str data, int64_t time_ms,
                     struct clam_report *out, struct mx_err *err);

/** clam_library(): name and version. */
const char *clam_library(void);

#endif
