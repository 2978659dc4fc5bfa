/*
 * user_lists: allow and deny lists in the store, of a mailbox, of its domain and of the
 * system. The most specific scope that lists the sender decides: what a user wrote wins
 * over his domain, and that over the system. A denied sender is refused for this
 * recipient only; an allowed one skips what stands behind in the chain, and the mark
 * "allow" exempts this recipient from the spam threshold later.
 *
 * The null sender has no address to be listed, so only client networks count. For
 * authenticated users it is the other way round: networks on lists speak of strangers'
 * machines, while our users come from anywhere, so only their sender address counts.
 *
 * The envelope sender is believed as it is: nothing here proves that it is not forged.
 */
#include "mx_arena.h"
#include "policy.h"
#include "policy_verdict.h"
#include "store_pattern.h"

enum { SLOT_MAILBOX, SLOT_DOMAIN, SLOT_SYSTEM, SLOTS };

struct user_lists_settings {
    const char *text;
};

struct user_lists {
    const struct user_lists_settings *settings;
};

static const struct mx_conf_key keys[] = {
    {.name = "text",
     .type = MX_CONF_STRING,
     .offset = offsetof(struct user_lists_settings, text),
     .max = 400,
     .def = "Sender is refused by this recipient",
     .doc = "Reply text to a sender who is on a deny list."},
    {0},
};

static int start(void *state, const struct policy_env *env, struct mx_err *err)
{
    struct user_lists *self = state;
    (void)err;
    self->settings = env->settings;
    return 0;
}

static const struct mx_addr *sender_of(const struct policy_req *req)
{
    static const struct mx_addr no_sender = {.is_null = true};
    return req->has_bad_sender ? &no_sender : &req->sender;
}

/* What could be listed; returns how many patterns there are. */
static size_t candidates(const struct policy_req *req, struct store_list_query *out)
{
    out->n_patterns = store_pattern_senders(req->arena, sender_of(req), &out->patterns);
    out->client = req->auth_user.n ? NULL : &req->client;
    return store_list_count(out);
}

static void ask(const void *state, const struct policy_req *req,
                struct policy_questions *out)
{
    struct store_question q = {.kind = STORE_LIST_MATCH};
    struct mx_str scopes[SLOTS];
    (void)state;
    if (req->rcpt->is_bad || candidates(req, &q.list) == 0)
        return;
    scopes[SLOT_MAILBOX] = req->rcpt->mailbox;
    scopes[SLOT_DOMAIN] = store_scope_domain(req->rcpt->mailbox);
    scopes[SLOT_SYSTEM] = MX_STR("system");
    for (unsigned slot = 0; slot < SLOTS; slot++) {
        q.list.scope = scopes[slot];
        if (q.list.scope.n > 1)
            policy_ask(out, slot, &q);
    }
}

/* Whether ask found anything to ask in this slot. */
static bool was_asked(const struct policy_req *req, unsigned slot)
{
    struct store_list_query query;
    if (req->rcpt->is_bad || candidates(req, &query) == 0)
        return false;
    return slot == SLOT_SYSTEM || (slot == SLOT_MAILBOX && req->rcpt->mailbox.n > 1) ||
           (slot == SLOT_DOMAIN && store_scope_domain(req->rcpt->mailbox).n > 1);
}

static enum policy_step decide(const void *state, const struct policy_req *req,
                               const struct policy_answers *answers,
                               struct policy_verdict *out)
{
    static const char *const denied[SLOTS] = {"denied-by-mailbox", "denied-by-domain",
                                              "denied-by-system"};
    static const char *const allowed[SLOTS] = {"allowed-by-mailbox", "allowed-by-domain",
                                               "allowed-by-system"};
    const struct user_lists *self = state;
    for (unsigned slot = 0; slot < SLOTS; slot++) {
        const struct store_answer *answer = policy_answer(answers, slot);
        /* A scope that cannot be read might have decided: the wider ones cannot say. */
        if (!answer->is_known) {
            if (was_asked(req, slot))
                return POLICY_FAIL;
            continue;
        }
        switch (answer->list.listing) {
        case STORE_NOT_LISTED: break;
        case STORE_DENIED:
            policy_verdict_reject(out, "5.7.1", mx_str(self->settings->text),
                                  denied[slot]);
            return POLICY_DONE;
        case STORE_ALLOWED:
            policy_verdict_continue(out, allowed[slot], "allow");
            return POLICY_DONE;
        }
    }
    return POLICY_NEXT;
}

const struct policy_module mod_user_lists = {
    .name = "user_lists",
    .doc = "Allow and deny lists of mailboxes, domains and the system (mxdropctl lists).",
    .stages = POLICY_AT_RCPT,
    .on_fail = POLICY_NEXT,
    .keys = keys,
    .settings_size = sizeof(struct user_lists_settings),
    .state_size = sizeof(struct user_lists),
    .start = start,
    .ask = ask,
    .decide = decide,
};
