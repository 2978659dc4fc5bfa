/*
 * Temporary directories: libclamav unpacks there, and a worker that was killed leaves its
 * files behind, so somebody else must be able to remove them.
 */
#include "temp_tree.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "mx_str.h"

#define OPEN_MAX_DIRS 16

char *temp_tree_make(const char *parent, struct mx_err *err)
{
    struct mx_buf path = {0};
    mx_buf_printf(&path, "%s/mxdrop-scand-XXXXXX", parent);
    char *made = mkdtemp(path.p) != NULL ? mx_xdup(path.p) : NULL;
    if (made == NULL)
        mx_err_errno(err, "temp_dir %s", parent);
    mx_buf_fini(&path);
    return made;
}

static int remove_entry(const char *path, const struct stat *info, int kind,
                        struct FTW *walk)
{
    (void)info, (void)kind, (void)walk;
    remove(path); /* what cannot be removed stays for the next one who looks */
    return 0;
}

void temp_tree_remove(const char *path)
{
    if (path != NULL)
        nftw(path, remove_entry, OPEN_MAX_DIRS, FTW_DEPTH | FTW_PHYS);
}
