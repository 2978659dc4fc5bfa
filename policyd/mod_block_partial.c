/*
 * block_partial: messages whose content is not in them (RFC 2046 message/partial is put
 * together by the reader, message/external-body is fetched by him), so that no scanner
 * ever sees it; and structure that two readers will understand differently, which is how
 * content is hidden from a scanner. The first two are refused unless the site says
 * otherwise; the third occurs in sloppy good mail and is left to the score by default.
 */
#include "policy.h"
#include "policy_content.h"

struct block_settings {
    int partial, external, ambiguous; /* enum policy_content_action */
};

struct block_partial {
    const struct block_settings *settings;
};

#define AT(member) offsetof(struct block_settings, member)

static const struct mx_conf_key keys[] = {
    {.name = "partial",
     .type = MX_CONF_ENUM,
     .offset = AT(partial),
     .def = "refuse",
     .words = policy_content_words,
     .doc = "message/partial: one message in several pieces."},
    {.name = "external_body",
     .type = MX_CONF_ENUM,
     .offset = AT(external),
     .def = "refuse",
     .words = policy_content_words,
     .doc = "message/external-body: content that the reader fetches."},
    {.name = "ambiguous",
     .type = MX_CONF_ENUM,
     .offset = AT(ambiguous),
     .def = "off",
     .words = policy_content_words,
     .doc = "Two boundaries, content types or encodings: readers will differ. Off: only "
            "the score of MX_MIME_AMBIGUOUS counts."},
    {0},
};

static int start(void *state, const struct policy_env *env, struct mx_err *err)
{
    struct block_partial *self = state;
    (void)err;
    self->settings = env->settings;
    return 0;
}

static enum policy_step decide(const void *state, const struct policy_req *req,
                               const struct policy_answers *answers,
                               struct policy_verdict *out)
{
    const struct block_settings *set = ((const struct block_partial *)state)->settings;
    const struct policy_content_row rows[] = {
        {MX_STR("MX_MIME_PARTIAL"), set->partial, "partial",
         "Message refused, partial messages are not accepted here"},
        {MX_STR("MX_MIME_EXTERNAL"), set->external, "external-body",
         "Message refused, its content is somewhere else"},
        {MX_STR("MX_MIME_AMBIGUOUS"), set->ambiguous, "ambiguous",
         "Message refused, its structure can be read in two ways"},
    };
    (void)answers;
    return policy_content_rows(req, rows, sizeof(rows) / sizeof(rows[0]), out);
}

const struct policy_module mod_block_partial = {
    .name = "block_partial",
    .doc = "Refuses mail whose content is not in it, or can be read in two ways.",
    .stages = POLICY_AT_CONTENT,
    .on_fail = POLICY_NEXT,
    .keys = keys,
    .settings_size = sizeof(struct block_settings),
    .state_size = sizeof(struct block_partial),
    .start = start,
    .decide = decide,
};
