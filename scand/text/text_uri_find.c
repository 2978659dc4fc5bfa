/*
 * The linkifier. An address begins at a word boundary or behind a delimiter and runs to
 * the next delimiter; which characters delimit differs a little between URIs and mail
 * addresses, as mail programs differ. At one place a URI with a scheme is tried first,
 * then a mail address, then a bare host, which needs a TLD of the lists at its end.
 *
 * The runs up to the next delimiter are remembered, so that a long word is not walked
 * again from each of its letters. Nothing is decoded, and whether a host exists is not
 * asked.
 *
 * Source: the behaviour of SpamAssassin 4.0, which follows Thunderbird and Outlook.
 */
#include "text/text_uri_find.h"

#include <string.h>

#include "text/text.h"
#include "text/text_chars.h"
#include "text/text_domain.h"

#define URI_MAX 2048 /* characters behind the scheme, and of a path */
#define MAIL_MAX 251 /* characters on each side of "@" */
#define HOST_MAX 251 /* characters of a bare host between the first and the last dot */
#define PORT_MAX 5   /* digits */

enum delimiter {
    STARTS = 1 << 0,      /* an address may begin behind it */
    STARTS_HOST = 1 << 1, /* a bare host may */
    ENDS = 1 << 2,        /* a URI */
    ENDS_MAIL = 1 << 3,
};

static unsigned delimits(unsigned char c)
{
    if (text_char_space(c) || c == 0x1b || c == 0xa0)
        return STARTS | STARTS_HOST | ENDS | ENDS_MAIL;
    switch (c) {
    case '>':
    case '<':
    case '"':
    case '`':
    case '{':
    case '[':
    case '|': return STARTS | STARTS_HOST | ENDS | ENDS_MAIL;
    case '}':
    case ']': return STARTS_HOST | ENDS | ENDS_MAIL;
    case '\'':
    case ',':
    case '(': return STARTS | STARTS_HOST | ENDS_MAIL;
    case '_':
    case '-':
    case '.':
    case '%': return 0;
    default:
        return c >= 0x80                                   ? ENDS_MAIL
               : c > ' ' && c < 0x7f && !text_char_word(c) ? STARTS_HOST
                                                           : 0;
    }
}

static unsigned char char_at(const struct text_finder *f, size_t i)
{
    return (unsigned char)f->text.p[i];
}

/* The first delimiter of ${kind} at or behind ${i}, or the end. ${cache} is a delimiter
 * found before from a place that was not later. */
static size_t next_end(const struct text_finder *f, size_t i, unsigned kind,
                       size_t *cache)
{
    if (*cache < i || *cache == 0) {
        size_t end = i;
        while (end < f->text.n && (delimits(char_at(f, end)) & kind) == 0)
            end++;
        *cache = end;
    }
    return *cache;
}

static bool is_host_char(unsigned char c)
{
    return text_char_word(c) || c == '.' || c == '-';
}

static size_t next_host_end(struct text_finder *f, size_t i)
{
    if (f->end_host < i || f->end_host == 0) {
        size_t end = i;
        while (end < f->text.n && is_host_char(char_at(f, end)))
            end++;
        f->end_host = end;
    }
    return f->end_host;
}

static bool may_begin(const struct text_finder *f, size_t i)
{
    bool is_word = text_char_word(char_at(f, i));
    if (i == 0)
        return is_word;
    unsigned char before = char_at(f, i - 1);
    if (text_char_word(before) != is_word || (delimits(before) & STARTS) != 0)
        return true;
    /* ISO 2022 shift sequences are ESC "(" and one character. */
    return i >= 3 && char_at(f, i - 3) == 0x1b && char_at(f, i - 2) == '(' &&
           before != '\n';
}

static struct mx_str rest_of(const struct text_finder *f, size_t i)
{
    return mx_str_sub(f->text, i, f->text.n);
}

/* Length of "www", up to two digits and "." at ${i}; or 0. */
static size_t www_at(const struct text_finder *f, size_t i)
{
    if (!mx_str_istarts(rest_of(f, i), MX_STR("www")))
        return 0;
    size_t n = 3;
    while (n < 5 && i + n < f->text.n && char_at(f, i + n) >= '0' &&
           char_at(f, i + n) <= '9')
        n++;
    return i + n < f->text.n && char_at(f, i + n) == '.' ? n + 1 : 0;
}

static size_t scheme_at(const struct text_finder *f, size_t i)
{
    static const char *const schemes[] = {"http://", "https://", "ftp://", "ftp."};
    for (size_t k = 0; k < sizeof(schemes) / sizeof(schemes[0]); k++) {
        struct mx_str scheme = mx_str(schemes[k]);
        if (mx_str_istarts(rest_of(f, i), scheme))
            return scheme.n;
    }
    return www_at(f, i);
}

