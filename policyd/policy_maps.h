/*
 * Map files that change while we run. One thread (the main one) owns the files: it looks
 * at them, reads what changed aside, and hands the new tables over. Each chain has its
 * own view of the maps it uses and is told between events; no look-up takes a lock.
 */
#ifndef POLICY_MAPS_H
#define POLICY_MAPS_H

#include <stdbool.h>
#include <stddef.h>

#include "policy_map.h"

struct mx_err;
struct policy_map_files;
struct policy_maps;

#define POLICY_MAPS_MAX 256 /* different files of one process */

/** policy_map_files_new(): no files yet. Owner: policy_map_files_free, after all views.
 */
struct policy_map_files *policy_map_files_new(void);
void policy_map_files_free(struct policy_map_files *files);

struct policy_map_watch {
    /* A file changed and was read: hand it to the views (each takes its reference). */
    void (*on_loaded)(void *user, size_t file, struct policy_map *map);
    /* It changed and cannot be used, told once a change: the old table stays. */
    void (*on_broken)(void *user, const char *path, const char *reason);
    void *user;
};

/**
 * policy_map_files_poll(files, is_forced, watch):
 * Read what changed since the last look by device, inode, size or time; everything with
 * is_forced (SIGHUP). Owner's thread.
 * Returns how many files are broken now.
 */
size_t policy_map_files_poll(struct policy_map_files *files, bool is_forced,
                             const struct policy_map_watch *watch);

/** policy_map_files_path(files, file): for the log. */
const char *policy_map_files_path(const struct policy_map_files *files, size_t file);

/**
 * policy_maps_new(files):
 * A view without maps. Made and filled on the owner's thread, then used by one worker.
 * Owner:  policy_maps_free, any thread, before the files.
 */
struct policy_maps *policy_maps_new(struct policy_map_files *files);
void policy_maps_free(struct policy_maps *maps);

/* One map of a view. ->now changes between events only and is never NULL. */
struct policy_maps_entry {
    const struct policy_map *now;
};

/**
 * policy_maps_open(maps, spec, out, err):
 * Use a file; it is read where nobody uses it yet. A path has one kind.
 * Owner:  ${out} belongs to ${maps}; ${spec}->check must stay callable.
 * Fails:  unreadable, syntax (-1, "PATH:LINE: what").
 */
int policy_maps_open(struct policy_maps *maps, const struct policy_map_spec *spec,
                     const struct policy_maps_entry **out, struct mx_err *err);

/** policy_maps_swap(maps, file, map): take a new table; no effect where it is not used.
 */
void policy_maps_swap(struct policy_maps *maps, size_t file, struct policy_map *map);

#endif
