/*
 * Three reads in the batch of the check: mailbox, domain, system. Choices are the
 * mailbox's, not the typed address's, so aliases share them.
 */
#include "policy_prefs.h"

#include "store_pattern.h"

/* "" where there is nobody to ask: a bad address, a mailbox without a domain. */
static struct mx_str scope_of(const struct policy_req *req, unsigned at)
{
    struct mx_str mailbox = req->rcpt->mailbox;
    struct mx_str scopes[POLICY_PREFS_SLOTS] = {mailbox, store_scope_domain(mailbox),
                                                MX_STR("system")};
    return req->rcpt->is_bad || scopes[at].n < 2 ? MX_STR_NONE : scopes[at];
}

void policy_prefs_ask(const struct policy_req *req, unsigned which, unsigned first_slot,
                      struct policy_questions *out)
{
    for (unsigned at = 0; at < POLICY_PREFS_SLOTS; at++) {
        struct store_question question = {.kind = STORE_PREFS_OF};
        question.prefs.scope = scope_of(req, at);
        question.prefs.which = which;
        if (question.prefs.scope.n > 0)
            policy_ask(out, first_slot + at, &question);
    }
}

int policy_prefs_take(const struct policy_req *req, const struct policy_answers *answers,
                      unsigned first_slot, struct store_prefs *io_prefs)
{
    struct store_prefs chosen = {0};
    for (unsigned at = 0; at < POLICY_PREFS_SLOTS; at++) {
        const struct store_answer *answer = policy_answer(answers, first_slot + at);
        if (scope_of(req, at).n == 0)
            continue;
        if (!answer->is_known)
            return -1;
        store_prefs_fill(&chosen, &answer->prefs);
    }
    store_prefs_fill(&chosen, io_prefs);
    *io_prefs = chosen;
    return 0;
}
