/*
 * virus: what the scanners call malware is not delivered to anybody, whatever recipients
 * chose; and a message that killed two scanner processes is held for an operator, as no
 * scan of it can be trusted and no retry would help.
 */
#include "policy.h"
#include "policy_content.h"

struct virus_settings {
    int action; /* enum policy_content_action */
};

struct virus {
    const struct virus_settings *settings;
};

static const struct mx_conf_key keys[] = {
    {.name = "action",
     .type = MX_CONF_ENUM,
     .offset = offsetof(struct virus_settings, action),
     .def = "refuse",
     .words = policy_content_words,
     .doc = "refuse: 550 to the sender. discard: accepted and dropped. hold: into the "
            "MTA's hold queue. off: only what has killed scanners is held."},
    {0},
};

static int start(void *state, const struct policy_env *env, struct mx_err *err)
{
    struct virus *self = state;
    (void)err;
    self->settings = env->settings;
    return 0;
}

static enum policy_step decide(const void *state, const struct policy_req *req,
                               const struct policy_answers *answers,
                               struct policy_verdict *out)
{
    const struct virus *self = state;
    (void)answers;
    if (req->scan == NULL) {
        out->reason = "not scanned";
        return POLICY_FAIL;
    }
    if (req->scan->n_viruses > 0 && self->settings->action != POLICY_CONTENT_OFF) {
        out->reason = "virus";
        out->text = MX_STR("Message refused, it contains malware");
        return policy_content_verdict(req, self->settings->action, req->scan->viruses[0],
                                      out);
    }
    if (!req->scan->is_poison)
        return POLICY_NEXT;
    out->reason = "poison";
    return policy_content_verdict(req, POLICY_CONTENT_HOLD, MX_STR(""), out);
}

const struct policy_module mod_virus = {
    .name = "virus",
    .doc = "Refuses malware for everybody; holds messages that no scanner survives.",
    .stages = POLICY_AT_CONTENT,
    .on_fail = POLICY_NEXT,
    .keys = keys,
    .settings_size = sizeof(struct virus_settings),
    .state_size = sizeof(struct virus),
    .start = start,
    .decide = decide,
};
