/* Notices that the files of a directory changed, once they have stopped changing. */
#ifndef SUP_WATCH_H
#define SUP_WATCH_H

#include <stdbool.h>
#include <stdint.h>

struct mx_err;

struct sup_watch {
    uint64_t loaded; /* fingerprint of what is in use */
    uint64_t seen;   /* of the last look */
};

/**
 * sup_watch_read(dir, out, err):
 * A fingerprint of names, sizes and times of the files in ${dir}.
 * Fails:  cannot be read (-1).
 */
int sup_watch_read(const char *dir, uint64_t *out, struct mx_err *err);

/**
 * sup_watch_newest(dir, out_ms, err):
 * Wall clock of the last change of any file in ${dir}; 0: there is none.
 * Fails:  cannot be read (-1).
 */
int sup_watch_newest(const char *dir, int64_t *out_ms, struct mx_err *err);

/** sup_watch_loaded(watch, fingerprint): this is what is being loaded now. */
void sup_watch_loaded(struct sup_watch *watch, uint64_t fingerprint);

/**
 * sup_watch_changed(watch, fingerprint):
 * Differs from what is loaded, and was the same at the last look: an update that is
 * still being written does not start a reload.
 */
bool sup_watch_changed(struct sup_watch *watch, uint64_t fingerprint);

#endif
