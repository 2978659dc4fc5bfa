/*
 * findings: what the site wants done about any symbol of the scanner, for everybody and
 * whatever the score is: documents with macros held, mail that exceeds the virus
 * scanner's limits refused. The modules before it know the findings that most sites act
 * on; this one knows none and takes the site's list.
 */
#include "mx_err.h"
#include "policy.h"
#include "policy_content.h"

#define ACTIONS_MAX 64

struct findings_settings {
    struct mx_conf_strings actions;
    const char *text;
};

struct findings {
    struct policy_content_row rows[ACTIONS_MAX];
    size_t n;
};

#define AT(member) offsetof(struct findings_settings, member)

static const struct mx_conf_key keys[] = {
    {.name = "actions",
     .type = MX_CONF_STRINGS,
     .offset = AT(actions),
     .max = ACTIONS_MAX,
     .doc = "SYMBOL ACTION each, as in \"MX_DOC_MACROS hold\". ACTION: refuse, hold, "
            "discard. The first whose symbol was found decides. At most 64."},
    {.name = "text",
     .type = MX_CONF_STRING,
     .offset = AT(text),
     .max = 300,
     .def = "Message refused, its content is not accepted here",
     .doc = "Reply text; what was found follows in brackets."},
    {0},
};

static int parse_row(struct mx_str text, struct policy_content_row *out,
                     struct mx_err *err)
{
    struct mx_str action = mx_str_trim(text);
    if (mx_str_next(&action, ' ', &out->symbol) == 0)
        action = mx_str_trim(action);
    for (int i = POLICY_CONTENT_REFUSE; policy_content_words[i] != NULL; i++)
        if (mx_str_eq(action, mx_str(policy_content_words[i])))
            out->action = i;
    if (out->action != POLICY_CONTENT_OFF)
        return 0;
    return mx_err_set(err, MX_ERR_INPUT,
                      "actions: \"%.*s\": write SYMBOL ACTION, as in "
                      "\"MX_DOC_MACROS hold\"",
                      MX_STR_FMT(text));
}

static int start(void *state, const struct policy_env *env, struct mx_err *err)
{
    const struct findings_settings *set = env->settings;
    struct findings *self = state;
    for (; self->n < set->actions.n; self->n++) {
        struct policy_content_row *row = &self->rows[self->n];
        row->reason = "finding";
        row->text = set->text;
        if (parse_row(mx_str(set->actions.v[self->n]), row, err) < 0)
            return -1;
    }
    return 0;
}

static enum policy_step decide(const void *state, const struct policy_req *req,
                               const struct policy_answers *answers,
                               struct policy_verdict *out)
{
    const struct findings *self = state;
    (void)answers;
    return policy_content_rows(req, self->rows, self->n, out);
}

const struct policy_module mod_findings = {
    .name = "findings",
    .doc = "Acts on the symbols that the site names, whatever the score.",
    .stages = POLICY_AT_CONTENT,
    .on_fail = POLICY_NEXT,
    .keys = keys,
    .settings_size = sizeof(struct findings_settings),
    .state_size = sizeof(struct findings),
    .start = start,
    .decide = decide,
};
