/* The files of `mxdropctl up`: templates, per-instance copies, writing. */
#ifndef UP_FILES_H
#define UP_FILES_H

#include <stdbool.h>
#include <sys/types.h>

#include "mx_str.h"

struct mx_arena;
struct mx_err;

/* How a value is written where the template has @NAME@. */
enum up_quoting {
    UP_QUOTED,  /* inside double quotes (YAML, redis.conf): \ and " are escaped */
    UP_POSTFIX, /* in main.cf and master.cf: '$' is doubled */
};

struct up_var {
    const char *name; /* ends the list: NULL */
    const char *value;
};

/**
 * up_files_render(arena, template, vars, quoting, out, err):
 * Fill in @NAME@ (capitals and underscores).
 * Owner:  ${out} lives in ${arena}.
 * Fails:  a name that ${vars} does not have, a control character in a value (-1).
 */
int up_files_render(struct mx_arena *arena, const char *template,
                    const struct up_var *vars, enum up_quoting quoting, const char **out,
                    struct mx_err *err);

/**
 * up_files_override(arena, text, dotted, value):
 * ${text}, a configuration file in block style, with the key ${dotted} ("scand.metrics")
 * set to ${value}, which is YAML. A value that is there is replaced with the lines that
 * continue it; a missing key or section is added.
 */
const char *up_files_override(struct mx_arena *arena, const char *text,
                              const char *dotted, const char *value);

/** up_files_quote(arena, text): "text" in YAML double quotes. */
const char *up_files_quote(struct mx_arena *arena, const char *text);

/** up_files_read(arena, path, out, err): at most 1 MiB. Fails: missing, too large (-1).
 */
int up_files_read(struct mx_arena *arena, const char *path, const char **out,
                  struct mx_err *err);

/**
 * up_files_write(arena, path, text, mode, err):
 * Replace the file as a whole: readers see the old or the new one.
 */
int up_files_write(struct mx_arena *arena, const char *path, const char *text,
                   mode_t mode, struct mx_err *err);

/**
 * up_files_keep(arena, path, text, out_kept, err):
 * Write it unless the file exists; ${out_kept} tells that it does.
 */
int up_files_keep(struct mx_arena *arena, const char *path, const char *text,
                  bool *out_kept, struct mx_err *err);

/** up_files_mkdir(path, mode, err): make it unless it is there; its parent must be. */
int up_files_mkdir(const char *path, mode_t mode, struct mx_err *err);

#endif
