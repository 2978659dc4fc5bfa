/* What stands in for the store while it is down: lists and quotas seen lately, own rates.
 */
#ifndef STORE_SNAPSHOT_H
#define STORE_SNAPSHOT_H

#include "store.h"

struct mx_clock;

#define STORE_SNAPSHOT_LIST_AGE_MS 86400000 /* older ones are not used any more */
#define STORE_SNAPSHOT_QUOTA_AGE_MS 600000

/**
 * store_snapshot_new(store, clock):
 * A store that answers as ${store} does. While that cannot say, patterns that it found on
 * a list lately and mailboxes whose limit it knew minutes ago still get their answers,
 * and rates are counted in buckets of this store's own, of which each begins empty.
 * Whoever was not seen on a list stays unknown: a snapshot never says "not listed".
 * Owner:  owns ${store}; store_free frees both. ${clock} is borrowed.
 */
struct store *store_snapshot_new(struct store *store, const struct mx_clock *clock);

#endif
