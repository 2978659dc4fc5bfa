/*
 * bad_filename: attachments that are not wanted here, by any of their plausible names, by
 * what they are, and by what archives hold. The scanner reports the names, cleaned (lower
 * case, NFKC, nothing invisible); this module only compares. Patterns are those of the
 * shell (fnmatch(3)), which every postmaster reads.
 */
#include <fnmatch.h>

#include "mx_arena.h"
#include "policy.h"
#include "policy_content.h"

struct bad_settings {
    int action, tricks, encrypted; /* enum policy_content_action */
    struct mx_conf_strings names, types;
    bool in_archives;
    const char *text;
};

struct bad_filename {
    const struct bad_settings *settings;
};

#define AT(member) offsetof(struct bad_settings, member)

static const struct mx_conf_key keys[] = {
    {.name = "action",
     .type = MX_CONF_ENUM,
     .offset = AT(action),
     .def = "refuse",
     .words = policy_content_words,
     .doc = "What happens to mail with a file that names or types list."},
    {.name = "names",
     .type = MX_CONF_STRINGS,
     .offset = AT(names),
     .def =
         "*.ade, *.adp, *.bat, *.chm, *.cmd, *.com, *.cpl, *.exe, *.hta, *.ins, *.isp, "
         "*.jar, *.jse, *.lnk, *.mde, *.msc, *.msi, *.msp, *.mst, *.pif, *.ps1, *.reg, "
         "*.scr, *.sct, *.shb, *.vb, *.vbe, *.vbs, *.wsc, *.wsf, *.wsh",
     .doc = "File names as shell patterns, compared in lower case."},
    {.name = "types",
     .type = MX_CONF_STRINGS,
     .offset = AT(types),
     .def = "application/x-dosexec, application/vnd.microsoft.portable-executable",
     .doc = "Types by content, whatever the name says, as shell patterns."},
    {.name = "in_archives",
     .type = MX_CONF_BOOL,
     .offset = AT(in_archives),
     .def = "true",
     .doc = "Compare the names inside archives, too."},
    {.name = "tricks",
     .type = MX_CONF_ENUM,
     .offset = AT(tricks),
     .def = "refuse",
     .words = policy_content_words,
     .doc =
         "Names shown backwards or with their extension out of sight, and programs that "
         "say they are something else."},
    {.name = "encrypted_archives",
     .type = MX_CONF_ENUM,
     .offset = AT(encrypted),
     .def = "off",
     .words = policy_content_words,
     .doc = "Archives that only their password opens."},
    {.name = "text",
     .type = MX_CONF_STRING,
     .offset = AT(text),
     .max = 300,
     .def = "Message refused, it has an attachment that is not accepted here",
     .doc = "Reply text; what was found follows in brackets."},
    {0},
};

static int start(void *state, const struct policy_env *env, struct mx_err *err)
{
    struct bad_filename *self = state;
    (void)err;
    self->settings = env->settings;
    return 0;
}

static bool is_listed(const struct mx_conf_strings *patterns, const char *text)
{
    for (size_t i = 0; i < patterns->n; i++)
        if (fnmatch(patterns->v[i], text, FNM_CASEFOLD) == 0)
            return true;
    return false;
}

static const struct policy_file *find_bad(const struct bad_settings *set,
                                          const struct policy_req *req)
{
    for (size_t i = 0; i < req->scan->n_files; i++) {
        const struct policy_file *file = &req->scan->files[i];
        if (file->archive_depth > 0 && !set->in_archives)
            continue;
        if (is_listed(&set->names, mx_str_cstr(req->arena, file->name)) ||
            is_listed(&set->types, mx_str_cstr(req->arena, file->type)))
            return file;
    }
    return NULL;
}

static enum policy_step decide(const void *state, const struct policy_req *req,
                               const struct policy_answers *answers,
                               struct policy_verdict *out)
{
    const struct bad_settings *set = ((const struct bad_filename *)state)->settings;
    (void)answers;
    if (req->scan == NULL) {
        out->reason = "not scanned";
        return POLICY_FAIL;
    }
    out->text = mx_str(set->text);
    const struct policy_file *file = find_bad(set, req);
    if (file != NULL && set->action != POLICY_CONTENT_OFF) {
        out->reason = "filename";
        return policy_content_verdict(req, set->action,
                                      file->name.n ? file->name : file->type, out);
    }
    const struct policy_content_row rows[] = {
        {MX_STR("MX_ATTACH_DIRECTION"), set->tricks, "trick", set->text},
        {MX_STR("MX_ATTACH_PADDED"), set->tricks, "trick", set->text},
        {MX_STR("MX_ATTACH_TYPE"), set->tricks, "trick", set->text},
        {MX_STR("MX_ARCHIVE_ENCRYPTED"), set->encrypted, "encrypted", set->text},
    };
    return policy_content_rows(req, rows, sizeof(rows) / sizeof(rows[0]), out);
}

const struct policy_module mod_bad_filename = {
    .name = "bad_filename",
    .doc = "Refuses attachments by name, by type, and by what archives hold.",
    .stages = POLICY_AT_CONTENT,
    .on_fail = POLICY_NEXT,
    .keys = keys,
    .settings_size = sizeof(struct bad_settings),
    .state_size = sizeof(struct bad_filename),
    .start = start,
    .decide = decide,
};
