/*
 * fq_rcpt: refuses recipients that no MTA could deliver to: bad syntax, no domain, a
 * domain that is not fully qualified. "postmaster" alone is always fine (RFC 5321 4.5.1).
 * Whether the domain exists or is ours is not asked here.
 */
#include "mx_arena.h"
#include "policy.h"
#include "policy_verdict.h"

struct fq_rcpt_settings {
    bool allow_literals;
};

struct fq_rcpt {
    const struct fq_rcpt_settings *settings;
};

static const struct mx_conf_key keys[] = {
    {.name = "allow_literals",
     .type = MX_CONF_BOOL,
     .offset = offsetof(struct fq_rcpt_settings, allow_literals),
     .def = "true",
     .doc = "Take address literals (user@[192.0.2.1]) for fully qualified."},
    {0},
};

static int start(void *state, const struct policy_env *env, struct mx_err *err)
{
    struct fq_rcpt *self = state;
    (void)err;
    self->settings = env->settings;
    return 0;
}

static enum policy_step refuse(struct policy_verdict *out, const char *enhanced,
                               struct mx_str text, const char *reason)
{
    policy_verdict_reject(out, enhanced, text, reason);
    return POLICY_DONE;
}

static enum policy_step decide(const void *state, const struct policy_req *req,
                               const struct policy_answers *answers,
                               struct policy_verdict *out)
{
    const struct fq_rcpt *self = state;
    const struct policy_rcpt *rcpt = req->rcpt;
    (void)answers;
    if (rcpt->is_bad)
        return refuse(out, "5.1.3", MX_STR("Recipient address has bad syntax"),
                      "bad-syntax");
    if (rcpt->addr.domain.n == 0) {
        if (mx_str_ieq(rcpt->addr.local, MX_STR("postmaster")))
            return POLICY_NEXT;
        return refuse(out, "5.1.3", MX_STR("Recipient address has no domain"),
                      "no-domain");
    }
    if (rcpt->addr.is_literal ? self->settings->allow_literals
                              : mx_addr_domain_ok(rcpt->addr.domain))
        return POLICY_NEXT;
    return refuse(out, "5.1.2",
                  MX_STR("Recipient address needs a fully qualified domain name"),
                  "not-qualified");
}

const struct policy_module mod_fq_rcpt = {
    .name = "fq_rcpt",
    .doc = "Refuses recipients of bad syntax or without a fully qualified domain.",
    .stages = POLICY_AT_RCPT,
    .on_fail = POLICY_NEXT,
    .keys = keys,
    .settings_size = sizeof(struct fq_rcpt_settings),
    .state_size = sizeof(struct fq_rcpt),
    .start = start,
    .decide = decide,
};
