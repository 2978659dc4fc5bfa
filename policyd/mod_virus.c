/*
 * virus: what the scanners call malware is not delivered to anybody, whatever recipients
 * chose; and a message that killed two scanner processes is held for an operator, as no
 * scan of it can be trusted and no retry would help.
 */
#include "mx_arena.h"
#include "policy.h"
#include "policy_verdict.h"

enum virus_action { VIRUS_REFUSE, VIRUS_DISCARD, VIRUS_HOLD };
static const char *const action_words[] = {"refuse", "discard", "hold", NULL};

struct virus_settings {
    int action; /* enum virus_action */
};

struct virus {
    const struct virus_settings *settings;
};

#define NAME_MAX_SHOWN 120 /* bytes of a signature's name in the reply */

static const struct mx_conf_key keys[] = {
    {.name = "action",
     .type = MX_CONF_ENUM,
     .offset = offsetof(struct virus_settings, action),
     .def = "refuse",
     .words = action_words,
     .doc = "refuse: 550 to the sender. discard: accepted and dropped. hold: into the "
            "MTA's hold queue."},
    {0},
};

static int start(void *state, const struct policy_env *env, struct mx_err *err)
{
    struct virus *self = state;
    (void)err;
    self->settings = env->settings;
    return 0;
}

static void refuse(const struct policy_req *req, struct policy_verdict *out)
{
    struct mx_str name = mx_str_sub(req->scan->viruses[0], 0, NAME_MAX_SHOWN);
    const char *text =
        mx_arena_printf(req->arena, "Message refused, it contains malware (%.*s)",
                        MX_STR_FMT(policy_verdict_clean(req->arena, name)));
    policy_verdict_reject(out, "5.7.1", mx_str(text), "virus");
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
    if (req->scan->n_viruses > 0) {
        switch ((enum virus_action)self->settings->action) {
        case VIRUS_REFUSE: refuse(req, out); break;
        case VIRUS_DISCARD:
            *out = (struct policy_verdict){.action = POLICY_DISCARD};
            break;
        case VIRUS_HOLD: *out = (struct policy_verdict){.action = POLICY_HOLD}; break;
        }
        out->reason = "virus";
    } else if (req->scan->is_poison) {
        *out = (struct policy_verdict){.action = POLICY_HOLD, .reason = "poison"};
    } else {
        return POLICY_NEXT;
    }
    out->is_for_all = true;
    return POLICY_DONE;
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
