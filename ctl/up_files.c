/*
 * Templates come from deploy/up/, embedded at build time. Their language is one thing:
 * @NAME@. The per-instance copies of mxdrop.yaml are made by setting single keys in its
 * text, so that what the user wrote there, comments too, stays as it is.
 *
 * The override understands block style with any indentation, as people write it; a
 * section in flow style ("scand: {...}") is left alone but for a second section of that
 * name, which the daemon then reports as a duplicate key with its line.
 */
#include "up_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mx_arena.h"
#include "mx_err.h"

#define FILE_MAX ((size_t)1 << 20) /* bytes, as mx_conf_load takes */

/* ---- templates ---- */

static bool is_name_byte(char c)
{
    return (c >= 'A' && c <= 'Z') || c == '_';
}

static const char *find_var(const struct up_var *vars, struct mx_str name)
{
    for (; vars->name; vars++) {
        if (mx_str_eq(name, mx_str(vars->name)))
            return vars->value;
    }
    return NULL;
}

static int add_value(struct mx_buf *out, const char *value, enum up_quoting quoting,
                     struct mx_err *err)
{
    for (const char *p = value; *p; p++) {
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            return mx_err_set(err, MX_ERR_INPUT, "a control character in a file name");
        if (quoting == UP_QUOTED && (*p == '"' || *p == '\\'))
            mx_buf_str(out, "\\");
        if (quoting == UP_POSTFIX && *p == '$')
            mx_buf_str(out, "$");
        mx_buf_add(out, p, 1);
    }
    return 0;
}

/* Length of "@NAME@" at ${p}; 0: something else. */
static size_t placeholder(const char *p)
{
    size_t n = 1;

    if (*p != '@')
        return 0;
    while (is_name_byte(p[n]))
        n++;
    return n > 1 && p[n] == '@' ? n + 1 : 0;
}

int up_files_render(struct mx_arena *arena, const char *template,
                    const struct up_var *vars, enum up_quoting quoting, const char **out,
                    struct mx_err *err)
{
    struct mx_buf text = {0};
    const char *p = template;
    int status = 0;

    while (*p && status == 0) {
        size_t n = placeholder(p);
        struct mx_str name = mx_str_of(p + 1, n > 2 ? n - 2 : 0);
        const char *value = n ? find_var(vars, name) : NULL;

        if (n && !value)
            status = mx_err_set(err, MX_ERR_INPUT, "template: no value for %.*s",
                                MX_STR_FMT(name));
        else if (n)
            status = add_value(&text, value, quoting, err);
        else
            mx_buf_add(&text, p, 1);
        p += n ? n : 1;
    }
    if (status == 0)
        *out = mx_arena_dup(arena, text.p ? text.p : "", text.n);
    mx_buf_fini(&text);
    return status;
}

const char *up_files_quote(struct mx_arena *arena, const char *text)
{
    struct mx_buf out = {0};
    const char *quoted;

    mx_buf_str(&out, "\"");
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            mx_buf_str(&out, "\\");
        mx_buf_add(&out, text, 1);
    }
    mx_buf_str(&out, "\"");
    quoted = mx_arena_dup(arena, out.p, out.n);
    mx_buf_fini(&out);
    return quoted;
}

/* ---- setting one key in a configuration text ---- */

static size_t indent_of(struct mx_str line)
{
    size_t n = 0;

    while (n < line.n && line.p[n] == ' ')
        n++;
    return n;
}

/* Nothing but a comment or space: belongs to no level. */
static bool is_blank(struct mx_str line)
{
    struct mx_str text = mx_str_trim(line);

    return text.n == 0 || text.p[0] == '#';
}

static bool is_key(struct mx_str line, struct mx_str key)
{
    struct mx_str text = mx_str_sub(line, indent_of(line), line.n);

    return mx_str_starts(text, key) && text.n > key.n && text.p[key.n] == ':';
}

static void add_key(struct mx_buf *out, size_t indent, struct mx_str key,
                    const char *value)
{
    mx_buf_printf(out, "%*s%.*s: %s\n", (int)indent, "", MX_STR_FMT(key), value);
}

/* Where the walk through the lines is. */
struct override {
    struct mx_str section, key;
    const char *value;
    bool is_inside; /* the section */
    bool is_set;
    bool is_skipping;  /* the old value's further lines */
    size_t key_indent; /* of the section's keys; 0: not seen yet */
};

