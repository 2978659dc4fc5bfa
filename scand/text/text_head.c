/*
 * Header sections. A message's header ends where SpamAssassin says so, which takes lines
 * that are no fields for a while (a gateway's noise) and then decides that the body has
 * begun. Values are unfolded and decoded once, here, for all rules that ask later.
 */
#include "text_head.h"

#include <stdlib.h>
#include <string.h>

#include "mx_arena.h"
#include "text/text_chars.h"
#include "text/text_decode.h"

#define BAD_LINES_MAX 3 /* lines that are no fields and yet inside the header */

struct mx_str text_head_line(struct mx_str rest)
{
    const char *end = rest.n ? memchr(rest.p, '\n', rest.n) : NULL;
    return end ? mx_str_sub(rest, 0, (size_t)(end - rest.p) + 1) : rest;
}

bool text_head_is_field(struct mx_str line, bool may_have_space)
{
    size_t i = 0;
    while (i < line.n && line.p[i] > ' ' && line.p[i] < 0x7f && line.p[i] != ':')
        i++;
    if (i == 0)
        return false;
    while (may_have_space && i < line.n && (line.p[i] == ' ' || line.p[i] == '\t'))
        i++;
    return i < line.n && line.p[i] == ':';
}

const struct text_field *text_head_last(const struct text_field *fields, size_t n,
                                        struct mx_str name)
{
    while (n-- > 0)
        if (mx_str_ieq(fields[n].name, name))
            return &fields[n];
    return NULL;
}

/* ---- values -------------------------------------------------------------------------
 */

/* Fields in which encoded words are no encoded words. */
static bool is_opaque(struct mx_str name)
{
    static const char *const list[] = {"received",    "message-id",   "resent-message-id",
                                       "date",        "resent-date",  "references",
                                       "in-reply-to", "mime-version", NULL};
    for (const char *const *one = list; *one; one++)
        if (mx_str_ieq(name, mx_str(*one)))
            return true;
    return mx_str_istarts(name, MX_STR("list-"));
}

/* Each newline and the blanks behind it become one space. */
static struct mx_str unfold(struct mx_arena *arena, struct mx_str s)
{
    if (s.n == 0 || memchr(s.p, '\n', s.n) == NULL)
        return s;
    char *p = mx_arena_alloc(arena, s.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n;) {
        size_t blank = i + 1;
        while (s.p[i] == '\n' && blank < s.n && (s.p[blank] == ' ' || s.p[blank] == '\t'))
            blank++;
        p[n++] = blank > i + 1 ? ' ' : s.p[i];
        i = blank;
    }
    return mx_str_of(p, n);
}

void text_fields_add(struct mx_arena *arena, struct text_fields *fields,
                     struct mx_str name, struct mx_str raw)
{
    if (fields->n == fields->room) {
        fields->room = fields->room ? 2 * fields->room : 32;
        fields->v = mx_xrealloc(fields->v, fields->room * sizeof(*fields->v));
    }
    struct mx_str plain = text_trim(unfold(arena, raw), false);
    fields->v[fields->n++] = (struct text_field){
        .name = name,
        .raw = raw,
        .value = is_opaque(name) ? text_line_decode(arena, plain)
                                 : text_words_decode(arena, plain),
    };
}

const struct text_field *text_fields_keep(struct mx_arena *arena,
                                          struct text_fields *fields, size_t *out_n)
{
    struct text_field *kept = mx_arena_array(arena, fields->n + 1, sizeof(*kept));
    if (fields->n)
        memcpy(kept, fields->v, fields->n * sizeof(*kept));
    *out_n = fields->n;
    free(fields->v);
    *fields = (struct text_fields){.v = NULL};
    return kept;
}

/* ---- sections -----------------------------------------------------------------------
 */

/* One whole field with its continuation lines; without a colon it is no field. */
static void add_field(struct mx_arena *arena, struct mx_str field, bool has_crlf,
                      struct text_fields *fields, unsigned *flags)
{
    ptrdiff_t colon = mx_str_chr(field, ':');
    if (colon < 0)
        return;
    struct mx_str name = mx_str_sub(field, 0, (size_t)colon);
    struct mx_str raw = mx_str_sub(field, (size_t)colon + 1, field.n);
    if (has_crlf)
        raw = text_crlf_to_lf(arena, raw);
    while (name.n > 0 && (name.p[name.n - 1] == ' ' || name.p[name.n - 1] == '\t'))
        name.n--;
    if (name.n > TEXT_FIELD_NAME_MAX || raw.n > TEXT_FIELD_VALUE_MAX)
        *flags |= TEXT_TRUNCATED_HEADER;
    name = mx_str_sub(name, 0, TEXT_FIELD_NAME_MAX);
    raw = mx_str_sub(raw, 0, TEXT_FIELD_VALUE_MAX);
    if (raw.n > 0 && raw.p[raw.n - 1] == '\n')
        raw.n--;
    text_fields_add(arena, fields, name, raw);
}

static bool is_empty_line(struct mx_str line, bool has_crlf)
{
    if (line.n == 1)
        return line.p[0] == '\n';
    return has_crlf && line.n == 2 && line.p[0] == '\r' && line.p[1] == '\n';
}

size_t text_head_parse(struct mx_arena *arena, struct mx_str raw, bool has_crlf,
                       struct text_fields *fields, unsigned *flags)
{
    size_t at = 0, start = 0, end; /* of the field being read: [start, at) */
    unsigned bad_lines = 0;
    for (;; at = end) {
        struct mx_str line = text_head_line(mx_str_sub(raw, at, raw.n));
        end = at + line.n;
        if (line.n > 0 && (line.p[0] == ' ' || line.p[0] == '\t'))
            continue;
        if (at > start)
            add_field(arena, mx_str_sub(raw, start, at - start), has_crlf, fields, flags);
        start = at;
        if (is_empty_line(line, has_crlf))
            return end;
        if (line.n == 0 || mx_str_starts(line, MX_STR("--")) ||
            (!text_head_is_field(line, true) && ++bad_lines > BAD_LINES_MAX))
            break;
    }
    *flags |= TEXT_MISSING_HEAD_BODY_SEPARATOR;
    return at;
}
