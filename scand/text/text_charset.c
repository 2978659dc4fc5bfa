/*
 * Charsets to UTF-8. SpamAssassin converts through Perl's Encode, tries in a fixed order
 * and never gives up; the order is kept here (see text_charset_guess), the conversions
 * are iconv's. Only names in our own table reach iconv_open: a name comes from the mail
 * and would otherwise pick a module to load.
 *
 * Left out: detection by statistics. SpamAssassin has it only where an optional Perl
 * module is installed, which Debian does not ask for.
 */
#include "text_charset.h"

#include <ctype.h>
#include <errno.h>
#include <iconv.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "mx_arena.h"

#define NAME_MAX_BYTES                                                                   \
    32                 /* of a charset's name without punctuation; longer is unknown     \
                        */
#define OUT_BYTES 4096 /* of one iconv call */

static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */

/* Names without '-', '_' and ' ', lower case. */
static const struct charset_name {
    const char *name, *iconv;
} charset_names[] = {
    {"utf7", "UTF-7"},
    {"utf32", "UTF-32"},
    {"utf32be", "UTF-32BE"},
    {"utf32le", "UTF-32LE"},
    {"ucs2", "UTF-16BE"},
    {"iso10646ucs2", "UTF-16BE"},
    {"koi8r", "KOI8-R"},
    {"koi8u", "KOI8-U"},
    {"viscii", "VISCII"},
    {"latin1", "ISO-8859-1"},
    {"latin2", "ISO-8859-2"},
    {"latin9", "ISO-8859-15"},
    {"tis620", "TIS-620"},
    {"macintosh", "MACINTOSH"},
    {"xmacroman", "MACINTOSH"},
    {"xmaccyrillic", "MAC-CYRILLIC"},
    {"eucjp", "EUC-JP"},
    {"xeucjp", "EUC-JP"},
    {"ujis", "EUC-JP"},
    {"shiftjis", "SJIS"},
    {"sjis", "SJIS"},
    {"xsjis", "SJIS"},
    {"windows31j", "CP932"},
    {"iso2022jp", "ISO-2022-JP"},
    {"iso2022jp1", "ISO-2022-JP-1"},
    {"iso2022kr", "ISO-2022-KR"},
    {"euckr", "EUC-KR"},
    {"ksc56011987", "CP949"},
    {"ksc5601", "CP949"},
    {"uhc", "CP949"},
    {"xwindows949", "CP949"},
    {"johab", "JOHAB"},
    {"euccn", "EUC-CN"},
    {"gb2312", "EUC-CN"},
    {"gb231280", "EUC-CN"},
    {"hzgb2312", "EUC-CN"},
    {"hz", "HZ-GB-2312"},
    {"gbk", "CP936"},
    {"gb18030", "CP936"},
    {"gb180302000", "CP936"},
    {"big5", "BIG5"},
    {"big5eten", "BIG5"},
    {"big5hkscs", "BIG5-HKSCS"},
};

/* Families whose names are a prefix and one of these numbers. */
static const struct charset_family {
    const char *prefix, *iconv, *numbers;
} charset_families[] = {
    {"iso8859", "ISO-8859-", " 1 2 3 4 5 6 7 8 9 10 11 13 14 15 16 "},
    {"windows", "CP", " 874 932 936 949 950 1250 1251 1253 1254 1255 1256 1257 1258 "},
    {"cp", "CP",
     " 437 737 775 850 852 855 857 860 861 862 863 864 865 866 869 874 932 936 949 950"
     " 1250 1251 1253 1254 1255 1256 1257 1258 "},
};

/* 0x80 to 0x9f of Windows-1252; 0 where it has no character. */
static const uint16_t windows1252[32] = {
    0x20ac, 0,      0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021,
    0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0,      0x017d, 0,
    0,      0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
    0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0,      0x017e, 0x0178,
};

bool text_charset_is_ascii(struct mx_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] >= 0x80)
            return false;
    return true;
}

/* ---- UTF-8 --------------------------------------------------------------------------
 */

