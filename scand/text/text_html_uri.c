/*
 * Addresses in HTML attributes. A relative address becomes absolute by the base that the
 * document states; without a base it stays relative, and what is made of it later (a
 * host?) is text_uri's affair. An authority alone, as in "//www.example.com/", gets a
 * scheme where its name tells which.
 *
 * Nothing is decoded or validated here: spam is recognised by how its addresses are
 * written.
 */
#include "text/text_html_uri.h"

#include <string.h>

#include "mx_arena.h"
#include "text/text_chars.h"

/* A missing part has p == NULL, which differs from an empty one. */
struct uri {
    struct mx_str scheme, authority, path, query, fragment;
};

struct mx_str html_uri_trim(struct mx_str raw, bool is_wide, bool *out_is_truncated)
{
    struct mx_str uri = text_trim(raw, is_wide);
    while (!is_wide && uri.n > 0 && (uri.p[0] == '\xa0' || uri.p[uri.n - 1] == '\xa0')) {
        uri = mx_str_sub(uri, uri.p[0] == '\xa0', uri.n - 1);
        uri = text_trim(uri, false);
    }
    size_t end = is_wide ? text_chars_offset(uri, TEXT_URI_MAX) : TEXT_URI_MAX;
    if (end >= uri.n)
        return uri;
    *out_is_truncated = true;
    return mx_str_sub(uri, 0, end);
}

/* Up to the first of ${stops}; cut off ${rest}. Never missing. */
static struct mx_str take_until(struct mx_str *rest, const char *stops)
{
    size_t n = 0;
    while (n < rest->n && (rest->p[n] == '\0' || strchr(stops, rest->p[n]) == NULL))
        n++;
    struct mx_str taken = {.p = n > 0 ? rest->p : "", .n = n};
    *rest = mx_str_sub(*rest, n, rest->n - n);
    return taken;
}

static bool drop_char(struct mx_str *rest, char c)
{
    if (rest->n == 0 || rest->p[0] != c)
        return false;
    *rest = mx_str_sub(*rest, 1, rest->n - 1);
    return true;
}

static struct uri split(struct mx_str text)
{
    struct uri uri = {0};
    struct mx_str rest = text;
    struct mx_str scheme = take_until(&rest, ":/?#");
    if (scheme.n > 0 && drop_char(&rest, ':'))
        uri.scheme = scheme;
    else
        rest = text;
    if (mx_str_starts(rest, MX_STR("//"))) {
        rest = mx_str_sub(rest, 2, rest.n - 2);
        uri.authority = take_until(&rest, "/?#");
    }
    uri.path = take_until(&rest, "?#");
    if (drop_char(&rest, '?'))
        uri.query = take_until(&rest, "#");
    if (drop_char(&rest, '#'))
        uri.fragment = take_until(&rest, "\n");
    return uri;
}

/* "/." or "/.." as a whole segment at the start of ${path}: its length, else 0. */
static size_t dot_segment(struct mx_str path)
{
    if (path.n < 2 || path.p[0] != '/' || path.p[1] != '.')
        return 0;
    size_t n = path.n > 2 && path.p[2] == '.' ? 3 : 2;
    return path.n == n || path.p[n] == '/' ? n : 0;
}

static struct mx_str remove_dots(struct mx_arena *arena, struct mx_str path)
{
    char *out = mx_arena_alloc(arena, path.n + 1);
    size_t n = 0;
    if (mx_str_starts(path, MX_STR("./")))
        path = mx_str_sub(path, 1, path.n - 1);
    else if (mx_str_starts(path, MX_STR("../")))
        path = mx_str_sub(path, 2, path.n - 2);
    while (path.n > 0 && !mx_str_eq(path, MX_STR("0"))) { /* "0" is false in Perl */
        size_t dots = dot_segment(path);
        if (dots > 0) {
            while (dots == 3 && n > 0 && out[--n] != '/')
                ;
            bool is_last = path.n == dots;
            path = is_last ? MX_STR("/") : mx_str_sub(path, dots, path.n - dots);
            continue;
        }
        do
            out[n++] = path.p[0], path = mx_str_sub(path, 1, path.n - 1);
        while (path.n > 0 && path.p[0] != '/');
    }
    return mx_str_of(out, n);
}

/* ${path}, relative, seen from ${base}. */
static struct mx_str merge(struct mx_arena *arena, const struct uri *base,
                           struct mx_str path)
{
    if (base->authority.p != NULL && base->path.n == 0)
        return text_join(arena, (struct mx_str[]){MX_STR("/"), path}, 2);
    ptrdiff_t slash = mx_str_rchr(base->path, '/');
    struct mx_str directory = mx_str_sub(base->path, 0, (size_t)(slash + 1));
    return text_join(arena, (struct mx_str[]){directory, path}, 2);
}

