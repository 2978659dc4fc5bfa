/*
 * Host names and their registrable part. What a registry is comes from the util_rb_*
 * lists of the rule files, not from the public suffix list: rules, freemail lists and
 * welcomelists agree with these.
 *
 * Nothing is looked up in DNS.
 */
#include "text/text_domain.h"

#include <arpa/inet.h>
#include <idn2.h>
#include <stdlib.h>
#include <string.h>

#include "mx_arena.h"
#include "text/text.h"
#include "text/text_chars.h"

#define LABEL_MAX 63
#define HOST_MAX 253
#define TAIL_MAX 4     /* labels that a registry and a name in it may have */
#define IDN_MAX 1024   /* bytes of a host that is converted */
#define LITERAL_MAX 46 /* bytes of an IPv6 address in text, NUL included */

static int compare(const void *a, const void *b)
{
    return mx_str_icmp(*(const struct mx_str *)a, *(const struct mx_str *)b);
}

bool text_list_has(const struct text_list *sorted, struct mx_str word)
{
    return sorted != NULL && sorted->n > 0 &&
           bsearch(&word, sorted->v, sorted->n, sizeof(*sorted->v), compare) != NULL;
}

/* ---- names outside ASCII -------------------------------------------------------------
 */

static bool is_plain(struct mx_str host)
{
    for (size_t i = 0; i < host.n; i++) {
        char c = host.p[i];
        bool is_mark = c == '.' || c == ':' || c == '[' || c == ']' || c == '-';
        if (!is_mark && !text_char_word((unsigned char)c))
            return false;
    }
    return true;
}

/* Letters of ISO 8859-1 and what plain host names have. */
static bool is_latin1_name(struct mx_str host)
{
    for (size_t i = 0; i < host.n; i++) {
        unsigned char c = (unsigned char)host.p[i];
        bool is_high = c >= 0xc0 && c != 0xd7 && c != 0xdf && c != 0xf7 && c != 0xff;
        if (!is_high && !text_char_word(c) && c != '.' && c != '-')
            return false;
    }
    return true;
}

/* U+3002, U+FF0E and U+FF61 become ".". */
static struct mx_str with_dots(struct mx_arena *arena, struct mx_str host)
{
    char *out = mx_arena_alloc(arena, host.n + 1);
    size_t n = 0;
    for (const char *p = host.p, *end = host.p + host.n; p < end;) {
        uint32_t c = text_char_next(&p, end);
        bool is_stop = c == 0x3002 || c == 0xff0e || c == 0xff61;
        n += text_char_put(is_stop ? '.' : c, out + n);
    }
    return mx_str_of(out, n);
}

