/*
 * spam: the message's score against this recipient's thresholds, and the outcome that he
 * chose (mxdropctl prefs): his own choice, else his domain's, the system's, and last the
 * settings below. A recipient whose lists allow this sender (a mark of RCPT) is exempt.
 *
 * When choices cannot be read, nobody is refused, and nothing dropped, that may have
 * wanted it: what the settings call spam is tagged.
 */
#include <string.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "policy.h"
#include "policy_prefs.h"
#include "policy_verdict.h"

/* What recipients may choose here. */
#define CHOICES                                                                          \
    (1u << STORE_PREF_SPAM_ACTION | 1u << STORE_PREF_TAG_SCORE |                         \
     1u << STORE_PREF_REFUSE_SCORE)

struct spam_settings {
    int action; /* enum store_spam_action */
    double tag_score, refuse_score;
    const char *text, *folder;
    bool has_choices;
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
     .words = store_spam_words,
     .doc = "refuse, discard, quarantine (held): from refuse_score on, and tagged from "
            "tag_score on. folder: into the junk folder, tag: tagged, from tag_score on. "
            "off: neither."},
    {.name = "tag_score",
     .type = MX_CONF_DOUBLE,
     .offset = AT(tag_score),
     .min = STORE_SCORE_MIN,
     .max = STORE_SCORE_MAX,
     .def = "5",
     .doc = "From this score on a message is marked (X-Mxdrop-Status: spam)."},
    {.name = "refuse_score",
     .type = MX_CONF_DOUBLE,
     .offset = AT(refuse_score),
     .min = STORE_SCORE_MIN,
     .max = STORE_SCORE_MAX,
     .def = "10",
     .doc = "From this score on it is refused, discarded or held; not below tag_score."},
    {.name = "text",
     .type = MX_CONF_STRING,
     .offset = AT(text),
     .max = 400,
     .def = "Message refused, it looks like spam",
     .doc = "Reply text of a refusal."},
    {.name = "folder",
     .type = MX_CONF_STRING,
     .offset = AT(folder),
     .max = 60,
     .def = "+Junk",
     .doc = "Junk folder: goes behind the local part of the recipient, in place of a "
            "detail. The MTA's delimiter and the folder's name."},
    {.name = "choices",
     .type = MX_CONF_BOOL,
     .offset = AT(has_choices),
     .def = "true",
     .doc = "Ask the store what recipients chose (mxdropctl prefs)."},
    {0},
};

/* It becomes part of an address: only what needs no quotes there. */
static bool is_folder(const char *text)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                "0123456789-_.";
    return text[0] != '\0' && strchr("+-=#_", text[0]) != NULL && text[1] != '\0' &&
           text[1 + strspn(text + 1, plain)] == '\0';
}

static int start(void *state, const struct policy_env *env, struct mx_err *err)
{
    struct spam *self = state;
    self->settings = env->settings;
    if (self->settings->refuse_score < self->settings->tag_score)
        return mx_err_set(err, MX_ERR_INPUT,
                          "refuse_score (%g) is below tag_score (%g): raise it",
                          self->settings->refuse_score, self->settings->tag_score);
    if (!is_folder(self->settings->folder))
        return mx_err_set(err, MX_ERR_INPUT,
                          "folder: a delimiter and letters, digits, - _ . like +Junk");
    return 0;
}

static void ask(const void *state, const struct policy_req *req,
                struct policy_questions *out)
{
    if (((const struct spam *)state)->settings->has_choices)
        policy_prefs_ask(req, CHOICES, 0, out);
}

/* Some module of RCPT decided in favour of this sender for this recipient. */
static bool is_allowed(const struct policy_rcpt *rcpt)
{
    for (size_t i = 0; i < rcpt->n_marks; i++)
        if (mx_str_starts(rcpt->marks[i], MX_STR("allow=")))
            return true;
    return false;
}

/* The message's score without what DNS lists gave. */
static double unlisted_score(const struct policy_scan *scan)
{
    double score = scan->score;
    for (size_t i = 0; i < scan->n_findings; i++)
        if (mx_str_eq(scan->findings[i].detector, MX_STR("dnsbl")) ||
            mx_str_eq(scan->findings[i].detector, MX_STR("uribl")))
            score -= scan->findings[i].score;
    return score;
}

/* The score is at least this recipient's tag_score. */
static void judge(const struct spam_settings *set, const struct policy_req *req,
                  const struct store_prefs *chosen, struct policy_verdict *out)
{
    bool is_high = req->scan->score >= chosen->refuse_score;
    *out = (struct policy_verdict){.action = POLICY_TAG, .reason = "score"};
    switch ((enum store_spam_action)chosen->spam_action) {
    case STORE_SPAM_REFUSE:
        if (is_high)
            policy_verdict_reject(out, "5.7.1", mx_str(set->text), "score");
        break;
    case STORE_SPAM_DISCARD:
        if (is_high)
            out->action = POLICY_DISCARD;
        break;
    case STORE_SPAM_QUARANTINE:
        if (is_high)
            out->action = POLICY_QUARANTINE;
        break;
    case STORE_SPAM_FOLDER:
        out->action = POLICY_FOLDER;
        out->folder = set->folder;
        break;
    case STORE_SPAM_TAG:
    case STORE_SPAM_OFF: break;
    }
    out->is_spam_unlisted = unlisted_score(req->scan) >= chosen->tag_score;
}

static enum policy_step decide(const void *state, const struct policy_req *req,
                               const struct policy_answers *answers,
                               struct policy_verdict *out)
{
    const struct spam_settings *set = ((const struct spam *)state)->settings;
    struct store_prefs chosen = {.has = CHOICES,
                                 .spam_action = set->action,
                                 .tag_score = set->tag_score,
                                 .refuse_score = set->refuse_score};
    bool is_known = !set->has_choices || policy_prefs_take(req, answers, 0, &chosen) == 0;
    if (is_known && chosen.spam_action == STORE_SPAM_OFF)
        return POLICY_NEXT;
    if (req->scan == NULL) {
        out->reason = "not scanned";
        return POLICY_FAIL;
    }
    if (!(req->scan->score >= chosen.tag_score))
        return is_known ? POLICY_NEXT : POLICY_FAIL;
    if (is_allowed(req->rcpt)) {
        policy_verdict_continue(out, "allowed", NULL);
        return POLICY_DONE;
    }
    if (!is_known) {
        if (set->action != STORE_SPAM_OFF)
            out->action = POLICY_TAG;
        return POLICY_FAIL;
    }
    judge(set, req, &chosen, out);
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
    .ask = ask,
    .decide = decide,
};
