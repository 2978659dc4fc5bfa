/*
 * One map file, parsed: what access lists look things up in. A table never changes after
 * it was made and is counted, so that workers share it without a lock.
 */
#ifndef POLICY_MAP_H
#define POLICY_MAP_H

#include "mx_net.h"
#include "mx_str.h"

struct mx_err;
struct policy_map;

#define POLICY_MAP_FILE_MAX (32u << 20) /* bytes of a file */
#define POLICY_MAP_ENTRIES_MAX 1000000u /* lines with an entry */
#define POLICY_MAP_REGEX_MAX 1000u      /* patterns of a regex map: each is tried */
#define POLICY_MAP_VALUE_MAX 512u       /* bytes of a result */

enum policy_map_kind {
    POLICY_MAP_CIDR, /* "192.0.2.0/24 RESULT": the first line of the file that matches */
    POLICY_MAP_DOMAIN,  /* "example.com RESULT", ".example.com": it and all below it */
    POLICY_MAP_ADDRESS, /* "user@example.com", a domain as above, "user@": most exact
                           first */
    POLICY_MAP_REGEX,   /* "/pattern/flags RESULT": the first that matches */
    POLICY_MAP_KINDS,
};

/** policy_map_kind_name(kind): "cidr", "domain", "address", "regex". */
const char *policy_map_kind_name(enum policy_map_kind kind);

struct policy_map_spec {
    enum policy_map_kind kind;
    const char *path;
    /* Judges each result when the file is read; NULL: anything goes. Fails: -1. */
    int (*check)(struct mx_str value, struct mx_err *err);
};

/**
 * policy_map_parse(spec, text, out, err):
 * Make a table from the text of a file. A line is "KEY RESULT"; lines that are empty or
 * begin with '#' are skipped. Flags of a regex: "i" turns case folding off, "x" allows
 * white space and comments in the pattern, as in pcre_table(5).
 * Owner:  one reference is the caller's: policy_map_unref.
 * Fails:  "PATH:LINE: what" (-1): syntax, doubled key, too many entries, a result that
 *         ${spec}->check refuses.
 */
int policy_map_parse(const struct policy_map_spec *spec, struct mx_str text,
                     struct policy_map **out, struct mx_err *err);

/** policy_map_ref(map) / policy_map_unref(map): any thread. NULL is fine. */
struct policy_map *policy_map_ref(struct policy_map *map);
void policy_map_unref(struct policy_map *map);

enum policy_map_result { POLICY_MAP_MISS, POLICY_MAP_HIT, POLICY_MAP_BROKEN };

/**
 * policy_map_find_net(map, net, out):
 * Look an address up in a cidr map; other kinds never hit.
 * Owner:  ${out} points into ${map}: copy what outlives this event.
 */
enum policy_map_result policy_map_find_net(const struct policy_map *map,
                                           const struct mx_net *net, struct mx_str *out);

/**
 * policy_map_find_text(map, text, out):
 * Look a domain, address or any text (regex) up, case folded. A cidr map never hits.
 * Owner:  as above.
 * Returns POLICY_MAP_BROKEN where a pattern hit its limits: nobody can say.
 */
enum policy_map_result policy_map_find_text(const struct policy_map *map,
                                            struct mx_str text, struct mx_str *out);

/** policy_map_entries(map): lines with an entry. */
size_t policy_map_entries(const struct policy_map *map);

#endif
