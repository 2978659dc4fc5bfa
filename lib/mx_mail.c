/*
 * Reads messages from files and directories. Bytes are kept as they are: whether lines
 * end in CRLF is for the scanner to see.
 */
#include "mx_mail.h"

#include <errno.h>
#include <fts.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "mx_err.h"

#define CHUNK 65536 /* bytes of one read */

int mx_mail_read(const char *name, struct mx_buf *out, struct mx_err *err)
{
    bool is_stdin = strcmp(name, "-") == 0;
    FILE *file = is_stdin ? stdin : fopen(name, "re");
    struct mx_buf text = {.max = MX_MAIL_MAX};
    char chunk[CHUNK];
    int status = 0;
    size_t n;

    if (!file)
        return mx_err_errno(err, "%s", name);
    while ((n = fread(chunk, 1, sizeof(chunk), file)) > 0 && !text.is_overflown)
        mx_buf_add(&text, chunk, n);
    if (ferror(file))
        status = mx_err_errno(err, "%s", name);
    else if (text.is_overflown)
        status = mx_err_set(err, MX_ERR_LIMIT, "%s: larger than 1 GiB", name);
    if (!is_stdin)
        fclose(file);
    if (status == 0)
        *out = text;
    else
        mx_buf_fini(&text);
    return status;
}

static int read_one(const char *name, mx_mail_fn *fn, void *user)
{
    struct mx_buf text = {0};
    struct mx_err err;
    int status;

    if (mx_mail_read(name, &text, &err) != 0)
        return fn(user, name, MX_STR_NONE, err.text);
    status = fn(user, name, mx_str_of(text.p ? text.p : "", text.n), NULL);
    mx_buf_fini(&text);
    return status;
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

/* One entry of a walk. Returns what the walk should do: 0 go on, -1 end. */
static int take_entry(FTS *walk, FTSENT *entry, mx_mail_fn *fn, void *user)
{
    switch (entry->fts_info) {
    case FTS_D:
        if (entry->fts_level > 0 && entry->fts_name[0] == '.')
            fts_set(walk, entry, FTS_SKIP);
        return 0;
    case FTS_F:
        if (entry->fts_level > 0 && entry->fts_name[0] == '.')
            return 0;
        return read_one(entry->fts_path, fn, user);
    case FTS_DNR:
    case FTS_ERR:
    case FTS_NS:
        return fn(user, entry->fts_path, MX_STR_NONE, strerror(entry->fts_errno));
    default: return 0;
    }
}

static int walk_dir(char *name, mx_mail_fn *fn, void *user, struct mx_err *err)
{
    char *names[] = {name, NULL};
    FTS *walk = fts_open(names, FTS_PHYSICAL | FTS_NOCHDIR | FTS_COMFOLLOW, by_name);
    FTSENT *entry;
    int status = 0;

    if (!walk)
        return mx_err_errno(err, "%s", name);
    while (status == 0 && (entry = fts_read(walk)))
        status = take_entry(walk, entry, fn, user);
    if (status == 0 && errno != 0) /* 0 after the last entry */
        status = mx_err_errno(err, "%s", name);
    fts_close(walk);
    return status;
}

int mx_mail_each(char *const *names, size_t n, mx_mail_fn *fn, void *user,
                 struct mx_err *err)
{
    for (size_t i = 0; i < n; i++) {
        struct stat st = {0};
        int status;

        if (strcmp(names[i], "-") != 0 && stat(names[i], &st) != 0)
            return mx_err_errno(err, "%s", names[i]);
        status = S_ISDIR(st.st_mode) ? walk_dir(names[i], fn, user, err)
                                     : read_one(names[i], fn, user);
        if (status != 0)
            return -1;
    }
    return 0;
}
