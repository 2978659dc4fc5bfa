/*
 * One file a key: rules-KEY.db. The key is a hash of all that goes into the databases:
 * patterns, version of the library, features of the CPU. A file is written under another
 * name and renamed, so a reader sees a whole one or none; two writers write the same.
 *
 * The library trusts a database that it is handed, so a file is only read if nobody but
 * us or root could have written it, and if its length and hash are right (the hash is
 * against accidents, the owner against malice). Reading one sets its time, by which old
 * ones are found and removed.
 */
#include "rule_match_cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "mx_err.h"

#define MAGIC "mxrules1"
#define PREFIX "rules-"
#define SUFFIX ".db"
#define UNUSED_S (30 * 86400) /* then a file is removed */

struct head {
    char magic[8];
    uint64_t key, payload_n, payload_hash;
};

static void path_of(struct mx_buf *buf, const char *dir, uint64_t key, const char *end)
{
    mx_buf_printf(buf, "%s/" PREFIX "%016llx" SUFFIX "%s", dir, (unsigned long long)key,
                  end);
}

/* ---- reading ----------------------------------------------------------------------- */

static int check_file(const struct stat *info, struct mx_err *err)
{
    if (!S_ISREG(info->st_mode))
        return mx_err_set(err, MX_ERR_INPUT, "not a regular file");
    if ((info->st_uid != geteuid() && info->st_uid != 0) || (info->st_mode & 022) != 0)
        return mx_err_set(err, MX_ERR_INPUT, "others could have written it");
    if (info->st_size < (off_t)sizeof(struct head) ||
        info->st_size > (off_t)RULE_CACHE_BYTES_MAX)
        return mx_err_set(err, MX_ERR_INPUT, "not of a plausible size");
    return 0;
}

static int check_payload(struct rule_cache_file *file, uint64_t key, struct mx_err *err)
{
    struct head head;
    memcpy(&head, file->map, sizeof(head));
    file->payload = mx_str_of(file->map + sizeof(head), file->n - sizeof(head));
    if (memcmp(head.magic, MAGIC, sizeof(head.magic)) != 0 || head.key != key ||
        head.payload_n != file->payload.n)
        return mx_err_set(err, MX_ERR_INPUT, "not made for these rules");
    if (head.payload_hash != mx_str_hash(file->payload))
        return mx_err_set(err, MX_ERR_INPUT, "damaged");
    return 0;
}

static int map_file(int fd, uint64_t key, struct rule_cache_file *out, struct mx_err *err)
{
    struct stat info;
    if (fstat(fd, &info) < 0)
        return mx_err_errno(err, "looking at it");
    if (check_file(&info, err) < 0)
        return -1;
    struct rule_cache_file file = {.n = (size_t)info.st_size};
    file.map = mmap(NULL, file.n, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    if (file.map == MAP_FAILED)
        return mx_err_errno(err, "mapping it");
    if (check_payload(&file, key, err) < 0) {
        rule_cache_close(&file);
        return -1;
    }
    *out = file;
    return 0;
}

int rule_cache_open(const char *dir, uint64_t key, struct rule_cache_file *out,
                    struct mx_err *err)
{
    struct mx_buf path = {0};
    path_of(&path, dir, key, "");
    int fd = open(path.p, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    int rc = -1;
    if (fd >= 0)
        rc = map_file(fd, key, out, err);
    else if (errno == ENOENT)
        mx_err_set(err, MX_ERR_DOWN, "not there");
    else
        mx_err_errno(err, "open");
    if (rc < 0)
        mx_err_wrap(err, "%s", path.p);
    else
        futimens(fd, NULL); /* only keeps it from being removed; root's file stays */
    if (fd >= 0)
        close(fd);
    mx_buf_fini(&path);
    return rc;
}

void rule_cache_close(struct rule_cache_file *file)
{
    if (file->map != NULL)
        munmap(file->map, file->n);
    *file = (struct rule_cache_file){0};
}

/* ---- writing ----------------------------------------------------------------------- */

static int write_all(int fd, const void *bytes, size_t n, struct mx_err *err)
{
    for (const char *p = bytes; n > 0;) {
        ssize_t done = write(fd, p, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return mx_err_errno(err, "write");
        p += done;
        n -= (size_t)done;
    }
    return 0;
}

static int write_file(int fd, uint64_t key, struct mx_str payload, struct mx_err *err)
{
    struct head head = {
        .key = key, .payload_n = payload.n, .payload_hash = mx_str_hash(payload)};
    memcpy(head.magic, MAGIC, sizeof(head.magic));
    if (write_all(fd, &head, sizeof(head), err) < 0 ||
        write_all(fd, payload.p, payload.n, err) < 0)
        return -1;
    return fsync(fd) == 0 ? 0 : mx_err_errno(err, "fsync");
}

static bool is_ours(const char *name)
{
    struct mx_str s = mx_str(name);
    return mx_str_starts(s, MX_STR(PREFIX)) && mx_str_find(s, MX_STR(SUFFIX)) >= 0;
}

/* What cannot be removed stays: it costs disk space only. */
static void remove_unused(const char *dir)
{
    DIR *list = opendir(dir);
    time_t limit = time(NULL) - UNUSED_S;
    struct dirent *entry;
    while (list != NULL && (entry = readdir(list)) != NULL) {
        struct stat info;
        if (is_ours(entry->d_name) &&
            fstatat(dirfd(list), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISREG(info.st_mode) && info.st_mtime < limit)
            unlinkat(dirfd(list), entry->d_name, 0);
    }
    if (list != NULL)
        closedir(list);
}

int rule_cache_write(const char *dir, uint64_t key, struct mx_str payload,
                     struct mx_err *err)
{
    struct mx_buf path = {0}, draft = {0};
    path_of(&path, dir, key, "");
    path_of(&draft, dir, key, ".XXXXXX");
    int rc = -1, fd = mkostemp(draft.p, O_CLOEXEC);
    if (fd < 0) {
        mx_err_errno(err, "%s", dir);
        goto done;
    }
    rc = write_file(fd, key, payload, err);
    if (rc == 0 && rename(draft.p, path.p) < 0)
        rc = mx_err_errno(err, "rename");
    if (rc < 0) {
        mx_err_wrap(err, "%s", draft.p);
        unlink(draft.p);
    } else {
        remove_unused(dir);
    }
done:
    if (fd >= 0)
        close(fd);
    mx_buf_fini(&draft);
    mx_buf_fini(&path);
    return rc;
}
