/*
 * Names of attachments. A MIME parser settles on one reading of a name; mail readers do
 * not agree on which. Who hides "invoice.exe" counts on the filter reading another one,
 * so we take them all: the parameter list is scanned as text for every name= and
 * filename=, each is kept as it stands, decoded as encoded words, and joined as RFC 2231
 * pieces. Then each is brought to one form (NFKC, lower case, nothing invisible), for a
 * full-width "．ｅｘｅ" is an .exe on the desktop.
 *
 * Left out: what only one program in the field does, such as guessing a character set
 * for raw 8-bit names (such bytes are read as Latin-1 here, which keeps the extension).
 */
#include "attach_name.h"

#include <string.h>

#include <glib.h>

#include "message_words.h"
#include "mx_arena.h"

#define PIECES_MAX 32     /* numbered pieces of one RFC 2231 parameter */
#define PARAMETERS_MAX 64 /* name= and filename= looked at in one part */
#define PADDING_MIN 8     /* spaces in a row that push an extension out of sight */
#define HEADER_LOOKED_AT (64u << 10) /* octets of one header field */
#define EXTENSION_MAX 8 /* characters of something that looks like an extension */

/* One parameter as it stands in the header. */
struct parameter {
    bool is_filename; /* filename, not name */
    int piece;        /* RFC 2231 number, -1 without */
    bool is_encoded;  /* ends in '*': percent-encoded */
    struct mx_str value;
};

/* ---- cleaning -----------------------------------------------------------------------
 */

static char *to_utf8(struct mx_str raw)
{
    if (g_utf8_validate(raw.p, (gssize)raw.n, NULL))
        return g_strndup(raw.p, raw.n);
    GString *text = g_string_sized_new(raw.n * 2);
    for (size_t i = 0; i < raw.n; i++)
        g_string_append_unichar(text, (unsigned char)raw.p[i]);
    return g_string_free(text, FALSE);
}

