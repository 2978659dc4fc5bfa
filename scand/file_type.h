/* What a file is by its content: libmagic. */
#ifndef FILE_TYPE_H
#define FILE_TYPE_H

#include "mx_str.h"

struct mx_arena;
struct mx_err;
struct file_type;

/**
 * file_type_open(out, err):
 * Load the system's type database; forked workers share it.
 * Owner:  file_type_close; one user at a time.
 * Fails:  no database (-1).
 */
int file_type_open(struct file_type **out, struct mx_err *err);
void file_type_close(struct file_type *type);

/**
 * file_type_of(type, arena, content):
 * MIME type, "application/x-dosexec"; "application/octet-stream" where nothing is known.
 * The first 64 KiB are looked at.
 */
struct mx_str file_type_of(struct file_type *type, struct mx_arena *arena,
                           struct mx_str content);

/** file_type_is_program(mime): something that runs when it is opened. */
bool file_type_is_program(struct mx_str mime);

/** file_type_library(): name and version, for -V. */
const char *file_type_library(void);

#endif
