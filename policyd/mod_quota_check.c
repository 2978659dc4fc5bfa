/*
 * quota_check: a mailbox that is full refuses at RCPT, before the message is sent, rather
 * than bouncing it later.
 *
 * Over means: usage + SIZE > limit + grace. At first that is temporary (450 4.2.2: the
 * owner may clean up; not 452, which some senders read as "too many recipients" and take
 * as an invitation to start over at once). It is permanent (552 5.2.2) when the mailbox
 * has been over for long, when its owner has not been seen for long, and for a message
 * that could never fit. A limit or usage that is not known is no reason to refuse:
 * missing is not zero. Limits come from the site (mxdropctl quota set, or its own
 * programs), usage from there too.
 *
 * Of an address with several mailboxes each is asked; the worst counts, as the message
 * would bounce for that one. Mailboxes beyond POLICY_SLOTS_MAX are not looked at.
 */
#include "mx_err.h"
#include "policy.h"
#include "policy_verdict.h"

struct quota_settings {
    int64_t grace, temporary_ms, inactive_ms, remember_ms;
};

struct quota_check {
    const struct quota_settings *settings;
};

#define AT(member) offsetof(struct quota_settings, member)
#define YEARS_MS(n) ((int64_t)(n)*365 * 86400 * 1000)

static const struct mx_conf_key keys[] = {
    {.name = "grace",
     .type = MX_CONF_SIZE,
     .offset = AT(grace),
     .min = 0,
     .max = (int64_t)1 << 40,
     .def = "0",
     .doc = "How far over its limit a mailbox may go."},
    {.name = "temporary",
     .type = MX_CONF_DURATION,
     .offset = AT(temporary_ms),
     .min = 0,
     .max = YEARS_MS(1),
     .def = "7d",
     .doc = "How long being over is answered with 450; then 552."},
    {.name = "inactive",
     .type = MX_CONF_DURATION,
     .offset = AT(inactive_ms),
     .min = 0,
     .max = YEARS_MS(9),
     .def = "0",
     .doc = "A full mailbox whose owner was not seen for so long answers 552 at once. 0: "
            "never; not known when last seen: never."},
    {.name = "remember",
     .type = MX_CONF_DURATION,
     .offset = AT(remember_ms),
     .min = 3600000,
     .max = YEARS_MS(1),
     .def = "30d",
     .doc = "How long it is remembered since when a mailbox is over; longer than "
            "temporary."},
    {0},
};

static int start(void *state, const struct policy_env *env, struct mx_err *err)
{
    struct quota_check *self = state;
    self->settings = env->settings;
    if (self->settings->remember_ms <= self->settings->temporary_ms)
        return mx_err_set(err, MX_ERR_INPUT,
                          "remember must be longer than temporary, else no mailbox is "
                          "ever over for that long");
    return 0;
}

static size_t mailboxes_of(const struct policy_req *req)
{
    size_t n = req->rcpt->is_bad ? 0 : req->rcpt->n_mailboxes;
    return n < POLICY_SLOTS_MAX ? n : POLICY_SLOTS_MAX;
}

static void ask(const void *state, const struct policy_req *req,
                struct policy_questions *out)
{
    (void)state;
    for (unsigned i = 0; i < mailboxes_of(req); i++) {
        struct store_question question = {.kind = STORE_QUOTA,
                                          .mailbox = req->rcpt->mailboxes[i]};
        policy_ask(out, i, &question);
    }
}

enum fullness { FITS, FULL_FOR_NOW, FULL_FOR_GOOD };

static int64_t size_of(const struct policy_req *req)
{
    if (req->size == 0)
        return 1; /* not announced */
    return req->size < INT64_MAX / 4 ? (int64_t)req->size : INT64_MAX / 4;
}

static bool is_over(const struct quota_settings *set, const struct store_answer *answer,
                    int64_t size)
{
    /* As a sum without overflow: what Redis holds is outside bytes. */
    __int128 used = (__int128)answer->quota.used + size;
    return answer->quota.has_limit && answer->quota.has_used &&
           used > (__int128)answer->quota.limit + set->grace;
}

static enum fullness judge(const struct quota_settings *set,
                           const struct store_answer *answer,
                           const struct policy_req *req)
{
    int64_t size = size_of(req);
    if (answer->quota.has_limit && size - set->grace > answer->quota.limit)
        return FULL_FOR_GOOD;
    if (!is_over(set, answer, size))
        return FITS;
    int64_t since = answer->quota.over_since_ms, active = answer->quota.active_ms;
    bool is_long = since > 0 && req->now_ms - since > set->temporary_ms;
    bool is_inactive =
        set->inactive_ms > 0 && active > 0 && req->now_ms - active > set->inactive_ms;
    return is_long || is_inactive ? FULL_FOR_GOOD : FULL_FOR_NOW;
}

static enum policy_step decide(const void *state, const struct policy_req *req,
                               const struct policy_answers *answers,
                               struct policy_verdict *out)
{
    const struct quota_settings *set = ((const struct quota_check *)state)->settings;
    enum fullness worst = FITS;
    bool is_unknown = false;
    for (unsigned i = 0; i < mailboxes_of(req); i++) {
        const struct store_answer *answer = policy_answer(answers, i);
        is_unknown |= !answer->is_known;
        enum fullness this = answer->is_known ? judge(set, answer, req) : FITS;
        worst = this > worst ? this : worst;
    }
    switch (worst) {
    case FITS: return is_unknown ? POLICY_FAIL : POLICY_NEXT;
    case FULL_FOR_NOW:
        policy_verdict_tempfail(out, "4.2.2", MX_STR("Mailbox full, try again later"),
                                "tempquota");
        break;
    case FULL_FOR_GOOD:
        policy_verdict_reject(out, "5.2.2", MX_STR("Mailbox full"), "permquota");
        out->code = 552;
        break;
    }
    return POLICY_DONE;
}

/* Since when a mailbox is over is remembered whatever the verdict was: being full is
   about the mailbox. A message that is too large for it says nothing of the others. */
static void record(const void *state, const struct policy_req *req,
                   const struct policy_answers *answers,
                   const struct policy_verdict *final, struct policy_effects *out)
{
    const struct quota_settings *set = ((const struct quota_check *)state)->settings;
    (void) final;
    for (unsigned i = 0; i < mailboxes_of(req); i++) {
        const struct store_answer *answer = policy_answer(answers, i);
        bool full = answer->is_known && is_over(set, answer, 1);
        bool was_full = answer->is_known && answer->quota.over_since_ms > 0;
        struct store_effect effect = {.kind = full ? STORE_QUOTA_OVER : STORE_QUOTA_UNDER,
                                      .mailbox = req->rcpt->mailboxes[i],
                                      .now_ms = req->now_ms,
                                      .ttl_ms = set->remember_ms};
        if (full != was_full)
            policy_tell(out, &effect);
    }
}

const struct policy_module mod_quota_check = {
    .name = "quota_check",
    .doc = "Refuses recipients whose mailbox is full: for now at first, then for good.",
    .stages = POLICY_AT_RCPT,
    .on_fail = POLICY_NEXT,
    .keys = keys,
    .settings_size = sizeof(struct quota_settings),
    .state_size = sizeof(struct quota_check),
    .start = start,
    .ask = ask,
    .decide = decide,
    .record = record,
};
