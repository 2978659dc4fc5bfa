/*
 * Copies of poison messages. Names come from our clock and pid only; files are made with
 * O_EXCL and O_NOFOLLOW relative to a handle of the directory, 0600, and every write and
 * the close are checked: a truncated sample would mislead whoever debugs with it.
 */
#include "poison_sample.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "mx_err.h"

#define PREFIX "poison-"
#define NAME_TRIES 16 /* samples within one millisecond */

static int count_samples(int directory, int64_t *out, struct mx_err *err)
{
    int copy = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = copy >= 0 ? fdopendir(copy) : NULL;
    if (list == NULL) {
        mx_err_errno(err, "reading it");
        if (copy >= 0)
            close(copy);
        return -1;
    }
    *out = 0;
    const struct dirent *entry;
    while ((entry = readdir(list)) != NULL)
        *out += strncmp(entry->d_name, PREFIX, strlen(PREFIX)) == 0;
    closedir(list);
    return 0;
}

static int create(int directory, int64_t wall_ms, char name[static POISON_NAME_MAX])
{
    for (int n = 0; n < NAME_TRIES; n++) {
        snprintf(name, POISON_NAME_MAX, PREFIX "%" PRId64 "-%ld-%d.eml", wall_ms,
                 (long)getpid(), n);
        int fd = openat(directory, name,
                        O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd >= 0 || errno != EEXIST)
            return fd;
    }
    return -1;
}

static int write_all(int fd, struct mx_str data)
{
    while (data.n > 0) {
        ssize_t n = write(fd, data.p, data.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        data = mx_str_sub(data, (size_t)n, data.n);
    }
    return fsync(fd);
}

static int write_sample(int directory, int64_t wall_ms, struct mx_str message,
                        char name[static POISON_NAME_MAX], struct mx_err *err)
{
    int fd = create(directory, wall_ms, name);
    if (fd < 0)
        return mx_err_errno(err, "creating %s", name);
    int rc = write_all(fd, message);
    if (rc < 0)
        mx_err_errno(err, "writing %s", name);
    if (close(fd) < 0 && rc == 0)
        rc = mx_err_errno(err, "closing %s", name);
    if (rc < 0)
        unlinkat(directory, name, 0);
    return rc;
}

int poison_sample_write(const char *dir, int64_t max, int64_t wall_ms,
                        struct mx_str message, char out_name[static POISON_NAME_MAX],
                        struct mx_err *err)
{
    int directory = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0)
        return mx_err_errno(err, "poison_dir %s", dir);
    int64_t there = 0;
    int rc = count_samples(directory, &there, err);
    if (rc == 0 && there >= max)
        rc = mx_err_set(err, MX_ERR_LIMIT, "%lld samples are there", (long long)there);
    if (rc == 0)
        rc = write_sample(directory, wall_ms, message, out_name, err);
    close(directory);
    return rc < 0 ? mx_err_wrap(err, "poison_dir %s", dir) : 0;
}
