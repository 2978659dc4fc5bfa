/*
 * Lists archives through libarchive; the only file that includes it.
 *
 * Members are listed, not unpacked, with two exceptions: what lies behind a compressing
 * filter (tar.gz) can only be skipped by unpacking it, and a member that looks like an
 * archive is unpacked into memory and listed in turn, as one is that the caller wants to
 * look into. All count against one budget per
 * message, in small steps, so that a zip bomb costs a bounded amount of work whatever
 * sizes it announces. A format's reader sees hostile bytes: it runs in a worker, whose
 * crash or hang costs the supervisor one retry.
 *
 * Left out: looking for archives behind other data (self-extractors); libclamav does so.
 */
#include "archive_list.h"

#include <stdlib.h>
#include <string.h>

#include <archive.h>
#include <archive_entry.h>

#include "mx_arena.h"
#include "mx_time.h"

#define HEAD_SIZE 512 /* octets that tell an archive (tar's magic ends at 262) */

static const struct {
    size_t offset;
    struct mx_str magic;
} magics[] = {
    {0, {"PK\003\004", 4}},
    {0, {"PK\005\006", 4}},
    {0, {"7z\274\257\047\034", 6}},
    {0, {"Rar!\032\007", 6}},
    {0, {"MSCF", 4}},
    {0, {"\037\213", 2}},
    {0, {"BZh", 3}},
    {0, {"\3757zXZ", 5}},
    {0, {"\050\265\057\375", 4}},
    {0, {"\004\042\115\030", 4}},
    {0, {"\037\235", 2}},
    {0, {"!<arch>\n", 8}},
    {257, {"ustar", 5}},
    {2, {"-lh", 3}},
    {0, {"07070", 5}},
    {0, {"\307\161", 2}},
    {0, {"\161\307", 2}},
};

bool archive_list_is(struct mx_str content)
{
    for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++) {
        struct mx_str here = mx_str_sub(content, magics[i].offset, magics[i].magic.n);
        if (mx_str_eq(here, magics[i].magic))
            return true;
    }
    return content.n > 32768 + 6 &&
           mx_str_eq(mx_str_sub(content, 32769, 5), MX_STR("CD001"));
}

static bool is_over(struct archive_walk *walk)
{
    if (mx_mono_us() / 1000 >= walk->deadline_ms)
        walk->limits |= ARCHIVE_OVER_TIME;
    return (walk->limits & ~(unsigned)ARCHIVE_OVER_DEPTH) != 0;
}

static bool is_packed(struct archive *archive)
{
    return archive_filter_count(archive) > 1;
}

/*
 * Walking past a member of these costs unpacking it, inside libarchive and out of our
 * sight: so we unpack it ourselves and count. A zip's members are skipped for nothing.
 */
static bool skips_by_unpacking(struct archive *archive)
{
    switch (archive_format(archive) & ARCHIVE_FORMAT_BASE_MASK) {
    case ARCHIVE_FORMAT_7ZIP:
    case ARCHIVE_FORMAT_RAR:
    case ARCHIVE_FORMAT_RAR_V5:
    case ARCHIVE_FORMAT_CAB: return true;
    default: return is_packed(archive);
    }
}

static void list_one(struct archive_walk *walk, struct mx_str content, unsigned depth);

static bool is_looked_into(const struct archive_walk *walk, struct mx_str name,
                           struct mx_str content)
{
    return archive_list_is(content) ||
           (walk->wants != NULL && walk->wants(name, content));
}

