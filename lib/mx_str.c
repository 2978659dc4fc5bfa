/*
 * Slices: comparing, searching, cutting, numbers, hash. ASCII only where case matters,
 * whatever the locale says. Texts for logs, JSON and the growing buffer are in
 * mx_str_text.c and mx_buf.c.
 */
#include "mx_str.h"

#include <string.h>

#include "mx_arena.h"
#include "mx_err.h"

/* FNV-1a, 64 bit: http://www.isthe.com/chongo/tech/comp/fnv/ */
#define FNV_OFFSET 0xcbf29ce484222325u
#define FNV_PRIME 0x100000001b3u

static unsigned char fold(char c)
{
    unsigned char u = (unsigned char)c;
    return u >= 'A' && u <= 'Z' ? (unsigned char)(u + ('a' - 'A')) : u;
}

struct mx_str mx_str(const char *text)
{
    return (struct mx_str){text, text ? strlen(text) : 0};
}

struct mx_str mx_str_of(const void *p, size_t n)
{
    return (struct mx_str){p, n};
}

bool mx_str_eq(struct mx_str a, struct mx_str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

int mx_str_icmp(struct mx_str a, struct mx_str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    for (size_t i = 0; i < n; i++) {
        int diff = (int)fold(a.p[i]) - (int)fold(b.p[i]);
        if (diff != 0)
            return diff;
    }
    return a.n == b.n ? 0 : a.n < b.n ? -1 : 1;
}

bool mx_str_ieq(struct mx_str a, struct mx_str b)
{
    return a.n == b.n && mx_str_icmp(a, b) == 0;
}

bool mx_str_starts(struct mx_str s, struct mx_str prefix)
{
    return s.n >= prefix.n && mx_str_eq(mx_str_sub(s, 0, prefix.n), prefix);
}

bool mx_str_istarts(struct mx_str s, struct mx_str prefix)
{
    return s.n >= prefix.n && mx_str_ieq(mx_str_sub(s, 0, prefix.n), prefix);
}

bool mx_str_iends(struct mx_str s, struct mx_str suffix)
{
    return s.n >= suffix.n && mx_str_ieq(mx_str_sub(s, s.n - suffix.n, suffix.n), suffix);
}

ptrdiff_t mx_str_find(struct mx_str s, struct mx_str needle)
{
    if (needle.n == 0)
        return 0;
    if (s.n < needle.n)
        return -1;
    const char *hit = memmem(s.p, s.n, needle.p, needle.n);
    return hit ? hit - s.p : -1;
}

ptrdiff_t mx_str_chr(struct mx_str s, char c)
{
    const char *hit = s.n ? memchr(s.p, c, s.n) : NULL;
    return hit ? hit - s.p : -1;
}

ptrdiff_t mx_str_rchr(struct mx_str s, char c)
{
    const char *hit = s.n ? memrchr(s.p, c, s.n) : NULL;
    return hit ? hit - s.p : -1;
}

struct mx_str mx_str_sub(struct mx_str s, size_t from, size_t n)
{
    if (from > s.n)
        from = s.n;
    if (n > s.n - from)
        n = s.n - from;
    return (struct mx_str){s.p ? s.p + from : NULL, n};
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct mx_str mx_str_trim(struct mx_str s)
{
    while (s.n > 0 && is_blank(s.p[0])) {
        s.p++;
        s.n--;
    }
    while (s.n > 0 && is_blank(s.p[s.n - 1]))
        s.n--;
    return s;
}

/* A separator at the very end ends the last field; it opens no empty one. */
int mx_str_next(struct mx_str *rest, char separator, struct mx_str *out)
{
    if (rest->n == 0)
        return -1;
    ptrdiff_t at = mx_str_chr(*rest, separator);
    if (at < 0) {
        *out = *rest;
        *rest = MX_STR_NONE;
        return 0;
    }
    *out = mx_str_sub(*rest, 0, (size_t)at);
    *rest = mx_str_sub(*rest, (size_t)at + 1, rest->n);
    return 0;
}

struct mx_str mx_str_dup(struct mx_arena *arena, struct mx_str s)
{
    return (struct mx_str){mx_arena_dup(arena, s.p, s.n), s.n};
}

struct mx_str mx_str_join(struct mx_arena *arena, const struct mx_str *parts, size_t n)
{
    size_t all = 0, at = 0;
    for (size_t i = 0; i < n; i++)
        all += parts[i].n;
    char *text = mx_arena_alloc(arena, all + 1);
    for (size_t i = 0; i < n; i++) {
        if (parts[i].n > 0)
            memcpy(text + at, parts[i].p, parts[i].n);
        at += parts[i].n;
    }
    return mx_str_of(text, all);
}

struct mx_str mx_str_lower(struct mx_arena *arena, struct mx_str s)
{
    char *copy = mx_arena_dup(arena, s.p, s.n);
    for (size_t i = 0; i < s.n; i++)
        copy[i] = (char)fold(copy[i]);
    return (struct mx_str){copy, s.n};
}

const char *mx_str_cstr(struct mx_arena *arena, struct mx_str s)
{
    char *copy = mx_arena_dup(arena, s.p, s.n);
    for (size_t i = 0; i < s.n; i++)
        if (copy[i] == '\0')
            copy[i] = '?';
    return copy;
}

static int out_of_range(struct mx_str s, int64_t min, int64_t max, struct mx_err *err)
{
    return mx_err_set(err, MX_ERR_INPUT, "'%.*s' is out of range: %lld to %lld",
                      MX_STR_FMT(mx_str_sub(s, 0, 32)), (long long)min, (long long)max);
}

int mx_str_to_int(struct mx_str s, int64_t min, int64_t max, int64_t *out,
                  struct mx_err *err)
{
    bool is_negative = s.n > 0 && s.p[0] == '-';
    size_t first = is_negative ? 1 : 0;
    int64_t value = 0;
    if (s.n == first)
        return mx_err_set(err, MX_ERR_INPUT, "'%.*s' is not a number", MX_STR_FMT(s));
    for (size_t i = first; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9')
            return mx_err_set(err, MX_ERR_INPUT, "'%.*s' is not a number",
                              MX_STR_FMT(mx_str_sub(s, 0, 32)));
    for (size_t i = first; i < s.n; i++) {
        int digit = s.p[i] - '0';
        if (__builtin_mul_overflow(value, (int64_t)10, &value) ||
            __builtin_add_overflow(value, is_negative ? -digit : digit, &value))
            return out_of_range(s, min, max, err);
    }
    if (value < min || value > max)
        return out_of_range(s, min, max, err);
    *out = value;
    return 0;
}

uint64_t mx_str_hash(struct mx_str s)
{
    uint64_t hash = FNV_OFFSET;
    for (size_t i = 0; i < s.n; i++)
        hash = (hash ^ (unsigned char)s.p[i]) * FNV_PRIME;
    return hash;
}