/*
 * Length of the well-formed sequence at ${p} (RFC 3629 4), 0 if there is none. Code
 * points that are not characters (U+FFFE, U+FDD0 ...) are refused as Perl's strict
 * decoder refuses them.
 */
static size_t utf8_length(const unsigned char *p, size_t n)
{
    if (p[0] < 0x80)
        return 1;
    size_t length = p[0] < 0xc2   ? 0
                    : p[0] < 0xe0 ? 2
                    : p[0] < 0xf0 ? 3
                    : p[0] < 0xf5 ? 4
                                  : 0;
    if (length == 0 || length > n)
        return 0;
    uint32_t code = p[0] & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (p[i] & 0x3f);
    }
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (code < least[length] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff) ||
        (code & 0xfffe) == 0xfffe || (code >= 0xfdd0 && code <= 0xfdef))
        return 0;
    return length;
}

static bool is_utf8(struct mx_str s)
{
    const unsigned char *p = (const unsigned char *)s.p;
    for (size_t i = 0, length; i < s.n; i += length) {
        length = utf8_length(p + i, s.n - i);
        if (length == 0)
            return false;
    }
    return true;
}

static size_t put_code(char *out, uint32_t code)
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xc0 | code >> 6);
        out[1] = (char)(0x80 | (code & 0x3f));
        return 2;
    }
    out[0] = (char)(0xe0 | code >> 12);
    out[1] = (char)(0x80 | (code >> 6 & 0x3f));
    out[2] = (char)(0x80 | (code & 0x3f));
    return 3;
}

/* Bytes that one replacement stands for: as many as the first one asks for, if they are
 * continuation bytes. */
static size_t bad_length(const unsigned char *p, size_t n)
{
    size_t asked = p[0] < 0xc0   ? 1
                   : p[0] < 0xe0 ? 2
                   : p[0] < 0xf0 ? 3
                   : p[0] < 0xf8 ? 4
                   : p[0] < 0xfc ? 5
                                 : 6;
    size_t length = 1;
    while (length < asked && length < n && (p[length] & 0xc0) == 0x80)
        length++;
    return length;
}

/* Copy of ${s} with replacements for what is no valid UTF-8. */
static struct mx_str mend_utf8(struct mx_arena *arena, struct mx_str s)
{
    struct mx_buf buf = {0};
    const unsigned char *p = (const unsigned char *)s.p;
    for (size_t i = 0, length; i < s.n; i += length) {
        length = utf8_length(p + i, s.n - i);
        if (length)
            mx_buf_add(&buf, p + i, length);
        else
            mx_buf_str(&buf, replacement);
        length = length ? length : bad_length(p + i, s.n - i);
    }
    struct mx_str out = mx_str_dup(arena, mx_str_of(buf.p, buf.n));
    mx_buf_fini(&buf);
    return out;
}

/* ---- Windows-1252 -------------------------------------------------------------------
 */

static uint32_t windows1252_code(unsigned char c)
{
    if (c < 0x80 || c >= 0xa0)
        return c;
    return windows1252[c - 0x80] ? windows1252[c - 0x80] : 0xfffd;
}

/* Never fails: bytes without a character become U+FFFD. */
static struct mx_str from_windows1252(struct mx_arena *arena, struct mx_str s)
{
    char code[3];
    size_t size = 0, n = 0;
    for (size_t i = 0; i < s.n; i++)
        size += put_code(code, windows1252_code((unsigned char)s.p[i]));
    char *out = mx_arena_alloc(arena, size + 1);
    for (size_t i = 0; i < s.n; i++)
        n += put_code(out + n, windows1252_code((unsigned char)s.p[i]));
    return mx_str_of(out, n);
}

static bool fits_windows1252(struct mx_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (windows1252_code((unsigned char)s.p[i]) == 0xfffd)
            return false;
    return true;
}

/* ---- iconv --------------------------------------------------------------------------
 */

