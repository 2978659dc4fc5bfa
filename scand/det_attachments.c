/*
 * Detector "attachments": what comes as a file, by every name that it could be known
 * under, by its content, and by what is packed inside.
 *
 * Names are reported (scan_file), not judged: which extensions are forbidden is policy
 * (policyd's bad_filename). What is a trick whatever the site's policy is a symbol here:
 * a name shown backwards, an extension out of sight, names that readers will read
 * differently, a program that says it is a picture.
 *
 * Documents are looked into, attached or in archives: macros, other files inside, content
 * that is fetched, encryption. Good mail has them all, so they weigh nothing; what a site
 * wants done about them is policy (policyd's findings).
 *
 * A part is a file when it has a name, or when it is neither text nor a container.
 * Contents of archives are listed by archive_list, within one budget per message.
 */
#include "scan.h"

#include "archive_list.h"
#include "attach_name.h"
#include "document.h"
#include "file_type.h"
#include "mx_arena.h"
#include "mx_err.h"

struct state {
    struct file_type *types;
};

static const struct scan_symbol symbols[] = {
    {"MX_ATTACH_DIRECTION", 3.0, "file name with a direction override: shown backwards"},
    {"MX_ATTACH_PADDED", 2.0, "file name whose extension is pushed out of sight"},
    {"MX_ATTACH_DOUBLE", 1.0, "file name with a harmless extension before the real one"},
    {"MX_ATTACH_CONTROL", 1.0, "file name with control or invisible characters"},
    {"MX_ATTACH_TRAILING", 0.5, "file name that ends in dots or spaces"},
    {"MX_ATTACH_PATH", 0.2, "file name that names a folder"},
    {"MX_ATTACH_NAMES", 1.0, "file name whose extension depends on who reads it"},
    {"MX_ATTACH_TYPE", 3.0, "a program whose name or declared type says otherwise"},
    {"MX_ARCHIVE_ENCRYPTED", 0.5, "archive that only its password opens"},
    {"MX_ARCHIVE_LIMIT", 1.0, "archive with more inside than is looked at"},
    {"MX_ARCHIVE_BROKEN", 0.2, "archive that could not be listed to its end"},
    {"MX_DOC_MACROS", 0, "document with macros"},
    {"MX_DOC_ENCRYPTED", 0,
     "encrypted document; a PDF of that kind may open without a password"},
    {"MX_DOC_OBJECT", 0, "document with another file inside that a click opens"},
    {"MX_DOC_LINK", 0, "document that fetches content when it is opened"},
    {"MX_DOC_LIMIT", 1.0, "document with more inside than is looked at"},
    {0},
};

static const struct {
    unsigned flag;
    const char *symbol;
} by_flag[] = {
    {ATTACH_NAME_DIRECTION, "MX_ATTACH_DIRECTION"},
    {ATTACH_NAME_PADDED, "MX_ATTACH_PADDED"},
    {ATTACH_NAME_DOUBLE, "MX_ATTACH_DOUBLE"},
    {ATTACH_NAME_CONTROL, "MX_ATTACH_CONTROL"},
    {ATTACH_NAME_TRAILING, "MX_ATTACH_TRAILING"},
    {ATTACH_NAME_PATH, "MX_ATTACH_PATH"},
};

static void add_flags(struct scan_result *result, unsigned flags, struct mx_str name)
{
    for (size_t i = 0; i < sizeof(by_flag) / sizeof(by_flag[0]); i++)
        if (flags & by_flag[i].flag)
            scan_add(result, by_flag[i].symbol, "%s",
                     mx_str_esc(scan_scratch(result), name));
}

static const struct {
    unsigned trait;
    const char *symbol;
} by_trait[] = {
    {DOCUMENT_MACROS, "MX_DOC_MACROS"}, {DOCUMENT_ENCRYPTED, "MX_DOC_ENCRYPTED"},
    {DOCUMENT_OBJECT, "MX_DOC_OBJECT"}, {DOCUMENT_LINK, "MX_DOC_LINK"},
    {DOCUMENT_LIMIT, "MX_DOC_LIMIT"},
};

static void add_traits(struct scan_result *result, unsigned traits, struct mx_str name)
{
    for (size_t i = 0; i < sizeof(by_trait) / sizeof(by_trait[0]); i++)
        if (traits & by_trait[i].trait)
            scan_add(result, by_trait[i].symbol, "%s",
                     mx_str_esc(scan_scratch(result), name));
}

/* ---- archives
 * -------------------------------------------------------------------------- */

static void on_member(void *user, const struct archive_member *member)
{
    struct scan_result *result = user;
    unsigned flags = 0;
    struct mx_str name = attach_name_clean(scan_scratch(result), member->name, &flags);
    flags &= ~(unsigned)ATTACH_NAME_PATH; /* archives hold folders */
    add_flags(result, flags, name);
    scan_file(result, &(struct scan_file){.name = name, .depth = member->depth});
    add_traits(result, document_member_traits(member->name, MX_STR("")), name);
}

