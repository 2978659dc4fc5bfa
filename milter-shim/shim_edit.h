/* Changes of a message: what policyd asked for, and the removal of forged header fields.
 */
#ifndef SHIM_EDIT_H
#define SHIM_EDIT_H

#include <stdbool.h>

#include "shim_conn.h"

#include "policy.pb-c.h"

struct mx_err;

#define SHIM_EDITS_MAX 16384u /* edits of one message */

/**
 * shim_edit_leaves_nobody(msg, reply):
 * The edits remove every recipient and add none: the message is for nobody.
 */
bool shim_edit_leaves_nobody(const struct shim_msg *msg, const Mxp__PolicyReply *reply);

/**
 * shim_edit_apply(conn, mta, reply, err):
 * Remove forged X-Mxdrop-* fields, then do the edits of ${reply} (NULL: none) in order,
 * then remove recipients that were to be discarded. Header names are matched without
 * case, recipients verbatim.
 * Fails:  a recipient could not be changed as asked (-1): the message must not be
 *         accepted, as somebody would get what he refused. What goes wrong with a header
 *         is counted in ${out_failed} only.
 */
int shim_edit_apply(struct shim_conn *conn, const struct shim_mta *mta,
                    const Mxp__PolicyReply *reply, unsigned *out_failed,
                    struct mx_err *err);

#endif
