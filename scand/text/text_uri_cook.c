/*
 * Cooked forms of a URI. Senders of spam write addresses so that filters miss them and
 * browsers do not; each trick undone here is one that browsers undo: backslashes, missing
 * slashes, escapes, character references, credentials in front of the host, default
 * ports, numbers for addresses, names outside ASCII, redirectors.
 *
 * Forms are added as the tricks are undone, one after the other, so that a rule may match
 * any stage. A target inside a redirector is cooked like a URI of its own; as targets
 * only get shorter, and forms are counted, this ends.
 *
 * One thing looks wrong and is kept, because rules were tuned to it: a host without dots
 * becomes "www.host.com" as in a browser of 2011.
 */
#include "text/text_uri_cook.h"

#include <stdbool.h>
#include <string.h>

#include "mx_arena.h"
#include "text/text.h"
#include "text/text_chars.h"
#include "text/text_domain.h"
#include "text/text_uri_number.h"
#include "text/text_uri_redirect.h"

struct cook {
    struct mx_arena *arena;
    const struct text_lists *lists;
    struct text_lister sources; /* the URI and targets inside it, cleaned */
    struct text_lister forms;
    bool is_wide;
};

/* http://auth@host:port/rest in its parts. */
struct web {
    struct mx_str scheme; /* with "//" */
    struct mx_str host;
    struct mx_str rest; /* with port */
    struct mx_str bare; /* without its default port */
    bool is_http;       /* "http://" in just that spelling */
    bool has_auth, has_port;
};

static void add(struct cook *c, struct mx_str form)
{
    for (size_t i = 0; i < c->forms.n; i++) {
        if (mx_str_eq(c->forms.v[i], form))
            return;
    }
    text_lister_add(c->arena, &c->forms, form);
}

static void add_joined(struct cook *c, struct mx_str a, struct mx_str b, struct mx_str d)
{
    add(c, text_join(c->arena, (struct mx_str[]){a, b, d}, 3));
}

