/*
 * A message as it arrived (header, empty line, body), bounded: memory first, then a
 * memory file or an unlinked file, under one budget for all messages of the process.
 */
#ifndef SHIM_SPOOL_H
#define SHIM_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mx_str.h"

struct mx_err;
struct mxp_body;

/* Bytes that all messages of the process hold together. Zero it, set max. Must outlive
   every body handed out. */
struct shim_budget {
    _Atomic int64_t used;
    _Atomic int64_t max;
};

/** shim_budget_full(budget): nothing new should begin. */
bool shim_budget_full(const struct shim_budget *budget);

struct shim_spool_limits {
    size_t memory;   /* bytes kept in memory before a file is used */
    size_t full;     /* bytes kept at most; a longer message is cut to ... */
    size_t head;     /* ... its header and this many bytes of body */
    const char *dir; /* of unlinked files; "" or NULL: sealed memory files */
};

struct shim_spool {
    struct shim_budget *budget;
    struct shim_spool_limits limits;
    char *memory;      /* NULL once a file is used */
    size_t room;       /* of memory */
    int fd;            /* -1: memory */
    size_t n;          /* bytes held */
    size_t header_n;   /* of these the header with its empty line; 0 until it has ended */
    size_t reserved;   /* bytes taken from the budget */
    uint64_t total;    /* bytes seen, held or not */
    bool is_truncated; /* only the beginning is held */
};

/**
 * shim_spool_init(spool, budget, limits):
 * Empty, holding nothing.
 * Owner:  ${budget} and the text in ${limits} are borrowed. shim_spool_fini any time.
 */
void shim_spool_init(struct shim_spool *spool, struct shim_budget *budget,
                     const struct shim_spool_limits *limits);
void shim_spool_fini(struct shim_spool *spool);

/**
 * shim_spool_header(spool, name, value, has_space):
 * One header field as the MTA gave it; line feeds inside ${value} become CRLF, as they
 * were on the wire. ${has_space}: the value brings the space behind the colon itself.
 * Fails:  as shim_spool_add.
 */
int shim_spool_header(struct shim_spool *spool, struct mx_str name, struct mx_str value,
                      bool has_space, struct mx_err *err);

/** shim_spool_end_header(spool): the empty line between header and body. */
int shim_spool_end_header(struct shim_spool *spool, struct mx_err *err);

/**
 * shim_spool_add(spool, bytes):
 * Body bytes. Past limits.full all but the beginning is given back and from then on only
 * counted.
 * Fails:  the budget is used up (MX_ERR_LIMIT), disk full or another system error
 *         (MX_ERR_SYSTEM) (-1; what is held stays valid).
 */
int shim_spool_add(struct shim_spool *spool, struct mx_str bytes, struct mx_err *err);

/**
 * shim_spool_take(spool, out, err):
 * Hand the bytes out as a counted body without copying them: the buffer itself, or the
 * file mapped (a memory file is sealed first). The spool is empty afterwards but for its
 * counts; the budget is given back when the last holder of the body is done.
 * Fails:  sealing or mapping failed (-1, the spool still holds everything).
 */
int shim_spool_take(struct shim_spool *spool, struct mxp_body **out, struct mx_err *err);

#endif
