/*
 * The addresses of a message: those that a mail program would find in its text
 * (text_uri_find), and those in attributes of its HTML. Each is kept as written and
 * joined by its cooked forms (text_uri_cook); uri rules match all of them, once each.
 *
 * An address from text needs a valid host, as text is full of what only looks like one.
 * An address from HTML is taken as it is. One that occurs in both is one address.
 */
#include "text/text_uri.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "mx_arena.h"
#include "text/text.h"
#include "text/text_chars.h"
#include "text/text_domain.h"
#include "text/text_html_uri.h"
#include "text/text_uri_cook.h"
#include "text/text_uri_find.h"

#define FORMS_MAX (TEXT_URIS_MAX * 4) /* strings that uri rules match */
#define ARENA_PER_BYTE 256            /* arena that one byte of a URI may need */
#define ARENA_RESERVE 65536           /* bytes of arena that are left alone */

/* A set of strings: open addressing, grown by doubling. Slots are index + 1. */
struct set {
    unsigned *slot;
    size_t n_slots, n;
};

struct former {
    struct mx_arena *arena;
    const struct text_lists *lists;
    struct texts *texts;
    struct text_uri *v;
    size_t n, room;
    struct set raws, forms, seen;
    struct text_lister out, seen_list;
};

static struct mx_str raw_at(const struct former *f, const struct set *set, size_t i)
{
    if (set == &f->raws)
        return f->v[i].raw;
    return set == &f->forms ? f->out.v[i] : f->seen_list.v[i];
}

static size_t find_slot(const struct former *f, const struct set *set, struct mx_str s)
{
    size_t at = (size_t)mx_str_hash(s) & (set->n_slots - 1);
    while (set->slot[at] != 0 && !mx_str_eq(raw_at(f, set, set->slot[at] - 1), s))
        at = (at + 1) & (set->n_slots - 1);
    return at;
}

static void grow(struct former *f, struct set *set)
{
    if (set->n * 2 < set->n_slots)
        return;
    set->n_slots = set->n_slots == 0 ? 64 : set->n_slots * 2;
    set->slot = mx_arena_array(f->arena, set->n_slots, sizeof(*set->slot));
    for (size_t i = 0; i < set->n; i++)
        set->slot[find_slot(f, set, raw_at(f, set, i))] = (unsigned)i + 1;
}

/* Whether ${s} was not yet in ${set}; then its element is the next one. */
static bool claim(struct former *f, struct set *set, struct mx_str s)
{
    grow(f, set);
    size_t at = find_slot(f, set, s);
    if (set->slot[at] != 0)
        return false;
    set->slot[at] = (unsigned)++set->n;
    return true;
}

/* As rules name the kinds, in the order of their bits; tags as in the table of those. */
static const char *const kind_names[TEXT_URI_KINDS] = {
    "parsed",  "a",    "area",  "link", "img", "frame", "iframe", "embed", "script",
    "bgsound", "body", "table", "tr",   "td",  "form",  "base",   "meta"};

const char *text_uri_kind_name(unsigned i)
{
    return kind_names[i];
}

unsigned text_uri_kind(const char *tag)
{
    for (unsigned i = 1; i < TEXT_URI_KINDS; i++)
        if (strcmp(kind_names[i], tag) == 0)
            return 1u << i;
    return 0;
}

static struct mx_str cut(struct former *f, struct mx_str form, bool is_wide)
{
    size_t n = is_wide ? text_chars_offset(form, TEXT_URI_MAX) : TEXT_URI_MAX;
    if (n >= form.n)
        return form;
    f->texts->uri_truncated = true;
    return mx_str_sub(form, 0, n);
}

/* The forms of ${uri}; its host is that of the first form which has one. */
static void cook(struct former *f, struct text_uri *uri, bool is_wide)
{
    uri->cooked = text_uri_cook(f->arena, f->lists, uri->raw, is_wide);
    for (size_t i = 0; i < uri->cooked.n; i++) {
        uri->cooked.v[i] = cut(f, uri->cooked.v[i], is_wide);
        if (uri->host.n == 0)
            text_domain_of_uri(f->arena, f->lists, uri->cooked.v[i], &uri->host,
                               &uri->domain);
    }
}

