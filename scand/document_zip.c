/*
 * Documents that are zips: OOXML (docx, xlsm, pptx) and ODF. archive_list walks them; the
 * member's name tells of macros and objects, and two kinds of members are read: OOXML's
 * relations, which say what is outside the document, and ODF's manifest, which says what
 * is encrypted. GLib's parser of simple XML reads them: no DTD, no entities of their own.
 *
 * A link that somebody has to click is none here, nor is a picture, sound or film; what
 * an attachment template, a frame or an object fetches by itself is.
 * Source: ECMA-376 part 2 9.3, ODF 1.3 part 2 4.
 */
#include "document.h"

#include <fnmatch.h>
#include <string.h>

#include <glib.h>

#define NAME_MAX 255 /* octets of a member's name that are compared */
#define XML_MAX (4u << 20)

static const struct {
    const char *pattern; /* as fnmatch, whatever case */
    unsigned traits;
} by_name[] = {
    {"*vbaproject.bin", DOCUMENT_MACROS},
    {"xl/macrosheets/*", DOCUMENT_MACROS},
    {"basic/*/*.xml", DOCUMENT_MACROS},
    {"scripts/*/?*", DOCUMENT_MACROS},
    {"*/embeddings/oleobject*.bin", DOCUMENT_OBJECT},
    {"*/activex/*.bin", DOCUMENT_OBJECT},
};

static const char *const harmless_links[] = {"/hyperlink", "/image", "/video",
                                             "/audio",     "/media", NULL};

bool document_member_is(struct mx_str name)
{
    return mx_str_iends(name, MX_STR(".rels")) ||
           mx_str_ieq(name, MX_STR("META-INF/manifest.xml"));
}

static const char *attribute(const char **names, const char **values, const char *wanted)
{
    for (size_t i = 0; names[i] != NULL; i++)
        if (strcmp(names[i], wanted) == 0)
            return values[i];
    return "";
}

static bool is_harmless(struct mx_str type)
{
    for (size_t i = 0; harmless_links[i] != NULL; i++)
        if (mx_str_iends(type, mx_str(harmless_links[i])))
            return true;
    return false;
}

static void on_element(GMarkupParseContext *context, const gchar *element,
                       const gchar **names, const gchar **values, gpointer user,
                       GError **error)
{
    unsigned *traits = user;
    (void)context, (void)error;
    const char *colon = strrchr(element, ':'); /* a prefix may be any */
    const char *local = colon != NULL ? colon + 1 : element;
    if (strcmp(local, "encryption-data") == 0)
        *traits |= DOCUMENT_ENCRYPTED;
    if (strcmp(local, "Relationship") == 0 &&
        g_ascii_strcasecmp(attribute(names, values, "TargetMode"), "External") == 0 &&
        !is_harmless(mx_str(attribute(names, values, "Type"))))
        *traits |= DOCUMENT_LINK;
}

/* Without iconv, which would load a module behind the sandbox. */
static char *from_utf16(struct mx_str content, bool is_big_endian)
{
    glong n = (glong)(content.n / 2);
    guint16 *wide = g_new(guint16, content.n / 2 + 1);
    for (glong i = 0; i < n; i++) {
        unsigned char first = (unsigned char)content.p[2 * i];
        unsigned char second = (unsigned char)content.p[2 * i + 1];
        wide[i] = (guint16)(is_big_endian ? first << 8 | second : second << 8 | first);
    }
    char *text = g_utf16_to_utf8(wide, n, NULL, NULL, NULL);
    g_free(wide);
    return text;
}

/* XML is UTF-8, or begins with the mark of UTF-16; NULL: it is neither. */
static char *to_utf8(struct mx_str content)
{
    bool is_big_endian = mx_str_starts(content, MX_STR("\xfe\xff"));
    if (is_big_endian || mx_str_starts(content, MX_STR("\xff\xfe")))
        return from_utf16(mx_str_sub(content, 2, content.n), is_big_endian);
    if (mx_str_starts(content, MX_STR("\xef\xbb\xbf")))
        content = mx_str_sub(content, 3, content.n);
    return g_strndup(content.p, content.n);
}

static unsigned read_xml(struct mx_str content)
{
    static const GMarkupParser parser = {.start_element = on_element};
    unsigned traits = 0;
    char *text = to_utf8(mx_str_sub(content, 0, XML_MAX));
    if (text == NULL)
        return 0;
    GMarkupParseContext *context =
        g_markup_parse_context_new(&parser, (GMarkupParseFlags)0, &traits, NULL);
    g_markup_parse_context_parse(context, text, -1, NULL);
    g_markup_parse_context_free(context);
    g_free(text);
    return traits;
}

unsigned document_member_traits(struct mx_str name, struct mx_str content)
{
    char text[NAME_MAX + 1];
    unsigned traits = document_member_is(name) ? read_xml(content) : 0;
    struct mx_str end =
        mx_str_sub(name, name.n > NAME_MAX ? name.n - NAME_MAX : 0, name.n);
    memcpy(text, end.n > 0 ? end.p : "", end.n);
    text[end.n] = '\0';
    for (size_t i = 0; i < sizeof(by_name) / sizeof(by_name[0]); i++)
        if (fnmatch(by_name[i].pattern, text, FNM_CASEFOLD) == 0)
            traits |= by_name[i].traits;
    return traits;
}
