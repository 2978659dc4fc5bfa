/*
 * What the files of mx_conf share; nobody else includes this. The sections of a program
 * are put together as one root table of groups, so that checking, loading, converting
 * and printing are each one recursion over tables.
 */
#ifndef MX_CONF_PRIV_H
#define MX_CONF_PRIV_H

#include "mx_conf.h"
#include "mx_str.h"

struct mx_arena;
struct mx_err;

#define MX_CONF_FILE_MAX (1u << 20) /* bytes of a file */
#define MX_CONF_NODES_MAX 20000     /* keys and values, others' sections included */
#define MX_CONF_DEPTH_MAX 8         /* levels of mappings and lists */
#define MX_CONF_ARENA_MAX (32u << 20)
#define MX_CONF_STRING_MAX 4096 /* bytes, where the key says nothing */
#define MX_CONF_LIST_MAX 1024   /* entries, where the key says nothing */

/* Where a key of the file stands; lines and columns count from 1. */
struct mx_conf_place {
    const char *dotted;
    const char *where;                 /* "FILE:LINE" */
    unsigned line, column;             /* of the key */
    unsigned value_line, value_column; /* of its value */
};

struct mx_conf_places {
    struct mx_conf_place *v;
    size_t n, room;
};

/* The file as text, its name and what was found in it. */
struct mx_conf_doc {
    struct mx_arena *arena;
    const char *path;
    struct mx_str text;
    struct mx_conf_places places;
};

/**
 * mx_conf_root(arena, sections, out_size):
 * One GROUP key per section, their offsets laid out one behind the other.
 */
const struct mx_conf_key *mx_conf_root(struct mx_arena *arena,
                                       const struct mx_conf_section *const *sections,
                                       size_t *out_size);

/** mx_conf_dotted(arena, prefix, name): "prefix.name", or ${name} where prefix is "". */
const char *mx_conf_dotted(struct mx_arena *arena, const char *prefix,
                           struct mx_str name);

/**
 * mx_conf_scan_read(doc, err) / mx_conf_scan(doc, err):
 * Read the file ${doc}->path; go through it once for syntax, depth and number of nodes.
 * Fails:  as mx_conf_load.
 */
int mx_conf_scan_read(struct mx_conf_doc *doc, struct mx_err *err);
int mx_conf_scan(const struct mx_conf_doc *doc, struct mx_err *err);

/**
 * mx_conf_doc_check(doc, root, foreign, err):
 * Scan, then check the structure against the tables (unknown and double keys, kinds) and
 * note the place of each key. Values are not looked at.
 * Fails:  as mx_conf_load.
 */
int mx_conf_doc_check(struct mx_conf_doc *doc, const struct mx_conf_key *root,
                      const char *const *foreign, struct mx_err *err);

/** mx_conf_doc_find(doc, dotted): the place of a key; NULL: not in the file. */
const struct mx_conf_place *mx_conf_doc_find(const struct mx_conf_doc *doc,
                                             const char *dotted);

/* What libcyaml loads for one key: text, a list of texts, or the slots of a group. */
struct mx_conf_slot {
    void *p;    /* char *, char **, struct mx_conf_slot *; NULL: not in the file */
    uint64_t n; /* entries of a list */
};

struct mx_conf_raw;

/**
 * mx_conf_raw_load(doc, root, out, err):
 * Load a checked document by a libcyaml schema made from the tables.
 * Owner:  free with mx_conf_raw_free.
 */
int mx_conf_raw_load(const struct mx_conf_doc *doc, const struct mx_conf_key *root,
                     struct mx_conf_raw **out, struct mx_err *err);
void mx_conf_raw_free(struct mx_conf_raw *raw);

/** mx_conf_raw_slots(raw): one per key of the root table; NULL: the file is empty. */
const struct mx_conf_slot *mx_conf_raw_slots(const struct mx_conf_raw *raw);

/**
 * mx_conf_value_parse(arena, key, slot, out, err):
 * Text, or list of texts, to the C value at ${out}; strict, with range.
 * Fails:  the text says what is wrong, without the place (-1, ${out} untouched).
 */
int mx_conf_value_parse(struct mx_arena *arena, const struct mx_conf_key *key,
                        const struct mx_conf_slot *slot, void *out, struct mx_err *err);

/** mx_conf_value_default(arena, key, out, err): the same from ${key}->def. */
int mx_conf_value_default(struct mx_arena *arena, const struct mx_conf_key *key,
                          void *out, struct mx_err *err);

/** mx_conf_value_format(arena, key, value): as it would stand in the file. */
const char *mx_conf_value_format(struct mx_arena *arena, const struct mx_conf_key *key,
                                 const void *value);

/** mx_conf_value_format_default(arena, key): the same for the default. */
const char *mx_conf_value_format_default(struct mx_arena *arena,
                                         const struct mx_conf_key *key);

/** mx_conf_value_kind(key), mx_conf_value_range(arena, key): for people; may be "". */
const char *mx_conf_value_kind(const struct mx_conf_key *key);
const char *mx_conf_value_range(struct mx_arena *arena, const struct mx_conf_key *key);

/** mx_conf_text_dump(root, data, only_changed, out): what mx_conf_dump writes. */
void mx_conf_text_dump(const struct mx_conf_key *root, const char *data,
                       bool only_changed, struct mx_buf *out);

#endif
