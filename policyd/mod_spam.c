/*
 * spam: the message's score against the system's thresholds. A recipient whose lists
 * allow this sender (a mark of RCPT) is exempt. Thresholds per recipient are not here
 * yet: every recipient that is not exempt gets the same.
 */
#include <inttypes.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "policy.h"
#include "policy_verdict.h"

enum spam_action { SPAM_REFUSE, SPAM_TAG, SPAM_OFF };
static const char *const action_words[] = {"refuse", "tag", "off", NULL};

struct spam_settings {
    int action; /* enum spam_action */
    double tag_score, refuse_score;
    const char *text;
};

struct spam {
    const struct spam_settings *settings;
};

#define AT(member) offsetof(struct spam_settings, member)

static const struct mx_conf_key keys[] = {
    {.name = "action",
     .type = MX_CONF_ENUM,
     .offset = AT(action),
     .def = "refuse",
     .words = action_words,
     .doc =
         "refuse: from refuse_score on 550, from tag_score on tagged. tag: tagged only. "
         "off: neither."},
    {.name = "tag_score",
     .type = MX_CONF_DOUBLE,
     .offset = AT(tag_score),
     .min = -1000,
     .max = 100000,
     .def = "5",
     .doc = "From this score on a message is marked (X-Mxdrop-Status: spam)."},
    {.name = "refuse_score",
     .type = MX_CONF_DOUBLE,
     .offset = AT(refuse_score),
     .min = -1000,
     .max = 100000,
     .def = "10",
     .doc = "From this score on it is refused; not below tag_score."},
    {.name = "text",
     .type = MX_CONF_STRING,
     .offset = AT(text),
     .max = 400,
     .def = "Message refused, it looks like spam",
     .doc = "Reply text of a refusal."},
    {0},
};

static int start(void *state, const struct policy_env *env, struct mx_err *err)
{
    struct spam *self = state;
    self->settings = env->settings;
    if (self->settings->refuse_score < self->settings->tag_score)
        return mx_err_set(err, MX_ERR_INPUT,
                          "refuse_score (%g) is below tag_score (%g): raise it",
                          self->settings->refuse_score, self->settings->tag_score);
    return 0;
}

/* Some module of RCPT decided in favour of this sender for this recipient. */
static bool is_allowed(const struct policy_rcpt *rcpt)
{
    for (size_t i = 0; i < rcpt->n_marks; i++)
        if (mx_str_starts(rcpt->marks[i], MX_STR("allow=")))
            return true;
    return false;
}

static enum policy_step decide(const void *state, const struct policy_req *req,
                               const struct policy_answers *answers,
                               struct policy_verdict *out)
{
    const struct spam_settings *set = ((const struct spam *)state)->settings;
    (void)answers;
    if (set->action == SPAM_OFF)
        return POLICY_NEXT;
    if (req->scan == NULL) {
        out->reason = "not scanned";
        return POLICY_FAIL;
    }
    if (!(req->scan->score >= set->tag_score))
        return POLICY_NEXT;
    if (is_allowed(req->rcpt))
        policy_verdict_continue(out, "allowed", NULL);
    else if (set->action == SPAM_REFUSE && req->scan->score >= set->refuse_score)
        policy_verdict_reject(out, "5.7.1", mx_str(set->text), "score");
    else
        *out = (struct policy_verdict){.action = POLICY_TAG, .reason = "score"};
    return POLICY_DONE;
}

const struct policy_module mod_spam = {
    .name = "spam",
    .doc = "Refuses or marks what scores as spam, unless the recipient's lists allow it.",
    .stages = POLICY_AT_CONTENT,
    .on_fail = POLICY_NEXT,
    .keys = keys,
    .settings_size = sizeof(struct spam_settings),
    .state_size = sizeof(struct spam),
    .start = start,
    .decide = decide,
};
