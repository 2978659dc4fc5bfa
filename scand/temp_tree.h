/* Temporary directories of ours. */
#ifndef TEMP_TREE_H
#define TEMP_TREE_H

struct mx_err;

/**
 * temp_tree_make(parent, err):
 * A new directory that only we can enter, in ${parent}.
 * Owner:  the path is the caller's (free). NULL: failed.
 */
char *temp_tree_make(const char *parent, struct mx_err *err);

/** temp_tree_remove(path): with all that is in it; symbolic links are not followed. NULL
 * is fine. */
void temp_tree_remove(const char *path);

#endif
