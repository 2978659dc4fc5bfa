/*
 * Patterns, scopes and entries of allow/deny lists: how they are written, and which ones
 * apply to a sender.
 */
#ifndef STORE_PATTERN_H
#define STORE_PATTERN_H

#include <stddef.h>
#include <stdint.h>

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
 * store_pattern_senders(arena, sender, out):
 * The patterns that a sender could be listed under, most specific first: address, domain,
 * .domain, .parents; so many that all networks around a client fit behind them.
 * Returns how many; ${out} is an array in ${arena}.
 */
size_t store_pattern_senders(struct mx_arena *arena, const struct mx_addr *sender,
                             const struct mx_str **out);

/** store_list_count(query): how many patterns it asks for, networks included. */
#define STORE_NETWORKS_MAX 25 /* around one client */
size_t store_list_count(const struct store_list_query *query);

/**
 * store_list_pattern(query, at, room):
 * Pattern ${at} of a query; networks are written into ${room}. Missing past the last.
 * Owner:  the query, or ${room}.
 */
struct mx_str store_list_pattern(const struct store_list_query *query, size_t at,
                                 char room[static MX_NET_TEXT_MAX]);

/*
 * Kinds of patterns: address, domain, .domain, and one for each prefix length. A list
 * says which kinds it has, so that nobody asks it for others. As a set, bit by kind; in
 * a list's field STORE_KINDS_FIELD, a letter by kind, or "*" for any.
 */
#define STORE_KINDS_FIELD "#" /* cannot be a pattern */
#define STORE_KINDS_ALL UINT64_MAX
#define STORE_KINDS_SENDERS ((uint64_t)7) /* all but networks */

/** store_list_kind(query, at): the kind of pattern ${at}, as a set of one. */
uint64_t store_list_kind(const struct store_list_query *query, size_t at);

/** store_kinds_parse(text): the set; empty for a missing text. A letter that we do not
 * know may be a kind that a later release has: STORE_KINDS_ALL. */
uint64_t store_kinds_parse(struct mx_str text);

/** store_kinds_letter(pattern): the letter of a pattern's kind; it is normalised. */
char store_kinds_letter(struct mx_str pattern);

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
