/* Section "milter" of the configuration, and the immutable snapshot that sessions hold.
 */
#ifndef SHIM_CONF_H
#define SHIM_CONF_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "mx_conf.h"

struct mx_err;

enum shim_policyd_down { SHIM_POLICYD_TEMPFAIL, SHIM_POLICYD_CONTINUE };
enum shim_scand_down { SHIM_SCAND_TEMPFAIL, SHIM_SCAND_ACCEPT, SHIM_SCAND_HOLD };

/* Values as configured; see the table in shim_conf.c for what they mean. */
struct shim_conf {
    const char *socket, *socket_mode, *user;
    bool allow_root;
    int64_t backlog;
    int64_t mta_timeout_ms;
    struct mx_conf_strings policyd;
    const char *public_key, *secret_key;
    struct mx_conf_strings ask_at;
    int64_t envelope_timeout_ms, rcpt_timeout_ms, content_timeout_ms;
    int64_t scan_timeout_ms, scan_attempt_ms, progress_ms;
    int64_t topology_ms, drain_timeout_ms;
    int policyd_down, scand_down, scand_down_submission; /* the enums above */
    bool scand_down_early;
    int64_t shed_load, shed_load_all; /* scans in flight per worker; 0: no limit */
    int64_t alarm_share, alarm_after_ms;
    bool has_scan;
    int64_t max_recipients, max_headers, max_header_bytes;
    int64_t body_memory, body_budget, scan_limit, oversize_head;
    const char *spool_dir;
    const char *metrics;
};

extern const struct mx_conf_section shim_conf_section;

/* Bits of shim_settings.ask. */
#define SHIM_ASK_CONNECT 1u
#define SHIM_ASK_HELO 2u
#define SHIM_ASK_MAIL 4u
#define SHIM_ASK_RCPT 8u

/* One configuration, shared by the sessions that began with it. */
struct shim_settings {
    const struct shim_conf *conf;
    unsigned ask; /* stages that policyd is asked at */
    mode_t socket_mode;
    struct mx_conf *owned; /* freed with it; or NULL */
    _Atomic unsigned holders;
};

/**
 * shim_settings_new(snapshot, owned, out, err):
 * Derive the settings from section "milter".
 * Owner:  one holder, see shim_settings_drop. ${snapshot} is borrowed; the same again as
 *         ${owned} hands it over where the call succeeds; else ${owned} is NULL.
 * Fails:  a stage name or socket mode that does not exist, a policyd that is no endpoint
 *         (-1; the text says where).
 */
int shim_settings_new(const struct mx_conf *snapshot, struct mx_conf *owned,
                      struct shim_settings **out, struct mx_err *err);

/** shim_settings_hold(settings) / shim_settings_drop(settings): one holder more / less.
 */
struct shim_settings *shim_settings_hold(struct shim_settings *settings);
void shim_settings_drop(struct shim_settings *settings);

/** shim_settings_restart(old, new): the first changed key that a reload cannot apply, or
 * NULL. */
const char *shim_settings_restart(const struct shim_conf *old,
                                  const struct shim_conf *new);

/** shim_conf_check(conf, err): -t beyond the table. Fails: as shim_settings_new (-1). */
int shim_conf_check(const struct mx_conf *conf, struct mx_err *err);

#endif
