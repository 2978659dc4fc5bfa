/*
 * greylist: a sender pool that is not known yet is asked to come back. The key is (pool,
 * sender domain, recipient); the pool is the client's /24 or /64, as big senders retry
 * from a neighbour. Who comes back after the delay passes and is remembered; a pool that
 * passed often enough is not asked again.
 *
 * While the store is young (first start, or it has lost its data) everybody passes and is
 * recorded, or else every known sender would be delayed at once. Never for authenticated
 * users, the null sender, clients without an IP address, and recipients who do not want
 * it (mxdropctl prefs). Postfix hangs up after many refusals in one message, so there are
 * at most max_refusals of them.
 */
#include <inttypes.h>

#include "mx_arena.h"
#include "policy.h"
#include "policy_prefs.h"
#include "policy_verdict.h"

enum { SLOT_SEEN, SLOT_EPOCH, SLOT_PREFS };

enum recipient_part { RECIPIENT_MAILBOX, RECIPIENT_DOMAIN };
static const char *const recipient_words[] = {"mailbox", "domain", NULL};

struct greylist_settings {
    int64_t delay_ms, retry_window_ms, expire_ms, learn_ms;
    int64_t auto_allow, max_refusals, ipv4_bits, ipv6_bits;
    int recipient; /* enum recipient_part */
    bool has_choices;
};

struct greylist {
    const struct greylist_settings *settings;
};

#define AT(member) offsetof(struct greylist_settings, member)
#define DAY_MS ((int64_t)86400000)

static const struct mx_conf_key keys[] = {
    {.name = "delay",
     .type = MX_CONF_DURATION,
     .offset = AT(delay_ms),
     .min = 1000,
     .max = DAY_MS,
     .def = "4m",
     .doc = "How long a new sender has to wait. A little below the 5 minutes after which "
            "most MTAs try again."},
    {.name = "retry_window",
     .type = MX_CONF_DURATION,
     .offset = AT(retry_window_ms),
     .min = 60000,
     .max = 30 * DAY_MS,
     .def = "2d",
     .doc = "Who comes back later than this is new again."},
    {.name = "expire",
     .type = MX_CONF_DURATION,
     .offset = AT(expire_ms),
     .min = 3600000,
     .max = 400 * DAY_MS,
     .def = "35d",
     .doc = "How long a sender that passed stays known, counted from the last message."},
    {.name = "learn_period",
     .type = MX_CONF_DURATION,
     .offset = AT(learn_ms),
     .min = 0,
     .max = 30 * DAY_MS,
     .def = "24h",
     .doc = "While the store is younger than this everybody passes and is recorded."},
    {.name = "auto_allow",
     .type = MX_CONF_INT,
     .offset = AT(auto_allow),
     .min = 0,
     .max = 1000000,
     .def = "10",
     .doc = "A pool that passed so often is not delayed any more. 0: never."},
    {.name = "max_refusals",
     .type = MX_CONF_INT,
     .offset = AT(max_refusals),
     .min = 0,
     .max = 1000,
     .def = "8",
     .doc = "Recipients of one message that may be put off; further ones pass, as MTAs "
            "hang up after many errors. 0: no limit."},
    {.name = "ipv4_prefix",
     .type = MX_CONF_INT,
     .offset = AT(ipv4_bits),
     .min = 8,
     .max = 32,
     .def = "24",
     .doc = "Clients in one IPv4 network of this size are one pool."},
    {.name = "ipv6_prefix",
     .type = MX_CONF_INT,
     .offset = AT(ipv6_bits),
     .min = 16,
     .max = 128,
     .def = "64",
     .doc = "Clients in one IPv6 network of this size are one pool."},
    {.name = "recipient",
     .type = MX_CONF_ENUM,
     .offset = AT(recipient),
     .def = "mailbox",
     .words = recipient_words,
     .doc = "Whether a sender is known per mailbox or per recipient domain."},
    {.name = "choices",
     .type = MX_CONF_BOOL,
     .offset = AT(has_choices),
     .def = "true",
     .doc = "Ask the store whether recipients want it (mxdropctl prefs)."},
    {0},
};