static bool is_direction(gunichar c)
{
    return (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0x061c ||
           c == 0x200e || c == 0x200f;
}

static bool is_invisible(gunichar c)
{
    GUnicodeType type = g_unichar_type(c);
    return type == G_UNICODE_CONTROL || type == G_UNICODE_FORMAT ||
           type == G_UNICODE_SURROGATE || c == 0x115f || c == 0x3164 || c == 0x034f;
}

/* Copies what can be seen; a run of white space becomes one space. */
static GString *visible(const char *text, unsigned *flags)
{
    GString *out = g_string_new(NULL);
    unsigned spaces = 0;
    for (const char *p = text; *p != '\0'; p = g_utf8_find_next_char(p, NULL)) {
        gunichar c = g_utf8_get_char(p);
        if (is_direction(c)) {
            *flags |= ATTACH_NAME_DIRECTION;
        } else if (g_unichar_isspace(c)) {
            if (++spaces == 1)
                g_string_append_c(out, ' ');
            if (spaces == PADDING_MIN)
                *flags |= ATTACH_NAME_PADDED;
        } else if (is_invisible(c)) {
            *flags |= ATTACH_NAME_CONTROL;
        } else {
            spaces = 0;
            g_string_append_unichar(out, c);
        }
    }
    return out;
}

static struct mx_str without_folders(struct mx_str name, unsigned *flags)
{
    for (size_t i = name.n; i > 0; i--) {
        char c = name.p[i - 1];
        if (c == '/' || c == '\\' || (c == ':' && i == 2)) {
            *flags |= ATTACH_NAME_PATH;
            return mx_str_sub(name, i, name.n);
        }
    }
    return name;
}

static struct mx_str without_trailing(struct mx_str name, unsigned *flags)
{
    while (name.n > 0 && strchr(". ", name.p[name.n - 1]) != NULL) {
        name.n--;
        *flags |= ATTACH_NAME_TRAILING;
    }
    return mx_str_trim(name);
}

/* "photo.jpg.exe": two short extensions, the first of a kind that people open. */
static bool is_double(struct mx_str name)
{
    static const char *const harmless[] = {"pdf", "doc", "docx", "xls",  "xlsx", "ppt",
                                           "jpg", "png", "gif",  "jpeg", "txt",  "mp3",
                                           "mp4", "rtf", "htm",  "html", "csv",  NULL};
    ptrdiff_t last = mx_str_rchr(name, '.');
    if (last <= 0 || name.n - (size_t)last - 1 > EXTENSION_MAX)
        return false;
    struct mx_str stem = mx_str_trim(mx_str_sub(name, 0, (size_t)last));
    struct mx_str before = attach_name_extension(stem);
    for (size_t i = 0; harmless[i] != NULL; i++)
        if (mx_str_ieq(before, mx_str(harmless[i])))
            return true;
    return false;
}

struct mx_str attach_name_clean(struct mx_arena *arena, struct mx_str raw,
                                unsigned *out_flags)
{
    if (raw.n > ATTACH_NAME_MAX) /* its end tells what it is */
        raw = mx_str_sub(raw, raw.n - ATTACH_NAME_MAX, raw.n);
    char *utf8 = to_utf8(raw);
    char *normal = g_utf8_normalize(utf8, -1, G_NORMALIZE_ALL_COMPOSE);
    GString *seen = visible(normal ? normal : utf8, out_flags);
    char *lower = g_utf8_strdown(seen->str, (gssize)seen->len);
    struct mx_str name = without_folders(mx_str(lower), out_flags);
    name = mx_str_dup(arena, without_trailing(name, out_flags));
    if (is_double(name))
        *out_flags |= ATTACH_NAME_DOUBLE;
    g_free(lower);
    g_string_free(seen, TRUE);
    g_free(normal);
    g_free(utf8);
    return name;
}

struct mx_str attach_name_extension(struct mx_str name)
{
    ptrdiff_t dot = mx_str_rchr(name, '.');
    return dot < 0 ? MX_STR("") : mx_str_sub(name, (size_t)dot + 1, name.n);
}

/* ---- parameters
 * ------------------------------------------------------------------------ */

/* A quoted string (backslashes resolved) or what runs up to the next ';' or space. */
static struct mx_str parameter_value(struct mx_arena *arena, struct mx_str text,
                                     size_t *used)
{
    size_t i = 0;
    if (text.n == 0 || text.p[0] != '"') {
        while (i < text.n && strchr("; \t\r\n", text.p[i]) == NULL)
            i++;
        *used = i;
        return mx_str_sub(text, 0, i);
    }
    char *out = mx_arena_alloc(arena, text.n);
    size_t n = 0;
    for (i = 1; i < text.n && text.p[i] != '"'; i++) {
        if (text.p[i] == '\\' && i + 1 < text.n)
            i++;
        if (text.p[i] != '\r' && text.p[i] != '\n')
            out[n++] = text.p[i];
    }
    *used = i < text.n ? i + 1 : i;
    return mx_str_of(out, n);
}

/* "*2*" behind a parameter's name: its number and whether it is percent-encoded. */
static struct mx_str parameter_suffix(struct mx_str text, struct parameter *out)
{
    out->piece = -1;
    out->is_encoded = false;
    if (text.n > 1 && text.p[0] == '*' && text.p[1] >= '0' && text.p[1] <= '9') {
        size_t i = 1;
        int number = 0;
        while (i < text.n && text.p[i] >= '0' && text.p[i] <= '9' && number < 1000)
            number = number * 10 + (text.p[i++] - '0');
        out->piece = number;
        text = mx_str_sub(text, i, text.n);
    }
    if (text.n > 0 && text.p[0] == '*') {
        out->is_encoded = true;
        text = mx_str_sub(text, 1, text.n);
    }
    while (text.n > 0 && strchr(" \t\r\n", text.p[0]) != NULL)
        text = mx_str_sub(text, 1, text.n);
    return text;
}

/* The parameter that begins at ${text}; returns what it takes, 0: none begins here. */
static size_t parameter_parse(struct mx_arena *arena, struct mx_str text,
                              struct parameter *out)
{
    out->is_filename = mx_str_istarts(text, MX_STR("filename"));
    if (!out->is_filename && !mx_str_istarts(text, MX_STR("name")))
        return 0;
    struct mx_str rest = mx_str_sub(text, out->is_filename ? 8 : 4, text.n);
    rest = parameter_suffix(rest, out);
    if (rest.n == 0 || rest.p[0] != '=')
        return 0;
    rest = mx_str_sub(rest, 1, rest.n);
    while (rest.n > 0 && strchr(" \t\r\n", rest.p[0]) != NULL)
        rest = mx_str_sub(rest, 1, rest.n);
    size_t used = 0;
    out->value = parameter_value(arena, rest, &used);
    return (size_t)(rest.p - text.p) + used;
}

static size_t scan_header(struct mx_arena *arena, struct mx_str value,
                          struct parameter *out, size_t max)
{
    size_t n = 0;
    bool is_start = true; /* a parameter's name may begin here */
    for (size_t i = 0; i < value.n && n < max;) {
        struct mx_str here = mx_str_sub(value, i, value.n);
        size_t used = is_start ? parameter_parse(arena, here, &out[n]) : 0;
        n += used > 0;
        is_start = used > 0 || strchr("; \t\r\n,", value.p[i]) != NULL;
        i += used > 0 ? used : 1;
    }
    return n;
}

static size_t scan_part(struct mx_arena *arena, const struct message_part *part,
                        struct parameter out[static PARAMETERS_MAX])
{
    size_t n = 0;
    for (size_t i = 0; i < part->n_headers; i++) {
        const struct message_header *header = &part->headers[i];
        if (mx_str_ieq(header->name, MX_STR("Content-Disposition")) ||
            mx_str_ieq(header->name, MX_STR("Content-Type")))
            n += scan_header(arena, mx_str_sub(header->value, 0, HEADER_LOOKED_AT),
                             out + n, PARAMETERS_MAX - n);
    }
    return n;
}

/* ---- readings
 * --------------------------------------------------------------------------- */

static int hex(char c)
{
    return g_ascii_xdigit_value(c);
}

/* RFC 2231 4: "charset'language'percent-encoded"; without quotes all of it is text. */
static struct mx_str percent_decode(struct mx_arena *arena, struct mx_str text,
                                    bool has_charset)
{
    ptrdiff_t first = has_charset ? mx_str_chr(text, '\'') : -1;
    if (first >= 0) {
        struct mx_str rest = mx_str_sub(text, (size_t)first + 1, text.n);
        ptrdiff_t second = mx_str_chr(rest, '\'');
        text = second >= 0 ? mx_str_sub(rest, (size_t)second + 1, rest.n) : rest;
    }
    char *out = mx_arena_alloc(arena, text.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++) {
        bool is_escape = text.p[i] == '%' && i + 2 < text.n && hex(text.p[i + 1]) >= 0 &&
                         hex(text.p[i + 2]) >= 0;
        out[n++] =
            is_escape ? (char)(hex(text.p[i + 1]) * 16 + hex(text.p[i + 2])) : text.p[i];
        i += is_escape ? 2 : 0;
    }
    return mx_str_of(out, n);
}

struct readings {
    struct mx_arena *arena;
    struct mx_str *out; /* ATTACH_READINGS_MAX */
    size_t n;
    unsigned flags;
};

static void add_reading(struct readings *readings, struct mx_str raw)
{
    struct mx_str name = attach_name_clean(readings->arena, raw, &readings->flags);
    for (size_t i = 0; i < readings->n; i++)
        if (mx_str_eq(readings->out[i], name))
            return;
    if (name.n > 0 && readings->n < ATTACH_READINGS_MAX)
        readings->out[readings->n++] = name;
}

/* The pieces of one parameter in the order of their numbers, whatever order they came in.
 */
static void add_joined(struct readings *readings, const struct parameter *parameters,
                       size_t n, bool is_filename)
{
    char *joined = mx_arena_alloc(readings->arena, ATTACH_NAME_MAX + 1);
    size_t length = 0;
    for (int piece = 0; piece < PIECES_MAX; piece++) {
        for (size_t i = 0; i < n; i++) {
            const struct parameter *parameter = &parameters[i];
            if (parameter->piece != piece || parameter->is_filename != is_filename)
                continue;
            struct mx_str text = parameter->value;
            if (parameter->is_encoded)
                text = percent_decode(readings->arena, text, piece == 0);
            text = mx_str_sub(text, 0, ATTACH_NAME_MAX - length);
            memcpy(joined + length, text.p, text.n);
            length += text.n;
        }
    }
    if (length > 0)
        add_reading(readings, mx_str_of(joined, length));
}

static void read_all(struct readings *readings, const struct message_part *part)
{
    struct parameter parameters[PARAMETERS_MAX];
    size_t n = scan_part(readings->arena, part, parameters);
    add_reading(readings, part->name);
    for (size_t i = 0; i < n; i++) {
        if (parameters[i].piece >= 0)
            continue;
        struct mx_str value = parameters[i].value;
        if (parameters[i].is_encoded)
            value = percent_decode(readings->arena, value, true);
        add_reading(readings, value);
        add_reading(readings, message_words_decode(readings->arena, value));
    }
    add_joined(readings, parameters, n, true);
    add_joined(readings, parameters, n, false);
}

size_t attach_name_readings(struct mx_arena *arena, const struct message_part *part,
                            struct mx_str out[static ATTACH_READINGS_MAX])
{
    struct readings readings = {.arena = arena, .out = out};
    read_all(&readings, part);
    return readings.n;
}

unsigned attach_name_flags(struct mx_arena *arena, const struct message_part *part)
{
    struct mx_str out[ATTACH_READINGS_MAX];
    struct readings readings = {.arena = arena, .out = out};
    read_all(&readings, part);
    return readings.flags;
}
