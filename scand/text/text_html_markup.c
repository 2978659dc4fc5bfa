/*
 * One piece of markup, from its "<" on. Nothing is remembered from one to the next, so
 * what a tag means where it stands (text of a script, an ignored section) is the
 * tokeniser's affair.
 *
 * What has no end is told apart from what is no markup at all: the first may be read in
 * another way later, the second is text. XML mode and strict names are left out.
 */
#include "text/text_html_markup.h"

#include <string.h>

#include "text/text_chars.h"

struct markup {
    const char *end; /* of the source; a NUL is there */
    bool has_short_comments;
    struct html_markup *out;
};

static bool is_space(char c)
{
    return text_char_space((unsigned char)c);
}

bool html_is_name_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':';
}

static bool is_name(char c)
{
    return html_is_name_start(c) || (c >= '0' && c <= '9') || c == '-' || c == '.';
}

static bool is_word(char c) /* neither space nor ">" */
{
    return c != '>' && !is_space(c);
}

static const char *skip_space(const char *p)
{
    while (is_space(*p))
        p++;
    return p;
}

static const char *find_dashes(const struct markup *m, const char *from)
{
    return from < m->end ? memmem(from, (size_t)(m->end - from), "--", 2) : NULL;
}

static void take(struct markup *m, enum html_markup_kind kind, const char *from,
                 const char *to)
{
    m->out->kind = kind;
    m->out->text = mx_str_of(from, (size_t)(to - from));
}

/* Each reader is given "<" and returns as html_markup_read does. */

static const char *comment_to_gt(struct markup *m, const char *start)
{
    const char *gt = memchr(start, '>', (size_t)(m->end - start));
    if (gt == NULL)
        return start;
    take(m, HTML_MARKUP_COMMENT, start, gt + 1);
    return gt + 1;
}

/* "<!--" up to "-->", with space allowed before ">". */
static const char *read_comment(struct markup *m, const char *start)
{
    if (m->has_short_comments)
        return comment_to_gt(m, start);
    const char *p = start + 4;
    while (p < m->end && (p = memchr(p, '-', (size_t)(m->end - p))) != NULL) {
        if (*++p != '-')
            continue;
        const char *gt = skip_space(p + 1);
        if (*gt == '>') {
            take(m, HTML_MARKUP_COMMENT, start, gt + 1);
            return gt + 1;
        }
    }
    return start;
}

static enum html_section section_of(struct mx_str name)
{
    if (mx_str_ieq(name, MX_STR("include")))
        return HTML_SECTION_INCLUDE;
    if (mx_str_ieq(name, MX_STR("rcdata")))
        return HTML_SECTION_RCDATA;
    if (mx_str_ieq(name, MX_STR("cdata")))
        return HTML_SECTION_CDATA;
    return mx_str_ieq(name, MX_STR("ignore")) ? HTML_SECTION_IGNORE : HTML_SECTION_NONE;
}

/* "<![ name name [": begins a section, which has no token. */
static const char *read_section(struct markup *m, const char *start)
{
    const char *p = skip_space(start + 3);
    enum html_section strongest = HTML_SECTION_NONE;
    bool has_name = false;
    while (html_is_name_start(*p) || *p == '-') {
        if (*p == '-') {
            if (p[1] != '-')
                return NULL;
            const char *close = find_dashes(m, p + 2);
            if (close == NULL)
                return start;
            p = skip_space(close + 2);
            continue;
        }
        const char *name = p;
        while (is_name(*p))
            p++;
        enum html_section section = section_of(mx_str_of(name, (size_t)(p - name)));
        strongest = section > strongest ? section : strongest;
        has_name = true;
        p = skip_space(p);
        if (p >= m->end)
            return start;
    }
    if (*p != '[')
        return NULL;
    take(m, HTML_MARKUP_SECTION, start, p + 1);
    m->out->section = has_name ? strongest : HTML_SECTION_INCLUDE;
    return p + 1;
}

/* One word, string or comment inside a declaration. Behind it; NULL: not allowed there;
 * m->end: without end. */
static const char *skip_declared(const struct markup *m, const char *p)
{
    if (*p == '"' || *p == '\'') {
        const char *close = memchr(p + 1, *p, (size_t)(m->end - p - 1));
        return close == NULL ? m->end : close + 1;
    }
    if (*p == '-') {
        if (p + 1 < m->end && p[1] != '-')
            return NULL;
        const char *close = find_dashes(m, p + 2);
        return close == NULL ? m->end : close + 2;
    }
    while (p < m->end && is_word(*p))
        p++;
    return p;
}