/* Append what ${handle} makes of ${bytes}. Strict: -1 at the first bad byte. */
static int convert_all(iconv_t handle, struct mx_str bytes, bool is_strict,
                       struct mx_buf *buf)
{
    char *in = (char *)(uintptr_t)bytes.p; /* iconv's prototype; it does not write */
    size_t left = bytes.n;
    while (left > 0) {
        char chunk[OUT_BYTES], *out = chunk;
        size_t room = sizeof(chunk);
        size_t got = iconv(handle, &in, &left, &out, &room);
        int reason = got == (size_t)-1 ? errno : 0;
        mx_buf_add(buf, chunk, sizeof(chunk) - room);
        if (reason == 0 || reason == E2BIG)
            continue;
        if (is_strict)
            return -1;
        if (reason == EINVAL)
            break; /* half a character at the end */
        mx_buf_str(buf, replacement);
        in++;
        left--;
    }
    return 0;
}

static int convert(struct mx_arena *arena, const char *name, struct mx_str bytes,
                   bool is_strict, struct mx_str *out)
{
    iconv_t handle = iconv_open("UTF-8", name);
    if (handle == (iconv_t)-1)
        return -1;
    struct mx_buf buf = {0};
    int rc = convert_all(handle, bytes, is_strict, &buf);
    if (buf.is_overflown)
        rc = -1;
    if (rc == 0)
        *out = mx_str_dup(arena, mx_str_of(buf.p ? buf.p : "", buf.n));
    mx_buf_fini(&buf);
    iconv_close(handle);
    return rc;
}

/* ---- names --------------------------------------------------------------------------
 */

/* Lower case without punctuation: "ISO_8859-1" and "iso-8859-1" are one. */
static bool fold_name(struct mx_str name, char out[static NAME_MAX_BYTES])
{
    size_t n = 0;
    name = mx_str_trim(name);
    for (size_t i = 0; i < name.n; i++) {
        if (name.p[i] == '-' || name.p[i] == '_' || name.p[i] == ' ' || name.p[i] == '.')
            continue;
        if (n + 1 == NAME_MAX_BYTES || !isalnum((unsigned char)name.p[i]))
            return false;
        out[n++] = (char)tolower((unsigned char)name.p[i]);
    }
    out[n] = '\0';
    return n > 0;
}

/* iconv's name of a charset in ${out}, or false. */
static bool iconv_name(const char *name, char out[static NAME_MAX_BYTES])
{
    for (size_t i = 0; i < sizeof(charset_names) / sizeof(charset_names[0]); i++)
        if (strcmp(charset_names[i].name, name) == 0) {
            snprintf(out, NAME_MAX_BYTES, "%s", charset_names[i].iconv);
            return true;
        }
    for (size_t i = 0; i < sizeof(charset_families) / sizeof(charset_families[0]); i++) {
        const struct charset_family *family = &charset_families[i];
        size_t n = strlen(family->prefix);
        char number[NAME_MAX_BYTES + 2];
        if (strncmp(name, family->prefix, n) != 0)
            continue;
        snprintf(number, sizeof(number), " %s ", name + n);
        if (strstr(family->numbers, number) == NULL)
            continue;
        snprintf(out, NAME_MAX_BYTES, "%s%.6s", family->iconv, name + n);
        return true;
    }
    return false;
}

static bool is_one_of(const char *name, const char *const *list)
{
    for (; *list; list++)
        if (strcmp(*list, name) == 0)
            return true;
    return false;
}

static bool is_ascii_name(const char *name)
{
    static const char *const list[] = {"ascii",    "usascii", "ansix341968",
                                       "iso646us", "646",     NULL};
    return is_one_of(name, list);
}

static bool is_utf8_name(const char *name)
{
    static const char *const list[] = {"utf8", "utf8strict", NULL};
    return is_one_of(name, list);
}

/* ISO-8859-1 is read as its superset, as every mail program does. */
static bool is_windows1252_name(const char *name)
{
    static const char *const list[] = {"iso88591", "windows1252", "cp1252", NULL};
    return is_one_of(name, list);
}

/* Charsets in which 7-bit bytes are not ASCII. */
static bool is_7bit_name(const char *name)
{
    static const char *const list[] = {"utf7", "iso2022jp",    "iso2022jp1", "iso2022kr",
                                       "hz",   "utf32",        "utf32be",    "utf32le",
                                       "ucs2", "iso10646ucs2", NULL};
    return strncmp(name, "utf16", 5) == 0 || is_one_of(name, list);
}