static struct mx_str latin1_to_utf8(struct mx_arena *arena, struct mx_str s)
{
    char *out = mx_arena_alloc(arena, s.n * 2 + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += text_char_put((unsigned char)s.p[i], out + n);
    return mx_str_of(out, n);
}

struct mx_str text_host_ascii(struct mx_arena *arena, struct mx_str host)
{
    if (is_plain(host) || host.n > IDN_MAX)
        return mx_str_lower(arena, host);
    struct mx_str utf8;
    if (mx_str_is_utf8(host))
        utf8 = with_dots(arena, host);
    else if (is_latin1_name(host))
        utf8 = latin1_to_utf8(arena, host);
    else
        return mx_str_lower(arena, host);
    char *ace = NULL;
    int rc = idn2_to_ascii_8z(mx_str_cstr(arena, utf8), &ace,
                              IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
    struct mx_str out =
        rc == IDN2_OK ? mx_str_dup(arena, mx_str(ace)) : mx_str_lower(arena, host);
    idn2_free(ace);
    return out;
}

/* ---- validity ------------------------------------------------------------------------
 */

static bool is_label(struct mx_str label, bool may_have_underscore)
{
    if (label.n < 1 || label.n > LABEL_MAX || label.p[0] == '-' ||
        label.p[label.n - 1] == '-')
        return false;
    for (size_t i = 0; i < label.n; i++) {
        char c = label.p[i];
        bool is_ok = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
                     (c == '_' && may_have_underscore);
        if (!is_ok)
            return false;
    }
    return true;
}

bool text_host_is_valid(struct mx_str host)
{
    while (host.n > 0 && host.p[host.n - 1] == '.')
        host.n--;
    if (host.n > HOST_MAX || mx_str_chr(host, '.') < 0)
        return false;
    for (int from_end = 1; host.n > 0; from_end++) {
        ptrdiff_t dot = mx_str_rchr(host, '.');
        struct mx_str label = mx_str_sub(host, (size_t)(dot + 1), host.n);
        if (dot == 0 || !is_label(label, from_end > 2))
            return false;
        host.n = dot < 0 ? 0 : (size_t)dot;
    }
    return true;
}

bool text_host_is_ip(struct mx_str host)
{
    char text[LITERAL_MAX];
    struct in6_addr address;
    if (mx_str_istarts(host, MX_STR("IPv6:")))
        host = mx_str_sub(host, 5, host.n);
    if (host.n >= sizeof(text) || memchr(host.p, '\0', host.n) != NULL)
        return false;
    memcpy(text, host.p, host.n);
    text[host.n] = '\0';
    return inet_pton(AF_INET, text, &address) == 1 ||
           inet_pton(AF_INET6, text, &address) == 1;
}

bool text_domain_is_valid(const struct text_lists *lists, struct mx_str host)
{
    ptrdiff_t dot = mx_str_rchr(host, '.');
    if (dot < 0)
        return false;
    for (size_t i = 0; i < host.n; i++) {
        if (text_char_space((unsigned char)host.p[i]))
            return false;
    }
    return text_list_has(lists->tlds, mx_str_sub(host, (size_t)dot + 1, host.n));
}

/* ---- registries ----------------------------------------------------------------------
 */

static bool is_us_state(struct mx_str s)
{
    static const char states[] = " ak al ar az ca co ct dc de fl ga gu hi ia id il in ks "
                                 "ky la ma md me mi mn mo ms "
                                 "mt nc nd ne nh nj nm nv ny oh ok or pa pr ri sc sd tn "
                                 "tx ut va vi vt wa wi wv wy ";
    if (s.n != 2)
        return false;
    char key[] = {' ', s.p[0], s.p[1], ' ', '\0'};
    return strstr(states, key) != NULL;
}

/* The last labels of a host, last one first. */
struct tail {
    struct mx_str label[TAIL_MAX];
    struct mx_str from[TAIL_MAX]; /* host from that label on */
    size_t n;
};

static struct tail tail_of(struct mx_str host)
{
    struct tail tail = {0};
    struct mx_str rest = host;
    while (tail.n < TAIL_MAX && rest.n > 0) {
        ptrdiff_t dot = mx_str_rchr(rest, '.');
        size_t start = (size_t)(dot + 1);
        tail.label[tail.n] = mx_str_sub(rest, start, rest.n);
        tail.from[tail.n++] = mx_str_sub(host, start, host.n);
        rest.n = dot < 0 ? 0 : (size_t)dot;
    }
    return tail;
}

static bool is_us_locality(const struct tail *tail)
{
    struct mx_str city = tail->label[3];
    bool is_school =
        mx_str_eq(city, MX_STR("pvt")) && mx_str_eq(tail->label[2], MX_STR("k12"));
    bool is_town = mx_str_eq(city, MX_STR("ci")) || mx_str_eq(city, MX_STR("co"));
    return (is_school || is_town) && is_us_state(tail->label[1]);
}

/* Number of labels in the registry of a host. */
static size_t registry_of(const struct text_lists *lists, const struct tail *tail)
{
    bool is_us = mx_str_eq(tail->label[0], MX_STR("us"));
    if (tail->n >= 4 && is_us && is_us_locality(tail))
        return 4;
    if (tail->n >= 3 && (is_us ? is_us_state(tail->label[1])
                               : text_list_has(lists->three_level, tail->from[2])))
        return 3;
    return tail->n >= 2 && text_list_has(lists->two_level, tail->from[1]) ? 2 : 1;
}

/* ${host} without dots at its ends or twice in a row. */
static struct mx_str single_dots(struct mx_arena *arena, struct mx_str host)
{
    char *out = mx_arena_alloc(arena, host.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < host.n; i++) {
        if (host.p[i] != '.' || (n > 0 && out[n - 1] != '.'))
            out[n++] = host.p[i];
    }
    return mx_str_of(out, n > 0 && out[n - 1] == '.' ? n - 1 : n);
}

struct mx_str text_domain_of(struct mx_arena *arena, const struct text_lists *lists,
                             struct mx_str host)
{
    host = single_dots(arena, text_host_ascii(arena, host));
    struct tail tail = tail_of(host);
    if (tail.n < 2)
        return host;
    size_t registry = registry_of(lists, &tail);
    if (registry < tail.n)
        return tail.from[registry];
    ptrdiff_t dot =
        mx_str_rchr(mx_str_sub(host, 0, host.n - tail.from[registry - 1].n), '.');
    if (dot <= 0)
        return host;
    ptrdiff_t before = mx_str_rchr(mx_str_sub(host, 0, (size_t)dot), '.');
    return mx_str_sub(host, (size_t)(before + 1), host.n);
}

/* ---- of URIs -------------------------------------------------------------------------
 */

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

/* A printable character written as %XX: the decoded form will be judged instead. */
static bool has_needless_escape(struct mx_str s)
{
    for (size_t i = 0; i + 2 < s.n; i++) {
        char a = s.p[i + 1], b = s.p[i + 2];
        if (s.p[i] != '%' || a < '2' || a > '7' || !is_hex(b))
            continue;
        if ((a != '2' || b != '0') && (a != '7' || b != 'f'))
            return true;
    }
    return false;
}

static bool host_of_mail(struct mx_str uri, struct mx_str *out)
{
    ptrdiff_t end = mx_str_chr(uri, '?');
    if (end >= 0)
        uri.n = (size_t)end;
    ptrdiff_t at = mx_str_chr(uri, '@');
    if (at < 0 || at != mx_str_rchr(uri, '@'))
        return false;
    *out = mx_str_sub(uri, (size_t)at + 1, uri.n);
    return true;
}

static struct mx_str host_of_uri(struct mx_str uri)
{
    size_t i = 0;
    while (i < uri.n && uri.p[i] >= 'a' && uri.p[i] <= 'z')
        i++;
    if (i > 0 && i < uri.n && uri.p[i] == ':') {
        size_t behind = i + 1;
        for (i = behind; i < uri.n && i < behind + 2 && uri.p[i] == '/';)
            i++;
        uri = mx_str_sub(uri, i, uri.n);
    }
    for (i = 0; i < uri.n && uri.p[i] != '/' && uri.p[i] != '?' && uri.p[i] != '#';)
        i++;
    uri.n = i;
    ptrdiff_t at = mx_str_rchr(uri, '@');
    uri = mx_str_sub(uri, (size_t)(at + 1), uri.n);
    size_t port = uri.n;
    while (port > 0 && uri.p[port - 1] >= '0' && uri.p[port - 1] <= '9')
        port--;
    if (port > 0 && uri.p[port - 1] == ':')
        uri.n = port - 1;
    return uri;
}

bool text_domain_of_uri(struct mx_arena *arena, const struct text_lists *lists,
                        struct mx_str uri, struct mx_str *out_host,
                        struct mx_str *out_domain)
{
    uri = mx_str_lower(arena, uri);
    if (mx_str_starts(uri, MX_STR("javascript:")) || mx_str_starts(uri, MX_STR("cid:")) ||
        mx_str_starts(uri, MX_STR("file:")))
        return false;
    struct mx_str host;
    if (!mx_str_starts(uri, MX_STR("mailto:")))
        host = host_of_uri(uri);
    else if (!host_of_mail(mx_str_sub(uri, 7, uri.n), &host))
        return false;
    if (has_needless_escape(host))
        return false;
    host = text_host_ascii(arena, host);
    bool is_ip = text_host_is_ip(host);
    if (!is_ip && (!text_host_is_valid(host) || !text_domain_is_valid(lists, host)))
        return false;
    *out_host = host;
    *out_domain = is_ip ? host : text_domain_of(arena, lists, host);
    return true;
}