static void add_mailto(struct cook *c, struct mx_str address)
{
    add_joined(c, MX_STR("mailto:"), address, MX_STR(""));
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int hex_of(char c)
{
    if (is_digit(c))
        return c - '0';
    char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* The byte of "%XX" at ${i}; -1 where there is none. */
static int escape_at(struct mx_str s, size_t i)
{
    if (i + 2 >= s.n || s.p[i] != '%')
        return -1;
    int high = hex_of(s.p[i + 1]), low = hex_of(s.p[i + 2]);
    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

static bool has_escape(struct mx_str s)
{
    for (size_t i = 0; i + 2 < s.n; i++) {
        if (escape_at(s, i) >= 0)
            return true;
    }
    return false;
}

/* May not be in a URI as it is. */
static bool is_foreign(uint32_t c)
{
    return c <= ' ' || (c >= 0x7f && c <= 0xff) || c == '"' || c == '%' || c == '<' ||
           c == '>';
}

struct mx_str text_uri_unescape(struct mx_arena *arena, struct mx_str uri, bool is_wide)
{
    char *out = mx_arena_alloc(arena, uri.n * 3 + 1);
    size_t n = 0;
    for (const char *p = uri.p, *end = uri.p + uri.n; p < end;) {
        int byte = escape_at(uri, (size_t)(p - uri.p));
        if (byte >= 0) {
            bool is_kept = byte <= ' ' || byte >= 0x7f;
            if (is_kept)
                memcpy(out + n, p, 3);
            else
                out[n] = (char)byte;
            n += is_kept ? 3 : 1;
            p += 3;
            continue;
        }
        uint32_t c = is_wide ? text_char_next(&p, end) : (unsigned char)*p++;
        if (!is_foreign(c)) {
            n += text_char_put(c, out + n);
            continue;
        }
        out[n++] = '%';
        out[n++] = "0123456789abcdef"[c >> 4];
        out[n++] = "0123456789abcdef"[c & 15];
    }
    return mx_str_of(out, n);
}

/* ---- mail addresses ------------------------------------------------------------------
 */

static bool is_mail(struct mx_str uri)
{
    ptrdiff_t colon = mx_str_chr(uri, ':'), at = mx_str_chr(uri, '@');
    return mx_str_istarts(uri, MX_STR("mailto:")) ||
           (at >= 0 && (colon < 0 || at < colon));
}

/* Length of ${s} up to the first of ${stops}. */
static size_t span_until(struct mx_str s, const char *stops)
{
    size_t n = 0;
    while (n < s.n && (s.p[n] == '\0' || strchr(stops, s.p[n]) == NULL))
        n++;
    return n;
}

/* The address up to ${stop}, if ${stop} comes behind something at its host. */
static void add_until(struct cook *c, struct mx_str uri, const char *stops, char stop)
{
    ptrdiff_t at = mx_str_chr(uri, '@');
    if (at < 1)
        return;
    struct mx_str behind = mx_str_sub(uri, (size_t)at + 1, uri.n);
    size_t n = span_until(behind, stops);
    if (n > 0 && n < behind.n && behind.p[n] == stop)
        add(c, mx_str_sub(uri, 0, (size_t)at + 1 + n));
}

/* "mailto:%20%20a@b%20" without the escaped space. */
static void add_without_space(struct cook *c, struct mx_str uri)
{
    if (mx_str_find(uri, MX_STR("%20")) < 0)
        return;
    if (mx_str_starts(uri, MX_STR("mailto:")))
        uri = mx_str_sub(uri, 7, uri.n);
    while (mx_str_starts(uri, MX_STR("%20")))
        uri = mx_str_sub(uri, 3, uri.n);
    ptrdiff_t at = mx_str_chr(uri, '@');
    if (at < 1)
        return;
    size_t n = span_until(mx_str_sub(uri, (size_t)at + 1, uri.n), "?&%");
    if (n > 0)
        add_mailto(c, mx_str_sub(uri, 0, (size_t)at + 1 + n));
}

/* mailto:"A%20B"%20<a@b>: what is in the last angle brackets that hold an address. */
static void add_bracketed(struct cook *c, struct mx_str uri)
{
    struct mx_str head = mx_str_sub(uri, 0, span_until(uri, "?&") + 1);
    for (;;) {
        ptrdiff_t open = mx_str_rchr(head, '<');
        if (open < 0)
            return;
        struct mx_str inner = mx_str_sub(uri, (size_t)open + 1, uri.n);
        size_t user = span_until(inner, "@>");
        size_t end = span_until(inner, ">");
        if (user > 0 && user + 1 < end && end < inner.n) {
            add_mailto(c, mx_str_sub(inner, 0, end));
            return;
        }
        head.n = (size_t)open;
    }
}

static void cook_mail(struct cook *c, struct mx_str uri)
{
    add_until(c, uri, "?", '?');
    add_until(c, uri, "?&", '&');
    add_without_space(c, uri);
    add_bracketed(c, uri);
}

/* ---- the whole URI -------------------------------------------------------------------
 */

/* Length of "http:" or "https:" at the start, 0 without; case does not matter. */
static size_t web_scheme(struct mx_str s)
{
    if (mx_str_istarts(s, MX_STR("http:")))
        return 5;
    return mx_str_istarts(s, MX_STR("https:")) ? 6 : 0;
}

static struct mx_str with_two_slashes(struct mx_arena *arena, struct mx_str s)
{
    size_t scheme = web_scheme(s), behind = scheme;
    while (scheme > 0 && behind < s.n && behind < scheme + 2 && s.p[behind] == '/')
        behind++;
    if (scheme == 0 || behind == scheme + 2)
        return s;
    struct mx_str parts[] = {mx_str_sub(s, 0, scheme), MX_STR("//"),
                             mx_str_sub(s, behind, s.n)};
    return text_join(arena, parts, 3);
}

static struct mx_str with_scheme(struct mx_arena *arena, struct mx_str s)
{
    size_t n = 0;
    while (n < s.n && (text_char_word((unsigned char)s.p[n]) || s.p[n] == '-'))
        n++;
    if (n > 0 && n < s.n && s.p[n] == ':')
        return s;
    bool is_ftp = mx_str_starts(s, MX_STR("ftp."));
    struct mx_str parts[] = {is_ftp ? MX_STR("ftp://") : MX_STR("http://"), s};
    return text_join(arena, parts, 2);
}

/* "http://a.b?c" becomes "http://a.b/?c". */
static struct mx_str with_path(struct mx_arena *arena, struct mx_str s)
{
    size_t scheme = web_scheme(s);
    if (scheme == 0 || !mx_str_starts(mx_str_sub(s, scheme, 2), MX_STR("//")))
        return s;
    size_t start = scheme + 2;
    size_t end = start + span_until(mx_str_sub(s, start, s.n), "/?#");
    if (end == start || end == s.n || s.p[end] == '/')
        return s;
    struct mx_str parts[] = {mx_str_sub(s, 0, end), MX_STR("/"), mx_str_sub(s, end, s.n)};
    return text_join(arena, parts, 3);
}

/* What "&#...;" of ${number} is decoded to; 0: it stays. Hexadecimal 2a to 2f stay, but
 * for a plain "&#x2e;". */
static char referred(unsigned number, bool is_hex, bool is_upper, size_t digits)
{
    if (number == 0x3002 || number == 0xff0e || number == 0xff61)
        return '.';
    if (is_hex && number >= 0x2a && number <= 0x2f)
        return number == '.' && digits == 2 ? '.' : '\0';
    return number > ' ' && number < 0x7f && !is_upper ? (char)number : '\0';
}

/* The character that "&#...;" at ${i} is decoded to; 0 none. ${out_n} is its length. */
static char reference_at(struct mx_str s, size_t i, size_t *out_n)
{
    if (!mx_str_starts(mx_str_sub(s, i, 2), MX_STR("&#")))
        return '\0';
    size_t at = i + 2;
    bool is_hex = at < s.n && (s.p[at] | 0x20) == 'x';
    bool is_upper = is_hex && s.p[at] == 'X';
    at += is_hex;
    size_t start = at;
    unsigned number = 0;
    for (; at < s.n && number < 0x110000; at++) {
        int digit = hex_of(s.p[at]);
        if (digit < 0 || digit >= (is_hex ? 16 : 10))
            break;
        number = number * (is_hex ? 16 : 10) + (unsigned)digit;
    }
    if (at == start || at >= s.n || s.p[at] != ';')
        return '\0';
    *out_n = at + 1 - i;
    return referred(number, is_hex, is_upper, at - start);
}

static struct mx_str without_references(struct mx_arena *arena, struct mx_str s)
{
    if (mx_str_find(s, MX_STR("&#")) < 0)
        return s;
    char *out = mx_arena_alloc(arena, s.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n;) {
        size_t length = 1;
        char c = reference_at(s, i, &length);
        out[n++] = c != '\0' ? c : s.p[i];
        i += c != '\0' ? length : 1;
    }
    return mx_str_of(out, n);
}

static struct mx_str with_slashes(struct mx_arena *arena, struct mx_str s)
{
    if (mx_str_chr(s, '\\') < 0)
        return s;
    char *out = mx_arena_dup(arena, s.p, s.n);
    for (size_t i = 0; i < s.n; i++)
        out[i] = out[i] == '\\' ? '/' : out[i];
    return mx_str_of(out, s.n);
}

/* ---- web addresses -------------------------------------------------------------------
 */

static bool split_web(struct mx_str uri, struct web *out)
{
    size_t scheme = web_scheme(uri);
    if (scheme == 0 || !mx_str_starts(mx_str_sub(uri, scheme, 2), MX_STR("//")))
        return false;
    struct web web = {.scheme = mx_str_sub(uri, 0, scheme + 2)};
    web.is_http = mx_str_eq(web.scheme, MX_STR("http://"));
    struct mx_str behind = mx_str_sub(uri, scheme + 2, uri.n);
    size_t auth = span_until(behind, "@/?#");
    struct mx_str host = behind;
    if (auth < behind.n && behind.p[auth] == '@') {
        host = mx_str_sub(behind, auth + 1, behind.n);
        web.has_auth = span_until(host, "/?#:") > 0;
        host = web.has_auth ? host : behind;
    }
    size_t n = span_until(host, "/?#:");
    if (n == 0)
        return false;
    web.host = mx_str_sub(host, 0, n);
    web.rest = mx_str_sub(host, n, host.n);
    *out = web;
    return true;
}

static void add_web(struct cook *c, const struct web *web)
{
    add_joined(c, web->scheme, web->host, web->rest);
}

static void drop_port(struct cook *c, struct web *web)
{
    struct mx_str digits = mx_str_sub(web->rest, 1, web->rest.n);
    if (web->rest.n < 2 || web->rest.p[0] != ':' || !is_digit(digits.p[0]))
        return;
    web->has_port = true;
    web->bare = web->rest;
    struct mx_str port = web->is_http ? MX_STR("80") : MX_STR("443");
    bool is_whole =
        digits.n == port.n ||
        (digits.n > port.n && !text_char_word((unsigned char)digits.p[port.n]));
    if (!mx_str_starts(digits, port) || !is_whole)
        return;
    web->bare = mx_str_sub(digits, port.n, digits.n);
    add_joined(c, web->scheme, web->host, web->bare);
}

static struct mx_str use_ascii(struct cook *c, struct web *web)
{
    struct mx_str ascii = text_host_ascii(c->arena, web->host);
    if (mx_str_eq(ascii, mx_str_lower(c->arena, web->host)))
        return ascii;
    web->host = ascii;
    add_web(c, web);
    if (web->has_port && web->bare.n > 0)
        add_joined(c, web->scheme, web->host, web->bare);
    return ascii;
}

static void drop_controls(struct cook *c, struct web *web)
{
    char *out = mx_arena_alloc(c->arena, web->host.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < web->host.n; i++) {
        if ((unsigned char)web->host.p[i] > ' ')
            out[n++] = web->host.p[i];
    }
    if (n == web->host.n)
        return;
    web->host = mx_str_of(out, n);
    add_web(c, web);
}

/* The first "http" and colon anywhere in ${s}, up to "&" or "#". */
static bool find_embedded(struct mx_str s, struct mx_str *out)
{
    for (size_t i = 0; i + 5 < s.n; i++) {
        struct mx_str from = mx_str_sub(s, i, s.n);
        size_t scheme = web_scheme(from);
        size_t end = scheme > 0 ? span_until(from, "&#") : 0;
        if (end <= scheme)
            continue;
        *out = mx_str_sub(from, 0, end);
        return mx_str_chr(*out, '.') >= 0;
    }
    return false;
}

static void add_target(struct cook *c, const struct web *web)
{
    struct mx_str parts[] = {web->scheme, web->host, web->rest};
    struct mx_str target;
    if (text_redirectors_match(c->lists->redirectors, text_join(c->arena, parts, 3),
                               &target) ||
        find_embedded(web->rest, &target))
        text_lister_add(c->arena, &c->sources, target);
}

/* What is in front of "@" in the host, and what at its end is no letter or digit. */
static void trim_host(struct cook *c, struct web *web)
{
    ptrdiff_t at = mx_str_chr(web->host, '@');
    if (at > 0) {
        web->host = mx_str_sub(web->host, (size_t)at + 1, web->host.n);
        add_web(c, web);
    }
    size_t n = web->host.n;
    while (n > 0 && (!text_char_word((unsigned char)web->host.p[n - 1]) ||
                     web->host.p[n - 1] == '_'))
        n--;
    if (n == web->host.n)
        return;
    web->host.n = n;
    add_web(c, web);
}

/* A host of one label is looked for under .com, with "www." in front. */
static void cook_label(struct cook *c, const struct web *web, struct mx_str host)
{
    bool is_default = web->is_http && !web->has_auth &&
                      (!web->has_port || mx_str_starts(web->rest, MX_STR(":80")));
    if (web->has_port && web->rest.n > 3 && is_digit(web->rest.p[3]))
        is_default = false;
    struct mx_str label = host;
    if (mx_str_starts(host, MX_STR("www.")) && host.n > 4)
        label = mx_str_sub(host, 4, host.n);
    if (!is_default || mx_str_eq(host, MX_STR("localhost")) ||
        mx_str_chr(label, '.') >= 0 || text_domain_is_valid(c->lists, host))
        return;
    struct mx_str parts[] = {web->scheme, MX_STR("www."), label, MX_STR(".com"),
                             web->rest};
    add(c, text_join(c->arena, parts, 5));
}

static void cook_web(struct cook *c, struct web *web)
{
    drop_port(c, web);
    struct mx_str ascii = use_ascii(c, web), address;
    drop_controls(c, web);
    add_target(c, web);
    trim_host(c, web);
    if (text_host_from_number(c->arena, web->host, &address))
        add_joined(c, web->scheme, address, web->rest);
    else
        cook_label(c, web, ascii);
}

/* ---- all together --------------------------------------------------------------------
 */

/* ${uri} without line ends and space around it. */
static struct mx_str tidy(struct mx_arena *arena, struct mx_str uri, bool is_wide)
{
    char *out = mx_arena_alloc(arena, uri.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < uri.n; i++) {
        if (uri.p[i] != '\n')
            out[n++] = uri.p[i];
    }
    struct mx_str trimmed = text_trim(mx_str_of(out, n), is_wide);
    n = 0;
    for (size_t i = 0; i < trimmed.n; i++) {
        if (trimmed.p[i] != '\r')
            out[n++] = trimmed.p[i];
    }
    return mx_str_of(out, n);
}

static bool is_local(struct mx_str uri)
{
    return uri.n <= 1 || uri.p[0] == '#' || uri.p[0] == '?' || uri.p[0] == '&' ||
           (uri.p[0] == '/' && uri.p[1] != '/');
}

static void cook_one(struct cook *c, struct mx_str uri)
{
    if (is_local(uri))
        return;
    if (is_mail(uri)) {
        cook_mail(c, uri);
        return;
    }
    struct mx_str form = with_two_slashes(c->arena, with_slashes(c->arena, uri));
    if (has_escape(form))
        form = text_uri_unescape(c->arena, form, c->is_wide);
    form = with_path(c->arena, with_scheme(c->arena, form));
    form = without_references(c->arena, form);
    if (!mx_str_eq(form, uri))
        add(c, form);
    struct web web;
    if (split_web(form, &web))
        cook_web(c, &web);
}

struct text_list text_uri_cook(struct mx_arena *arena, const struct text_lists *lists,
                               struct mx_str uri, bool is_wide)
{
    struct cook c = {
        .arena = arena,
        .lists = lists,
        .sources = {.max = TEXT_URI_FORMS_MAX},
        .forms = {.max = TEXT_URI_FORMS_MAX},
        .is_wide = is_wide,
    };
    text_lister_add(arena, &c.sources, uri);
    for (size_t i = 0; i < c.sources.n; i++) {
        struct mx_str tidied = tidy(arena, c.sources.v[i], is_wide);
        add(&c, tidied);
        cook_one(&c, tidied);
    }
    return text_lister_list(&c.forms);
}
