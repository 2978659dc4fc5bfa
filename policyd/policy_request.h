/* PolicyRequest to struct policy_req: bounds and syntax of what a shim sends. */
#ifndef POLICY_REQUEST_H
#define POLICY_REQUEST_H

#include "policy.h"

struct mx_arena;
struct mx_err;

#define POLICY_PAYLOAD_MAX (4u << 20) /* octets of an encoded request */
#define POLICY_ARENA_MAX (128u << 20) /* octets of one request decoded and answered */
#define POLICY_RCPTS_MAX 10000u       /* recipients of a message */
#define POLICY_ID_MAX 128u            /* octets of ids */
#define POLICY_TEXT_MAX 1024u         /* octets of HELO, names, users: cut */
#define POLICY_MAILBOXES_MAX 64u      /* of one recipient */
#define POLICY_MARKS_MAX 16u          /* of one recipient */
#define POLICY_ARGS_MAX 8u          /* ESMTP arguments of a recipient: no more are read */
#define POLICY_REWRITTEN_MAX 65536u /* octets of what a recipient was rewritten to */
#define POLICY_FILES_MAX 2000u      /* the first so many are looked at */
#define POLICY_FINDINGS_MAX 1000u   /* the first so many are looked at */

struct policy_wish {
    struct policy_req req;
    bool is_explain;
};

/**
 * policy_request_decode(arena, payload, delimiter, out, err):
 * ${delimiter} are the characters that cut the detail off a mailbox. ${out}->req.now_ms
 * is the caller's to set.
 * Owner:  ${out} points into ${arena}.
 * Fails:  not a PolicyRequest, no known stage, no recipient where the stage needs one,
 *         over a bound (-1).
 */
int policy_request_decode(struct mx_arena *arena, struct mx_str payload,
                          const char *delimiter, struct policy_wish *out,
                          struct mx_err *err);

#endif
