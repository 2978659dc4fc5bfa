/*
 * Classes and escapes: which bytes they stand for when classes are ASCII only (Perl's
 * /aa, PCRE2 without UCP). Case folding includes the letters of ISO 8859-1.
 */
#include "rule_match_class.h"

#include <string.h>

static void negate(struct regex_set *set)
{
    for (size_t i = 0; i < 4; i++)
        set->bits[i] = ~set->bits[i];
}

bool regex_class_fold(struct regex_set *set)
{
    /* In a word of 64 bytes, capitals are in the lower half, small letters above them. */
    static const struct {
        size_t word;
        uint64_t capitals;
    } alphabets[] = {
        {1, UINT64_C(0x07fffffe)}, /* A-Z */
        {3, UINT64_C(0x7f7fffff)}, /* 0xC0-0xDE but for the multiplication sign */
    };
    uint64_t high = set->bits[3];
    for (size_t i = 0; i < 2; i++) {
        uint64_t *word = &set->bits[alphabets[i].word];
        uint64_t letters = (*word | *word >> 32) & alphabets[i].capitals;
        *word |= letters | letters << 32;
    }
    return set->bits[3] != high;
}

/* ---- named sets -------------------------------------------------------------------- */

struct range {
    unsigned char from, to;
};

struct named {
    const char *name;
    size_t n;
    struct range ranges[4];
};

/* "\d" by its letter, "[:digit:]" by its name. */
static const struct named names[] = {
    {"d", 1, {{'0', '9'}}},
    {"w", 4, {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}}},
    {"s", 2, {{'\t', '\r'}, {' ', ' '}}},
    {"h", 3, {{'\t', '\t'}, {' ', ' '}, {0xa0, 0xa0}}},
    {"v", 2, {{'\n', '\r'}, {0x85, 0x85}}},
    {"N", 2, {{0, '\n' - 1}, {'\n' + 1, 255}}},
    {"alnum", 3, {{'0', '9'}, {'A', 'Z'}, {'a', 'z'}}},
    {"alpha", 2, {{'A', 'Z'}, {'a', 'z'}}},
    {"ascii", 1, {{0, 127}}},
    {"blank", 2, {{'\t', '\t'}, {' ', ' '}}},
    {"cntrl", 2, {{0, 31}, {127, 127}}},
    {"digit", 1, {{'0', '9'}}},
    {"graph", 1, {{33, 126}}},
    {"lower", 1, {{'a', 'z'}}},
    {"print", 1, {{32, 126}}},
    {"punct", 4, {{33, 47}, {58, 64}, {91, 96}, {123, 126}}},
    {"space", 2, {{'\t', '\r'}, {' ', ' '}}},
    {"upper", 1, {{'A', 'Z'}}},
    {"word", 4, {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}}},
    {"xdigit", 3, {{'0', '9'}, {'A', 'F'}, {'a', 'f'}}},
};

static bool find_named(struct mx_str name, struct regex_set *out)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (!mx_str_eq(name, mx_str(names[i].name)))
            continue;
        for (size_t k = 0; k < names[i].n; k++)
            regex_set_add(out, names[i].ranges[k].from, names[i].ranges[k].to);
        return true;
    }
    return false;
}

/* ---- escapes ----------------------------------------------------------------------- */

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Behind "\x": up to two digits, or any number in braces. */
static bool take_hex(struct mx_str s, size_t *at, unsigned *out)
{
    bool is_braced = *at < s.n && s.p[*at] == '{';
    unsigned value = 0;
    size_t from = *at += is_braced;
    while (*at < s.n && hex_value(s.p[*at]) >= 0 && (is_braced || *at < from + 2)) {
        value = value * 16 + (unsigned)hex_value(s.p[(*at)++]);
        if (value > 255)
            return false;
    }
    *out = value;
    return !is_braced || (*at > from && *at < s.n && s.p[(*at)++] == '}');
}