/* One line of the file. */
static void override_line(struct override *o, struct mx_str line, struct mx_buf *out)
{
    size_t indent = indent_of(line);
    bool continues =
        indent > o->key_indent ||
        (indent == o->key_indent && mx_str_starts(mx_str_trim(line), MX_STR("-")));

    if (o->is_skipping && continues && !is_blank(line))
        return;
    if (!is_blank(line))
        o->is_skipping = false;
    if (o->is_inside && !is_blank(line) && indent == 0) {
        if (!o->is_set)
            add_key(out, o->key_indent ? o->key_indent : 2, o->key, o->value);
        o->is_inside = false;
        o->is_set = true;
    }
    if (o->is_inside && !is_blank(line) && o->key_indent == 0)
        o->key_indent = indent;
    if (o->is_inside && indent == o->key_indent && is_key(line, o->key)) {
        add_key(out, indent, o->key, o->value);
        o->is_set = o->is_skipping = true;
        return;
    }
    mx_buf_add(out, line.p, line.n);
    mx_buf_str(out, "\n");
    if (!o->is_set && indent == 0 && is_key(line, o->section))
        o->is_inside = true;
}

const char *up_files_override(struct mx_arena *arena, const char *text,
                              const char *dotted, const char *value)
{
    struct mx_str path = mx_str(dotted), rest = mx_str(text), line;
    struct override o = {.value = value};
    struct mx_buf out = {0};
    const char *result;

    if (mx_str_next(&path, '.', &o.section) != 0)
        return text;
    o.key = path;
    while (mx_str_next(&rest, '\n', &line) == 0)
        override_line(&o, line, &out);
    if (!o.is_set) {
        if (!o.is_inside)
            mx_buf_printf(&out, "%.*s:\n", MX_STR_FMT(o.section));
        add_key(&out, o.key_indent ? o.key_indent : 2, o.key, value);
    }
    result = mx_arena_dup(arena, out.p, out.n);
    mx_buf_fini(&out);
    return result;
}

/* ---- the file system ---- */

int up_files_read(struct mx_arena *arena, const char *path, const char **out,
                  struct mx_err *err)
{
    FILE *file = fopen(path, "re");
    char *text;
    size_t n;
    int status = 0;

    if (!file)
        return mx_err_errno(err, "%s", path);
    text = mx_arena_alloc(arena, FILE_MAX + 1);
    n = fread(text, 1, FILE_MAX + 1, file);
    if (ferror(file))
        status = mx_err_errno(err, "%s", path);
    else if (n > FILE_MAX)
        status = mx_err_set(err, MX_ERR_LIMIT, "%s: larger than 1 MiB", path);
    else {
        text[n] = '\0';
        *out = text;
    }
    fclose(file);
    return status;
}

int up_files_write(struct mx_arena *arena, const char *path, const char *text,
                   mode_t mode, struct mx_err *err)
{
    const char *next = mx_arena_printf(arena, "%s.new", path);
    int fd = open(next, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    int status = 0;

    if (!file) {
        status = mx_err_errno(err, "%s", next);
        if (fd >= 0)
            close(fd);
        return status;
    }
    if (fputs(text, file) == EOF || fchmod(fd, mode) != 0)
        status = mx_err_errno(err, "%s", next);
    if (fclose(file) != 0 && status == 0)
        status = mx_err_errno(err, "%s", next);
    if (status == 0 && rename(next, path) != 0)
        status = mx_err_errno(err, "%s", path);
    if (status != 0)
        unlink(next);
    return status;
}

int up_files_keep(struct mx_arena *arena, const char *path, const char *text,
                  bool *out_kept, struct mx_err *err)
{
    if (access(path, F_OK) == 0) {
        *out_kept = true;
        return 0;
    }
    if (up_files_write(arena, path, text, 0640, err) != 0)
        return -1;
    *out_kept = false;
    return 0;
}

int up_files_mkdir(const char *path, mode_t mode, struct mx_err *err)
{
    if (mkdir(path, mode) != 0)
        return errno == EEXIST ? 0 : mx_err_errno(err, "%s", path);
    if (chmod(path, mode) != 0) /* whatever our umask is */
        return mx_err_errno(err, "%s", path);
    return 0;
}