/* What the answers mean for this request. */
enum judgement {
    EXEMPT,     /* not for this client or sender */
    UNKNOWN,    /* the store cannot say */
    LEARNING,   /* passes, because the store is young */
    PASSED,     /* known, or came back in time */
    AUTO,       /* the pool is known well */
    UNWANTED,   /* this recipient wants no delay */
    FIRST_SEEN, /* has to come back */
    TOO_EARLY,  /* came back, but not late enough */
};

static int start(void *state, const struct policy_env *env, struct mx_err *err)
{
    struct greylist *self = state;
    (void)err;
    self->settings = env->settings;
    return 0;
}

static bool is_exempt(const struct policy_req *req)
{
    bool is_null = req->sender.is_null && !req->has_bad_sender;
    return req->auth_user.n > 0 || is_null || req->client.family == 0 ||
           req->rcpt->is_bad;
}

static struct mx_str tuple_of(const struct greylist *self, const struct policy_req *req)
{
    struct mx_str sender = req->has_bad_sender        ? req->sender_path
                           : req->sender.domain.n > 0 ? req->sender.domain
                                                      : req->sender.text;
    struct mx_str rcpt = req->rcpt->mailbox;
    if (self->settings->recipient == RECIPIENT_DOMAIN && req->rcpt->addr.domain.n)
        rcpt = req->rcpt->addr.domain;
    struct mx_str parts[] = {sender, MX_STR(" "), rcpt};
    return mx_str_join(req->arena, parts, 3);
}

static struct store_grey_query query(const struct greylist *self,
                                     const struct policy_req *req)
{
    char text[MX_NET_TEXT_MAX];
    struct mx_net pool = mx_net_mask(&req->client, (unsigned)self->settings->ipv4_bits,
                                     (unsigned)self->settings->ipv6_bits);
    return (struct store_grey_query){
        .pool = mx_str_dup(req->arena, mx_str(mx_net_format(&pool, text))),
        .tuple = tuple_of(self, req)};
}

static void ask(const void *state, const struct policy_req *req,
                struct policy_questions *out)
{
    const struct greylist *self = state;
    if (is_exempt(req))
        return;
    policy_ask(
        out, SLOT_SEEN,
        &(struct store_question){.kind = STORE_GREY_SEEN, .grey = query(self, req)});
    policy_ask(out, SLOT_EPOCH, &(struct store_question){.kind = STORE_EPOCH});
    if (self->settings->has_choices)
        policy_prefs_ask(req, 1u << STORE_PREF_GREYLIST, SLOT_PREFS, out);
}

static bool is_learning(const struct greylist *self, const struct policy_req *req,
                        const struct store_answer *epoch)
{
    if (self->settings->learn_ms == 0)
        return false;
    return !epoch->is_known || epoch->epoch.since_ms == 0 ||
           req->now_ms - epoch->epoch.since_ms < self->settings->learn_ms;
}

static int64_t waited_ms(const struct policy_req *req, const struct store_answer *seen)
{
    return req->now_ms - seen->grey.first_ms;
}

static enum judgement judge(const struct greylist *self, const struct policy_req *req,
                            const struct policy_answers *answers)
{
    const struct store_answer *seen = policy_answer(answers, SLOT_SEEN);
    if (is_exempt(req))
        return EXEMPT;
    if (!seen->is_known)
        return UNKNOWN;
    if (seen->grey.passes > 0 ||
        (seen->grey.first_ms > 0 && waited_ms(req, seen) >= self->settings->delay_ms))
        return PASSED;
    if (self->settings->auto_allow > 0 &&
        seen->grey.pool_passes >= self->settings->auto_allow)
        return AUTO;
    if (is_learning(self, req, policy_answer(answers, SLOT_EPOCH)))
        return LEARNING;
    if (self->settings->has_choices) {
        struct store_prefs chosen = {.has = 1u << STORE_PREF_GREYLIST, .greylist = 1};
        if (policy_prefs_take(req, answers, SLOT_PREFS, &chosen) != 0)
            return UNKNOWN;
        if (chosen.greylist == 0)
            return UNWANTED;
    }
    return seen->grey.first_ms > 0 ? TOO_EARLY : FIRST_SEEN;
}

