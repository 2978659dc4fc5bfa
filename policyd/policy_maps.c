/*
 * Reloading of map files. A file is known by device, inode, size and modification time;
 * what changed is read whole and parsed aside, and only a good table replaces the old
 * one. The table is handed over by reference count, so that a worker which is still in
 * the old one is not disturbed. Files that no view uses are not looked at.
 */
#include "policy_maps.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mx_arena.h"
#include "mx_err.h"

/* What tells one state of a file from another. A missing file is all zero. */
struct signature {
    dev_t dev;
    ino_t inode;
    off_t size;
    struct timespec changed;
};

struct map_file {
    struct policy_map_spec spec; /* its path is ours */
    struct signature seen;       /* as of the last attempt, good or bad */
    struct policy_map *table;    /* last good one */
    bool is_broken;
    _Atomic unsigned users; /* views, which may end on other threads */
};

struct policy_map_files {
    size_t n;
    struct map_file v[POLICY_MAPS_MAX];
};

struct policy_maps {
    struct policy_map_files *files;
    struct {
        struct policy_maps_entry entry;
        struct policy_map *table; /* our reference */
    } v[POLICY_MAPS_MAX];         /* by file; table NULL: not used here */
};

struct policy_map_files *policy_map_files_new(void)
{
    return mx_xalloc(sizeof(struct policy_map_files));
}

void policy_map_files_free(struct policy_map_files *files)
{
    if (files == NULL)
        return;
    for (size_t i = 0; i < files->n; i++) {
        policy_map_unref(files->v[i].table);
        free((void *)(uintptr_t)files->v[i].spec.path);
    }
    free(files);
}

const char *policy_map_files_path(const struct policy_map_files *files, size_t file)
{
    return files->v[file].spec.path;
}

static struct signature signature_of(const struct stat *st)
{
    struct signature s;
    memset(&s, 0, sizeof(s)); /* compared as bytes */
    s.dev = st->st_dev;
    s.inode = st->st_ino;
    s.size = st->st_size;
    s.changed = st->st_mtim;
    return s;
}

static bool has_changed(const struct map_file *file)
{
    struct stat st;
    struct signature now;
    memset(&now, 0, sizeof(now));
    if (stat(file->spec.path, &st) == 0)
        now = signature_of(&st);
    return memcmp(&now, &file->seen, sizeof(now)) != 0;
}

/* Reads all of ${fd} into ${out}; a file that grows meanwhile is seen changed next time.
 */
static int read_all(int fd, size_t size, struct mx_buf *out, struct mx_err *err)
{
    char chunk[65536];
    ssize_t n;
    out->max = size ? size : 1;
    while (out->n < size && (n = read(fd, chunk, sizeof(chunk))) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return mx_err_errno(err, "read");
        size_t left = size - out->n;
        mx_buf_add(out, chunk, (size_t)n < left ? (size_t)n : left);
    }
    return 0;
}

/* Reads and parses; notes the state of the file that was tried. */
static int load(struct map_file *file, struct policy_map **out, struct mx_err *err)
{
    const char *path = file->spec.path;
    struct mx_buf text = {0};
    struct stat st;
    int result = -1;
    memset(&file->seen, 0, sizeof(file->seen));
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return mx_err_errno(err, "%s: cannot open", path);
    if (fstat(fd, &st) < 0) {
        mx_err_errno(err, "%s: fstat", path);
        goto done;
    }
    file->seen = signature_of(&st);
    if (!S_ISREG(st.st_mode)) {
        mx_err_set(err, MX_ERR_INPUT, "%s: not a regular file", path);
        goto done;
    }
    if ((uint64_t)st.st_size > POLICY_MAP_FILE_MAX) {
        mx_err_set(err, MX_ERR_LIMIT, "%s: over %u bytes", path, POLICY_MAP_FILE_MAX);
        goto done;
    }
    if (read_all(fd, (size_t)st.st_size, &text, err) < 0) {
        mx_err_wrap(err, "%s", path);
        goto done;
    }
    result = policy_map_parse(&file->spec, mx_str_of(text.p, text.n), out, err);
done:
    mx_buf_fini(&text);
    close(fd);
    return result;
}

static int reload(struct map_file *file, struct mx_err *err)
{
    struct policy_map *table;
    if (load(file, &table, err) < 0) {
        file->is_broken = true;
        return -1;
    }
    policy_map_unref(file->table);
    file->table = table;
    file->is_broken = false;
    return 0;
}

size_t policy_map_files_poll(struct policy_map_files *files, bool is_forced,
                             const struct policy_map_watch *watch)
{
    size_t broken = 0;
    for (size_t i = 0; i < files->n; i++) {
        struct map_file *file = &files->v[i];
        struct mx_err err;
        if (atomic_load(&file->users) == 0)
            continue;
        if (is_forced || has_changed(file)) {
            if (reload(file, &err) == 0)
                watch->on_loaded(watch->user, i, file->table);
            else
                watch->on_broken(watch->user, file->spec.path, err.text);
        }
        broken += file->is_broken;
    }
    return broken;
}

struct policy_maps *policy_maps_new(struct policy_map_files *files)
{
    struct policy_maps *maps = mx_xalloc(sizeof(*maps));
    maps->files = files;
    return maps;
}

void policy_maps_free(struct policy_maps *maps)
{
    if (maps == NULL)
        return;
    for (size_t i = 0; i < POLICY_MAPS_MAX; i++) {
        if (maps->v[i].table == NULL)
            continue;
        policy_map_unref(maps->v[i].table);
        atomic_fetch_sub(&maps->files->v[i].users, 1);
    }
    free(maps);
}

static int find_file(struct policy_map_files *files, const struct policy_map_spec *spec,
                     size_t *out, struct mx_err *err)
{
    for (size_t i = 0; i < files->n; i++) {
        if (strcmp(files->v[i].spec.path, spec->path) != 0)
            continue;
        if (files->v[i].spec.kind != spec->kind)
            return mx_err_set(err, MX_ERR_INPUT, "%s is used as %s and as %s", spec->path,
                              policy_map_kind_name(files->v[i].spec.kind),
                              policy_map_kind_name(spec->kind));
        *out = i;
        return 0;
    }
    if (files->n == POLICY_MAPS_MAX)
        return mx_err_set(err, MX_ERR_LIMIT, "more than %d map files", POLICY_MAPS_MAX);
    files->v[files->n].spec = *spec;
    files->v[files->n].spec.path = mx_xdup(spec->path);
    *out = files->n++;
    return 0;
}

int policy_maps_open(struct policy_maps *maps, const struct policy_map_spec *spec,
                     const struct policy_maps_entry **out, struct mx_err *err)
{
    size_t i = 0;
    if (find_file(maps->files, spec, &i, err) < 0)
        return -1;
    if (maps->v[i].table == NULL) {
        struct map_file *file = &maps->files->v[i];
        /* What nobody used was not looked at: it may be old. */
        if (atomic_load(&file->users) == 0 && reload(file, err) < 0)
            return -1;
        maps->v[i].table = policy_map_ref(file->table);
        maps->v[i].entry.now = maps->v[i].table;
        atomic_fetch_add(&file->users, 1);
    }
    *out = &maps->v[i].entry;
    return 0;
}

void policy_maps_swap(struct policy_maps *maps, size_t file, struct policy_map *map)
{
    if (maps->v[file].table == NULL)
        return;
    policy_map_unref(maps->v[file].table);
    maps->v[file].table = policy_map_ref(map);
    maps->v[file].entry.now = maps->v[file].table;
}