/* Each matcher: the end of an address that begins at ${i}, or 0. */
static size_t match_uri(struct text_finder *f, size_t i)
{
    size_t n = scheme_at(f, i);
    if (n == 0)
        return 0;
    size_t end = next_end(f, i + n, ENDS, &f->end_uri);
    return end > i + n && end - i - n <= URI_MAX ? end : 0;
}

static size_t match_mail(struct text_finder *f, size_t i)
{
    struct mx_str mailto = MX_STR("mailto:");
    if (mx_str_istarts(rest_of(f, i), mailto)) {
        size_t start = i + mailto.n;
        size_t end = next_end(f, start, ENDS_MAIL, &f->end_mail);
        if (end > start && end - start <= URI_MAX)
            return end;
    }
    size_t end = next_end(f, i, ENDS_MAIL, &f->end_mail);
    size_t limit = end - i > MAIL_MAX ? i + MAIL_MAX + 1 : end;
    const char *at = memchr(f->text.p + i, '@', limit - i);
    if (at == NULL || at == f->text.p + i)
        return 0;
    size_t behind = (size_t)(at - f->text.p) + 1;
    return end > behind && end - behind <= MAIL_MAX ? end : 0;
}

/* Behind ":" and up to five digits at ${i}, if they are there. */
static size_t skip_port(const struct text_finder *f, size_t i)
{
    size_t n = 1;
    if (i >= f->text.n || char_at(f, i) != ':')
        return i;
    while (n <= PORT_MAX && i + n < f->text.n && char_at(f, i + n) >= '0' &&
           char_at(f, i + n) <= '9')
        n++;
    return n > 1 ? i + n : i;
}

/* Behind "/" and the path at ${i}, if they are there. */
static size_t skip_path(struct text_finder *f, size_t i)
{
    if (i >= f->text.n || char_at(f, i) != '/')
        return i;
    size_t end = next_end(f, i + 1, ENDS, &f->end_uri);
    return end > i + 1 && end - i - 1 <= URI_MAX ? end : i;
}

static size_t match_host(struct text_finder *f, size_t i, struct mx_str *out_host)
{
    if (i > 0 && (delimits(char_at(f, i - 1)) & STARTS_HOST) == 0)
        return 0;
    if (!text_char_word(char_at(f, i)) || char_at(f, i) == '_')
        return 0;
    size_t host_end = next_host_end(f, i);
    bool has_dot = char_at(f, host_end - 1) == '.';
    struct mx_str host = mx_str_sub(f->text, i, host_end - has_dot - i);
    ptrdiff_t dot = mx_str_rchr(host, '.');
    if (dot < 1 || dot > HOST_MAX + 1 ||
        !text_list_has(f->lists->tlds, mx_str_sub(host, (size_t)dot + 1, host.n)))
        return 0;
    size_t end = skip_path(f, skip_port(f, host_end));
    if (end < f->text.n && (delimits(char_at(f, end)) & ENDS) == 0)
        return 0;
    *out_host = host;
    return end;
}

/* ")" ends an address unless "(" is in it, and punctuation is not part of it. */
static struct mx_str without_tail(struct mx_str uri)
{
    ptrdiff_t open = mx_str_chr(uri, '(');
    size_t head = open < 0 ? uri.n : (size_t)open;
    ptrdiff_t close = mx_str_rchr(mx_str_sub(uri, 0, head), ')');
    if (close >= 0)
        uri.n = (size_t)close;
    while (uri.n > 0 && uri.p[uri.n - 1] != '\0' &&
           strchr("-~!@#^&*()_+=:;'?,.", uri.p[uri.n - 1]) != NULL)
        uri.n--;
    return uri;
}

bool text_find_next(struct text_finder *f, struct text_found *out)
{
    for (; f->at < f->text.n; f->at++) {
        if (!may_begin(f, f->at))
            continue;
        struct text_found found = {.kind = TEXT_FOUND_SCHEME};
        size_t end = match_uri(f, f->at);
        if (end == 0) {
            found.kind = TEXT_FOUND_MAIL;
            end = match_mail(f, f->at);
        }
        if (end == 0) {
            found.kind = TEXT_FOUND_HOST;
            end = match_host(f, f->at, &found.host);
        }
        if (end == 0)
            continue;
        found.uri = without_tail(mx_str_sub(f->text, f->at, end - f->at));
        f->at = end;
        *out = found;
        return true;
    }
    return false;
}
