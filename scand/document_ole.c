/*
 * Documents that are compound files (doc, xls, ppt, and what OOXML packs into one), and
 * RTF. libgsf reads the compound file; the only file that includes it. What is looked for
 * is told by the names of streams, and where it is not, by a few octets at a fixed place.
 *
 * Bounded: entries, nesting, records of a workbook. libgsf takes time with the square of
 * the entries (5 s CPU for 7 MB of them), so they are counted first; sectors so small
 * that they cut entries in two are over the limit as well. What is broken beyond libgsf's
 * understanding has no traits: Office refuses it, too.
 *
 * Left out: objects inside a PowerPoint document's one big stream; RTF that writes
 * "\objdata" in a roundabout way. libclamav unpacks both.
 * Source: MS-CFB, MS-DOC 2.5.2 (FibBase), MS-XLS 2.4.117 (FilePass) and 2.4.28
 * (BoundSheet8), MS-PPT 2.3.2 (CurrentUserAtom), MS-OFFCRYPTO 1.3.3.
 */
#include "document.h"

#include <string.h>

#include <gsf/gsf.h>

#define ENTRIES_MAX 3000 /* streams and storages */
#define ENTRY_SIZE 128
#define ENTRY_BITS 7 /* log2 of it */
#define HEADER_SIZE 512
#define DEPTH_MAX 10
#define RECORDS_MAX 300 /* of a workbook: its sheets are named at the start */

static const struct mx_str ole_magic = {"\320\317\021\340\241\261\032\341", 8};

/* ---- streams by their content -------------------------------------------------------
 */

/* Little-endian number in n octets at this place; 0 beyond the end. */
static unsigned long number_at(GsfInput *stream, gsf_off_t at, size_t n)
{
    guint8 octets[4] = {0};
    if (gsf_input_size(stream) < at + (gsf_off_t)n ||
        gsf_input_seek(stream, at, G_SEEK_SET) ||
        gsf_input_read(stream, n, octets) == NULL)
        return 0;
    return octets[0] | (unsigned long)octets[1] << 8 | (unsigned long)octets[2] << 16 |
           (unsigned long)octets[3] << 24;
}

static unsigned word_document(GsfInput *stream)
{
    return number_at(stream, 10, 2) & 0x0100 ? DOCUMENT_ENCRYPTED : 0;
}

static unsigned current_user(GsfInput *stream)
{
    return number_at(stream, 12, 4) == 0xf3d1c4df ? DOCUMENT_ENCRYPTED : 0;
}

static unsigned workbook(GsfInput *stream)
{
    unsigned traits = 0;
    gsf_off_t at = 0;
    for (size_t i = 0; i < RECORDS_MAX && at + 4 <= gsf_input_size(stream); i++) {
        unsigned long type = number_at(stream, at, 2);
        if (type == 0x002f) /* FilePass */
            traits |= DOCUMENT_ENCRYPTED;
        if (type == 0x0085 && number_at(stream, at + 9, 1) == 1) /* BoundSheet8.dt */
            traits |= DOCUMENT_MACROS;
        at += 4 + (gsf_off_t)number_at(stream, at + 2, 2);
    }
    return traits;
}

/* ---- entries ------------------------------------------------------------------------
 */

static const struct {
    const char *name;
    unsigned traits;
    unsigned (*look)(GsfInput *stream); /* or NULL: the name is enough */
} by_name[] = {
    {"_VBA_PROJECT", DOCUMENT_MACROS, NULL},
    {"_VBA_PROJECT_CUR", DOCUMENT_MACROS, NULL},
    {"EncryptedPackage", DOCUMENT_ENCRYPTED, NULL},
    {"\001Ole10Native", DOCUMENT_OBJECT, NULL},
    {"Package", DOCUMENT_OBJECT, NULL},
    {"WordDocument", 0, word_document},
    {"Current User", 0, current_user},
    {"Workbook", 0, workbook},
    {"Book", 0, workbook},
};

struct walk {
    size_t entries;
    unsigned traits;
};

static void look_at(struct walk *walk, GsfInput *entry)
{
    const char *name = gsf_input_name(entry);
    for (size_t i = 0; name != NULL && i < sizeof(by_name) / sizeof(by_name[0]); i++) {
        if (g_ascii_strcasecmp(name, by_name[i].name) != 0)
            continue;
        walk->traits |= by_name[i].traits;
        if (by_name[i].look != NULL)
            walk->traits |= by_name[i].look(entry);
    }
}

