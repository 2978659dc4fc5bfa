/*
 * Transfer encodings and encoded words, read as tolerantly as SpamAssassin reads them:
 * rules are tuned to what it makes of broken mail, down to which bits a stray "=" inside
 * base64 stands for. Charsets are text_charset's work.
 *
 * Everything is one or a few passes over the input. Left out: uuencode, which
 * SpamAssassin leaves as it is, too.
 */
#include "text_decode.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

#include "mx_arena.h"
#include "text/text_chars.h"
#include "text_charset.h"

/* ---- base64 -------------------------------------------------------------------------
 */

#define B64_NONE 64 /* not of the alphabet */
#define B64_PAD 65

static unsigned b64_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (unsigned)(c - 'A');
    if (c >= 'a' && c <= 'z')
        return (unsigned)(c - 'a') + 26;
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0') + 52;
    return c == '+' ? 62 : c == '/' ? 63 : c == '=' ? B64_PAD : B64_NONE;
}

/*
 * Characters of the alphabet ("=" included) in ${raw} up to the padding at its end.
 * ${out_clean}: nothing else but white space, in whole groups of four.
 */
static size_t b64_measure(struct mx_str raw, bool *out_clean)
{
    size_t n = 0, pads = 0;
    bool has_junk = false;
    for (size_t i = 0; i < raw.n; i++) {
        unsigned value = b64_value(raw.p[i]);
        if (value == B64_NONE) {
            has_junk |= !text_char_space(raw.p[i]);
            continue;
        }
        n++;
        pads = value == B64_PAD ? pads + 1 : 0;
    }
    *out_clean = !has_junk && n % 4 == 0 && n >= 2;
    return n - pads;
}

/*
 * A "=" before the end counts as zero bits in otherwise clean text, as all ones in text
 * that is not: two decoders are at work in the original.
 */
static struct mx_str b64_decode(struct mx_arena *arena, struct mx_str raw)
{
    bool is_clean;
    size_t chars = b64_measure(raw, &is_clean), seen = 0, n = 0;
    unsigned pad_bits = is_clean ? 0 : 63;
    uint32_t bits = 0;
    char *out = mx_arena_alloc(arena, chars / 4 * 3 + 4);
    for (size_t i = 0; i < raw.n && seen < chars; i++) {
        unsigned value = b64_value(raw.p[i]);
        if (value == B64_NONE)
            continue;
        bits = bits << 6 | (value == B64_PAD ? pad_bits : value);
        if (++seen % 4 == 0) {
            out[n++] = (char)(bits >> 16);
            out[n++] = (char)(bits >> 8);
            out[n++] = (char)bits;
        }
    }
    if (seen % 4 == 2)
        out[n++] = (char)(bits >> 4);
    if (seen % 4 == 3) {
        out[n++] = (char)(bits >> 10);
        out[n++] = (char)(bits >> 2);
    }
    return mx_str_of(out, n);
}

/* ---- quoted-printable ---------------------------------------------------------------
 */

static size_t line_end_at(const char *p, size_t n)
{
    if (n >= 1 && p[0] == '\n')
        return 1;
    return n >= 2 && p[0] == '\r' && p[1] == '\n' ? 2 : 0;
}

/* Drop spaces and tabs in front of line ends (RFC 2045 6.7 rule 3), in place. */
static size_t qp_trim_lines(char *p, size_t n)
{
    size_t to = 0;
    for (size_t i = 0; i < n;) {
        size_t blank = i;
        while (blank < n && (p[blank] == ' ' || p[blank] == '\t'))
            blank++;
        if (blank > i && line_end_at(p + blank, n - blank) == 0) {
            memmove(p + to, p + i, blank - i);
            to += blank - i;
        }
        if (blank < n)
            p[to++] = p[blank++];
        i = blank;
    }
    return to;
}

static size_t qp_join_lines(char *p, size_t n)
{
    size_t to = 0;
    for (size_t i = 0; i < n;) {
        size_t end = p[i] == '=' ? line_end_at(p + i + 1, n - i - 1) : 0;
        if (end)
            i += 1 + end;
        else
            p[to++] = p[i++];
    }
    return to;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static size_t qp_octets(char *p, size_t n)
{
    size_t to = 0;
    for (size_t i = 0; i < n;) {
        int high = p[i] == '=' && n - i > 2 ? hex_value(p[i + 1]) : -1;
        int low = high >= 0 ? hex_value(p[i + 2]) : -1;
        if (low >= 0) {
            p[to++] = (char)(high << 4 | low);
            i += 3;
        } else {
            p[to++] = p[i++];
        }
    }
    return to;
}

/* Three passes, as a soft line break may bring "=" and its digits together. */
static struct mx_str qp_decode(struct mx_arena *arena, struct mx_str raw)
{
    char *p = mx_arena_dup(arena, raw.p ? raw.p : "", raw.n);
    return mx_str_of(p, qp_octets(p, qp_join_lines(p, qp_trim_lines(p, raw.n))));
}

struct mx_str text_crlf_to_lf(struct mx_arena *arena, struct mx_str s)
{
    if (s.n == 0 || memchr(s.p, '\r', s.n) == NULL)
        return s;
    char *p = mx_arena_alloc(arena, s.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] != '\r' || i + 1 == s.n || s.p[i + 1] != '\n')
            p[n++] = s.p[i];
    return mx_str_of(p, n);
}

struct mx_str text_transfer_decode(struct mx_arena *arena, struct mx_str encoding,
                                   struct mx_str raw)
{
    if (mx_str_eq(encoding, MX_STR("base64")))
        return b64_decode(arena, raw);
    if (mx_str_eq(encoding, MX_STR("quoted-printable")))
        return text_crlf_to_lf(arena, qp_decode(arena, raw));
    return raw;
}