/* <!DOCTYPE ...> or <!ENTITY ...>; anything else is a comment up to ">". */
static const char *read_declaration(struct markup *m, const char *start)
{
    const char *p = start + 2;
    while (p < m->end && is_name(*p))
        p++;
    struct mx_str name = mx_str_of(start + 2, (size_t)(p - start - 2));
    if (p == m->end)
        return start;
    if (!mx_str_ieq(name, MX_STR("doctype")) && !mx_str_ieq(name, MX_STR("entity")))
        return comment_to_gt(m, start);
    for (;;) {
        p = skip_space(p);
        if (p >= m->end)
            return start;
        if (*p == '>')
            break;
        p = skip_declared(m, p);
        if (p == NULL)
            return comment_to_gt(m, start);
        if (p >= m->end)
            return start;
    }
    take(m, HTML_MARKUP_DECLARATION, start, p + 1);
    return p + 1;
}

static const char *read_bang(struct markup *m, const char *start)
{
    char c = start[2];
    if (c == '-') {
        if (start[3] == '-')
            return read_comment(m, start);
        return start + 3 >= m->end ? start : comment_to_gt(m, start);
    }
    if (c == '[') {
        const char *behind = read_section(m, start);
        return behind != NULL ? behind : comment_to_gt(m, start);
    }
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
        return read_declaration(m, start);
    return comment_to_gt(m, start);
}

/* Behind the value that begins at ${p}, which goes to ${out}; NULL: the end is missing.
 */
static const char *read_value(const struct markup *m, const char *p, struct mx_str *out)
{
    if (*p == '"' || *p == '\'') {
        const char *close = memchr(p + 1, *p, (size_t)(m->end - p - 1));
        if (close == NULL)
            return NULL;
        *out = mx_str_of(p + 1, (size_t)(close - p - 1));
        return close + 1;
    }
    const char *start = p;
    while (p < m->end && is_word(*p))
        p++;
    *out = mx_str_of(start, (size_t)(p - start));
    return p;
}

/* Behind the attribute that begins at ${p}, and space; NULL: the end is missing. */
static const char *read_attr(struct markup *m, const char *p)
{
    const char *start = p++;
    while (p < m->end && is_word(*p) && *p != '=')
        p++;
    struct html_attr attr = {.name = mx_str_of(start, (size_t)(p - start))};
    attr.value = attr.name;
    p = skip_space(p);
    if (*p == '=') {
        p = skip_space(p + 1);
        attr.value = MX_STR("");
        if (p < m->end && *p != '>')
            p = read_value(m, p, &attr.value);
        if (p == NULL)
            return NULL;
        p = skip_space(p);
    }
    if (m->out->n_attrs < HTML_ATTRS_MAX)
        m->out->attrs[m->out->n_attrs++] = attr;
    return p < m->end ? p : NULL;
}

static const char *read_start(struct markup *m, const char *start)
{
    const char *p = start + 2;
    while (p < m->end && is_word(*p))
        p++;
    struct mx_str name = mx_str_of(start + 1, (size_t)(p - start - 1));
    m->out->n_attrs = 0;
    p = skip_space(p);
    while (p != NULL && p < m->end && *p != '>')
        p = read_attr(m, p);
    if (p == NULL || p >= m->end)
        return start;
    take(m, HTML_MARKUP_START, start, p + 1);
    m->out->name = name;
    return p + 1;
}

/* The ">" that ends an end tag: quotes opened behind a space or "=" hide it. */
static const char *find_gt(const char *p, const char *end)
{
    char quote = '\0', before = ' ';
    for (; p < end; before = *p++) {
        if (*p == '>' && quote == '\0')
            return p;
        if (*p != '"' && *p != '\'')
            continue;
        if (*p == quote)
            quote = '\0';
        else if (quote == '\0' && (before == ' ' || before == '='))
            quote = *p;
    }
    return end;
}

static const char *read_end(struct markup *m, const char *start)
{
    const char *p = start + 2;
    while (p < m->end && is_word(*p))
        p++;
    struct mx_str name = mx_str_of(start + 2, (size_t)(p - start - 2));
    const char *gt = find_gt(p, m->end);
    if (gt == m->end)
        return start;
    take(m, name.n > 0 ? HTML_MARKUP_END : HTML_MARKUP_COMMENT, start, gt + 1);
    m->out->name = name;
    return gt + 1;
}

const char *html_markup_read(const char *start, const char *end, bool has_short_comments,
                             struct html_markup *out)
{
    struct markup m = {.end = end, .has_short_comments = has_short_comments, .out = out};
    char c = start[1];
    if (html_is_name_start(c))
        return read_start(&m, start);
    if (c == '/')
        return read_end(&m, start);
    if (c == '!')
        return read_bang(&m, start);
    if (c != '?')
        return NULL;
    const char *gt = memchr(start + 2, '>', (size_t)(end - start - 2));
    if (gt == NULL)
        return start;
    take(&m, HTML_MARKUP_PROCESS, start, gt + 1);
    return gt + 1;
}
