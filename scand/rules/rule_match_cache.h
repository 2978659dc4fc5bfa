/* Compiled databases on disk, so that a start takes milliseconds instead of seconds. */
#ifndef RULE_MATCH_CACHE_H
#define RULE_MATCH_CACHE_H

#include <stdint.h>

#include "mx_str.h"

struct mx_err;

#define RULE_CACHE_BYTES_MAX (1u << 30)

struct rule_cache_file {
    char *map; /* the whole file */
    size_t n;
    struct mx_str payload;
};

/**
 * rule_cache_open(dir, key, out, err):
 * The file for ${key}, if there is one that can be trusted: a regular file of ours or
 * root's that nobody else may write, whole, and made for this key.
 * Owner:  rule_cache_close.
 * Fails:  no such file (MX_ERR_DOWN), or one that is not trusted (-1).
 */
int rule_cache_open(const char *dir, uint64_t key, struct rule_cache_file *out,
                    struct mx_err *err);
void rule_cache_close(struct rule_cache_file *file);

/**
 * rule_cache_write(dir, key, payload, err):
 * Put it there in one step, and remove those that nobody has used for a month.
 * Fails:  the directory is not there or not ours to write (-1).
 */
int rule_cache_write(const char *dir, uint64_t key, struct mx_str payload,
                     struct mx_err *err);

#endif