/* ${kinds} 0: an anchor whose address was not taken; if nothing else has it, it counts
   as parsed. Only an address from text needs a host. */
static void add(struct former *f, struct mx_str raw, unsigned kinds, bool is_text)
{
    if (f->raws.n_slots > 0) {
        size_t known = f->raws.slot[find_slot(f, &f->raws, raw)];
        if (known != 0) {
            f->v[known - 1].kinds |= kinds;
            return;
        }
    }
    size_t need = raw.n * ARENA_PER_BYTE + ARENA_RESERVE;
    if (f->n >= TEXT_URIS_MAX || need > mx_arena_left(f->arena))
        return;
    struct text_uri uri = {.raw = raw, .kinds = kinds ? kinds : TEXT_URI_PARSED};
    bool is_wide = !is_text && text_has_high(raw) && mx_str_is_utf8(raw);
    cook(f, &uri, is_wide);
    if (is_text && uri.host.n == 0)
        return;
    claim(f, &f->raws, raw);
    f->v = text_grow(f->arena, f->v, f->n, &f->room, sizeof(*f->v));
    f->v[f->n++] = uri;
    for (size_t i = 0; i < uri.cooked.n && f->out.n < FORMS_MAX; i++) {
        if (claim(f, &f->forms, uri.cooked.v[i]))
            text_lister_add(f->arena, &f->out, uri.cooked.v[i]);
    }
}

/* ---- from text -----------------------------------------------------------------------
 */

static struct mx_str with_prefix(const struct former *f, const char *prefix,
                                 struct mx_str uri)
{
    return text_join(f->arena, (struct mx_str[]){mx_str(prefix), uri}, 2);
}

/* "www.", "www1.", "www12." */
static bool is_www(struct mx_str s)
{
    if (!mx_str_istarts(s, MX_STR("www")))
        return false;
    size_t i = 3;
    while (i < s.n && i < 5 && s.p[i] >= '0' && s.p[i] <= '9')
        i++;
    return i < s.n && s.p[i] == '.';
}

/* ${s} without "skype:", "email:" and the like, which text often has before an address.
 */
static struct mx_str without_label(struct mx_str s)
{
    static const char *const labels[] = {"skype", "e-mail", "email", "mail", "-mail", ""};
    for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
        struct mx_str label = mx_str(labels[i]);
        size_t n = label.n;
        if (!mx_str_istarts(s, label) || n >= s.n || s.p[n] != ':')
            continue;
        while (n < s.n && s.p[n] == ':')
            n++;
        return mx_str_sub(s, n, s.n);
    }
    return s;
}

/* A "." behind "@" and at least one character between them. */
static bool has_dot_behind_at(struct mx_str s)
{
    ptrdiff_t at = mx_str_chr(s, '@');
    return at >= 0 && mx_str_chr(mx_str_sub(s, (size_t)at + 2, s.n), '.') >= 0;
}

/* What was written without a scheme gets the one it is meant to have. */
static bool add_scheme(const struct former *f, struct mx_str *uri)
{
    static const char *const schemes[] = {"http:", "https:", "ftp:", "mailto:"};
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        if (mx_str_istarts(*uri, mx_str(schemes[i])))
            return true;
    }
    ptrdiff_t slash = mx_str_chr(*uri, '/'), at = mx_str_rchr(*uri, '@');
    if (mx_str_istarts(*uri, MX_STR("ftp."))) {
        *uri = with_prefix(f, "ftp://", *uri);
    } else if (is_www(*uri) || (slash >= 0 && slash + 1 < at)) {
        *uri = with_prefix(f, "http://", *uri);
    } else if (at >= 0) {
        if (!has_dot_behind_at(*uri) || mx_str_find(*uri, MX_STR("&nbsp;")) >= 0)
            return false;
        *uri = with_prefix(f, "mailto:", without_label(*uri));
    } else {
        if (mx_str_chr(*uri, '.') < 0)
            return false;
        *uri = with_prefix(f, "http://", *uri);
    }
    return true;
}

