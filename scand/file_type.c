/*
 * Types by content, through libmagic; the only file that includes it. Reading is bounded
 * by what we hand in and by libmagic's own limits on recursion and regular expressions.
 */
#include "file_type.h"

#include <stdio.h>
#include <stdlib.h>

#include <magic.h>

#include "mx_arena.h"
#include "mx_err.h"

#define LOOK_MAX (64u << 10) /* octets of a file that tell its type */

struct file_type {
    magic_t cookie;
};

int file_type_open(struct file_type **out, struct mx_err *err)
{
    magic_t cookie = magic_open(MAGIC_MIME_TYPE | MAGIC_NO_CHECK_COMPRESS |
                                MAGIC_NO_CHECK_ELF | MAGIC_NO_CHECK_TAR);
    if (cookie == NULL)
        return mx_err_errno(err, "libmagic");
    if (magic_load(cookie, NULL) != 0) {
        mx_err_set(err, MX_ERR_SYSTEM, "libmagic: %s", magic_error(cookie));
        magic_close(cookie);
        return -1;
    }
    struct file_type *type = mx_xalloc(sizeof(*type));
    type->cookie = cookie;
    *out = type;
    return 0;
}

void file_type_close(struct file_type *type)
{
    if (type == NULL)
        return;
    magic_close(type->cookie);
    free(type);
}

struct mx_str file_type_of(struct file_type *type, struct mx_arena *arena,
                           struct mx_str content)
{
    struct mx_str look = mx_str_sub(content, 0, LOOK_MAX);
    const char *mime = look.n ? magic_buffer(type->cookie, look.p, look.n) : NULL;
    return mx_str_dup(arena, mx_str(mime ? mime : "application/octet-stream"));
}

bool file_type_is_program(struct mx_str mime)
{
    static const char *const programs[] = {
        "application/x-dosexec",
        "application/x-executable",
        "application/x-pie-executable",
        "application/x-sharedlib",
        "application/x-mach-binary",
        "application/x-ms-shortcut",
        "application/vnd.microsoft.portable-executable",
        NULL,
    };
    for (size_t i = 0; programs[i] != NULL; i++)
        if (mx_str_eq(mime, mx_str(programs[i])))
            return true;
    return false;
}

const char *file_type_library(void)
{
    return "libmagic";
}
