/* The shared state as the commands reach it: this node's section "redis". */
#ifndef CTL_STORE_H
#define CTL_STORE_H

#include "admin.pb-c.h"

struct ctl;
struct mx_arena;
struct mx_err;
struct store_admin;
struct store_redis_settings;

/**
 * ctl_store_settings(ctl, out, err):
 * Section "redis" of the configuration file.
 * Owner:  ${ctl}: lives until the program ends.
 * Fails:  the file is missing or wrong (-1; the text has file and line).
 */
int ctl_store_settings(struct ctl *ctl, const struct store_redis_settings **out,
                       struct mx_err *err);

/** ctl_store_open(ctl, out, err): connect. Owner: store_admin_close. */
int ctl_store_open(struct ctl *ctl, struct store_admin **out, struct mx_err *err);

/** ctl_store_topology(ctl, out, err): who has announced himself. Owner: ${ctl}'s arena.
 */
int ctl_store_topology(struct ctl *ctl, Mxp__TopologyReply **out, struct mx_err *err);

#endif