static bool wants(struct mx_str name, struct mx_str head)
{
    return document_is(head) || document_member_is(name);
}

static void on_content(void *user, struct mx_str name, struct mx_str content)
{
    unsigned traits = document_is(content) ? document_traits(content)
                                           : document_member_traits(name, content);
    add_traits(user, traits, name);
}

static void list_archive(struct scan_result *result, struct archive_walk *walk,
                         struct mx_str content, struct mx_str name)
{
    const char *text = mx_str_esc(scan_scratch(result), name);
    unsigned limits_before = walk->limits;
    walk->has_encrypted = walk->is_broken = false;
    archive_list(walk, content);
    if (walk->has_encrypted)
        scan_add(result, "MX_ARCHIVE_ENCRYPTED", "%s", text);
    if (walk->is_broken)
        scan_add(result, "MX_ARCHIVE_BROKEN", "%s", text);
    if (walk->limits != limits_before)
        scan_add(result, "MX_ARCHIVE_LIMIT", "%s", text);
}

/* ---- parts
 * -------------------------------------------------------------------------------- */

static bool is_file(const struct message_part *part)
{
    if (part->is_container)
        return false;
    return part->name.n > 0 || mx_str_eq(part->disposition, MX_STR("attachment")) ||
           (!mx_str_starts(part->type, MX_STR("text/")) && part->content.n > 0);
}

/* Extensions under which nobody takes a program for something else. */
static bool is_program_name(struct mx_str name)
{
    static const char *const extensions[] = {"exe", "dll", "scr", "com", "sys", "cpl",
                                             "ocx", "drv", "so",  "bin", "msi", "lnk",
                                             "elf", "pif", "",    NULL};
    struct mx_str extension = attach_name_extension(name);
    for (size_t i = 0; extensions[i] != NULL; i++)
        if (mx_str_eq(extension, mx_str(extensions[i])))
            return true;
    return false;
}

static bool is_program_type(struct mx_str declared)
{
    return mx_str_starts(declared, MX_STR("application/")) &&
           !mx_str_eq(declared, MX_STR("application/pdf")) &&
           mx_str_find(declared, MX_STR("officedocument")) < 0;
}

static void check_type(struct scan_result *result, const struct message_part *part,
                       struct mx_str found, struct mx_str name)
{
    if (file_type_is_program(found) &&
        (!is_program_name(name) || !is_program_type(part->type)))
        scan_add(result, "MX_ATTACH_TYPE", "%s",
                 mx_str_esc(scan_scratch(result), name.n ? name : part->type));
}

static void check_names(struct scan_result *result, const struct message_part *part,
                        const struct mx_str *names, size_t n)
{
    add_flags(result, attach_name_flags(scan_scratch(result), part),
              n ? names[0] : MX_STR(""));
    for (size_t i = 1; i < n; i++)
        if (!mx_str_eq(attach_name_extension(names[i]), attach_name_extension(names[0])))
            scan_add(result, "MX_ATTACH_NAMES", "%s",
                     mx_str_esc(scan_scratch(result), names[i]));
}

static void check_part(struct state *state, const struct message_part *part,
                       struct scan_result *result, struct archive_walk *walk)
{
    struct mx_arena *arena = scan_scratch(result);
    struct mx_str names[ATTACH_READINGS_MAX];
    size_t n = attach_name_readings(arena, part, names);
    struct mx_str found = file_type_of(state->types, arena, part->content);
    check_names(result, part, names, n);
    for (size_t i = 0; i < n || i == 0; i++) {
        struct mx_str name = n ? names[i] : MX_STR("");
        check_type(result, part, found, name);
        scan_file(result, &(struct scan_file){.name = name, .type = found});
    }
    add_traits(result, document_traits(part->content), n ? names[0] : part->type);
    if (archive_list_is(part->content))
        list_archive(result, walk, part->content, n ? names[0] : part->type);
}

static int run(void *opaque, const struct message *msg, struct scan_result *result,
               struct mx_err *err)
{
    (void)err;
    struct archive_walk walk = {.on_member = on_member,
                                .wants = wants,
                                .on_content = on_content,
                                .user = result,
                                .deadline_ms = msg->deadline_ms};
    for (size_t i = 0; i < msg->n_parts && scan_left_ms(msg) > 0; i++)
        if (is_file(&msg->parts[i]))
            check_part(opaque, &msg->parts[i], result, &walk);
    return 0;
}

static int load(void *opaque, const struct scan_env *env, struct mx_err *err)
{
    (void)env;
    struct state *state = opaque;
    document_start();
    return file_type_open(&state->types, err);
}

static void stop(void *opaque)
{
    struct state *state = opaque;
    file_type_close(state->types);
}

const struct scan_detector det_attachments = {
    .name = "attachments",
    .cost = 300,
    .symbols = symbols,
    .state_size = sizeof(struct state),
    .load = load,
    .run = run,
    .stop = stop,
    .library = archive_list_library,
};
