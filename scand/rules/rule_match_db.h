/*
 * The prefilter: Hyperscan or Vectorscan, which have the same interface, or nothing. It
 * says where the judge has to look.
 */
#ifndef RULE_MATCH_DB_H
#define RULE_MATCH_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mx_str.h"

struct mx_err;
struct rule_db;         /* a compiled set of patterns: immutable, shared */
struct rule_db_scratch; /* what scanning needs: one for each thread */

struct rule_db_pattern {
    const char *text; /* ends in NUL */
    bool is_loose;    /* the library may match more than the pattern says */
};

/** rule_db_library(): name and version; NULL where none is built in or the CPU cannot. */
const char *rule_db_library(void);

/** rule_db_platform(): a number that differs where compiled databases do. */
uint64_t rule_db_platform(void);

/** rule_db_takes(pattern): the library understands it. */
bool rule_db_takes(const struct rule_db_pattern *pattern);

/**
 * rule_db_compile(patterns, n, out, out_bad, err):
 * A database of ${n} (at least 1) patterns, which are numbered from 0.
 * Owner:  rule_db_free.
 * Fails:  a pattern that is refused: its number in ${out_bad}, or -1 (-1).
 */
int rule_db_compile(const struct rule_db_pattern *patterns, size_t n,
                    struct rule_db **out, int *out_bad, struct mx_err *err);
void rule_db_free(struct rule_db *db);

/** rule_db_pack(db, out): bytes of it, for rule_db_unpack on the same kind of machine. */
int rule_db_pack(const struct rule_db *db, struct mx_buf *out, struct mx_err *err);

/**
 * rule_db_unpack(bytes, out, err):
 * Fails:  not from rule_db_pack, damaged, or of another version or CPU (-1).
 */
int rule_db_unpack(struct mx_str bytes, struct rule_db **out, struct mx_err *err);

/** rule_db_size(db): octets in memory. */
size_t rule_db_size(const struct rule_db *db);

/**
 * rule_db_scratch_fit(scratch, db, err):
 * Make ${scratch} (begin with NULL) fit for scanning with ${db}, too.
 * Owner:  rule_db_scratch_free.
 */
int rule_db_scratch_fit(struct rule_db_scratch **scratch, const struct rule_db *db,
                        struct mx_err *err);
void rule_db_scratch_free(struct rule_db_scratch *scratch);

/**
 * rule_db_scan(db, scratch, text, out, out_n):
 * Which patterns match in ${text}: their numbers, each once, into ${out}, which has room
 * for all.
 * Fails:  the library does (-1): all of them may match.
 */
int rule_db_scan(const struct rule_db *db, struct rule_db_scratch *scratch,
                 struct mx_str text, uint32_t *out, size_t *out_n);

#endif