static bool has_escape(struct mx_str s)
{
    for (size_t i = 0; i + 2 < s.n; i++) {
        if (s.p[i] == '%' && strchr("0123456789abcdefABCDEF", s.p[i + 1]) != NULL &&
            strchr("0123456789abcdefABCDEF", s.p[i + 2]) != NULL)
            return true;
    }
    return false;
}

/* Whether a mailto: has a host with a known TLD; ${uri} is decoded. */
static bool check_mailto(const struct former *f, struct mx_str *uri)
{
    if (has_escape(*uri))
        *uri = text_uri_unescape(f->arena, *uri, false);
    ptrdiff_t at = mx_str_chr(*uri, '@');
    if (at < 0)
        return false;
    struct mx_str host = mx_str_sub(*uri, (size_t)at + 1, uri->n);
    for (size_t i = 0; i < host.n; i++) {
        if (host.p[i] == '?' || host.p[i] == '&' || host.p[i] == '>')
            host.n = i;
    }
    while (host.n >= 3 && memcmp(host.p + host.n - 3, "%20", 3) == 0)
        host.n -= 3;
    return text_domain_is_valid(f->lists, text_host_ascii(f->arena, host));
}

/* "http:", "foo://" and the like, and identifiers of parts. */
static bool is_no_address(struct mx_str uri)
{
    if (mx_str_istarts(uri, MX_STR("cid:")) || mx_str_istarts(uri, MX_STR("mid:")))
        return true;
    size_t n = 0;
    while (n < uri.n && text_char_word((unsigned char)uri.p[n]))
        n++;
    if (n == 0 || n == uri.n || uri.p[n] != ':')
        return false;
    size_t slashes = uri.n - n - 1;
    return slashes == 0 || (slashes == 1 && uri.p[n + 1] == '/') ||
           (slashes == 2 && uri.p[n + 1] == '/' && uri.p[n + 2] == '/');
}

static void add_found(struct former *f, const struct text_found *found)
{
    struct mx_str uri = found->uri;
    if (f->seen_list.n >= f->seen_list.max || !claim(f, &f->seen, uri))
        return;
    text_lister_add(f->arena, &f->seen_list, uri);
    if (found->kind == TEXT_FOUND_MAIL && mx_str_chr(uri, '@') < 0)
        return;
    if (found->kind == TEXT_FOUND_HOST &&
        !text_host_is_valid(mx_str_lower(f->arena, found->host)))
        return;
    if (is_no_address(uri) || !add_scheme(f, &uri))
        return;
    if (mx_str_istarts(uri, MX_STR("mailto:")) && !check_mailto(f, &uri))
        return;
    add(f, uri, TEXT_URI_PARSED, true);
}

static void add_text(struct former *f, struct mx_str text)
{
    struct text_finder finder = {.text = text, .lists = f->lists};
    struct text_found found;
    while (mx_arena_left(f->arena) > ARENA_RESERVE && text_find_next(&finder, &found))
        add_found(f, &found);
}

/* ---- from HTML -----------------------------------------------------------------------
 */

static void add_html(struct former *f, const struct html_result *html)
{
    f->texts->uri_truncated |= html->uri_truncated;
    for (size_t i = 0; i < html->uris.n; i++)
        add(f, html->uris.v[i], html->uri_kinds[i], false);
    for (size_t i = 0; i < html->n_anchors; i++)
        add(f, html->anchors[i].href, 0, false);
}

void text_uri_form(struct mx_arena *arena, const struct text_settings *settings,
                   struct texts *texts)
{
    struct former f = {
        .arena = arena,
        .lists = &settings->lists,
        .texts = texts,
        .out = {.max = FORMS_MAX},
        .seen_list = {.max = FORMS_MAX},
    };
    for (size_t i = 0; i < texts->body.n; i++)
        add_text(&f, texts->body.v[i]);
    for (size_t i = 0; i < texts->tree.n_parts; i++) {
        if (texts->tree.parts[i].html != NULL)
            add_html(&f, texts->tree.parts[i].html);
    }
    texts->uris = text_lister_list(&f.out);
    texts->uri_details = f.v;
    texts->n_uri_details = f.n;
}
