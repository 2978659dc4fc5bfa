/* Messages that were named on the command line: files, directories, standard input. */
#ifndef CTL_MAIL_H
#define CTL_MAIL_H

#include "mx_str.h"

struct mx_err;

/* One message; ${text} is missing where it could not be read, ${fault} says why. Return
   -1 to end the walk. */
typedef int ctl_mail_fn(void *user, const char *name, struct mx_str text,
                        const char *fault);

/**
 * ctl_mail_each(names, n, fn, user, err):
 * Every message: a file, "-" for standard input, or a directory with all below it in the
 * order of names (hidden files and what is no file left out). Messages are read one after
 * the other, as they are, at most CTL_MAIL_MAX each.
 * Fails:  a name that does not exist, or ${fn} ended the walk (-1).
 */
int ctl_mail_each(char *const *names, size_t n, ctl_mail_fn *fn, void *user,
                  struct mx_err *err);
#define CTL_MAIL_MAX ((size_t)1 << 30) /* octets: MXP_BODY_MAX */

/**
 * ctl_mail_read(name, out, err):
 * One message, a file or "-".
 * Owner:  mx_buf_fini of ${out}.
 */
int ctl_mail_read(const char *name, struct mx_buf *out, struct mx_err *err);

#endif
