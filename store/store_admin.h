/* What tools do with the shared state: blocking, one connection, same topology code. */
#ifndef STORE_ADMIN_H
#define STORE_ADMIN_H

#include <stddef.h>
#include <stdint.h>

#include "store.h"

struct mx_err;
struct store_admin;
struct store_redis_settings;

/** store_admin_open(settings, out, err): connect. Fails: as store_redis_check (-1). */
int store_admin_open(const struct store_redis_settings *settings,
                     struct store_admin **out, struct mx_err *err);
void store_admin_close(struct store_admin *admin);

/**
 * store_admin_list_set(admin, scope, pattern, listing, err):
 * Put ${pattern} on the allow or deny list of ${scope}; STORE_NOT_LISTED removes it.
 * Pattern and scope are checked and normalised as store.h says (store_pattern.h).
 * Fails:  bad pattern or scope (MX_ERR_INPUT), Redis (-1).
 */
int store_admin_list_set(struct store_admin *admin, struct mx_str scope,
                         struct mx_str pattern, enum store_listing listing,
                         struct mx_err *err);

/** store_admin_list_each(admin, scope, fn, user, err): every entry, sorted by pattern. */
int store_admin_list_each(struct store_admin *admin, struct mx_str scope,
                          void (*fn)(void *user, struct mx_str pattern,
                                     enum store_listing listing, int64_t since_ms),
                          void *user, struct mx_err *err);

struct store_grey_entry {
    struct mx_str pool;
    struct mx_str tuple; /* as text, kept in the value for people */
    int64_t first_ms, last_ms, passes, pool_passes, ttl_ms;
};

/** store_admin_grey_each(admin, pool, max, fn, user, err): entries of one pool, or of all
    (""), at most ${max}. Walks over all keys (SCAN). */
int store_admin_grey_each(struct store_admin *admin, struct mx_str pool, size_t max,
                          void (*fn)(void *user, const struct store_grey_entry *entry),
                          void *user, struct mx_err *err);

/** store_admin_grey_clear(admin, pool, out_cleared, err): forget one pool with its count
   of passes, or all (""). ${out_cleared} counts tuples. */
int store_admin_grey_clear(struct store_admin *admin, struct mx_str pool,
                           int64_t *out_cleared, struct mx_err *err);

struct store_info {
    char version[32];
    char role[16];
    char persistence[64]; /* "append-only", "no append-only file" */
    int64_t used_memory, keys, since_ms /* epoch, 0 none */;
};

/** store_admin_info(admin, out, err): what status shows of the store. */
int store_admin_info(struct store_admin *admin, struct store_info *out,
                     struct mx_err *err);

/* Numbers of a mailbox's quota that a change may set; negative: leave as it is. */
struct store_quota_change {
    int64_t limit, used; /* bytes */
    int64_t active_ms;   /* wall clock of the owner's last visit */
};

/** store_admin_quota_get(admin, mailbox, out, err): ${out}->quota, as policyd sees it. */
int store_admin_quota_get(struct store_admin *admin, struct mx_str mailbox,
                          struct store_answer *out, struct mx_err *err);

/** store_admin_quota_set(admin, mailbox, change, err). Fails: not a mailbox id, Redis
 * (-1). */
int store_admin_quota_set(struct store_admin *admin, struct mx_str mailbox,
                          const struct store_quota_change *change, struct mx_err *err);

/**
 * store_admin_dovecot_used(settings, mailbox, out, err):
 * Usage as Dovecot's Redis has it (${settings}->dovecot must have an address).
 * Returns 1 with ${out} set, 0: Dovecot does not know the mailbox, -1: failed.
 */
int store_admin_dovecot_used(const struct store_redis_settings *settings,
                             struct mx_str mailbox, int64_t *out, struct mx_err *err);

/**
 * store_admin_rate_each(admin, max, fn, user, err):
 * Every bucket that is not empty: its name as rate_limit made it ("client messages
 * 100/3600000 192.0.2.1") and its theoretical arrival time, microseconds of the wall
 * clock.
 */
int store_admin_rate_each(struct store_admin *admin, size_t max,
                          void (*fn)(void *user, struct mx_str name, int64_t tat_us),
                          void *user, struct mx_err *err);

/** store_admin_prefs_get(admin, scope, out, err): what this scope itself chose.
 * Fails:  bad scope, Redis, a value that is none (-1). */
int store_admin_prefs_get(struct store_admin *admin, struct mx_str scope,
                          struct store_prefs *out, struct mx_err *err);

/**
 * store_admin_prefs_set(admin, scope, prefs, unset, err):
 * Store what ${prefs} has; take back the choices of ${unset} (1u << enum store_pref).
 * Fails:  bad scope, choices that do not agree (store_prefs_check), Redis (-1).
 */
int store_admin_prefs_set(struct store_admin *admin, struct mx_str scope,
                          const struct store_prefs *prefs, unsigned unset,
                          struct mx_err *err);

/** store_admin_prefs_each(admin, max, fn, user, err): every scope that chose something;
   ${prefs} is NULL where a value cannot be read. Walks over all keys (SCAN). */
int store_admin_prefs_each(struct store_admin *admin, size_t max,
                           void (*fn)(void *user, struct mx_str scope,
                                      const struct store_prefs *prefs),
                           void *user, struct mx_err *err);

#endif
