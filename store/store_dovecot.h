/* Mailbox usage as Dovecot keeps it, joined to what our own store knows of a quota. */
#ifndef STORE_DOVECOT_H
#define STORE_DOVECOT_H

#include "store.h"

/**
 * store_dovecot_new(store, dovecot, prefix):
 * A store that answers as ${store} does, but that the usage of a mailbox (STORE_QUOTA)
 * comes from ${dovecot}, another store on the Redis that Dovecot's quota_clone writes to.
 * Both are asked at the same time, so a check still waits once. A mailbox that Dovecot
 * does not know keeps our own usage; where Dovecot's Redis does not answer in time, the
 * mailbox's quota is not known.
 * Owner:  owns both stores; store_free frees them. ${prefix} is borrowed.
 */
struct store *store_dovecot_new(struct store *store, struct store *dovecot,
                                const char *prefix);

#endif
