/* Keeps copies of messages that killed two workers, for whoever looks into it. */
#ifndef POISON_SAMPLE_H
#define POISON_SAMPLE_H

#include <stdint.h>

#include "mx_str.h"

struct mx_err;

#define POISON_NAME_MAX 64

/**
 * poison_sample_write(dir, max, wall_ms, message, out_name, err):
 * Write ${message} to a new file "poison-TIME-PID-N.eml" in ${dir}, unless ${max} are
 * there. The name holds nothing of the message.
 * Fails:  directory missing, full, disk (-1; a file that was cut short is removed).
 */
int poison_sample_write(const char *dir, int64_t max, int64_t wall_ms,
                        struct mx_str message, char out_name[static POISON_NAME_MAX],
                        struct mx_err *err);

#endif
