/*
 * rate_limit: buckets of the whole cluster (GCRA). Each limit of the configuration says
 * whose mail it counts, what of it, and how much per time:
 *
 *   "client messages 100/1h"   "network recipients 2000/1d"   "user bytes 500MiB/1h"
 *
 * Messages are asked about and counted at MAIL, recipients at RCPT; bytes are asked about
 * with the announced SIZE at MAIL and counted with the real one at CONTENT. Only what is
 * accepted counts: a client that keeps knocking gets exactly its rate. Checks under way
 * at the same moment may pass together; that many too much is the price of asking
 * everything in one round trip.
 */
#include <inttypes.h>
#include <stdio.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "mx_time.h"
#include "policy.h"
#include "policy_verdict.h"

enum rate_who {
    WHO_CLIENT,
    WHO_NETWORK,
    WHO_SENDER,
    WHO_DOMAIN,
    WHO_USER,
    WHO_RECIPIENT
};
static const char *const who_words[] = {"client", "network",   "sender", "domain",
                                        "user",   "recipient", NULL};
enum rate_what { WHAT_MESSAGES, WHAT_RECIPIENTS, WHAT_BYTES };
static const char *const what_words[] = {"messages", "recipients", "bytes", NULL};
enum rate_action { RATE_DEFER, RATE_REFUSE };
static const char *const action_words[] = {"defer", "refuse", NULL};

#define LIMIT_MAX ((int64_t)1 << 50)
#define PERIOD_MAX_MS ((int64_t)31 * 86400 * 1000)

struct rate_settings {
    int action; /* enum rate_action */
    struct mx_conf_strings limits;
    int64_t bits4, bits6;
};

struct rate {
    enum rate_who who;
    enum rate_what what;
    int64_t limit, period_ms;
    char name[64]; /* of its buckets, "client messages 100/3600000 "; whose follows */
};

struct rate_limit {
    const struct rate_settings *settings;
    struct rate rates[POLICY_SLOTS_MAX];
    unsigned n;
};

#define AT(member) offsetof(struct rate_settings, member)

static const struct mx_conf_key keys[] = {
    {.name = "limits",
     .type = MX_CONF_STRINGS,
     .offset = AT(limits),
     .max = POLICY_SLOTS_MAX,
     .doc = "WHO WHAT LIMIT/PERIOD each, as in \"client messages 100/1h\". WHO: client, "
            "network, sender, domain (of the sender), user (authenticated), recipient. "
            "WHAT: messages, recipients, bytes (\"500MiB/1d\"). At most 8."},
    {.name = "action",
     .type = MX_CONF_ENUM,
     .offset = AT(action),
     .def = "defer",
     .words = action_words,
     .doc = "defer: 450, with the seconds to wait. refuse: 550."},
    {.name = "network_ipv4",
     .type = MX_CONF_INT,
     .offset = AT(bits4),
     .min = 8,
     .max = 32,
     .def = "24",
     .doc = "Prefix length of a network."},
    {.name = "network_ipv6",
     .type = MX_CONF_INT,
     .offset = AT(bits6),
     .min = 16,
     .max = 128,
     .def = "64",
     .doc = "Prefix length of a network."},
    {0},
};

/* ---- configuration ----------------------------------------------------------------- */

static int word_index(struct mx_str word, const char *const *words)
{
    for (int i = 0; words[i] != NULL; i++)
        if (mx_str_eq(word, mx_str(words[i])))
            return i;
    return -1;
}

static int parse_amount(struct mx_str text, struct rate *out, struct mx_err *err)
{
    ptrdiff_t slash = mx_str_chr(text, '/');
    if (slash < 0)
        return mx_err_set(err, MX_ERR_INPUT, "no \"/PERIOD\" behind the limit");
    struct mx_str amount = mx_str_sub(text, 0, (size_t)slash);
    struct mx_str period = mx_str_sub(text, (size_t)slash + 1, text.n);
    bool is_size = out->what == WHAT_BYTES;
    if ((is_size ? mx_size_parse(amount, &out->limit, err)
                 : mx_str_to_int(amount, 1, LIMIT_MAX, &out->limit, err)) < 0 ||
        mx_duration_parse(period, &out->period_ms, err) < 0)
        return -1;
    if (out->limit < 1 || out->period_ms < 1000 || out->period_ms > PERIOD_MAX_MS)
        return mx_err_set(err, MX_ERR_INPUT, "a limit is at least 1, a period 1s to 31d");
    return 0;
}

static int parse_rate(struct mx_str text, struct rate *out, struct mx_err *err)
{
    struct mx_str rest = text, words[3];
    size_t n = 0;
    while (n < 3 && mx_str_next(&rest, ' ', &words[n]) == 0)
        n += words[n].n > 0;
    int who = n == 3 ? word_index(words[0], who_words) : -1;
    int what = n == 3 ? word_index(words[1], what_words) : -1;
    if (who < 0 || what < 0 || mx_str_trim(rest).n > 0)
        return mx_err_set(err, MX_ERR_INPUT,
                          "limits: \"%.*s\": write WHO WHAT LIMIT/PERIOD, as in "
                          "\"client messages 100/1h\"",
                          MX_STR_FMT(text));
    out->who = (enum rate_who)who;
    out->what = (enum rate_what)what;
    if (parse_amount(words[2], out, err) < 0)
        return mx_err_wrap(err, "limits: \"%.*s\"", MX_STR_FMT(text));
    if (out->who == WHO_RECIPIENT && out->what != WHAT_RECIPIENTS)
        return mx_err_set(err, MX_ERR_INPUT,
                          "limits: \"%.*s\": a recipient's limit counts recipients",
                          MX_STR_FMT(text));
    snprintf(out->name, sizeof(out->name), "%s %s %" PRId64 "/%" PRId64 " ",
             who_words[out->who], what_words[out->what], out->limit, out->period_ms);
    return 0;
}

