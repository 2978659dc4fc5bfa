/* Recipients' choices (mxdropctl prefs) as modules ask for them. */
#ifndef POLICY_PREFS_H
#define POLICY_PREFS_H

#include "policy.h"
#include "store_prefs.h"

#define POLICY_PREFS_SLOTS 3 /* of the asking module: mailbox, domain, system */

/**
 * policy_prefs_ask(req, which, first_slot, out):
 * Ask what the recipient, his domain and the system chose of ${which} (1u << enum
 * store_pref), in POLICY_PREFS_SLOTS slots from ${first_slot} on.
 */
void policy_prefs_ask(const struct policy_req *req, unsigned which, unsigned first_slot,
                      struct policy_questions *out);

/**
 * policy_prefs_take(req, answers, first_slot, io_prefs):
 * Put the choices over the defaults that ${io_prefs} has: each from the most specific
 * scope that made it.
 * Fails:  some scope could not be asked (-1, untouched): what it would have said is not
 *         known, so nothing that hurts may follow from the rest.
 */
int policy_prefs_take(const struct policy_req *req, const struct policy_answers *answers,
                      unsigned first_slot, struct store_prefs *io_prefs);

#endif