static enum policy_step put_off(const struct policy_req *req, int64_t left_ms,
                                const char *reason, struct policy_verdict *out)
{
    int64_t seconds = (left_ms + 999) / 1000;
    const char *text = mx_arena_printf(
        req->arena, "Greylisted, please try again in %" PRId64 " seconds", seconds);
    policy_verdict_tempfail(out, "4.7.1", mx_str(text), reason);
    return POLICY_DONE;
}

/* Learning after a loss of data looks like a first start: both are worth knowing. */
static const char *notice(const struct greylist *self, const struct policy_req *req,
                          const struct policy_answers *answers, enum judgement judgement)
{
    const struct store_answer *epoch = policy_answer(answers, SLOT_EPOCH);
    if (judgement == EXEMPT || !epoch->is_known)
        return NULL;
    return is_learning(self, req, epoch)
               ? "the store is empty or young: everybody passes and is recorded"
               : "";
}

/* FIRST_SEEN and TOO_EARLY only. */
static enum policy_step delay(const struct greylist *self, const struct policy_req *req,
                              const struct policy_answers *answers,
                              enum judgement judgement, struct policy_verdict *out)
{
    const struct greylist_settings *set = self->settings;
    if (set->max_refusals > 0 && req->tempfailed_rcpts >= set->max_refusals)
        return POLICY_NEXT;
    if (judgement == FIRST_SEEN)
        return put_off(req, set->delay_ms, "first-seen", out);
    int64_t waited = waited_ms(req, policy_answer(answers, SLOT_SEEN));
    return put_off(req, set->delay_ms - (waited > 0 ? waited : 0), "too-early", out);
}

static enum policy_step decide(const void *state, const struct policy_req *req,
                               const struct policy_answers *answers,
                               struct policy_verdict *out)
{
    const struct greylist *self = state;
    enum judgement judgement = judge(self, req, answers);
    enum policy_step step = POLICY_NEXT;
    if (judgement == UNKNOWN)
        return POLICY_FAIL;
    if (judgement == FIRST_SEEN || judgement == TOO_EARLY)
        step = delay(self, req, answers, judgement, out);
    out->notice = notice(self, req, answers, judgement);
    return step;
}

static void record(const void *state, const struct policy_req *req,
                   const struct policy_answers *answers,
                   const struct policy_verdict *final, struct policy_effects *out)
{
    const struct greylist *self = state;
    const struct store_answer *epoch = policy_answer(answers, SLOT_EPOCH);
    enum judgement judgement = judge(self, req, answers);
    if (judgement == EXEMPT || judgement == UNKNOWN || judgement == UNWANTED)
        return;
    if (epoch->is_known && epoch->epoch.since_ms == 0)
        policy_tell(
            out, &(struct store_effect){.kind = STORE_EPOCH_SET, .now_ms = req->now_ms});
    struct store_effect effect = {.grey = query(self, req), .now_ms = req->now_ms};
    if (judgement == PASSED || judgement == AUTO) {
        if (final->action != POLICY_CONTINUE)
            return; /* somebody else refused: that is no success */
        effect.kind = STORE_GREY_PASS;
        effect.ttl_ms = self->settings->expire_ms;
    } else {
        effect.kind = STORE_GREY_FIRST;
        effect.ttl_ms = self->settings->retry_window_ms;
    }
    policy_tell(out, &effect);
}

const struct policy_module mod_greylist = {
    .name = "greylist",
    .doc = "Asks sender pools that are not known yet to come back later.",
    .stages = POLICY_AT_RCPT,
    .on_fail = POLICY_NEXT,
    .keys = keys,
    .settings_size = sizeof(struct greylist_settings),
    .state_size = sizeof(struct greylist),
    .start = start,
    .ask = ask,
    .decide = decide,
    .record = record,
};
