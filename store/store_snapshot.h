/* Lists that outlive the store: what was seen on them lately, for the time it is down. */
#ifndef STORE_SNAPSHOT_H
#define STORE_SNAPSHOT_H

#include "store.h"

struct mx_clock;

#define STORE_SNAPSHOT_SLOTS 4096u     /* entries kept, at most */
#define STORE_SNAPSHOT_AGE_MS 86400000 /* older ones are not used any more */

/**
 * store_snapshot_new(store, clock):
 * A store that answers as ${store} does. Patterns that it found on a list are remembered,
 * and answer for it while it cannot. Whoever was not seen on a list stays unknown: a
 * snapshot never says "not listed".
 * Owner:  owns ${store}; store_free frees both. ${clock} is borrowed.
 */
struct store *store_snapshot_new(struct store *store, const struct mx_clock *clock);

#endif
