/* The inside of store_admin: its connection, and walks over keys. */
#ifndef STORE_ADMIN_SCAN_H
#define STORE_ADMIN_SCAN_H

#include "mx_str.h"

struct mx_err;
struct redisReply;
struct redis_sync;

struct store_admin {
    struct redis_sync *sync;
};

#define STORE_CURSOR_MAX 24

/**
 * store_admin_scan_keys(admin, glob, cursor, out, err):
 * One page of SCAN. ${cursor} is "0" at first and at the end; it is replaced.
 * Owner:  redis_sync_free_reply(${out}), whose element 1 holds the keys.
 * Fails:  Redis (-1).
 */
int store_admin_scan_keys(struct store_admin *admin, struct mx_str glob,
                          char cursor[static STORE_CURSOR_MAX], struct redisReply **out,
                          struct mx_err *err);

#endif