static void walk_storage(struct walk *walk, GsfInfile *storage, unsigned depth)
{
    int n = gsf_infile_num_children(storage);
    for (int i = 0; i < n; i++) {
        if (walk->entries++ >= ENTRIES_MAX) {
            walk->traits |= DOCUMENT_LIMIT;
            return;
        }
        GsfInput *entry = gsf_infile_child_by_index(storage, i);
        if (entry == NULL)
            continue;
        look_at(walk, entry);
        if (depth < DEPTH_MAX && GSF_IS_INFILE(entry) &&
            gsf_infile_num_children(GSF_INFILE(entry)) >= 0)
            walk_storage(walk, GSF_INFILE(entry), depth + 1);
        g_object_unref(entry);
    }
}

static unsigned long link_at(struct mx_str content, size_t at)
{
    const unsigned char *p = (const unsigned char *)content.p + at;
    return p[0] | (unsigned long)p[1] << 8 | (unsigned long)p[2] << 16 |
           (unsigned long)p[3] << 24;
}

/* What libgsf would follow to another entry: the type of one, and the number of one as
   its left, right or child (MS-CFB 2.6.1). Leaves do not count; they are as many at most
   as three for each that does. */
static bool looks_like_entry(struct mx_str content, size_t at)
{
    size_t n_max = content.n / ENTRY_SIZE;
    char type = content.p[at + 66];
    if (type != 1 && type != 2 && type != 5)
        return false;
    for (size_t link = 68; link <= 76; link += 4) {
        unsigned long to = link_at(content, at + link);
        if (to > 0 && to < n_max)
            return true;
    }
    return false;
}

/* Sectors of at least an entry, so that entries stand at multiples of their size: MS-CFB
   2.2 has sectors of 512 and 4,096 octets, libgsf takes less. */
static bool has_whole_entries(struct mx_str content)
{
    return (link_at(content, 30) & 0xffff) >= ENTRY_BITS;
}

static bool has_too_many_entries(struct mx_str content)
{
    size_t count = 0;
    for (size_t at = HEADER_SIZE; at + ENTRY_SIZE <= content.n && count <= ENTRIES_MAX;
         at += ENTRY_SIZE)
        count += looks_like_entry(content, at);
    return count > ENTRIES_MAX;
}

static unsigned ole_traits(struct mx_str content)
{
    struct walk walk = {0};
    if (content.n < HEADER_SIZE)
        return 0;
    if (!has_whole_entries(content) || has_too_many_entries(content))
        return DOCUMENT_LIMIT;
    GsfInput *input =
        gsf_input_memory_new((const guint8 *)content.p, (gsf_off_t)content.n, FALSE);
    GsfInfile *file = input != NULL ? gsf_infile_msole_new(input, NULL) : NULL;
    if (file != NULL) {
        walk_storage(&walk, file, 0);
        g_object_unref(file);
    }
    if (input != NULL)
        g_object_unref(input);
    return walk.traits;
}

/* ---- all ----------------------------------------------------------------------------
 */

static bool is_rtf(struct mx_str content)
{
    return mx_str_starts(content, MX_STR("{\\rt"));
}

bool document_is(struct mx_str content)
{
    return mx_str_starts(content, ole_magic) || is_rtf(content);
}

unsigned document_traits(struct mx_str content)
{
    if (is_rtf(content))
        return mx_str_find(content, MX_STR("\\objdata")) >= 0 ? DOCUMENT_OBJECT : 0;
    return mx_str_starts(content, ole_magic) ? ole_traits(content) : 0;
}

static void drop_message(const gchar *domain, GLogLevelFlags level, const gchar *text,
                         gpointer user)
{
    (void)domain, (void)level, (void)text, (void)user;
}

/* Nothing of ours writes through GLib's log, so what comes without a domain is libgsf. */
void document_start(void)
{
    gsf_init();
    g_log_set_handler(NULL, G_LOG_LEVEL_MASK, drop_message, NULL);
    g_log_set_handler("libgsf:msole", G_LOG_LEVEL_MASK, drop_message, NULL);
}
