/* Messages that people name: files, directories, standard input. */
#ifndef MX_MAIL_H
#define MX_MAIL_H

#include "mx_str.h"

struct mx_err;

/* One message; ${text} is missing where it could not be read, ${fault} says why. Return
   -1 to end the walk. */
typedef int mx_mail_fn(void *user, const char *name, struct mx_str text,
                       const char *fault);

/**
 * mx_mail_each(names, n, fn, user, err):
 * Every message: a file, "-" for standard input, or a directory with all below it in the
 * order of names (hidden files and what is no file left out). Messages are read one after
 * the other, as they are, at most MX_MAIL_MAX each.
 * Fails:  a name that does not exist, a directory that cannot be read on, or ${fn} ended
 *         the walk (-1).
 */
int mx_mail_each(char *const *names, size_t n, mx_mail_fn *fn, void *user,
                 struct mx_err *err);
#define MX_MAIL_MAX ((size_t)1 << 30) /* octets: MXP_BODY_MAX */

/**
 * mx_mail_read(name, out, err):
 * One message, a file or "-".
 * Owner:  mx_buf_fini of ${out}.
 */
int mx_mail_read(const char *name, struct mx_buf *out, struct mx_err *err);

#endif