/* The member's bytes, kept as long as somebody may want to look into them. */
static struct mx_str read_member(struct archive_walk *walk, struct archive *archive,
                                 struct mx_str name, struct mx_buf *kept)
{
    const void *block;
    size_t n;
    la_int64_t offset;
    int rc;
    while ((rc = archive_read_data_block(archive, &block, &n, &offset)) == ARCHIVE_OK) {
        walk->expanded += n;
        if (walk->expanded > ARCHIVE_EXPANDED_MAX)
            walk->limits |= ARCHIVE_OVER_EXPANDED;
        if (is_over(walk))
            break;
        mx_buf_add(kept, block, n);
        if (kept->n < HEAD_SIZE ||
            is_looked_into(walk, name, mx_str_of(kept->p, kept->n)))
            continue;
        if (!skips_by_unpacking(archive))
            break;
        kept->max = HEAD_SIZE; /* walk on to its end, keeping nothing more */
    }
    if (rc < ARCHIVE_WARN)
        walk->is_broken = true;
    return mx_str_of(kept->p, kept->n);
}

/* Opens the member where it is an archive; behind a packing filter, walks past it. */
static void follow_member(struct archive_walk *walk, struct archive *archive,
                          struct archive_entry *entry, struct mx_str name, unsigned depth)
{
    if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_is_encrypted(entry))
        return;
    struct mx_buf kept = {.max = ARCHIVE_NESTED_MAX};
    struct mx_str content = read_member(walk, archive, name, &kept);
    if (walk->wants != NULL && walk->wants(name, content))
        walk->on_content(walk->user, name, content);
    if (archive_list_is(content)) {
        if (kept.is_overflown)
            walk->limits |= ARCHIVE_OVER_EXPANDED;
        if (depth >= ARCHIVE_DEPTH_MAX)
            walk->limits |= ARCHIVE_OVER_DEPTH;
        else
            list_one(walk, content, depth + 1);
    }
    mx_buf_fini(&kept);
}

static void on_entry(struct archive_walk *walk, struct archive *archive,
                     struct archive_entry *entry, unsigned depth)
{
    const char *name = archive_entry_pathname(entry);
    struct archive_member member = {
        .name = mx_str(name ? name : ""),
        .size = archive_entry_size_is_set(entry) ? archive_entry_size(entry) : -1,
        .depth = depth,
        .is_encrypted = archive_entry_is_encrypted(entry) != 0,
    };
    walk->has_encrypted |= member.is_encrypted;
    if (walk->members++ >= ARCHIVE_MEMBERS_MAX) {
        walk->limits |= ARCHIVE_OVER_MEMBERS;
        return;
    }
    walk->on_member(walk->user, &member);
    follow_member(walk, archive, entry, member.name, depth);
}

static struct archive *open_memory(struct mx_str content)
{
    struct archive *archive = archive_read_new();
    if (archive == NULL)
        return NULL;
    archive_read_support_filter_all(archive);
    archive_read_support_format_all(archive);
    archive_read_support_format_raw(archive); /* one packed file, "x.exe.gz" */
    if (archive_read_open_memory(archive, content.p, content.n) != ARCHIVE_OK) {
        archive_read_free(archive);
        return NULL;
    }
    return archive;
}

static void list_one(struct archive_walk *walk, struct mx_str content, unsigned depth)
{
    struct archive *archive = open_memory(content);
    if (archive == NULL) {
        walk->is_broken = true;
        return;
    }
    struct archive_entry *entry;
    int rc;
    while ((rc = archive_read_next_header(archive, &entry)) >= ARCHIVE_WARN &&
           rc != ARCHIVE_EOF) {
        /* The raw "format" takes anything: without a packing filter it is no archive. */
        if (archive_format(archive) == ARCHIVE_FORMAT_RAW && !is_packed(archive))
            break;
        on_entry(walk, archive, entry, depth);
        if (is_over(walk))
            break;
    }
    if (rc < ARCHIVE_WARN)
        walk->is_broken = true;
    if (archive_read_has_encrypted_entries(archive) > 0)
        walk->has_encrypted = true;
    archive_read_free(archive);
}

void archive_list(struct archive_walk *walk, struct mx_str content)
{
    if (!is_over(walk))
        list_one(walk, content, 1);
}

const char *archive_list_library(void)
{
    return archive_version_string();
}
