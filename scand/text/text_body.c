/*
 * The text of body rules: every text/plain and text/html leaf, rendered, one after the
 * other, alternatives and attachments too. Space is collapsed over the whole, so that an
 * element is a paragraph; long ones are cut at a space. The Subject goes in front.
 *
 * SpamAssassin's strings are bytes or characters, and here the difference shows: if no
 * part has a character above U+00FF and none was converted from a charset, the result is
 * ISO 8859-1 and a no-break space is no space. Otherwise it is UTF-8, and all of
 * Unicode's space is.
 */
#include "text/text_body.h"

#include <string.h>

#include "mx_arena.h"
#include "text/text.h"
#include "text/text_chars.h"
#include "text/text_decode.h"
#include "text/text_html.h"
#include "text/text_tree.h"

#define ARENA_PER_BYTE 8 /* arena that one byte of decoded text may need here */

static bool is_type(const struct text_part *part, struct mx_str type)
{
    return mx_str_eq(part->type, type);
}

static struct mx_str render_html(struct mx_arena *arena, struct text_part *part,
                                 struct mx_str utf8)
{
    struct html_result *html = mx_arena_alloc(arena, sizeof(*html));
    text_html_render(arena, utf8, html);
    double size = (double)part->decoded.n;
    html->ratio = (size - (double)html->text_length) / size;
    part->html = html;
    return html->text;
}

/* Fill in what body shows of ${part}. Returns whether that is a string of characters. */
static bool render(struct mx_arena *arena, struct text_part *part)
{
    part->decoded = text_part_decoded(arena, part);
    if (part->decoded.n > mx_arena_left(arena) / ARENA_PER_BYTE)
        return false;
    struct mx_str utf8 = text_to_utf8(arena, part->decoded, part->charset);
    if (utf8.n == 0 || !is_type(part, MX_STR("text/html"))) {
        part->rendered = utf8;
        return text_has_high(utf8);
    }
    part->rendered = render_html(arena, part, utf8);
    return part->html->is_wide;
}

/* ${s} without what is behind ${max_chars} characters: cut behind a line end, or behind a
 * space, if one is near. */
static struct mx_str cut(struct mx_str s, size_t max_chars)
{
    size_t max = text_chars_offset(s, max_chars);
    if (max == s.n)
        return s;
    struct mx_str rest = mx_str_sub(s, max, s.n);
    rest.n = text_chars_offset(rest, TEXT_CUT_SEARCH + 1);
    ptrdiff_t at = mx_str_chr(rest, '\n');
    if (at < 0)
        at = mx_str_chr(rest, ' ');
    return mx_str_sub(s, 0, max + (size_t)(at + 1));
}

/* A leaf with a type at all; one whose type is only odd bytes has none. */
static bool is_seen(const struct text_part *part)
{
    return part->is_leaf && part->declared_type.n > 0;
}

/* Every leaf adds a line end, text or not, unless nothing is there yet. */
static struct mx_str join_parts(struct mx_arena *arena, const struct texts *texts)
{
    const struct text_tree *tree = &texts->tree;
    size_t max = texts->settings ? texts->settings->body_part_max : 0;
    struct mx_str *v = mx_arena_array(arena, tree->n_parts * 2 + 1, sizeof(*v));
    size_t n = 0, size = 0;
    for (size_t i = 0; i < tree->n_parts; i++) {
        if (!is_seen(&tree->parts[i]))
            continue;
        if (size > 0) {
            v[n++] = MX_STR("\n");
            size++;
        }
        v[n++] = cut(tree->parts[i].rendered, max > 0 ? max : TEXT_BODY_PART_MAX);
        size += v[n - 1].n;
        if (size > mx_arena_left(arena) / ARENA_PER_BYTE)
            break;
    }
    return text_join(arena, v, n);
}

struct walker {
    const char *p, *end;
    bool is_wide;
};

