/*
 * Addresses of a document: href, src, background, action, base, meta refresh, and the
 * attribute in which a large webmail keeps the original of an href. All but schemes that
 * never are relative are resolved against <base> as it stands where they occur.
 *
 * Broken markup like <a id/href=...> makes an attribute "id/href"; its value is taken for
 * the href, as mail programs do.
 */
#include "text/text_html_link.h"

#include "mx_arena.h"
#include "text/text.h"
#include "text/text_chars.h"
#include "text/text_html_entity.h"
#include "text/text_html_tag.h"
#include "text/text_html_token.h"
#include "text/text_html_uri.h"
#include "text/text_uri.h"

#define LINKS_MAX 10000 /* addresses of a document */

struct html_links {
    struct mx_arena *arena;
    struct mx_str base;
    struct text_lister uris;
    unsigned *kinds; /* of each of them */
    size_t kinds_room;
    bool is_wide, has_iframe, is_truncated;
};

struct html_links *html_links_new(struct mx_arena *arena, bool is_wide)
{
    struct html_links *links = mx_arena_alloc(arena, sizeof(*links));
    links->arena = arena;
    links->is_wide = is_wide;
    links->uris.max = LINKS_MAX;
    return links;
}

/* ${raw} as the string that SpamAssassin has: trimmed, bytes where it is not wide. */
static struct mx_str tidy(struct html_links *links, struct mx_str raw)
{
    bool is_wide = links->is_wide;
    struct mx_str text = text_entities_decode(links->arena, raw, false, &is_wide);
    if (!is_wide)
        text = text_latin1(links->arena, text);
    return html_uri_trim(text, is_wide, &links->is_truncated);
}

static bool is_never_relative(struct mx_str uri)
{
    static const char *const schemes[] = {"data:", "mailto:", "file:", "cid:", "tel:"};
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        if (mx_str_istarts(uri, mx_str(schemes[i])))
            return true;
    }
    return false;
}

static void push(struct html_links *links, const struct html_known *tag,
                 struct mx_str uri)
{
    size_t n = links->uris.n;
    if (uri.n == 0)
        return;
    if (!is_never_relative(uri))
        uri = html_uri_resolve(links->arena, links->base, uri);
    if (uri.n == 0)
        return;
    text_lister_add(links->arena, &links->uris, uri);
    links->has_iframe |= tag->id == HTML_TAG_IFRAME;
    if (links->uris.n == n)
        return;
    links->kinds = text_grow(links->arena, links->kinds, n, &links->kinds_room,
                             sizeof(*links->kinds));
    links->kinds[n] = text_uri_kind(tag->name);
}

/* The attribute ${name}, or one that ends up as it in broken markup. */
static bool find_address(const struct html_token *token, struct mx_str name,
                         struct mx_str *out)
{
    for (size_t i = 0; i < token->n_attrs; i++) {
        struct mx_str attr = token->attrs[i].name;
        for (size_t at = 2; at + name.n <= attr.n; at++) {
            if (attr.p[at - 1] == '/' && text_char_word((unsigned char)attr.p[at - 2]) &&
                mx_str_istarts(mx_str_sub(attr, at, name.n), name)) {
                *out = token->attrs[i].value;
                return true;
            }
        }
    }
    return html_attr_find(token, name, out);
}

/* ${s} without U+FEFF, which hides in addresses. */
static struct mx_str without_bom(struct mx_arena *arena, struct mx_str s)
{
    struct mx_str bom = MX_STR("\xef\xbb\xbf");
    if (mx_str_find(s, bom) < 0)
        return s;
    char *out = mx_arena_alloc(arena, s.n);
    size_t n = 0;
    for (size_t i = 0; i < s.n;) {
        if (mx_str_starts(mx_str_sub(s, i, s.n), bom))
            i += bom.n;
        else
            out[n++] = s.p[i++];
    }
    return mx_str_of(out, n);
}

struct mx_str html_links_href(struct html_links *links, const struct html_token *token)
{
    struct mx_str raw;
    if (!find_address(token, MX_STR("href"), &raw))
        return MX_STR("");
    return tidy(links, without_bom(links->arena, raw));
}

static void push_attr(struct html_links *links, const struct html_known *tag,
                      const struct html_token *token, struct mx_str name)
{
    struct mx_str raw;
    if (find_address(token, name, &raw))
        push(links, tag, tidy(links, raw));
}

static void push_base(struct html_links *links, const struct html_known *tag,
                      const struct html_token *token)
{
    struct mx_str raw, base;
    if (!html_attr_find(token, MX_STR("href"), &raw))
        return;
    struct mx_str href = tidy(links, raw);
    push(links, tag, href);
    if (html_uri_base(links->arena, href, &base))
        links->base = base;
}

static bool has_refresh(struct mx_str equiv)
{
    for (size_t i = 0; i < equiv.n; i++) {
        if (mx_str_istarts(mx_str_sub(equiv, i, equiv.n), MX_STR("refresh")))
            return true;
    }
    return false;
}

static void push_refresh(struct html_links *links, const struct html_known *tag,
                         const struct html_token *token)
{
    struct mx_str equiv, content, uri;
    if (html_attr_find(token, MX_STR("http-equiv"), &equiv) && has_refresh(equiv) &&
        html_attr_find(token, MX_STR("content"), &content) &&
        html_uri_refresh(tidy(links, content), &uri))
        push(links, tag, uri);
}

void html_links_tag(struct html_links *links, const struct html_known *known,
                    const struct html_token *token)
{
    switch (known->link) {
    case HTML_LINK_NONE: break;
    case HTML_LINK_BACKGROUND:
        push_attr(links, known, token, MX_STR("background"));
        break;
    case HTML_LINK_HREF:
        push(links, known, html_links_href(links, token));
        push_attr(links, known, token, MX_STR("data-saferedirecturl"));
        break;
    case HTML_LINK_SRC: push_attr(links, known, token, MX_STR("src")); break;
    case HTML_LINK_ACTION: push_attr(links, known, token, MX_STR("action")); break;
    case HTML_LINK_BASE: push_base(links, known, token); break;
    case HTML_LINK_META: push_refresh(links, known, token); break;
    }
}

void html_links_result(const struct html_links *links, struct html_result *result)
{
    result->uris = text_lister_list(&links->uris);
    result->uri_kinds = links->kinds;
    result->has_iframe = links->has_iframe;
    result->uri_truncated = links->is_truncated;
}
