/*
 * Patterns, scopes and entries of allow/deny lists: how they are written, and which ones
 * apply to a sender.
 */
#ifndef STORE_PATTERN_H
#define STORE_PATTERN_H

#include <stddef.h>

#include "mx_addr.h"
#include "mx_net.h"
#include "mx_str.h"
#include "store.h"

struct mx_arena;
struct mx_err;

/**
 * store_pattern_normalise(arena, text, out, err):
 * "user@dom", "dom", ".dom", "192.0.2.1", "2001:db8::/32" in the form that is stored:
 * lower case, full networks. IPv4 prefixes 8 to 32, IPv6 32, 40, 48, 56, 64, 128.
 * Fails:  none of these (-1; the text lists the forms).
 */
int store_pattern_normalise(struct mx_arena *arena, struct mx_str text,
                            struct mx_str *out, struct mx_err *err);

/** store_scope_normalise(arena, text, out, err): "user@dom", "@dom", "system". */
int store_scope_normalise(struct mx_arena *arena, struct mx_str text, struct mx_str *out,
                          struct mx_err *err);

/** store_scope_domain(mailbox): "@dom" of a mailbox id; "" where it has no domain. */
struct mx_str store_scope_domain(struct mx_str mailbox);

/**
 * store_pattern_candidates(arena, sender, client, out):
 * The patterns that a sender and client could be listed under, most specific first:
 * address, domain, .domain, .parents, then networks. At most STORE_PATTERNS_MAX.
 * Returns how many; ${out} is an array in ${arena}.
 */
size_t store_pattern_candidates(struct mx_arena *arena, const struct mx_addr *sender,
                                const struct mx_net *client, const struct mx_str **out);

/**
 * store_listing_parse(value, out_since_ms):
 * What a list entry says: "a 1700000000000" (allowed since), "d ..." (denied since).
 * ${out_since_ms} may be NULL; 0 where the time is missing or odd.
 * Returns STORE_NOT_LISTED for anything else.
 */
enum store_listing store_listing_parse(struct mx_str value, int64_t *out_since_ms);

/** store_listing_format(listing, since_ms, out): the other way round. Returns its slice.
 */
#define STORE_LISTING_MAX 32 /* bytes with the NUL */
struct mx_str store_listing_format(enum store_listing listing, int64_t since_ms,
                                   char out[static STORE_LISTING_MAX]);

#endif
