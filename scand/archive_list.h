/* What is inside an archive, and inside the archives inside it: names, not contents. */
#ifndef ARCHIVE_LIST_H
#define ARCHIVE_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mx_str.h"

/* Counted per message, over all its archives. */
#define ARCHIVE_MEMBERS_MAX 10000        /* members listed */
#define ARCHIVE_DEPTH_MAX 8              /* an archive in an archive in ... */
#define ARCHIVE_EXPANDED_MAX (64u << 20) /* octets unpacked on the way */
#define ARCHIVE_NESTED_MAX (16u << 20)   /* octets of one member that is looked into */

enum archive_limit {
    ARCHIVE_OVER_MEMBERS = 1 << 0,
    ARCHIVE_OVER_DEPTH = 1 << 1,
    ARCHIVE_OVER_EXPANDED = 1 << 2,
    ARCHIVE_OVER_TIME = 1 << 3,
};

struct archive_member {
    struct mx_str name; /* as stored, borrowed for the call */
    int64_t size;       /* as announced, -1 unknown */
    unsigned depth;     /* 1: in the attachment itself */
    bool is_encrypted;
};

/* One message's walk; zero it but for the callers' members. */
struct archive_walk {
    void (*on_member)(void *user, const struct archive_member *member);
    /* Whether on_content is to have this member; its first octets tell, or all of it. */
    bool (*wants)(struct mx_str name, struct mx_str head);
    void (*on_content)(void *user, struct mx_str name, struct mx_str content);
    void *user;
    int64_t deadline_ms; /* on mx_mono_us() / 1000 */
    /* results */
    unsigned limits;    /* enum archive_limit that were reached */
    bool has_encrypted; /* a member, or the list itself */
    bool is_broken;     /* ended in an error: what was listed is not all */
    size_t members;
    uint64_t expanded; /* octets */
};

/** archive_list_is(content): the first bytes are those of a format that archive_list
 * opens. */
bool archive_list_is(struct mx_str content);

/**
 * archive_list(walk, content):
 * Call walk->on_member for each member of ${content}, depth first; a member that is an
 * archive itself is opened in turn, and one that walk->wants goes to walk->on_content
 * (at most ARCHIVE_NESTED_MAX of it). Never fails: what could not be read is said in
 * ${walk}. Formats: zip, 7z, rar, rar5, tar, cab, iso, ar, cpio, lha; packed by gzip,
 * bzip2, xz, zstd, lz4, compress; a single packed file counts as one member.
 */
void archive_list(struct archive_walk *walk, struct mx_str content);

/** archive_list_library(): name and version, for -V. */
const char *archive_list_library(void);

#endif