/* ---- UTF-16 -------------------------------------------------------------------------
 */

/*
 * Byte order of UTF-16 without a byte order mark: spaces in one order or the other, and
 * where the larger bytes are. NULL: cannot tell, and with a mark (SpamAssassin leaves
 * that to a decoder which then is not asked).
 */
static const char *guess_utf16(struct mx_str s)
{
    const unsigned char *p = (const unsigned char *)s.p;
    size_t little = 0, big = 0;
    uint64_t even = 0, odd = 0;
    if (s.n >= 2 && ((p[0] == 0xff && p[1] == 0xfe) || (p[0] == 0xfe && p[1] == 0xff)))
        return NULL;
    for (size_t i = 0; i < s.n; i += 2) {
        unsigned char first = p[i], second = i + 1 < s.n ? p[i + 1] : 0;
        even += (unsigned)(first >> 4) + (first & 15u);
        odd += (unsigned)(second >> 4) + (second & 15u);
        little += first == 0x20 && second == 0;
        big += first == 0 && second == 0x20;
    }
    little += even > odd * 4;
    big += odd * 4 > even;
    return little > big ? "UTF-16LE" : big > little ? "UTF-16BE" : NULL;
}

/* ISO-2022-JP has 7 bits: Perl's decoder drops all from the first byte with 8. */
static struct mx_str ascii_start(struct mx_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] >= 0x80)
            return mx_str_sub(s, 0, i);
    return s;
}

/* ---- the two ways -------------------------------------------------------------------
 */

/* The declared charset, where it can be had. */
static int from_declared(struct mx_arena *arena, struct mx_str bytes, const char *name,
                         bool is_strict, struct mx_str *out)
{
    char known[NAME_MAX_BYTES];
    const char *utf16;
    if (strncmp(name, "utf16", 5) == 0) {
        utf16 = guess_utf16(bytes);
        return utf16 ? convert(arena, utf16, bytes, true, out) : -1;
    }
    if (strncmp(name, "iso2022jp", 9) == 0)
        bytes = ascii_start(bytes);
    if (is_windows1252_name(name)) {
        if (is_strict && !fits_windows1252(bytes))
            return -1;
        *out = from_windows1252(arena, bytes);
        return 0;
    }
    return iconv_name(name, known) ? convert(arena, known, bytes, is_strict, out) : -1;
}

struct mx_str text_charset_guess(struct mx_arena *arena, struct mx_str bytes,
                                 struct mx_str charset)
{
    char name[NAME_MAX_BYTES] = "";
    struct mx_str out;
    bool is_ascii = text_charset_is_ascii(bytes);
    bool is_known = fold_name(charset, name);
    if (is_ascii ? !is_7bit_name(name) : is_utf8(bytes))
        return bytes;
    if (is_known && !is_ascii_name(name) && !is_utf8_name(name) &&
        from_declared(arena, bytes, name, true, &out) == 0)
        return out;
    return is_ascii ? bytes : from_windows1252(arena, bytes);
}

struct mx_str text_charset_insist(struct mx_arena *arena, struct mx_str bytes,
                                  struct mx_str charset)
{
    char name[NAME_MAX_BYTES] = "";
    struct mx_str out;
    bool is_ascii = text_charset_is_ascii(bytes);
    bool is_known = fold_name(charset, name);
    if (is_ascii && !is_7bit_name(name))
        return bytes;
    if (is_utf8_name(name))
        return is_utf8(bytes) ? bytes : mend_utf8(arena, bytes);
    if (is_ascii_name(name) && convert(arena, "ASCII", bytes, false, &out) == 0)
        return out;
    if (is_known && from_declared(arena, bytes, name, false, &out) == 0)
        return strncmp(name, "utf16", 5) == 0 ? bytes : out; /* sic: not converted */
    return is_ascii ? bytes : from_windows1252(arena, bytes);
}