static struct uri resolve(struct mx_arena *arena, const struct uri *base, struct uri uri)
{
    struct uri out = {.scheme = uri.scheme, .fragment = uri.fragment};
    bool is_same = uri.scheme.p != NULL && base->scheme.p != NULL &&
                   mx_str_eq(uri.scheme, base->scheme);
    if (is_same || uri.scheme.p == NULL)
        out.scheme = base->scheme;
    bool is_absolute = uri.scheme.p != NULL && !is_same;
    out.query = uri.query;
    if (is_absolute || uri.authority.p != NULL) {
        out.authority = uri.authority;
        out.path = remove_dots(arena, uri.path);
        return out;
    }
    out.authority = base->authority;
    if (uri.path.n == 0) {
        out.path = base->path;
        out.query = uri.query.p != NULL ? uri.query : base->query;
    } else if (uri.path.p[0] == '/') {
        out.path = remove_dots(arena, uri.path);
    } else {
        out.path = remove_dots(arena, merge(arena, base, uri.path));
    }
    return out;
}

/* "www12." or "ftp." at the start of an authority. */
static bool is_named(struct mx_str authority, struct mx_str name)
{
    if (!mx_str_istarts(authority, name))
        return false;
    size_t i = name.n;
    while (i < authority.n && authority.p[i] >= '0' && authority.p[i] <= '9')
        i++;
    return i < authority.n && authority.p[i] == '.';
}

static struct mx_str scheme_of(const struct uri *uri)
{
    if (uri->scheme.n > 0)
        return uri->scheme;
    if (is_named(uri->authority, MX_STR("www")))
        return MX_STR("http");
    return is_named(uri->authority, MX_STR("ftp")) ? MX_STR("ftp") : MX_STR_NONE;
}

struct mx_str html_uri_resolve(struct mx_arena *arena, struct mx_str base,
                               struct mx_str text)
{
    struct uri base_uri = split(base);
    struct uri uri = resolve(arena, &base_uri, split(text));
    struct mx_str scheme = scheme_of(&uri);
    struct mx_str none = MX_STR("");
    struct mx_str parts[] = {
        scheme,
        scheme.n > 0 ? MX_STR(":") : none,
        uri.authority.p != NULL ? MX_STR("//") : none,
        uri.authority,
        uri.path,
        uri.query.p != NULL ? MX_STR("?") : none,
        uri.query,
        uri.fragment.p != NULL ? MX_STR("#") : none,
        uri.fragment,
    };
    return text_join(arena, parts, sizeof(parts) / sizeof(parts[0]));
}

/* Behind "scheme:" and up to two slashes; 0 where no base may begin so. */
static size_t base_scheme(struct mx_str href)
{
    static const char *const schemes[] = {"https:", "http:", "ftp:"};
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        struct mx_str scheme = mx_str(schemes[i]);
        if (!mx_str_istarts(href, scheme))
            continue;
        size_t n = scheme.n;
        while (n < href.n && n < scheme.n + 2 && href.p[n] == '/')
            n++;
        return n;
    }
    return 0;
}

/* Length of ${href} without "name.ext" behind its last slash, where it ends in one. */
static size_t without_file(struct mx_str href, size_t host)
{
    ptrdiff_t slash = mx_str_rchr(href, '/'), dot = mx_str_rchr(href, '.');
    if (slash <= (ptrdiff_t)host || dot <= slash)
        return href.n;
    size_t extension = href.n - (size_t)dot - 1;
    size_t start = (size_t)dot;
    while (start > (size_t)slash + 1 && href.p[start - 1] != '.')
        start--;
    return extension >= 2 && extension <= 4 && start < (size_t)dot ? start : href.n;
}

bool html_uri_base(struct mx_arena *arena, struct mx_str href, struct mx_str *out)
{
    size_t host = base_scheme(href);
    if (host == 0)
        return false;
    struct mx_str directory = mx_str_sub(href, 0, without_file(href, host));
    bool has_slash = directory.p[directory.n - 1] == '/';
    struct mx_str parts[] = {directory, has_slash ? MX_STR("") : MX_STR("/")};
    *out = text_join(arena, parts, 2);
    return true;
}

/* Behind the last "url=" in ${s}, with space allowed before "="; or 0. */
static size_t behind_url(struct mx_str s)
{
    for (size_t i = s.n; i-- > 0;) {
        bool is_word = i > 0 && text_char_word((unsigned char)s.p[i - 1]);
        if (is_word || !mx_str_istarts(mx_str_sub(s, i, 3), MX_STR("url")))
            continue;
        size_t at = i + 3;
        while (at < s.n && text_char_space((unsigned char)s.p[at]))
            at++;
        if (at < s.n && s.p[at] == '=')
            return at + 1;
    }
    return 0;
}

bool html_uri_refresh(struct mx_str content, struct mx_str *out)
{
    size_t at = behind_url(content);
    if (at == 0)
        return false;
    struct mx_str uri = text_trim(mx_str_sub(content, at, content.n), false);
    ptrdiff_t semicolon = mx_str_chr(uri, ';');
    if (semicolon >= 0)
        uri = text_trim(mx_str_sub(uri, 0, (size_t)semicolon), false);
    *out = uri;
    return true;
}
