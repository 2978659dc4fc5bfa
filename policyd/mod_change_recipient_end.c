/*
 * change_recipient_end: what change_recipient found at RCPT becomes the envelope. The
 * shim kept it and hands it back; here it is only put into effect, so that a site decides
 * by its content chain whether envelopes are changed at all.
 */
#include "mx_arena.h"
#include "policy.h"

static enum policy_step decide(const void *state, const struct policy_req *req,
                               const struct policy_answers *answers,
                               struct policy_verdict *out)
{
    (void)state;
    (void)answers;
    if (req->rcpt->rewritten.n == 0)
        return POLICY_NEXT;
    struct policy_rewrite *rewrite = mx_arena_alloc(req->arena, sizeof(*rewrite));
    rewrite->paths = req->rcpt->rewritten;
    out->rewrite = rewrite;
    return POLICY_NEXT;
}

const struct policy_module mod_change_recipient_end = {
    .name = "change_recipient_end",
    .doc = "Delivers to what change_recipient made of an address (with its rewrite).",
    .stages = POLICY_AT_CONTENT,
    .on_fail = POLICY_NEXT,
    .decide = decide,
};
