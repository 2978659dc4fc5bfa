/*
 * Files of rules: which there are, what they hold, and where an include may lead. Rule
 * files are data, so nothing they say may reach a file that is not one of theirs: an
 * include is resolved, links and all, and must end inside a directory of rules.
 */
#include "rule_read.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mx_arena.h"
#include "mx_err.h"

/* Read ${n} bytes of ${fd}; a file that grew or shrank meanwhile is cut at what is there.
 */
static int read_all(int fd, char *p, size_t n, size_t *got, struct mx_err *err)
{
    for (*got = 0; *got < n;) {
        ssize_t r = read(fd, p + *got, n - *got);

        if (r < 0 && errno == EINTR) {
            continue;
        }
        if (r < 0) {
            return mx_err_errno(err, "read");
        }
        if (r == 0) {
            break;
        }
        *got += (size_t)r;
    }
    return 0;
}

static int check_file(const struct rule_reader *reader, int fd, size_t *size,
                      struct mx_err *err)
{
    struct stat st;

    if (fstat(fd, &st)) {
        return mx_err_errno(err, "stat");
    }
    if (!S_ISREG(st.st_mode)) {
        return mx_err_set(err, MX_ERR_INPUT, "not a file");
    }
    if (st.st_size > RULE_FILE_BYTES_MAX) {
        return mx_err_set(err, MX_ERR_LIMIT, "larger than %u bytes", RULE_FILE_BYTES_MAX);
    }
    if (reader->bytes + (size_t)st.st_size > RULE_TOTAL_BYTES_MAX) {
        return mx_err_set(err, MX_ERR_LIMIT, "all files are larger than %u bytes",
                          RULE_TOTAL_BYTES_MAX);
    }
    if (reader->set->n_files == RULE_FILES_MAX) {
        return mx_err_set(err, MX_ERR_LIMIT, "more than %d files", RULE_FILES_MAX);
    }
    *size = (size_t)st.st_size;
    return 0;
}

int rule_read_file_text(struct rule_reader *reader, const char *path, char **out,
                        size_t *out_n, struct mx_err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), rc = -1;
    size_t size = 0, got = 0;
    char *p;

    if (fd < 0) {
        mx_err_errno(err, "open");
        goto done;
    }
    if (check_file(reader, fd, &size, err)) {
        goto done;
    }
    p = mx_arena_alloc(reader->arena, size + 1);
    if (read_all(fd, p, size, &got, err)) {
        goto done;
    }
    reader->bytes += got;
    reader->set->n_files++;
    *out = p;
    *out_n = got;
    rc = 0;
done:
    if (fd >= 0) {
        close(fd);
    }
    return rc;
}

static int by_name(const void *a, const void *b)
{
    const struct mx_str *x = a, *y = b;

    return strcmp(x->p, y->p);
}

int rule_read_list_dir(struct rule_reader *reader, const char *dir, const char *suffix,
                       struct text_list *out, struct mx_err *err)
{
    DIR *handle = opendir(dir);
    const struct dirent *entry;
    struct text_list list = {0};

    if (!handle) {
        return mx_err_errno(err, "%s", dir);
    }
    list.v = mx_arena_array(reader->arena, RULE_FILES_MAX, sizeof(*list.v));
    while ((entry = readdir(handle)) != NULL) {
        struct mx_str name = mx_str(entry->d_name);

        if (name.p[0] == '.' || !mx_str_iends(name, mx_str(suffix))) {
            continue;
        }
        if (list.n == RULE_FILES_MAX) {
            rule_read_problem(reader, RULE_PROBLEM_LIMIT, mx_str(dir), "too many files");
            break;
        }
        list.v[list.n++] =
            mx_str(mx_arena_printf(reader->arena, "%s/%s", dir, entry->d_name));
    }
    closedir(handle);
    qsort(list.v, list.n, sizeof(*list.v), by_name);
    *out = list;
    return 0;
}

/* Is ${path} (resolved) below ${dir}? */
static bool is_inside(const char *path, const char *dir)
{
    char real[PATH_MAX];
    size_t n;

    if (!realpath(dir, real)) {
        return false;
    }
    n = strlen(real);
    return strncmp(path, real, n) == 0 && path[n] == '/';
}

int rule_read_include_path(struct rule_reader *reader, struct mx_str value,
                           const char **out, struct mx_err *err)
{
    ptrdiff_t slash = mx_str_rchr(reader->file, '/');
    struct mx_str base = mx_str_sub(reader->file, 0, slash < 0 ? 0 : (size_t)slash + 1);
    const char *path;
    char real[PATH_MAX];

    if (value.n > 0 && value.p[0] == '/') {
        base = MX_STR("");
    }
    path = mx_arena_printf(reader->arena, "%.*s%s", MX_STR_FMT(base),
                           mx_str_cstr(reader->arena, mx_str_sub(value, 0, PATH_MAX)));
    if (!realpath(path, real)) {
        return mx_err_errno(err, "no such file");
    }
    for (const char *const *dir = reader->options->dirs; *dir; dir++) {
        if (is_inside(real, *dir)) {
            *out = mx_arena_printf(reader->arena, "%s", real);
            return 0;
        }
    }
    return mx_err_set(err, MX_ERR_INPUT, "outside the directories of rules");
}
