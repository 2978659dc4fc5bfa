/* The other programs: where they are. */
#ifndef CTL_PROGRAM_H
#define CTL_PROGRAM_H

struct mx_arena;
struct mx_buf;
struct mx_err;

/**
 * ctl_program_find(arena, name, out, err):
 * The path of a program: beside mxdropctl itself, in the sbin folder beside its bin, or
 * in $PATH, /usr/sbin and /sbin behind it (users' paths often lack them). Fails:  not
 * found (-1; says what was looked for).
 */
int ctl_program_find(struct mx_arena *arena, const char *name, const char **out,
                     struct mx_err *err);

/**
 * ctl_program_run(argv, out, out_code, err):
 * Run ${argv} to its end; what it prints, errors too, is appended to ${out} up to its
 * bound. ${out_code} is its exit code, 128 and the signal where one ended it.
 * Fails:  it cannot be started (-1).
 */
int ctl_program_run(const char *const *argv, struct mx_buf *out, int *out_code,
                    struct mx_err *err);

#endif