static bool skip_space(struct walker *w)
{
    const char *next = w->p;
    if (next == w->end)
        return false;
    uint32_t c = w->is_wide ? text_char_next(&next, w->end) : (unsigned char)*next++;
    if (w->is_wide ? !text_char_space_wide(c) : !text_char_space((unsigned char)c))
        return false;
    w->p = next;
    return true;
}

/* A run of space: from its first to its last line end it is one line end, if these are
 * two; else, and before and behind, it is one space. */
static char *put_space(struct walker *w, char *to)
{
    const char *start = w->p, *first = NULL, *last = NULL;
    do {
        if (*w->p == '\n') {
            first = first == NULL ? w->p : first;
            last = w->p;
        }
    } while (skip_space(w));
    if (first == last) {
        *to++ = ' ';
        return to;
    }
    if (first > start)
        *to++ = ' ';
    *to++ = '\n';
    if (last + 1 < w->p)
        *to++ = ' ';
    return to;
}

/* NUL becomes a line end, as it is what marks one in the original. */
static struct mx_str collapse(struct mx_arena *arena, struct mx_str text, bool is_wide)
{
    char *out = mx_arena_alloc(arena, text.n + 1), *to = out;
    struct walker w = {.p = text.p, .end = text.p + text.n, .is_wide = is_wide};
    while (w.p < w.end) {
        struct walker ahead = w;
        if (skip_space(&ahead)) {
            to = put_space(&w, to);
            continue;
        }
        text_char_next(&ahead.p, ahead.end);
        for (; w.p < ahead.p; w.p++)
            *to++ = *w.p == '\0' ? '\n' : *w.p;
    }
    return mx_str_of(out, (size_t)(to - out));
}

/* The last Subject with a line end. */
static struct mx_str subject_of(struct mx_arena *arena, const struct texts *texts)
{
    struct mx_str value;
    if (!text_header_get(arena, texts, MX_STR("Subject"), &value) || value.n == 0)
        return MX_STR("\n");
    ptrdiff_t before = mx_str_rchr(mx_str_sub(value, 0, value.n - 1), '\n');
    return mx_str_sub(value, (size_t)(before + 1), value.n);
}

/* ${line} in pieces of at most TEXT_LINE_MAX bytes and a space. */
static void add_line(struct mx_arena *arena, struct text_lister *lister,
                     struct mx_str line)
{
    while (line.n > TEXT_LINE_MAX) {
        ptrdiff_t space = mx_str_rchr(mx_str_sub(line, 0, TEXT_LINE_MAX + 1), ' ');
        size_t n = space < 0 ? TEXT_LINE_MAX : (size_t)space + 1;
        text_lister_add(arena, lister, mx_str_sub(line, 0, n));
        line = mx_str_sub(line, n, line.n);
    }
    if (line.n > 0)
        text_lister_add(arena, lister, line);
}

static struct text_list split_lines(struct mx_arena *arena, struct mx_str text)
{
    struct text_lister lister = {.max = SIZE_MAX};
    while (text.n > 0) {
        ptrdiff_t end = mx_str_chr(text, '\n');
        size_t n = end < 0 ? text.n : (size_t)end + 1;
        add_line(arena, &lister, mx_str_sub(text, 0, n));
        text = mx_str_sub(text, n, text.n);
    }
    return text_lister_list(&lister);
}

void text_body_form(struct mx_arena *arena, struct texts *texts)
{
    bool is_wide = false, has_leaf = false;
    for (size_t i = 0; i < texts->tree.n_parts; i++) {
        struct text_part *part = &texts->tree.parts[i];
        has_leaf |= is_seen(part);
        if (part->is_leaf &&
            (is_type(part, MX_STR("text/plain")) || is_type(part, MX_STR("text/html"))))
            is_wide |= render(arena, part);
    }
    if (!has_leaf)
        return; /* a multipart of nothing has no body, not even a Subject */
    struct mx_str text = join_parts(arena, texts);
    if (!is_wide)
        text = text_latin1(arena, text);
    text = collapse(arena, text, is_wide);
    struct mx_str parts[] = {subject_of(arena, texts), text};
    texts->body = split_lines(arena, text_join(arena, parts, 2));
}
