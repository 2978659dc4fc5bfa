/* The directory of `mxdropctl up`: made, locked, and free of an earlier run's processes.
 */
#ifndef UP_DIR_H
#define UP_DIR_H

struct mx_arena;
struct mx_err;

/**
 * up_dir_open(arena, name, out_dir, out_lock_fd, err):
 * Make ${name} and its folders, lock it for us and note our number in pid/up.pid.
 * Owner:  ${out_dir} (absolute) lives in ${arena}; closing ${out_lock_fd} unlocks.
 * Fails:  cannot be made or written, a cluster runs there already (-1; says its number).
 */
int up_dir_open(struct mx_arena *arena, const char *name, const char **out_dir,
                int *out_lock_fd, struct mx_err *err);

/** up_dir_close(arena, dir, lock_fd): remove what only a running cluster has, unlock. */
void up_dir_close(struct mx_arena *arena, const char *dir, int lock_fd);

/**
 * up_dir_end_earlier(arena, dir, err):
 * What an `up` that was killed left running in ${dir}: SIGTERM, SIGKILL to the group
 * after UP_DIR_GRACE_MS. Found by the pid files, whose numbers count only where the
 * process has
 * ${dir} in its command line.
 * Fails:  one does not end even then (-1).
 */
int up_dir_end_earlier(struct mx_arena *arena, const char *dir, struct mx_err *err);
#define UP_DIR_GRACE_MS 15000

/**
 * up_dir_guard(arena, dir, lock_fd, err):
 * Fork a process that does the same at the moment when we are gone without having stopped
 * things: programs that change their user lose the death signal that they were given. It
 * keeps the lock until it is done.
 * Returns the number of the guard, for up_dir_unguard.
 * Fails:  pipe or fork (-1).
 */
int up_dir_guard(struct mx_arena *arena, const char *dir, int lock_fd,
                 struct mx_err *err);

/** up_dir_unguard(guard): everything is stopped: the guard ends without doing anything.
 */
void up_dir_unguard(int guard);

#endif