/* "\0", "\012": up to three octal digits. */
static bool take_octal(struct mx_str s, size_t *at, unsigned *out)
{
    unsigned value = 0;
    for (size_t n = 0; n < 3 && *at < s.n && s.p[*at] >= '0' && s.p[*at] <= '7'; n++)
        value = value * 8 + (unsigned)(s.p[(*at)++] - '0');
    *out = value;
    return value < 256;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* A byte behind a backslash. */
static bool take_byte(struct mx_str s, size_t *at, unsigned *out)
{
    static const char letters[] = "tnrfea", bytes[] = "\t\n\r\f\033\a";
    char c = s.p[*at];
    if (c >= '0' && c <= '7')
        return take_octal(s, at, out);
    ++*at;
    if (c == 'x')
        return take_hex(s, at, out);
    const char *letter = memchr(letters, c, sizeof(letters) - 1);
    *out = letter != NULL ? (unsigned char)bytes[letter - letters] : (unsigned char)c;
    return letter != NULL || (!is_letter(c) && c != '8' && c != '9');
}

bool regex_class_escape(struct mx_str s, size_t *at, struct regex_set *out)
{
    unsigned byte;
    if (*at >= s.n)
        return false;
    char lower = s.p[*at] == 'N' ? 'N' : (char)(s.p[*at] | 0x20);
    if (is_letter(s.p[*at]) && memchr("dwshvN", lower, 6) != NULL) {
        struct regex_set set = {{0}};
        find_named(mx_str_of(&lower, 1), &set);
        if (s.p[*at] != lower)
            negate(&set);
        regex_set_join(out, &set);
        ++*at;
        return true;
    }
    if (!take_byte(s, at, &byte))
        return false;
    regex_set_add(out, byte, byte);
    return true;
}

/* ---- classes ----------------------------------------------------------------------- */

/* "[:alpha:]", "[:^alpha:]" at ${at}. */
static bool take_posix(struct mx_str s, size_t *at, struct regex_set *out)
{
    struct mx_str rest = mx_str_sub(s, *at + 2, s.n);
    ptrdiff_t end = mx_str_find(rest, MX_STR(":]"));
    bool is_negated = rest.n > 0 && rest.p[0] == '^';
    struct regex_set set = {{0}};
    if (end < is_negated ||
        !find_named(mx_str_sub(rest, is_negated, (size_t)end - is_negated), &set))
        return false;
    if (is_negated)
        negate(&set);
    regex_set_join(out, &set);
    *at += (size_t)end + 4;
    return true;
}

/* One item of a class: a set, or a byte that may begin a range (${out_byte} >= 0). */
static bool take_item(struct mx_str s, size_t *at, struct regex_set *out, int *out_byte)
{
    *out_byte = -1;
    if (s.p[*at] == '[' && *at + 1 < s.n && s.p[*at + 1] == ':')
        return take_posix(s, at, out);
    if (s.p[*at] != '\\') {
        *out_byte = (unsigned char)s.p[(*at)++];
        return true;
    }
    unsigned byte = '\b';
    if (++*at >= s.n)
        return false;
    if (s.p[*at] == 'b') {
        ++*at;
    } else if (is_letter(s.p[*at]) && memchr("dDwWsShHvV", s.p[*at], 10) != NULL) {
        return regex_class_escape(s, at, out);
    } else if (!take_byte(s, at, &byte)) {
        return false;
    }
    *out_byte = (int)byte;
    return true;
}

/* A byte, or a range that begins with it. */
static bool take_range(struct mx_str s, size_t *at, int from, struct regex_set *out)
{
    int to = from;
    size_t dash = *at;
    if (dash + 1 < s.n && s.p[dash] == '-' && s.p[dash + 1] != ']') {
        ++*at;
        if (!take_item(s, at, out, &to))
            return false;
        if (to < 0) { /* "a-\d": the dash is itself */
            regex_set_add(out, '-', '-');
            to = from;
        }
    }
    if (to < from)
        return false;
    regex_set_add(out, (unsigned)from, (unsigned)to);
    return true;
}

bool regex_class_parse(struct mx_str s, size_t *at, struct regex_flags flags,
                       struct regex_set *out, bool *out_folds_high)
{
    bool is_negated = *at < s.n && s.p[*at] == '^';
    struct regex_set set = {{0}};
    *at += is_negated;
    for (bool is_first = true; *at < s.n; is_first = false) {
        int byte;
        if (s.p[*at] == ']' && !is_first)
            break;
        if (!take_item(s, at, &set, &byte) ||
            (byte >= 0 && !take_range(s, at, byte, &set)))
            return false;
    }
    if (*at >= s.n)
        return false;
    ++*at;
    *out_folds_high = flags.i && regex_class_fold(&set);
    if (is_negated)
        negate(&set);
    *out = set;
    return true;
}
