/* The store in memory: tests, replay and single-host trials. */
#ifndef STORE_MEM_H
#define STORE_MEM_H

#include "store.h"

struct mx_clock;

/**
 * store_mem_new(clock):
 * An empty store; answers at once, before store_ask returns. Entries expire by ${clock}.
 * Owner:  store_free.
 */
struct store *store_mem_new(const struct mx_clock *clock);

/** store_mem_list(store, scope, pattern, listing): as store_admin_list_set, unchecked. */
void store_mem_list(struct store *store, const char *scope, const char *pattern,
                    enum store_listing listing);

struct store_mem_quota {
    int64_t limit, used; /* bytes; negative: not known */
    int64_t active_ms;   /* wall clock; 0: not known */
};

/** store_mem_quota(store, mailbox, quota): what is known of a mailbox's quota. */
void store_mem_quota(struct store *store, const char *mailbox,
                     const struct store_mem_quota *quota);

/** store_mem_prefs(store, scope, prefs): what a scope chose, in place of before. */
void store_mem_prefs(struct store *store, const char *scope,
                     const struct store_prefs *prefs);

/** store_mem_break(store, fault): answers are unknown with that fault; NULL mends it. */
void store_mem_break(struct store *store, const char *fault);

/** store_mem_flush(store): lose everything, as after data loss. */
void store_mem_flush(struct store *store);

#endif