static int start(void *state, const struct policy_env *env, struct mx_err *err)
{
    struct rate_limit *self = state;
    self->settings = env->settings;
    for (size_t i = 0; i < self->settings->limits.n; i++, self->n++)
        if (parse_rate(mx_str(self->settings->limits.v[i]), &self->rates[i], err) < 0)
            return -1;
    return 0;
}

/* ---- checks ---------------------------------------------------------------------------
 */

/* Whose bucket; "" where the limit does not concern this request. */
static struct mx_str who_of(const struct rate_limit *self, const struct rate *rate,
                            const struct policy_req *req)
{
    char text[MX_NET_TEXT_MAX];
    struct mx_net net = req->client;
    switch (rate->who) {
    case WHO_CLIENT: break;
    case WHO_NETWORK:
        net = mx_net_mask(&net, (unsigned)self->settings->bits4,
                          (unsigned)self->settings->bits6);
        break;
    case WHO_SENDER: return req->sender.text;
    case WHO_DOMAIN: return req->sender.domain;
    case WHO_USER: return req->auth_user;
    case WHO_RECIPIENT: return req->rcpt ? req->rcpt->mailbox : MX_STR("");
    }
    return net.family ? mx_str_dup(req->arena, mx_str(mx_net_format(&net, text)))
                      : MX_STR("");
}

/* What this request adds where it is asked about (is_hit: where it is counted). */
static int64_t cost_of(const struct rate *rate, const struct policy_req *req, bool is_hit)
{
    int64_t size = req->size < LIMIT_MAX ? (int64_t)req->size : LIMIT_MAX;
    switch (rate->what) {
    case WHAT_MESSAGES: return req->stage == POLICY_AT_MAIL;
    case WHAT_RECIPIENTS: return req->stage == POLICY_AT_RCPT;
    case WHAT_BYTES:
        if (is_hit)
            return req->stage == POLICY_AT_CONTENT ? size : 0;
        return req->stage == POLICY_AT_MAIL ? size + (size == 0) : 0;
    }
    return 0;
}

static bool query_of(const struct rate_limit *self, unsigned i,
                     const struct policy_req *req, bool is_hit,
                     struct store_rate_query *out)
{
    const struct rate *rate = &self->rates[i];
    struct mx_str who = who_of(self, rate, req);
    int64_t cost = cost_of(rate, req, is_hit);
    if (who.n == 0 || cost == 0)
        return false;
    struct mx_str name[] = {mx_str(rate->name), who};
    *out = (struct store_rate_query){.name = mx_str_join(req->arena, name, 2),
                                     .limit = rate->limit,
                                     .period_ms = rate->period_ms,
                                     .cost = cost,
                                     .now_ms = req->now_ms};
    return true;
}

static void ask(const void *state, const struct policy_req *req,
                struct policy_questions *out)
{
    const struct rate_limit *self = state;
    for (unsigned i = 0; i < self->n; i++) {
        struct store_question question = {.kind = STORE_RATE};
        if (query_of(self, i, req, false, &question.rate))
            policy_ask(out, i, &question);
    }
}

static void over(const struct rate_limit *self, const struct policy_req *req,
                 const struct rate *rate, int64_t wait_ms, struct policy_verdict *out)
{
    const char *text =
        mx_arena_printf(req->arena, "Too many %s for this %s, try again in %lld seconds",
                        what_words[rate->what], who_words[rate->who],
                        (long long)((wait_ms + 999) / 1000));
    if (self->settings->action == RATE_REFUSE)
        policy_verdict_reject(out, "5.7.1", mx_str(text), "rate");
    else
        policy_verdict_tempfail(out, "4.7.1", mx_str(text), "rate");
}

static enum policy_step decide(const void *state, const struct policy_req *req,
                               const struct policy_answers *answers,
                               struct policy_verdict *out)
{
    const struct rate_limit *self = state;
    struct store_rate_query query;
    bool is_unknown = false;
    for (unsigned i = 0; i < self->n; i++) {
        if (!query_of(self, i, req, false, &query))
            continue;
        const struct store_answer *answer = policy_answer(answers, i);
        is_unknown |= !answer->is_known;
        if (answer->is_known && answer->rate.wait_ms > 0) {
            over(self, req, &self->rates[i], answer->rate.wait_ms, out);
            return POLICY_DONE;
        }
    }
    return is_unknown ? POLICY_FAIL : POLICY_NEXT;
}

static void record(const void *state, const struct policy_req *req,
                   const struct policy_answers *answers,
                   const struct policy_verdict *final, struct policy_effects *out)
{
    const struct rate_limit *self = state;
    (void)answers;
    if (final->action == POLICY_REJECT || final->action == POLICY_TEMPFAIL)
        return;
    for (unsigned i = 0; i < self->n; i++) {
        struct store_effect effect = {.kind = STORE_RATE_HIT};
        if (query_of(self, i, req, true, &effect.rate))
            policy_tell(out, &effect);
    }
}

const struct policy_module mod_rate_limit = {
    .name = "rate_limit",
    .doc = "Limits messages, recipients and bytes per time, over the whole cluster.",
    .stages = POLICY_AT_MAIL | POLICY_AT_RCPT | POLICY_AT_CONTENT,
    .on_fail = POLICY_NEXT,
    .keys = keys,
    .settings_size = sizeof(struct rate_settings),
    .state_size = sizeof(struct rate_limit),
    .start = start,
    .ask = ask,
    .decide = decide,
    .record = record,
};
