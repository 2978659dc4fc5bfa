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

enum clam_verdict { CLAM_CLEAN, CLAM_VIRUS, CLAM_PHISHING, CLAM_LIMIT };

/**
 * clam_engine_scan(engine, data, time_ms, out_name, err):
 * Scan ${data} for at most ${time_ms}. CLAM_LIMIT: clean as far as the limits let it
 * look. CLAM_PHISHING: a guess by heuristics about links, often wrong. Owner: ${out_name}
 * (unless clean) lives as long as the engine. Fails:  out of time (MX_ERR_TIMEOUT),
 * libclamav failed (-1).
 */
int clam_engine_scan(struct clam_engine *engine, struct mx_str data, int64_t time_ms,
                     const char **out_name, enum clam_verdict *out, struct mx_err *err);

/** clam_library(): name and version. */
const char *clam_library(void);

#endif
