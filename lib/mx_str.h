/*
 * Borrowed byte slice: text from outside, never assumed to end in NUL. An empty slice
 * may have any p; a missing one has p == NULL and n == 0.
 */
#ifndef MX_STR_H
#define MX_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mx_arena;
struct mx_err;

struct mx_str {
    const char *p;
    size_t n;
};

#define MX_STR(literal) ((struct mx_str){(literal), sizeof(literal) - 1})
#define MX_STR_NONE ((struct mx_str){NULL, 0})
#define MX_STR_FMT(s) (int)(s).n, (s).p ? (s).p : "" /* for "%.*s" */

/** mx_str(text): slice of a NUL-ended text; NULL gives the missing slice. */
struct mx_str mx_str(const char *text);

/** mx_str_of(p, n): slice of ${n} bytes at ${p}. */
struct mx_str mx_str_of(const void *p, size_t n);

/** mx_str_eq(a, b): same bytes. Missing equals empty. */
bool mx_str_eq(struct mx_str a, struct mx_str b);

/** mx_str_ieq(a, b): same bytes but for ASCII case. */
bool mx_str_ieq(struct mx_str a, struct mx_str b);

/** mx_str_icmp(a, b): order by bytes, ASCII case folded: <0, 0, >0. */
int mx_str_icmp(struct mx_str a, struct mx_str b);

/** mx_str_starts, _istarts, _iends: begins with, ends in; "i" folds ASCII case. */
bool mx_str_starts(struct mx_str s, struct mx_str prefix);
bool mx_str_istarts(struct mx_str s, struct mx_str prefix);
bool mx_str_iends(struct mx_str s, struct mx_str suffix);

/** mx_str_find(s, needle): index of the first occurrence, or -1. */
ptrdiff_t mx_str_find(struct mx_str s, struct mx_str needle);

/** mx_str_chr(s, c) / mx_str_rchr(s, c): index of the first / last byte ${c}, or -1. */
ptrdiff_t mx_str_chr(struct mx_str s, char c);
ptrdiff_t mx_str_rchr(struct mx_str s, char c);

/** mx_str_sub(s, from, n): part of ${s}; both are clamped to it. */
struct mx_str mx_str_sub(struct mx_str s, size_t from, size_t n);

/** mx_str_trim(s): without SP, HTAB, CR, LF at both ends. */
struct mx_str mx_str_trim(struct mx_str s);

/**
 * mx_str_next(rest, separator, out):
 * Cut the next field off ${rest}: up to ${separator} or the end. "a,,b" has an empty
 * field; an empty ${rest} has none.
 * Fails:  nothing left (-1, ${out} untouched).
 */
int mx_str_next(struct mx_str *rest, char separator, struct mx_str *out);

/** mx_str_lower(arena, s): copy in ASCII lower case, ended by NUL. */
struct mx_str mx_str_lower(struct mx_arena *arena, struct mx_str s);

/** mx_str_dup(arena, s): copy, ended by NUL (not counted). */
struct mx_str mx_str_dup(struct mx_arena *arena, struct mx_str s);

/** mx_str_join(arena, parts, n): one behind the other, ended by NUL (not counted). */
struct mx_str mx_str_join(struct mx_arena *arena, const struct mx_str *parts, size_t n);

/** mx_str_cstr(arena, s): the same as a C string; NUL bytes inside become '?'. */
const char *mx_str_cstr(struct mx_arena *arena, struct mx_str s);

/**
 * mx_str_esc(arena, s):
 * Text safe for one value of a key=value log line: bytes outside printable ASCII,
 * quotes and backslashes become \xHH; quoted where it holds a space, '=' or nothing;
 * cut at 256 bytes with "..." behind.
 */
const char *mx_str_esc(struct mx_arena *arena, struct mx_str s);

/**
 * mx_str_json(arena, s):
 * JSON string with its quotes (RFC 8259 7); bytes that are not UTF-8 become U+FFFD.
 */
const char *mx_str_json(struct mx_arena *arena, struct mx_str s);

/** mx_str_is_utf8(s): well-formed UTF-8 (RFC 3629 4); plain ASCII is. */
bool mx_str_is_utf8(struct mx_str s);

/**
 * mx_str_to_int(s, min, max, out, err):
 * The one parser of decimal numbers: optional '-', digits, nothing else.
 * Fails:  syntax or range (-1, ${out} untouched).
 */
int mx_str_to_int(struct mx_str s, int64_t min, int64_t max, int64_t *out,
                  struct mx_err *err);

/** mx_str_hash(s): 64-bit FNV-1a; for tables and jitter, not for secrets. */
uint64_t mx_str_hash(struct mx_str s);

/**
 * struct mx_buf: growing text that ends in NUL, on the heap.
 * Zero it to start; mx_buf_fini frees it. Appending past ${max} bytes (0: 64 MiB) marks
 * it overflown and adds nothing, so that one check at the end is enough.
 */
struct mx_buf {
    char *p;
    size_t n, room, max;
    bool is_overflown;
};
void mx_buf_add(struct mx_buf *buf, const void *p, size_t n);
void mx_buf_str(struct mx_buf *buf, const char *text);
void mx_buf_printf(struct mx_buf *buf, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void mx_buf_fini(struct mx_buf *buf);

#endif
