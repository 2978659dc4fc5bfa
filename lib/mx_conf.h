/*
 * Configuration: one table of keys per section, from which the libcyaml schema, the
 * defaults, the range checks, the dump and docs/CONFIG.md all come.
 *
 * One YAML file configures a node. Its top level holds sections ("redis", "milter" ...).
 * A program names the sections it reads; the others' names are known and skipped, an
 * unknown one is an error.
 */
#ifndef MX_CONF_H
#define MX_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mx_str.h"

struct mx_err;
struct mx_buf;

enum mx_conf_type {
    MX_CONF_END,      /* the zero key that ends a table */
    MX_CONF_BOOL,     /* bool */
    MX_CONF_INT,      /* int64_t, min..max */
    MX_CONF_DOUBLE,   /* double, min..max */
    MX_CONF_DURATION, /* int64_t milliseconds, min..max; "5m" in the file */
    MX_CONF_SIZE,     /* int64_t bytes, min..max; "64MiB" in the file */
    MX_CONF_STRING,   /* const char *, max is the longest length (0: 4096) */
    MX_CONF_ENUM,     /* int: index into words */
    MX_CONF_STRINGS,  /* struct mx_conf_strings, at most max entries (0: 1024) */
    MX_CONF_GROUP,    /* struct described by sub, inline at the offset */
};

struct mx_conf_strings {
    const char **v; /* n entries */
    size_t n;
};

struct mx_conf_key {
    const char *name;
    enum mx_conf_type type;
    size_t offset;            /* in the section's (or group's) struct */
    int64_t min, max;         /* both 0: no range */
    const char *def;          /* as in the file; STRINGS: "a, b"; NULL: "", 0 or empty */
    const char *const *words; /* ENUM: ends with NULL */
    const struct mx_conf_key *sub; /* GROUP */
    const char *doc;               /* one or two sentences for docs/CONFIG.md */
};

struct mx_conf_section {
    const char *name;
    const char *doc;
    size_t size; /* of its struct */
    const struct mx_conf_key *keys;
};

struct mx_conf;

/**
 * mx_conf_load(path, sections, foreign, out, err):
 * Read the file; every key of ${sections} gets its value or default. ${path} NULL: all
 * defaults. At most 1 MiB.
 * Owner:  ${sections} (ends with a NULL pointer) must outlive the result; ${foreign}
 *         (names of others' sections, ends with NULL) is borrowed.
 *         Free with mx_conf_free. Immutable: reload loads another and swaps.
 * Fails:  file missing, syntax, unknown key, wrong type, out of range: the text is
 *         "FILE:LINE:COLUMN: what: what to do" (-1).
 */
int mx_conf_load(const char *path, const struct mx_conf_section *const *sections,
                 const char *const *foreign, struct mx_conf **out, struct mx_err *err);
void mx_conf_free(struct mx_conf *conf);

/** mx_conf_get(conf, section): its struct. Asking for one not loaded is a bug. */
const void *mx_conf_get(const struct mx_conf *conf, const char *section);

/**
 * mx_conf_where(conf, dotted):
 * "FILE:LINE" of a key ("policyd.chain.rcpt"), for errors that are found later; the
 * file alone where the key is not in the file.
 * Owner:  ${conf}.
 */
const char *mx_conf_where(const struct mx_conf *conf, const char *dotted);

/**
 * mx_conf_dump(conf, only_changed, out):
 * YAML of the effective settings. Values of keys whose name has "password" or "secret"
 * in it are hidden, unless it ends in "_file".
 */
void mx_conf_dump(const struct mx_conf *conf, bool only_changed, struct mx_buf *out);

/** mx_conf_docs(sections, out): Markdown, a table per section with a row per key. */
void mx_conf_docs(const struct mx_conf_section *const *sections, struct mx_buf *out);

/** mx_conf_sample(sections, out): YAML with every default, each explained. */
void mx_conf_sample(const struct mx_conf_section *const *sections, struct mx_buf *out);

#endif
