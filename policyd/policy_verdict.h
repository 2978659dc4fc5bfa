/* Verdicts: making them, their text, and which reply belongs to which action. */
#ifndef POLICY_VERDICT_H
#define POLICY_VERDICT_H

#include <stdbool.h>

#include "mx_str.h"
#include "policy.h"

struct mx_arena;
struct mx_err;

#define POLICY_REPLY_MAX                                                                 \
    510 /* octets of a reply line without CRLF: RFC 5321 4.5.3.1.5                       \
         */

/**
 * policy_verdict_reject(out, enhanced, text, reason): 550 with ${enhanced} ("5.7.1").
 * policy_verdict_tempfail: 450 with ${enhanced} ("4.7.1").
 * policy_verdict_continue: in favour; ${mark} is remembered for CONTENT, or NULL.
 * Owner:  texts are borrowed for the life of the request.
 */
void policy_verdict_reject(struct policy_verdict *out, const char *enhanced,
                           struct mx_str text, const char *reason);
void policy_verdict_tempfail(struct policy_verdict *out, const char *enhanced,
                             struct mx_str text, const char *reason);
void policy_verdict_continue(struct policy_verdict *out, const char *reason,
                             const char *mark);

/**
 * policy_verdict_is_sound(verdict):
 * The reply belongs to the action: 5xx and "5." for REJECT, 4xx and "4." for TEMPFAIL,
 * no code for the others. A module whose verdict is not sound has a bug.
 * Source: RFC 3463 2, RFC 5321 4.2.1.
 */
bool policy_verdict_is_sound(const struct policy_verdict *verdict);

/**
 * policy_verdict_reply_parse(arena, text, io_verdict, err):
 * "550 5.7.1 text", "5.7.1 text" or "text" on top of a verdict that has its action and
 * defaults. ${io_verdict}->text becomes what is behind the codes, or stays where that
 * is empty.
 * Owner:  copies into ${arena}.
 * Fails:  codes of another class than the action's (-1, untouched).
 */
int policy_verdict_reply_parse(struct mx_arena *arena, struct mx_str text,
                               struct policy_verdict *io_verdict, struct mx_err *err);

/**
 * policy_verdict_format(arena, verdict):
 * "450 4.7.1 text" for people and logs; the action's name without a reply. Bytes that do
 * not belong into a reply become '?'; cut at POLICY_REPLY_MAX.
 */
const char *policy_verdict_format(struct mx_arena *arena,
                                  const struct policy_verdict *verdict);

/** policy_verdict_clean(arena, text): ${text} as it may stand in a reply line. */
struct mx_str policy_verdict_clean(struct mx_arena *arena, struct mx_str text);

/** policy_action_name(action): "continue", "tag", "reject" ... */
const char *policy_action_name(enum policy_action action);
#define POLICY_ACTIONS (POLICY_REJECT + 1)

/** policy_stage_name(stage): "connect", "helo", "mail", "rcpt", "content". */
const char *policy_stage_name(enum policy_stage stage);

#endif
