/*
 * Watches the signature directory by looking at it from time to time. inotify would tell
 * sooner, but not over network file systems, and a minute does not matter here.
 */
#include "sup_watch.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#include "mx_err.h"
#include "mx_str.h"

#define LINE_MAX_BYTES 400

/* The next visible file of ${list}; false: no more. */
static bool next_file(DIR *list, const struct dirent **entry, struct stat *info)
{
    while ((*entry = readdir(list)) != NULL)
        if ((*entry)->d_name[0] != '.' &&
            fstatat(dirfd(list), (*entry)->d_name, info, 0) == 0 &&
            S_ISREG(info->st_mode))
            return true;
    return false;
}

int sup_watch_newest(const char *dir, int64_t *out_ms, struct mx_err *err)
{
    const struct dirent *entry;
    struct stat info;
    DIR *list = opendir(dir);
    if (list == NULL)
        return mx_err_errno(err, "%s", dir);
    *out_ms = 0;
    while (next_file(list, &entry, &info))
        if ((int64_t)info.st_mtim.tv_sec * 1000 > *out_ms)
            *out_ms = (int64_t)info.st_mtim.tv_sec * 1000;
    closedir(list);
    return 0;
}

int sup_watch_read(const char *dir, uint64_t *out, struct mx_err *err)
{
    DIR *list = opendir(dir);
    if (list == NULL)
        return mx_err_errno(err, "%s", dir);
    uint64_t sum = 0;
    const struct dirent *entry;
    struct stat info;
    while (next_file(list, &entry, &info)) {
        char line[LINE_MAX_BYTES];
        snprintf(line, sizeof(line), "%s %" PRId64 " %" PRId64 " %ld", entry->d_name,
                 (int64_t)info.st_size, (int64_t)info.st_mtim.tv_sec,
                 info.st_mtim.tv_nsec);
        sum += mx_str_hash(mx_str(line)); /* the order of readdir does not matter */
    }
    closedir(list);
    *out = sum;
    return 0;
}

void sup_watch_loaded(struct sup_watch *watch, uint64_t fingerprint)
{
    *watch = (struct sup_watch){fingerprint, fingerprint};
}

bool sup_watch_changed(struct sup_watch *watch, uint64_t fingerprint)
{
    bool is_stable = watch->seen == fingerprint;
    watch->seen = fingerprint;
    return is_stable && fingerprint != watch->loaded;
}
