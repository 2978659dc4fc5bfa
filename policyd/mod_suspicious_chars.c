/*
 * suspicious_chars: NUL and bare CR where they have no place. Programs end text or lines
 * there that others read on, so what a scanner saw and what a reader shows may differ.
 * In the header they are refused by default; in the body they occur in good mail.
 */
#include "policy.h"
#include "policy_content.h"

struct chars_settings {
    int header, body; /* enum policy_content_action */
};

struct suspicious_chars {
    const struct chars_settings *settings;
};

#define AT(member) offsetof(struct chars_settings, member)

static const struct mx_conf_key keys[] = {
    {.name = "header",
     .type = MX_CONF_ENUM,
     .offset = AT(header),
     .def = "refuse",
     .words = policy_content_words,
     .doc = "NUL or bare CR in the header (MX_SUSPICIOUS_CHARS)."},
    {.name = "body",
     .type = MX_CONF_ENUM,
     .offset = AT(body),
     .def = "off",
     .words = policy_content_words,
     .doc = "NUL or bare CR anywhere (MX_BODY_NUL, MX_BARE_CR)."},
    {0},
};

static int start(void *state, const struct policy_env *env, struct mx_err *err)
{
    struct suspicious_chars *self = state;
    (void)err;
    self->settings = env->settings;
    return 0;
}

static enum policy_step decide(const void *state, const struct policy_req *req,
                               const struct policy_answers *answers,
                               struct policy_verdict *out)
{
    static const char in_header[] =
        "Message refused, its header holds characters that have no place in mail";
    static const char in_body[] =
        "Message refused, it holds characters that have no place in mail";
    const struct chars_settings *set = ((const struct suspicious_chars *)state)->settings;
    const struct policy_content_row rows[] = {
        {MX_STR("MX_SUSPICIOUS_CHARS"), set->header, "characters", in_header},
        {MX_STR("MX_BODY_NUL"), set->body, "characters", in_body},
        {MX_STR("MX_BARE_CR"), set->body, "characters", in_body},
    };
    (void)answers;
    return policy_content_rows(req, rows, sizeof(rows) / sizeof(rows[0]), out);
}

const struct policy_module mod_suspicious_chars = {
    .name = "suspicious_chars",
    .doc = "Refuses mail with characters that programs read differently.",
    .stages = POLICY_AT_CONTENT,
    .on_fail = POLICY_NEXT,
    .keys = keys,
    .settings_size = sizeof(struct chars_settings),
    .state_size = sizeof(struct suspicious_chars),
    .start = start,
    .decide = decide,
};
