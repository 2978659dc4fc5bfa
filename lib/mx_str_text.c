/*
 * Slices made safe for people and other programs: log values and JSON strings. Both
 * count first and fill afterwards, so that each is one allocation. UTF-8 is checked as
 * RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF.
 */
#include "mx_str.h"

#include <stdio.h>
#include <string.h>

#include "mx_arena.h"

#define ESC_MAX 256 /* source bytes shown of one log value */

/* Where the escaped text goes; p NULL while counting. */
struct sink {
    char *p;
    size_t n;
};

static void put(struct sink *to, const char *text, size_t n)
{
    if (to->p)
        memcpy(to->p + to->n, text, n);
    to->n += n;
}

static void put_hex(struct sink *to, const char *prefix, unsigned value, int digits)
{
    char text[16];
    int n = snprintf(text, sizeof(text), "%s%0*x", prefix, digits, value);
    put(to, text, (size_t)n);
}

static void esc_bytes(struct sink *to, struct mx_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c < 0x20 || c > 0x7e || c == '"' || c == '\'' || c == '\\')
            put_hex(to, "\\x", c, 2);
        else
            put(to, &s.p[i], 1);
    }
}

static void esc_value(struct sink *to, struct mx_str s)
{
    struct mx_str shown = mx_str_sub(s, 0, ESC_MAX);
    bool is_quoted =
        s.n == 0 || mx_str_chr(shown, ' ') >= 0 || mx_str_chr(shown, '=') >= 0;
    put(to, "\"", is_quoted);
    esc_bytes(to, shown);
    put(to, "...", s.n > ESC_MAX ? 3 : 0);
    put(to, "\"", is_quoted);
}

const char *mx_str_esc(struct mx_arena *arena, struct mx_str s)
{
    struct sink count = {NULL, 0};
    esc_value(&count, s);
    struct sink fill = {mx_arena_alloc(arena, count.n + 1), 0};
    esc_value(&fill, s);
    return fill.p;
}

/* Length of the UTF-8 sequence that ${s} begins with, 0 where it is none. RFC 3629 4. */
static size_t utf8_len(struct mx_str s)
{
    const unsigned char *p = (const unsigned char *)s.p;
    unsigned char low = 0x80, high = 0xbf;
    size_t n;
    if (p[0] < 0x80)
        return 1;
    if (p[0] >= 0xc2 && p[0] <= 0xdf)
        n = 2;
    else if (p[0] >= 0xe0 && p[0] <= 0xef)
        n = 3;
    else if (p[0] >= 0xf0 && p[0] <= 0xf4)
        n = 4;
    else
        return 0;
    low = p[0] == 0xe0 ? 0xa0 : p[0] == 0xf0 ? 0x90 : low;
    high = p[0] == 0xed ? 0x9f : p[0] == 0xf4 ? 0x8f : high;
    if (s.n < n || p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < n; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    return n;
}

bool mx_str_is_utf8(struct mx_str s)
{
    for (size_t i = 0, n; i < s.n; i += n) {
        n = utf8_len(mx_str_sub(s, i, s.n));
        if (n == 0)
            return false;
    }
    return true;
}

static void json_ascii(struct sink *to, char c)
{
    static const char names[] = "\b\f\n\r\t", letters[] = "bfnrt";
    const char *name = c ? strchr(names, c) : NULL;
    char pair[2] = {'\\', c};
    if (c == '"' || c == '\\') {
        put(to, pair, 2);
    } else if (name) {
        pair[1] = letters[name - names];
        put(to, pair, 2);
    } else if ((unsigned char)c < 0x20 || c == 0x7f) {
        put_hex(to, "\\u", (unsigned char)c, 4);
    } else {
        put(to, &c, 1);
    }
}

/* Controls beyond ASCII, and what YAML takes for the end of a line (U+0085, U+2028,
   U+2029); 0: none of them. */
static unsigned hidden_char(const char *p, size_t n)
{
    const unsigned char *u = (const unsigned char *)p;
    if (n == 2 && u[0] == 0xc2 && u[1] < 0xa0)
        return u[1];
    if (n == 3 && u[0] == 0xe2 && u[1] == 0x80 && (u[2] == 0xa8 || u[2] == 0xa9))
        return 0x2000u + (u[2] & 0x3fu);
    return 0;
}

static void json_value(struct sink *to, struct mx_str s)
{
    put(to, "\"", 1);
    for (size_t i = 0; i < s.n;) {
        size_t n = utf8_len(mx_str_sub(s, i, s.n));
        if (n == 0)
            put(to, "\xef\xbf\xbd", 3); /* U+FFFD */
        else if (n == 1)
            json_ascii(to, s.p[i]);
        else if (hidden_char(s.p + i, n) != 0)
            put_hex(to, "\\u", hidden_char(s.p + i, n), 4);
        else
            put(to, s.p + i, n);
        i += n ? n : 1;
    }
    put(to, "\"", 1);
}

const char *mx_str_json(struct mx_arena *arena, struct mx_str s)
{
    struct sink count = {NULL, 0};
    json_value(&count, s);
    struct sink fill = {mx_arena_alloc(arena, count.n + 1), 0};
    json_value(&fill, s);
    return fill.p;
}