struct mx_str text_to_utf8(struct mx_arena *arena, struct mx_str bytes,
                           struct mx_str charset)
{
    return text_charset_guess(arena, bytes, charset);
}

/* ---- encoded words ------------------------------------------------------------------
 */

struct word {
    struct mx_str charset, data;
    bool is_base64;
    size_t n; /* of the whole word */
};

/* The encoded word at the start of ${s}. */
static bool word_at(struct mx_str s, struct word *out)
{
    if (!mx_str_starts(s, MX_STR("=?")))
        return false;
    size_t i = 2;
    while (i < s.n && (isalnum((unsigned char)s.p[i]) || strchr("*_-", s.p[i])) && s.p[i])
        i++;
    if (i == 2 || s.n - i < 3 || s.p[i] != '?' || s.p[i + 2] != '?')
        return false;
    char kind = (char)(s.p[i + 1] | 0x20);
    if (kind != 'b' && kind != 'q')
        return false;
    struct mx_str rest = mx_str_sub(s, i + 3, s.n);
    ptrdiff_t end = mx_str_chr(rest, '?');
    if (end < 0 || (size_t)end + 1 >= rest.n || rest.p[end + 1] != '=')
        return false;
    *out = (struct word){.charset = mx_str_sub(s, 2, i - 2),
                         .data = mx_str_sub(rest, 0, (size_t)end),
                         .is_base64 = kind == 'b',
                         .n = i + 3 + (size_t)end + 2};
    return true;
}

/* Bytes of white space between two words, 0 if no word follows. */
static size_t gap_before_word(struct mx_str s)
{
    struct word next;
    size_t n = 0;
    while (n < s.n && text_char_space(s.p[n]))
        n++;
    return n > 0 && word_at(mx_str_sub(s, n, s.n), &next) ? n : 0;
}

static struct mx_str word_octets(struct mx_arena *arena, const struct word *word)
{
    if (word->is_base64)
        return b64_decode(arena, word->data);
    /* "_" stands for "=20", and "=" in front of it must stay a lone "=" */
    char *p = mx_arena_alloc(arena, word->data.n * 3 + 1);
    size_t n = 0;
    for (size_t i = 0; i < word->data.n; i++) {
        if (word->data.p[i] != '_') {
            p[n++] = word->data.p[i];
            continue;
        }
        memcpy(p + n, "=20", 3);
        n += 3;
    }
    return mx_str_of(p, qp_octets(p, qp_join_lines(p, qp_trim_lines(p, n))));
}

/* What runs of words of one charset hold so far. */
struct run {
    struct mx_str charset; /* with language suffix; "" none */
    struct mx_buf octets;
};

static void run_flush(struct mx_arena *arena, struct run *run, struct mx_buf *out)
{
    ptrdiff_t star = mx_str_chr(run->charset, '*');
    struct mx_str name =
        star < 0 ? run->charset : mx_str_sub(run->charset, 0, (size_t)star);
    struct mx_str text =
        text_charset_insist(arena, mx_str_of(run->octets.p, run->octets.n), name);
    mx_buf_add(out, text.p, text.n);
    run->octets.n = 0;
    run->charset = MX_STR_NONE;
}

static void decode_words(struct mx_arena *arena, struct mx_str value, struct mx_buf *out)
{
    struct run run = {.charset = MX_STR_NONE};
    struct word word;
    for (size_t i = 0; i < value.n;) {
        struct mx_str rest = mx_str_sub(value, i, value.n);
        if (!word_at(rest, &word)) {
            ptrdiff_t next = mx_str_chr(mx_str_sub(rest, 1, rest.n), '=');
            size_t plain = next < 0 ? rest.n : (size_t)next + 1;
            run_flush(arena, &run, out);
            mx_buf_add(out, rest.p, plain);
            i += plain;
            continue;
        }
        if (!mx_str_ieq(run.charset, word.charset))
            run_flush(arena, &run, out);
        struct mx_str octets = word_octets(arena, &word);
        run.charset = word.charset;
        mx_buf_add(&run.octets, octets.p, octets.n);
        i += word.n;
        i += gap_before_word(mx_str_sub(value, i, value.n));
    }
    run_flush(arena, &run, out);
    mx_buf_fini(&run.octets);
}

/* Without line ends; a tab behind one becomes a space. */
static struct mx_str join_lines(struct mx_arena *arena, struct mx_str value)
{
    if (value.n == 0 || memchr(value.p, '\n', value.n) == NULL)
        return value;
    char *p = mx_arena_alloc(arena, value.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < value.n; i++) {
        size_t end = line_end_at(value.p + i, value.n - i);
        if (end == 0) {
            p[n++] = value.p[i];
            continue;
        }
        i += end - 1;
        if (i + 1 < value.n && value.p[i + 1] == '\t') {
            p[n++] = ' ';
            i++;
        }
    }
    return mx_str_of(p, n);
}

struct mx_str text_line_decode(struct mx_arena *arena, struct mx_str value)
{
    value = join_lines(arena, value);
    return text_charset_guess(arena, value, MX_STR("utf-8"));
}

struct mx_str text_words_decode(struct mx_arena *arena, struct mx_str value)
{
    value = text_line_decode(arena, value);
    if (mx_str_find(value, MX_STR("=?")) < 0)
        return value;
    struct mx_buf buf = {0};
    decode_words(arena, value, &buf);
    struct mx_str out = mx_str_dup(arena, mx_str_of(buf.p ? buf.p : "", buf.n));
    mx_buf_fini(&buf);
    return out;
}
